from collections.abc import Iterator

from hopguard.message import HTTP1, Response
from hopguard.rule import ERROR, Evidence, Requirement, response_rule


@response_rule(
    requirement=Requirement(9110, "15.5.22", "MUST"),
    also=(Requirement(9110, "7.8", "MUST"),),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP1,
    statuses=(426,),
    violating=[
        """
        > GET / HTTP/1.0
        > Host: www.example
        <! HTTP/1.1 426 Upgrade Required
        < server: envoy
        < connection: close
        < content-length: 0
        """,
        """
        < HTTP/1.1 426 Upgrade Required
        < Connection: Upgrade
        <! Upgrade:
        < Content-Length: 0
        """,
        """
        <! HTTP/1.1 426 Upgrade Required
        < Content-Type: text/plain
        < Content-Length: 0
        < Sec-WebSocket-Version: 13
        """,
        """
        <! HTTP/1.0 426 Upgrade Required
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        < HTTP/1.1 426 Upgrade Required
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 426 Upgrade Required
        < cache-control: max-age=0, private, must-revalidate
        < connection: upgrade
        < content-length: 0
        < server: Cowboy
        < upgrade: websocket
        """,
        """
        < HTTP/1.1 426 Upgrade Required
        < Upgrade: websocket
        < Content-Length: 0
        """,
        """
        < HTTP/1.0 426 Upgrade Required
        < Connection: Upgrade
        < Upgrade: HTTP/1.1
        """,
        """
        < HTTP/1.1 400 Bad Request
        < Content-Length: 0
        """,
        """
        < HTTP/2 426
        """,
        """
        < HTTP/3 426
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """A 426 response does not say what to upgrade to.

    426 refuses the protocol that the request was sent in, and Upgrade is the part of the answer
    that helps: it names what the server would accept. Without it the client knows that it did
    something wrong and not what, and people search in their application for a fault that is in the
    protocol version between two hops.

    Envoy answers every HTTP/1.0 request like this unless it is told to accept them, and so do the
    gateways and meshes that are built on it. The victims are nginx with its old default for
    upstreams (SigNoz/charts#53), CONNECT requests of Python 3.11 (envoyproxy/envoy#43487) and
    ApacheBench (envoyproxy/envoy#18608).

    In Envoy set http_protocol_options.accept_http_10, or let the clients speak HTTP/1.1: in nginx
    proxy_http_version 1.1. A server that wants a WebSocket handshake sends "Connection: Upgrade"
    and "Upgrade: websocket" with the 426. Cowboy does; the ws library for Node, when it makes its
    own server, does not: give it a server whose request handler answers with the two fields.
    HAProxy turned such a 426 into 502 for a time (haproxy/haproxy#1997): update it rather than
    leave the field out.

    On HTTP/2 and HTTP/3 the field is forbidden, and nothing is missed. An Upgrade that Connection
    does not list is the matter of another rule.
    """
    if not response.upgrades() and not response.misspelt(b"upgrade"):
        line = next(iter(response.lines(b"upgrade")), None)
        what = f"{line} names no protocol" if line else "No Upgrade is sent"
        yield Evidence(f"{what} in a 426 response, which demands an upgrade.", line)
