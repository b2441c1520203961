from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import Closed, ResponseHead, StillOpen
from hopguard.history import nth, seconds
from hopguard.message import HTTP1
from hopguard.rule import ERROR, Evidence, Requirement, connection_rule
from hopguard.tolerances import T_CLOSE


@connection_rule(
    requirement=Requirement(9112, "9.6", "MUST"),
    variants={"processed": ERROR, "server-open": ERROR, "client-open": ERROR},
    profiles=("rfc9110",),
    versions=HTTP1,
    events=(ResponseHead, StillOpen, Closed),
    senders=("server", "client"),
    concerns=lambda connection, _: connection.closing,
    block="leg",
    violating={
        "processed": [
            """
            * server leg
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            > Connection: Close
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 0
            > GET /2 HTTP/1.1
            > Host: www.example
            <! HTTP/1.1 200 OK
            < Content-Length: 0
            """,
            """
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            > GET /2 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 0
            <! HTTP/1.1 200 OK
            < Content-Length: 0
            """,
        ],
        "server-open": [
            """
            * server leg
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: Close
            < Content-Length: 0
            * 30 s later
            *! still open
            """,
            """
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: close
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 0
            * 15 s later
            *! server closes
            """,
        ],
        "client-open": [
            """
            * client leg
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: CLOSE
            < Content-Length: 0
            * 6 s later
            *! client closes
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
        < Content-Length: 0
        * server closes
        """,
        """
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * 4.9 s later
        * still open
        * server closes
        """,
        """
        * client leg
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * 30 s later
        * proxy closes
        """,
        """
        * at an unknown time
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * server closes
        """,
        """
        * opened
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: foo
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: foo
        * 60 s later
        * client closes
        """,
    ],
)
def check(connection: Connection, event: ResponseHead | StillOpen | Closed) -> Iterator[Evidence]:
    """The connection goes on although close was said.

    With close in a request or a response, the server has to close after that response and must not
    process anything else; a client that is told close has to close, too. A server that answers on
    (processed) takes requests that the other side believes to be lost, so a repeated one is done
    twice. One that leaves the connection open (server-open) keeps a client waiting that reads until
    the end, and ties up a descriptor on both sides; ApacheBench and simple HTTP/1.0 clients hang
    until they time out.

    Embedded and young server libraries do it, among them some releases of mongoose and of http-kit
    (cesanta/mongoose#2765, http-kit/http-kit#357), and frameworks whose handler writes the field
    while the server below does not know (javaee/grizzly#1780).

    In a server, compare options without regard to letter case, and close after the response that
    ends the connection: shut down the sending side first, then read until the client has closed. A
    handler that wants the connection to end should ask the server for it (Node: res.shouldKeepAlive
    = false; Go and servlets: set the field, and the server obeys) and not write to the socket.

    Closing the sending side counts as closed. A connection may stay open for 5 seconds. Between
    client and mitmproxy, mitmproxy is the server, so only the client is judged there (client-open);
    and mitmproxy closes at once when close is in lower case, so live traffic shows other spellings.
    """
    if isinstance(event, ResponseHead):
        late = connection.replying > connection.closing
        if event.final and not event.own and late and connection.server_is_peer:
            yield Evidence(
                f"The server answers {nth(connection, connection.replying)} although close was "
                f"said in exchange {connection.closing}.",
                variant="processed",
            )
        return
    idle = connection.idle(event.time)
    if idle is None or idle <= T_CLOSE or connection.answered > connection.closing:
        return
    if (connection.idle(connection.looked) or 0.0) > T_CLOSE:
        return  # told already
    if connection.server_is_peer:
        text = f"The server has not closed the connection {seconds(idle)} after the exchange"
        yield Evidence(f"{text} that said close, {nth(connection)}.", variant="server-open")
    elif connection.close_said:
        yield Evidence(
            f"The client has not closed the connection {seconds(idle)} after the response that "
            f"said close, to {nth(connection)}.",
            variant="client-open",
            sender="client",
        )
