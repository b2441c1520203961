from collections.abc import Iterator

from hopguard.message import HTTP1, Message, Request, Response
from hopguard.rule import INFO, Evidence, Requirement, message_rule
from hopguard.text import quote

OPTIONS_OF_FIELDS = frozenset(
    {b"upgrade", b"te", b"http2-settings", b"proxy-connection", b"trailer"}
)
"""Options that mean nothing unless the field of that name is there."""


@message_rule(
    requirement=Requirement(9110, "7.6.1"),
    variants={"itself": INFO, "absent-field": INFO},
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    in_trailers=True,
    violating={
        "itself": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: close, Connection
            """,
            """
            < HTTP/1.0 200 OK
            < Connection: keep-alive
            <! connection: CONNECTION
            < Content-Length: 0
            """,
        ],
        "absent-field": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: upgrade
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Via: 1.1 edge
            >! Connection: Upgrade, TE
            """,
            """
            < HTTP/1.1 200 OK
            <! Connection: Proxy-Connection
            <! Connection: trailer
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Connection: HTTP2-Settings
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Connection: upgrade
            > Transfer-Encoding: chunked
            >
            """,
        ],
    },
    conforming=[
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close, Keep-Alive
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: te
        > TE:
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Connection: upgrade
        > Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Trailer
        < Trailer: X-Sum
        < Transfer-Encoding: chunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Connection: transfer-encoding
        > Content-Length: 0
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Connection: upgrade
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: websocket, H2C
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Upgrade, Upgrade-Insecure-Requests
        > Upgrade-Insecure-Requests: 1
        """,
        """
        > GET / HTTP/2
        > connection: upgrade
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection lists itself, or a standard field that is not there.

    Both are allowed and both do nothing: Connection belongs to the hop anyway, and options need not
    correspond to a field. A trace of something that was lost on the way can still help to find a
    fault. Connection: upgrade without Upgrade mostly means that a proxy sets one of the two always
    and the other one only when the client has sent it; if a WebSocket handshake fails with
    "Upgrade header is missing", a hop before has removed the other half
    (hashbang/shell-server#119, saucelabs/forwarder#338).

    In nginx, the usual cause is proxy_set_header Connection "upgrade" for all requests. Take the
    value from a map of $http_upgrade that yields nothing, or close, when the client offers no
    upgrade. HAProxy passes on both fields by itself.

    Only options that need a field are looked at; close and keep-alive are options in their own
    right. One cause, one finding: Transfer-Encoding is left to the rule about framing fields, and
    where the missing field is what makes a 101, a 426, a WebSocket or an h2c offer invalid, to the
    rule about that. Where the trailer section may still bring the field, the verdict waits for the
    end of the message.
    """
    for line, value in message.listing(message.options & (OPTIONS_OF_FIELDS | {b"connection"})):
        option = value.lower()
        if option == b"connection":
            text = f"{line} lists {quote(value)}, which is removed at every hop anyway."
            yield Evidence(text, line, "itself")
        elif message.carries(option) is False and not _is_fault_of_its_own(message, option):
            yield Evidence(
                f"{line} lists {quote(value)}, but the message has no such field.",
                line,
                "absent-field",
                sender="intermediary" if option == b"upgrade" and message.forwarded else None,
            )


def _is_fault_of_its_own(message: Message, option: bytes) -> bool:
    """Tell whether a more precise rule reports that the field `option` is absent."""
    if isinstance(message, Response):
        return option == b"upgrade" and message.status in (101, 426)
    if option == b"upgrade":
        return isinstance(message, Request) and message.has(b"sec-websocket-key")
    offers = {member.value.lower() for member in message.members(b"upgrade")}
    return option == b"http2-settings" and b"h2c" in offers
