from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import Aborted
from hopguard.history import nth
from hopguard.message import HTTP1
from hopguard.rule import ERROR, Evidence, Requirement, connection_rule


@connection_rule(
    requirement=Requirement(9112, "8", "MUST"),
    also=(Requirement(9112, "6.3"),),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP1,
    events=(Aborted,),
    senders=("server",),
    violating=[
        """
        * server leg
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 50
        *! the response is cut off
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Transfer-Encoding: chunked
        *! the response is cut off
        """,
    ],
    conforming=[
        """
        * server leg
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 3
        * server closes
        """,
        """
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Type: text/plain
        * the response is cut off
        """,
        """
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 50
        * the exchange fails
        * client closes
        """,
    ],
)
def check(connection: Connection, event: Aborted) -> Iterator[Evidence]:
    """The connection ends in the midst of a response.

    Fewer octets have come than Content-Length says, or the last chunk is missing. The recipient has
    to treat the response as incomplete; a client that does not stores half a file, and a cache may
    hand it out again.

    Servers do it when a worker is killed by a time limit or for lack of memory, when the handler
    fails after it has begun to answer, and when Content-Length was computed for other content than
    was sent, for instance before compression or in characters instead of octets. Proxies do it when
    their own timeout ends (nginx: proxy_read_timeout, gunicorn: --timeout).

    Look for the end of a worker or a timeout in the server's log at that time; compare the length
    that arrived with what was announced: if it is always the same, the announcement is wrong.

    A response that lasts until the connection closes cannot be judged. Nothing is said where the
    client or mitmproxy ended the exchange.
    """
    response = connection.response
    truncated = event.how == "truncated" and connection.replied == connection.number
    if not truncated or response is None or not connection.server_is_peer:
        return
    if response.delimited and not response.own:
        yield Evidence(
            f"The server ends the connection in the midst of its response to {nth(connection)}, "
            f"status {response.status}, of which the rest is missing."
        )
