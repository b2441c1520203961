"""What mitmproxy says of a message that it would not pass on."""

from typing import Literal

_BY_VALIDATION = "refusing to prevent request smuggling"
_FROM_SERVER = "from server"
_OF_REQUESTS = ("Invalid request scheme", "mitmproxy received an HTTP CONNECT request")


def refused_part(error: str) -> Literal["request", "response"] | None:
    """Tell which message mitmproxy has refused, by the text of a flow's error.

    None if it is about something else, such as a connection that broke: then both were passed on,
    as far as they came.
    """
    if _BY_VALIDATION in error:
        return "response" if _FROM_SERVER in error else "request"
    return "request" if error.startswith(_OF_REQUESTS) else None
