from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP11, Request
from hopguard.rule import ERROR, Evidence, Requirement, request_rule


@request_rule(
    requirement=Requirement(7540, "3.2.1", "MUST"),
    also=(Requirement(9113, "11.1"), Requirement(9110, "7.6.1", "MUST")),
    severity=ERROR,
    profiles=("rfc7540",),
    versions=HTTP11,
    fields=(b"http2-settings",),
    repair="Remove HTTP2-Settings, and h2c from Upgrade; the answer then comes over HTTP/1.1.",
    edit=editing.withdraw_h2c,
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: h2c
        >! HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, upgrade, HTTP2-Settings-Ack
        > Upgrade: websocket, H2C
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        >! http2-settings: AAMAAABkAAQAAP__
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > http2-settings: AAMAAABkAAQAAP__
        > upgrade: h2c
        > connection: upgrade
        > connection: http2-settings
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        """
        < HTTP/1.1 200 OK
        < HTTP2-Settings: AAMAAABkAAQAAP__
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        """
        > GET / HTTP/2
        > http2-settings: AAMAAABkAAQAAP__
        """,
    ],
)
def check(request: Request) -> Iterator[Evidence]:
    """HTTP2-Settings is sent without the connection option HTTP2-Settings.

    The field holds the client's settings for the HTTP/2 connection that an h2c upgrade would open.
    It concerns this hop alone, so Connection must list it beside upgrade. Without the option a
    server must not upgrade, and a proxy may pass the settings on to a server beyond, where they
    help to open an HTTP/2 connection that the proxy cannot see into.

    curl --http2 and Java's HttpClient list both. A request without the option was mostly written by
    hand, or has lost part of its Connection line on the way: RFC 9113 has made the mechanism
    obsolete, and many proxies know nothing about it. The remedy is to stop offering h2c: in Java,
    HttpClient.newBuilder().version(HTTP_1_1); in curl, --http1.1, or --http2-prior-knowledge where
    the server is known to speak HTTP/2 in clear text.

    In HTTP/2 and HTTP/3, and in a response, the field is out of place in itself, and another rule
    says so.
    """
    if request.lacks_option(b"http2-settings"):
        line = request.lines(b"http2-settings")[0]
        yield Evidence(f"{line} is sent, but Connection does not list HTTP2-Settings.", line)
