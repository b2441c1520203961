from collections.abc import Iterator

from hopguard.fields import CONNECTION_SPECIFIC
from hopguard.message import HTTP1, HTTP2, HTTP3, Message
from hopguard.nominating import nominated
from hopguard.rule import ERROR, Evidence, Requirement, forwarding_rule

_FORBIDDEN = CONNECTION_SPECIFIC | {b"http2-settings"}


@forwarding_rule(
    requirement=Requirement(9113, "8.2.2", "MUST"),
    also=(Requirement(9114, "4.2", "MUST"), Requirement(9110, "7.6.1", "MUST")),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP2 | HTTP3,
    visible="both-legs",
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Hop, TE
        > X-Hop: 1
        > TE: gzip
        * sent on
        > GET / HTTP/2
        >! x-hop: 1
        >! te: gzip
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade: h2,h2c
        < Keep-Alive: timeout=5
        < Transfer-Encoding: chunked
        * sent on
        < HTTP/2 200
        <! connection: Upgrade
        <! upgrade: h2,h2c
        <! keep-alive: timeout=5
        <! transfer-encoding: chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Proxy-Connection: keep-alive
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA
        * sent on
        > GET / HTTP/3
        >! proxy-connection: keep-alive
        >! http2-settings: AAMAAABkAAQAoAAAAAIAAAAA
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Hop, TE, User-Agent
        > X-Hop: 1
        > TE: trailers, gzip
        > User-Agent: example/1
        * sent on
        > GET / HTTP/2
        > te: trailers
        > user-agent: example/1
        """,
        """
        < HTTP/1.1 200 OK
        < Transfer-Encoding: chunked
        * sent on
        < HTTP/3 200
        < server: edge
        """,
    ],
)
def check(received: Message, sent: Message) -> Iterator[Evidence]:
    """A translation to HTTP/2 or HTTP/3 leaves fields of the HTTP/1 connection in place.

    The recipient has to take the message for malformed and reset its stream: curl, Safari, nghttp2
    and Go do. That looks as if the server behind the gateway were down.

    In a gateway, remove the fields while translating, those that Connection nominates as well: the
    five names of RFC 9113 are not all. What is missing most often is TE, which may only say
    trailers then. mitmproxy itself leaves TE, HTTP2-Settings and nominated fields.
    """
    if received.version not in HTTP1:
        return
    left = nominated(received)
    for line in sent.every_line():
        name, value = line.name.lower(), line.value.lower()
        wrong = name in _FORBIDDEN or (name == b"te" and value != b"trailers")
        if wrong or (name in left and name != b"te" and line.value in _values(received, name)):
            yield Evidence(
                f"{line} is left in a message that was translated to {sent.version}.", line
            )


def _values(message: Message, name: bytes) -> list[bytes]:
    return [line.value for line in (*message.lines(name), *message.trailer_lines(name))]
