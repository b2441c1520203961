from collections.abc import Iterator

from hopguard import grammar
from hopguard.message import HTTP1, HTTP11, Request, Response
from hopguard.rule import ERROR, WARNING, Evidence, Requirement, Variant, exchange_rule

WAITING = (b"websocket", b"connect-udp")
"""Protocols whose clients have to wait for the 101, which are the variants of an upgrade."""


@exchange_rule(
    requirement=Requirement(6455, "4.1", "MUST"),
    also=(Requirement(9110, "7.8"), Requirement(9112, "11.2")),
    variants={
        "websocket": ERROR,
        "connect-udp": Variant(ERROR, requirement=Requirement(9931, "6")),
        "connect": Variant(WARNING, requirement=Requirement(9931, "8", "MUST")),
    },
    profiles=("rfc9110", "rfc6455", "security"),
    versions=HTTP1,
    early_octets=True,
    visible="raw",
    violating={
        "websocket": [
            r"""
            * sent before the response: \x81\x85abcd\x09\x07\x0f\x08\x0e
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: websocket
            < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
            """,
            r"""
            * sent before the response: GET /admin HTTP/1.1\r\nHost: www.example\r\n\r\n
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: foo
            >! upgrade: WebSocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            < HTTP/1.1 400 Bad Request
            < Content-Length: 0
            """,
        ],
        "connect-udp": [
            r"""
            * sent before the response: \x00\x05\x00\x01\x02\x03\x04
            > GET /.well-known/masque/udp/192.0.2.6/443/ HTTP/1.1
            > Host: proxy.example
            > Connection: Upgrade
            >! Upgrade: connect-udp
            > Capsule-Protocol: ?1
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: connect-udp
            < Capsule-Protocol: ?1
            """,
        ],
        "connect": [
            r"""
            * sent before the response: \x16\x03\x01\x02\x00\x01
            >! CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            < HTTP/1.1 200 Connection Established
            """,
            r"""
            * sent before the response: POST /upload HTTP/1.1\r\nHost: www.example\r\n\r\n
            >! CONNECT no-such.example:443 HTTP/1.1
            > Host: no-such.example:443
            < HTTP/1.0 502 Bad Gateway
            < Content-Length: 0
            """,
        ],
    },
    conforming=[
        """
        * nothing sent before the response
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 200 OK
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        r"""
        * sent before the response: \r\n
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 200 OK
        """,
        r"""
        * sent before the response: POST /upload HTTP/1.1\r\nHost: www.example\r\n\r\n
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        > Connection: Close
        < HTTP/1.1 502 Bad Gateway
        < Connection: close
        < Content-Length: 0
        """,
        r"""
        * sent before the response: \x16\x03\x01\x02\x00\x01
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        > Connection: "close"
        < HTTP/1.1 200 OK
        """,
        r"""
        * sent before the response: GET /b HTTP/1.1\r\nHost: www.example\r\n\r\n
        > GET /a HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        r"""
        * sent before the response: GET /b HTTP/1.1\r\nHost: www.example\r\n\r\n
        > GET /a HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        r"""
        * sent before the response: GET /b HTTP/1.1\r\nHost: www.example\r\n\r\n
        > GET /chat HTTP/1.1
        > Host: www.example
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 400 Bad Request
        < Content-Length: 0
        """,
        r"""
        * sent before the response: \x16\x03\x01\x02\x00\x01
        > CONNECT www.example:443 HTTP/1.0
        < HTTP/1.0 200 OK
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """The client goes on in the new protocol before the switch is confirmed.

    Until the 101, or the 2xx to CONNECT, nobody knows whether the connection will change its
    protocol. What a client sends before that has two readings: data of the new protocol if the
    server agrees, the next HTTP request if it does not. Whoever controls that data, for example
    the program behind a tunnel, can smuggle requests in the client's name; with a POST in place
    of the first octets of TLS, a refused CONNECT is all it takes.

    A WebSocket client has to wait for the answer, and since RFC 9931 a connect-udp client in
    HTTP/1.1, too. A client that sends CONNECT for programs it does not trust either waits or says
    "Connection: close", which takes away the second reading. Proxies make it worse when they pass
    octets on before they have seen the 101: Pingora did (HackTricks-wiki/hacktricks#2063), and
    mitmproxy serves what follows a rejected CONNECT as a request.

    In a client, do not write before the head of the response is read; no widely used library does.
    To save the round trip use HTTP/2 or HTTP/3, where a rejected stream has no second reading. In a
    proxy, close the connection after a CONNECT or an upgrade that was refused if anything has come
    in by then.

    An empty line alone is ignored. A CONNECT is a warning, because the program behind the tunnel
    may be trusted, and an error if the octets are an HTTP request. Without the connection option
    upgrade there is no valid offer, and the octets are pipelined requests. Captures show this;
    in live traffic mitmproxy handles the octets itself.
    """
    early = (request.early_octets or b"").lstrip(b"\r\n")
    if request.version not in HTTP11 or not early:
        return
    if request.method == b"CONNECT":
        if b"close" not in request.options | request.meant_options:
            yield Evidence(
                "The client sends on before its CONNECT request is answered.",
                variant="connect",
                severity=ERROR if grammar.starts_request(early) else WARNING,
                about=request,
            )
    elif b"upgrade" in request.options:
        for protocol in WAITING:
            line = request.line_naming(protocol)
            if line is not None:
                text = f"{line} is offered, but the client sends on before it is answered."
                yield Evidence(text, line, protocol.decode(), about=request)
                return
