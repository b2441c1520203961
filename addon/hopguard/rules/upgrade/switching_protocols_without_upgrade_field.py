from collections.abc import Iterator

from hopguard.message import HTTP11, Response
from hopguard.rule import ERROR, Evidence, Requirement, response_rule


@response_rule(
    requirement=Requirement(9110, "15.2.2", "MUST"),
    also=(Requirement(9110, "7.8", "MUST"),),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP11,
    statuses=(101,),
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        <! HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        """,
        """
        > GET /api/events HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        <! HTTP/1.1 101 Switching Protocols
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        <! Upgrade:
        """,
        """
        <! HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < X-Upgrade: websocket
        """,
    ],
    conforming=[
        """
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < connection: upgrade
        < upgrade:
        < UPGRADE: , websocket
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: "websocket"
        """,
        """
        < HTTP/1.1 103 Early Hints
        < Connection: Upgrade
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Content-Length: 0
        """,
        """
        < HTTP/2 101
        """,
        """
        < HTTP/3 101
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """A 101 response does not say which protocol follows.

    After 101 the connection speaks another protocol, and Upgrade is the only place that says which.
    Without it the client cannot go on: browsers abort a WebSocket handshake with "'Upgrade' header
    is missing". A proxy in between only knows that HTTP has ended, and passes octets on that nobody
    can judge any more.

    The server has mostly sent the field, and a proxy has lost it. Upgrade and Connection are
    hop-by-hop fields, and a proxy written by hand removes all of those from every response: right
    for a 200, fatal for the 101 that it relays (TecFancy/dsh-auth-gate#50, and with HTTPS
    interception saucelabs/forwarder#338).

    A proxy that relays a switch of protocols has to write both fields anew, "Connection: Upgrade"
    and the Upgrade of the server. Go's httputil.ReverseProxy, Node's http-proxy and nginx with
    proxy_set_header Upgrade and Connection do so. In a server, leave the 101 to the WebSocket
    library instead of writing it by hand.

    The rule about protocols that the client has not offered keeps silent where none is named. An
    element that is no protocol is left to the rule about the syntax of Upgrade.
    """
    if not response.upgrades() and not response.misspelt(b"upgrade"):
        line = next(iter(response.lines(b"upgrade")), None)
        what = f"{line} names no protocol" if line else "No Upgrade is sent"
        yield Evidence(f"{what} in a 101 response, so nobody knows what follows.", line)
