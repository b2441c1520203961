from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import RequestHead
from hopguard.history import sends
from hopguard.message import HTTP1
from hopguard.rule import ERROR, Evidence, Requirement, connection_rule


def _speaks_http10(connection: Connection, _: RequestHead) -> bool:
    asked, answered = connection.request, connection.response
    return (asked is not None and asked.version == "HTTP/1.0") or (
        answered is not None and answered.version == "HTTP/1.0"
    )


@connection_rule(
    requirement=Requirement(9112, "9.3", "SHOULD NOT"),
    also=(Requirement(9112, "C.2.2"),),
    severity=ERROR,
    profiles=("rfc9110", "rfc2616"),
    versions=HTTP1,
    events=(RequestHead,),
    senders=("client", "intermediary"),
    concerns=_speaks_http10,
    visible="raw",
    block="leg",
    violating=[
        """
        * opened
        > GET /1 HTTP/1.0
        < HTTP/1.0 200 OK
        < Content-Length: 2
        >! GET /2 HTTP/1.0
        """,
        """
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        > Connection: TE, keep-alive
        > TE: trailers
        < HTTP/1.0 200 OK
        < Content-Length: 2
        >! GET /2 HTTP/1.1
        > Host: www.example
        """,
        """
        * opened
        > GET /1 HTTP/1.0
        > Connection: X-A, X-B
        > X-A: 1
        > X-B: 1
        < HTTP/1.1 200 OK
        < Content-Length: 2
        >! GET /2 HTTP/1.0
        """,
    ],
    conforming=[
        """
        * opened
        > GET /1 HTTP/1.0
        > Connection: close
        < HTTP/1.0 200 OK
        < Content-Length: 2
        > GET /2 HTTP/1.0
        """,
        """
        * opened
        > GET /1 HTTP/1.0
        > Connection: keep-alive
        < HTTP/1.0 200 OK
        < Connection: Keep-Alive
        < Content-Length: 2
        > GET /2 HTTP/1.0
        """,
        """
        * opened
        > GET /1 HTTP/1.0
        < HTTP/1.0 200 OK
        < Content-Length: 2
        * server closes
        * a new connection
        > GET /2 HTTP/1.0
        """,
        """
        * client leg
        * answered by the proxy
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.0 200 OK
        < Content-Length: 2
        > GET /2 HTTP/1.1
        > Host: www.example
        """,
    ],
)
def check(connection: Connection, event: RequestHead) -> Iterator[Evidence]:
    """A connection of HTTP/1.0 is used again although keep-alive was not agreed.

    In HTTP/1.0 a connection ends with the response unless both sides have said keep-alive. A
    request that is sent after it meets a closed connection, or a server that reads it as part of
    something else.

    Only the option keep-alive counts. A list of field names in Connection does not mean that the
    client wants to go on, whatever old descriptions of the field say. ApacheBench with -k and
    proxies that speak HTTP/1.0 to servers run into it when one side leaves the option out
    (hyperium/hyper#1614, NanoHttpd/nanohttpd#46).

    In a client, use the connection again only if the response says keep-alive, or is HTTP/1.1 and
    answers a request that did. In a server that answers HTTP/1.0 clients, send Connection:
    keep-alive when it keeps the connection.

    mitmproxy closes such connections itself, so captures alone show this. If close was said, the
    rule about that speaks instead.
    """
    request, response = connection.request, connection.response
    if connection.closing or connection.outstanding:
        return
    if request is None or response is None or response.own:
        return
    if response.version == "HTTP/1.0" and not response.keep_alive:
        why = "its response was HTTP/1.0 without keep-alive"
    elif request.version == "HTTP/1.0" and not request.keep_alive:
        why = "it was HTTP/1.0 without keep-alive"
    else:
        return
    yield Evidence(
        f"{sends(connection)} although the connection was to end with request "
        f"{connection.number}: {why}.",
        sender=connection.requester,
    )
