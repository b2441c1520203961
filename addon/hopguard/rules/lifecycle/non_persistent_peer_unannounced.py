from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.editing import say_close
from hopguard.events import Closed
from hopguard.message import HTTP11
from hopguard.peer import Peers, is_single
from hopguard.rule import ERROR, INFO, Evidence, Requirement, Variant, peer_rule
from hopguard.tolerances import T_FAST, N


@peer_rule(
    requirement=Requirement(9112, "9.3", "MUST"),
    also=(Requirement(9112, "9.6"),),
    variants={"server": ERROR, "client": Variant(INFO, profiles=("noise",))},
    profiles=("rfc9110",),
    versions=HTTP11,
    events=(Closed,),
    senders=("server", "client"),
    repair="From now on Connection: close is added to the server's responses, and mitmproxy closes"
    " by it.",
    edit={"server": say_close},
    violating={
        "server": [
            """
            * server leg
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            * server closes
            * a new connection
            > GET /2 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            * server closes
            * a new connection
            > GET /3 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            * 20 ms later
            *! server closes
            * a new connection
            > GET /4 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            * server closes
            """
        ],
        "client": [
            """
            * client leg
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            * client closes
            * a new connection
            > GET /2 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            * client closes
            * a new connection
            > GET /3 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            *! client closes
            """
        ],
    },
    conforming=[
        """
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * server closes
        * a new connection
        > GET /2 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * server closes
        * a new connection
        > GET /3 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * server closes
        """,
        """
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * server closes
        * a new connection
        > GET /2 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        > GET /3 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * 5 s later
        * server closes
        * a new connection
        > GET /4 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * server closes
        * a new connection
        > GET /5 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * server closes
        """,
        """
        * client leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * client closes
        * a new connection
        > GET /2 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * client closes
        * a new connection
        > GET /3 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * client closes
        """,
    ],
)
def check(peers: Peers, connection: Connection, event: Closed) -> Iterator[Evidence]:
    """A peer never keeps a connection, and never says close.

    Whoever does not support persistent connections has to send close in every message. Otherwise
    the other side puts each connection into its pool, uses it again, and loses a request every time
    that the close is on its way. Load balancers show it as a steady rate of 502.

    Servers do it that are written for HTTP/1.0 and answer with HTTP/1.1: scripts with sockets,
    embedded devices, a worker that exits after each request, a handler that closes the socket. Put
    Connection: close into every response, or let a server library do the work.

    It takes three connections in a row, each with one exchange, closed within a second of the end
    of the response by the peer; a connection that is used twice, or kept for a while, or an
    announced close begins the count anew. A client that sends one request and exits looks the same
    as one that does not support persistence, so that (client) is an info of the profile noise. Told
    once for each row of them.
    """
    idle = connection.idle(event.time)
    if idle is None or idle > T_FAST or not is_single(connection) or not connection.persists:
        return
    if event.by == "server" and not connection.notice and peers.server.single + 1 == N:
        yield Evidence(
            f"The server has closed {N} connections in a row right after their only response, and "
            "never says close.",
            variant="server",
        )
    if event.by == "client" and connection.client_is_peer and peers.client.single + 1 == N:
        yield Evidence(
            f"The client has closed {N} connections in a row right after their only response, and "
            "never says close.",
            variant="client",
            sender="client",
        )
