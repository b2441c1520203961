from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.editing import say_close
from hopguard.events import RequestHead
from hopguard.history import nth
from hopguard.message import HTTP10
from hopguard.rule import ERROR, Evidence, Requirement, connection_rule


@connection_rule(
    requirement=Requirement(9112, "9.3", "MUST NOT"),
    also=(Requirement(9112, "C.2.2"),),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP10,
    events=(RequestHead,),
    senders=("intermediary",),
    repair="The response to that request says Connection: close, and mitmproxy closes.",
    edit=say_close,
    violating=[
        """
        * client leg
        * addressed to the proxy
        * opened
        > GET http://www.example/1 HTTP/1.0
        > Connection: keep-alive
        < HTTP/1.0 200 OK
        < Connection: keep-alive
        < Content-Length: 0
        >! GET http://www.example/2 HTTP/1.0
        > Connection: keep-alive
        """,
    ],
    conforming=[
        """
        * client leg
        * addressed to the proxy
        * opened
        > GET http://www.example/1 HTTP/1.0
        > Connection: keep-alive
        < HTTP/1.0 200 OK
        < Connection: keep-alive
        < Content-Length: 0
        * client closes
        * a new connection
        > GET http://www.example/2 HTTP/1.0
        > Connection: keep-alive
        """,
        """
        * client leg
        * addressed beyond the proxy
        * opened
        > GET /1 HTTP/1.0
        > Connection: keep-alive
        < HTTP/1.0 200 OK
        < Connection: keep-alive
        < Content-Length: 0
        > GET /2 HTTP/1.0
        > Connection: keep-alive
        """,
    ],
)
def check(connection: Connection, event: RequestHead) -> Iterator[Evidence]:
    """A proxy keeps a connection to an HTTP/1.0 client open.

    A client of HTTP/1.0 does not know whom it speaks to. If a proxy that does not understand
    keep-alive passes the option on, the server keeps the connection to the proxy, the proxy waits
    for its end, and everybody hangs. So a proxy closes after a response to an HTTP/1.0 request,
    whatever the client has asked for; Proxy-Connection changes nothing about that.

    mitmproxy itself does this as a regular proxy when the option is in lower case, and so do old
    releases of other forward proxies. Close the connection in the proxy, or let the client speak
    HTTP/1.1. Nothing breaks where no further proxy is in the path.

    The finding needs a second request on the connection: keep-alive in one response may be the
    origin's, relayed. Gateways and reverse proxies are not meant.
    """
    before = connection.request
    if before is None or connection.closing or connection.outstanding:
        return
    if (before.version, event.version) != ("HTTP/1.0", "HTTP/1.0") or not before.keep_alive:
        return
    if before.to_proxy and event.to_proxy:
        yield Evidence(
            f"The proxy takes {nth(connection, connection.number + 1)} of an HTTP/1.0 client on the"
            " same connection."
        )
