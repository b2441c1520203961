from collections.abc import Iterator

from hopguard import grammar
from hopguard.message import HTTP11, Message, Request, Response
from hopguard.rule import WARNING, Evidence, Requirement, exchange_rule

CARRIES_HTTP = frozenset({b"http", b"tls", b"tcp"})
"""Protocols after which HTTP/1.x is no surprise: HTTP itself, TLS (whose plain text a capture may
hold), and tcp, by which Docker means a stream of octets of any kind."""


@exchange_rule(
    requirement=Requirement(9110, "7.8"),
    also=(Requirement(9110, "15.2.2"),),
    severity=WARNING,
    profiles=("rfc9110",),
    versions=HTTP11,
    statuses=(101,),
    violating=[
        r"""
        * sent after the switch: HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: foo
        <! HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: foo
        """,
        r"""
        * sent after the switch: \x00\x01
        * sent after the switch: GET /next HTTP/1.1\r\nHost: www.example\r\n\r\n
        * sent after the switch: POST /next HTTP/1.0\n
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: foo
        <! HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: foo
        """,
        r"""
        * sent after the switch: HTTP/1.0 404
        * sent after the switch: GET / HTTP/1.1\r\n
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        <! HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
    ],
    conforming=[
        r"""
        * sent after the switch: \x81\x05GET /
        * sent after the switch: GET / HTTP/2.0\r\n
        * sent after the switch: HTTP/1.1
        * sent after the switch: get some HTTP/1.1 help
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: foo
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: foo
        """,
        r"""
        * sent after the switch: PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: h2c
        """,
        r"""
        * sent after the switch: HTTP/1.1 200 OK\r\n
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        r"""
        * sent after the switch: HTTP/1.1 200 OK\r\n
        > POST /containers/a84c/attach HTTP/1.1
        > Host: docker
        > Connection: Upgrade
        > Upgrade: tcp
        < HTTP/1.1 101 UPGRADED
        < Connection: Upgrade
        < Upgrade: tcp
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: foo
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: foo
        """,
        r"""
        * sent after the switch: HTTP/1.1 200 OK\r\n
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        """,
        r"""
        * sent after the switch: HTTP/1.1 200 OK\r\n
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: foo, TLS/1.2
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: "TLS/1.2"
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """HTTP/1.x messages go on after a 101 has switched to another protocol.

    After the empty line of the 101 both sides speak the new protocol. A status line or a request
    line in its place means that one of them has not switched. A proxy in between has stopped
    reading HTTP by then: it relays such requests without looking at them, so what began as a
    failed upgrade ends as a way around its rules.

    Servers do so when two parts of them answer the same request, such as a library that sends the
    101 and a handler behind it that goes on to send its 200; clients when they take the 101 for
    another interim response, like 103, and keep the connection in their pool. Some attacks on
    proxies rest on it: the attacker brings about a 101 that the server does not mean.

    In the server, let the upgrade take the connection away from the HTTP layer: hijack in Go, the
    upgrade event in Node, HttpServletRequest.upgrade in servlets. Send a final status instead of
    the 101 if the upgrade was refused. In the client, never return a connection to the pool after
    a 101.

    After a switch to TLS or to HTTP itself this is no surprise, and the tcp of Docker is a stream
    that may hold anything: nothing is reported there. Where the 101 names no protocol, the offer
    counts. At most one finding for each side.
    """
    if not CARRIES_HTTP.isdisjoint(_named(response) or _named(request)):
        return
    pieces = response.switched_octets or ()
    if any(grammar.starts_request(piece) for piece in pieces):
        yield Evidence("The client sends an HTTP/1.x request after the 101.", sender="client")
    if any(grammar.starts_response(piece) for piece in pieces):
        yield Evidence("The server sends an HTTP/1.x response after the 101.", sender="server")


def _named(message: Message) -> frozenset[bytes]:
    """Return the names of the protocols in Upgrade, also of those that are not written well."""
    return message.meant_protocols.union(protocol.name for _, protocol in message.protocols())
