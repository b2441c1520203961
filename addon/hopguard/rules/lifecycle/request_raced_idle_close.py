from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import Aborted
from hopguard.history import nth, promise, seconds
from hopguard.message import HTTP1
from hopguard.peer import Peers
from hopguard.rule import INFO, Evidence, Requirement, peer_rule
from hopguard.tolerances import T_RACE


@peer_rule(
    requirement=Requirement(9112, "9.5"),
    also=(Requirement(9112, "9.3.1"),),
    severity=INFO,
    profiles=("rfc9110",),
    versions=HTTP1,
    events=(Aborted,),
    senders=("server",),
    violating=[
        """
        * server leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=5
        < Content-Length: 0
        * 5 s later
        > GET /2 HTTP/1.1
        > Host: www.example
        * 2 ms later
        *! server closes
        """,
    ],
    conforming=[
        """
        * server leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        * 2 ms later
        * server closes
        """,
        """
        * server leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * 5 s later
        > GET /2 HTTP/1.1
        > Host: www.example
        * 30 s later
        * server closes
        """,
        """
        * server leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * 5 s later
        > GET /2 HTTP/1.1
        > Host: www.example
        * 2 ms later
        * the exchange fails
        * client closes
        """,
        """
        * server leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * 5 s later
        * server closes
        * a new connection
        > GET /2 HTTP/1.1
        > Host: www.example
        """,
    ],
)
def check(peers: Peers, connection: Connection, event: Aborted) -> Iterator[Evidence]:
    """A request is lost because the server has closed the idle connection at the same moment.

    The server decides that the connection has been idle for long enough while the next request is
    on its way. Neither side is at fault, but the request has no answer: a client has to repeat it,
    which only idempotent requests allow, and a load balancer or mitmproxy answers 502. This is the
    usual cause of a steady trickle of 502 with nothing in any log: Node and Bun behind a load
    balancer (guardian/dotcom-rendering#10450, medplum/medplum#2253), gunicorn
    (apache/superset#20348, alphagov/notifications-admin#4826).

    Let the server keep idle connections longer than whoever is in front of it:
    server.keepAliveTimeout in Node, --keep-alive in gunicorn, --timeout-keep-alive in uvicorn,
    KeepAliveTimeout in Apache httpd, keepalive_timeout in nginx. Set hopguard_idle_timeout to what
    is in front, and a server that is too short is named before it loses a request.

    It is found when a connection that has served before ends within a second after a request was
    sent, without an octet of an answer. The first request on a connection is another failure.
    """
    request = connection.request
    lost = event.how == "lost" and connection.replied < connection.number
    if not lost or request is None or not connection.server_is_peer:
        return
    if not connection.answered or connection.closing:
        return
    if None in (event.time, request.time):
        return
    crossed = (event.time or 0) - (request.time or 0)
    if crossed > T_RACE:
        return
    idle = connection.idle_before
    words = [f"{nth(connection)} was lost: the server closed the connection {seconds(crossed)}"]
    words.append(" after it was sent")
    if idle is not None:
        words.append(f", {seconds(idle)} after the response before it")
    learned = peers.server.idle_timeout
    if learned is not None:
        words.append(f"; it closes idle connections after {learned}")
    elif connection.promise is not None:
        words.append(f"; it has promised {promise(connection)}")
    text = "".join(words)
    yield Evidence(f"{text[0].upper()}{text[1:]}.")
