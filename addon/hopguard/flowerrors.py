"""What mitmproxy says in a flow's error, as observed on mitmproxy 12.2."""

from typing import Literal

from hopguard.events import Failure

LOST = "server closed connection"
TRUNCATED = "HTTP/1 protocol error: peer closed connection without sending complete message body"
CLIENT_GONE = "Client disconnected."

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


def failure(error: str, *, answered: bool) -> Failure:
    """Tell how an exchange failed, whose response has, or has not, begun."""
    if not answered:
        return "lost" if error == LOST else "other"
    return "truncated" if error.startswith(TRUNCATED) else "other"
