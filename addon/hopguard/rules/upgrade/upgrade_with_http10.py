from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP1, HTTP10, Message, Request, Response
from hopguard.rule import ERROR, INFO, Evidence, Requirement, Variant, message_rule


def check_exchange(request: Request, response: Response) -> Iterator[Evidence]:
    """Find a switch of protocols that an HTTP/1.0 client cannot follow."""
    if response.status == 101 and request.version in HTTP10:
        yield Evidence("The status 101 answers an HTTP/1.0 request.", variant="switched")


@message_rule(
    requirement=Requirement(9110, "7.8", "MUST"),
    also=(Requirement(9110, "15.2", "MUST NOT"),),
    variants={
        "switched": Variant(ERROR, requirement=Requirement(9110, "15.2", "MUST NOT")),
        "offered": INFO,
    },
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"upgrade",),
    statuses=(101,),
    in_exchange=check_exchange,
    repair="Remove Upgrade from the request, where it has no effect.",
    edit={"offered": editing.remove_field},
    violating={
        "switched": [
            """
            > GET /chat HTTP/1.0
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
            """
            > GET / HTTP/1.0
            <! HTTP/1.0 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: TLS/1.2
            """,
        ],
        "offered": [
            """
            > GET /chat HTTP/1.0
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET / HTTP/1.0
            > upgrade:
            >! UPGRADE: TLS/1.2, TLS/1.0
            """,
            """
            > GET / HTTP/1.0
            > Connection: close
            >! Upgrade: h2c
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 0
            """,
        ],
    },
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
        > GET / HTTP/1.0
        > Upgrade-Insecure-Requests: 1
        < HTTP/1.0 200 OK
        """,
        """
        > GET / HTTP/1.0
        > Connection: Upgrade
        > Upgrade:
        """,
        """
        > GET / HTTP/1.0
        < HTTP/1.1 426 Upgrade Required
        < Connection: Upgrade, close
        < Upgrade: HTTP/1.1
        < Content-Length: 0
        """,
        """
        < HTTP/1.0 200 OK
        < Connection: Upgrade
        < Upgrade: h2c
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Upgrade is offered in an HTTP/1.0 request, or such a request is answered with 101.

    HTTP/1.0 has no upgrade and no interim responses. A server has to ignore the field in such a
    request, so the offer has no effect (offered). A server that switches all the same (switched)
    sends a status that the client does not know, followed by octets that the client takes for the
    rest of a response.

    The usual cause of an offer is a proxy between a browser and a WebSocket server: nginx spoke
    HTTP/1.0 to its upstreams by default for many years and had to be told otherwise
    (hashbang/shell-server#119). WebSocket servers then answer 400 or a plain page, and Envoy
    refuses HTTP/1.0 altogether with 426 (SigNoz/charts#53, envoyproxy/envoy#18608).

    In nginx set proxy_http_version 1.1 together with proxy_set_header Upgrade $http_upgrade and
    proxy_set_header Connection "upgrade". In Apache httpd do not set force-proxy-request-1.0 for
    such a path. ApacheBench speaks HTTP/1.0 only and cannot test an upgrade. A server written by
    hand compares the version before it looks at Upgrade.

    The rules about the WebSocket handshake keep silent about a request with Upgrade in HTTP/1.0.
    """
    if isinstance(message, Request) and message.version in HTTP10:
        for line, _ in message.upgrades()[:1]:
            text = f"{line} is sent in an HTTP/1.0 request, where it has no effect."
            yield Evidence(text, line, "offered")
