from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import Closed, ResponseHead
from hopguard.history import seconds, story
from hopguard.message import HTTP1
from hopguard.peer import Peers
from hopguard.rule import INFO, WARNING, Evidence, Requirement, Variant, peer_rule
from hopguard.tolerances import KEEP_ALIVE_TOLERANCE, T_FAST, N


@peer_rule(
    requirement=Requirement(9112, "9.6", "SHOULD"),
    also=(Requirement(9112, "9.3"), Requirement(9112, "9.5")),
    variants={"at-once": WARNING, "idle": Variant(INFO, profiles=("noise",))},
    profiles=("rfc9110", "rfc2616"),
    versions=HTTP1,
    events=(Closed,),
    senders=("server",),
    violating={
        "at-once": [
            """
            * server leg
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 2
            * 10 ms later
            *! server closes
            """,
            """
            > GET / HTTP/1.0
            > Host: www.example
            > Connection: keep-alive
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Content-Length: 2
            *! server closes
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=5
            < Content-Length: 2
            *! server closes
            """,
        ],
        "idle": [
            """
            * server leg
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 2
            * 75 s later
            *! server closes
            """
        ],
    },
    conforming=[
        """
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 2
        * server closes
        """,
        """
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=5
        < Content-Length: 2
        * 4.2 s later
        * server closes
        """,
        """
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 2
        * somebody closes
        """,
        """
        * server leg
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 2
        * proxy closes
        """,
        """
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Type: text/plain
        * server closes
        """,
        r"""
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 2
        * 400 ms later
        * unsolicited: HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n
        * server closes
        """,
        """
        * opened
        > GET / HTTP/1.0
        < HTTP/1.1 200 OK
        < Content-Length: 2
        * server closes
        """,
        """
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 2
        * at an unknown time
        * server closes
        """,
        """
        * opened
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 200 OK
        * server closes
        """,
    ],
)
def check(peers: Peers, connection: Connection, event: Closed) -> Iterator[Evidence]:
    """The server ends a persistent connection without having said so.

    Without close, a client takes the connection for reusable and puts it into its pool. The next
    request meets a closing connection: it fails with ECONNRESET, "socket hang up" or a 502 from the
    proxy in between, and only idempotent requests may be repeated. Nothing is in any log of the
    server, for which all went well.

    A close right after a response (at-once) is a decision that the server had already made: a limit
    of requests for each connection, a worker that is to be replaced, an error that the handler did
    not survive, HTTP/1.0 behind a proxy that speaks HTTP/1.1. It can say close in that response.

    Let the server announce it: in Node set res.shouldKeepAlive = false before the last response, in
    Go call SetKeepAlivesEnabled(false) before the server stops, in a handler that wants the
    connection to end set Connection: close instead of closing the socket. In a client, repeat
    idempotent requests that are lost on a connection that has been used before.

    A close after an idle time (idle) is in order, since nobody can announce it in advance; it is
    told only with the profile noise. Nothing is said where Keep-Alive promised no more, where the
    server has sent a 408 as a notice, or where it is unknown who closed. A server that does it over
    and over is left to the rules about that.
    """
    idle = connection.idle(event.time)
    if event.by != "server" or not connection.server_is_peer or connection.notice:
        return
    if not connection.persists or idle is None:
        return
    if _promised_no_more(connection.promise, idle):
        return
    variant = "at-once" if idle <= T_FAST else "idle"
    if variant == "at-once" and (
        peers.server.single + 1 >= N or peers.server.is_draining(event.time)
    ):
        return
    yield Evidence(
        f"The server closes the connection {seconds(idle)} after a response without close: "
        f"{story(connection, None)}.",
        variant=variant,
    )


def _promised_no_more(promise: ResponseHead | None, idle: float) -> bool:
    """Tell whether a promise was kept, or the rule about promises has to say how it was not."""
    if promise is None:
        return False
    if promise.timeout is None:
        return idle <= T_FAST
    return idle > min(T_FAST, promise.timeout - KEEP_ALIVE_TOLERANCE)
