from collections.abc import Iterator

from hopguard.field_registry import HANDSHAKE_PREFIX, REGISTERED
from hopguard.fields import (
    AUTHENTICATING,
    CACHING,
    FRAMING,
    HOP_BY_HOP,
    ROUTE,
    ROUTE_BY_CONVENTION,
    authenticates_by_convention,
)
from hopguard.message import HTTP1, Message
from hopguard.rule import INFO, Evidence, Requirement, message_rule
from hopguard.text import quote

RECOGNISED = (
    HOP_BY_HOP | REGISTERED | CACHING | AUTHENTICATING | FRAMING | ROUTE | ROUTE_BY_CONVENTION
)

MOST_FINDINGS = 8
"""Unrecognised options that are reported for one message; more of them are a remark."""


@message_rule(
    requirement=Requirement(9110, "7.6.1"),
    variants={"custom-field": INFO, "unknown-option": INFO},
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    in_trailers=True,
    violating={
        "custom-field": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: X-Hop-Token
            > X-Hop-Token: 7
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: close
            <! Connection: x-trace-hop
            < X-Trace-Hop:
            < Content-Length: 0
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Connection: X-Hop-Sum
            > Transfer-Encoding: chunked
            > Trailer: x-hop-sum
            """,
        ],
        "unknown-option": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: keep-alive, closed
            """,
            """
            < HTTP/1.0 200 OK
            <! Connection: Persist
            < Content-Length: 0
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Connection: X-Hop-Sum
            > Transfer-Encoding: chunked
            >
            > X-Sum: 7
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: Upgrade-Insecure-Requests
            > Upgrade-Insecure-Requests-Not: 1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: a1, a2, a3, a4, a5, a6, a7, a8
            > Connection: a9
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Keep-Alive, TE, close
        > TE: trailers
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: C-Man, Alt-Used, Proxy-Support, HTTP2-Settings, Sec-WebSocket-Foo
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: User-Agent, Cache-Control, X-Forwarded-For, X-Auth-Token, Host
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: X-Real-IP
        < Content-Length: 0
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Connection: X-Hop-Sum
        > Transfer-Encoding: chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: "x-unknown"
        """,
        """
        > GET / HTTP/2
        > connection: x-unknown
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection lists a name that is neither a known option nor a known field.

    This is legal. It is how a sender marks a field of its own as meant for the next hop only
    (custom-field): an intermediary has to delete the field together with the option, whether or not
    it knows either. An option to which no field belongs (unknown-option) is allowed too, and
    recipients ignore what they do not know.

    It is worth a look all the same. A misspelt option has no effect ("closed" does not close, and
    software that compares prefixes takes it for close, as Tempesta did,
    tempesta-tech/tempesta#1579). A field of your application that somebody else names here
    disappears at the next proxy. Many unknown names in one message are typical of a scanner that
    looks for fields whose removal makes a difference, although such probing proves little by itself
    (projectdiscovery/nuclei-templates#11265).

    Nothing is repaired, as the sender is within its rights; with conforming forwarding, field and
    option stay behind. At most eight options of a message are reported. A field that is announced
    in Trailer counts as present, and where the trailer section may still bring it, the verdict
    waits for the end of the message.
    """
    names = message.options - RECOGNISED - message.options_of(_belongs_to_others)
    remark = f"; the message has {len(names)} such options" if len(names) > MOST_FINDINGS else ""
    for line, value in message.listing(names, MOST_FINDINGS):
        present = message.carries(value.lower())
        if present:
            text = f"{line} makes the field {quote(value)} a matter of this hop only{remark}."
            yield Evidence(text, line, "custom-field")
        elif present is not None:
            text = f"{line} lists {quote(value)}, an unknown option without such a field{remark}."
            yield Evidence(text, line, "unknown-option")


def _belongs_to_others(option: bytes) -> bool:
    return option.startswith(HANDSHAKE_PREFIX) or authenticates_by_convention(option)
