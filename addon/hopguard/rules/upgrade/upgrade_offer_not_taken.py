from collections.abc import Iterator

from hopguard.message import HTTP11, Request, Response
from hopguard.rule import INFO, Evidence, Requirement, exchange_rule


@exchange_rule(
    requirement=Requirement(9110, "7.8", "MAY"),
    also=(Requirement(9110, "15.5.22"),),
    severity=INFO,
    profiles=("noise",),
    versions=HTTP11,
    fields=(b"upgrade",),
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        < HTTP/1.1 426 Upgrade Required
        < Connection: Upgrade
        <! Upgrade: TLS/1.2, HTTP/1.1
        < Content-Length: 0
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, Upgrade
        > Upgrade: WebSocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade: foo
        <! Upgrade: websocket
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.0
        < HTTP/1.1 426 Upgrade Required
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade: h2,h2c
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        < HTTP/1.1 403 Forbidden
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > Upgrade: TLS/1.2
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        < Content-Length: 0
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """The server advertises the very protocol that the client has offered, and does not switch.

    Nothing is wrong with that: a server may ignore any offer, and may name in any response what it
    could speak. But both at once often mean that the two sides miss each other: the offer did not
    arrive as it was sent, lacked something that the server wants, or went to a resource that cannot
    switch.

    Typical cases are a WebSocket handshake whose Connection a proxy has replaced, so that the
    server sees no valid offer and answers 426, and h2c, which servers such as Apache httpd
    advertise but do not take in a request with content. As a check of a deployment this is useful;
    on healthy traffic it is noise, so it is off by default (profile noise).

    Compare what the server received with what the client sent: the connection option upgrade, the
    version HTTP/1.1, and for WebSocket the key and the version. In nginx that takes
    proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and proxy_set_header Connection
    "upgrade".

    Only 2xx and 426 are looked at; other statuses say by themselves why there was no switch.
    """
    takes_no_offer = response.status == 426 or 200 <= response.status < 300
    if request.version not in HTTP11 or not takes_no_offer:
        return
    for line, protocol in response.protocols():
        if protocol in request.acceptable_protocols:
            text = f"{line} advertises a protocol that the request has offered without success."
            yield Evidence(text, line)
            return
