from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import RequestHead
from hopguard.history import sends
from hopguard.message import HTTP1
from hopguard.rule import ERROR, Evidence, Requirement, Variant, connection_rule
from hopguard.tolerances import T_PIPELINED


@connection_rule(
    requirement=Requirement(9112, "9.6", "MUST NOT"),
    also=(Requirement(9112, "9.3"),),
    variants={
        "own-close": ERROR,
        "peer-close": Variant(ERROR, requirement=Requirement(9112, "9.6", "MUST")),
    },
    profiles=("rfc9110",),
    versions=HTTP1,
    events=(RequestHead,),
    senders=("client", "intermediary"),
    concerns=lambda connection, _: connection.closing,
    block="request",
    violating={
        "own-close": [
            """
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            > Connection: Close
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 0
            * 20 ms later
            >! GET /2 HTTP/1.1
            > Host: www.example
            """,
            """
            * client leg
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            > Connection: TE, CLOSE
            > TE: trailers
            >! GET /2 HTTP/1.1
            > Host: www.example
            """,
        ],
        "peer-close": [
            """
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: Close
            < Content-Length: 0
            * 1 s later
            >! GET /2 HTTP/1.1
            > Host: www.example
            """,
            """
            * server leg
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: Close
            < Content-Length: 0
            * 60 s later
            >! GET /2 HTTP/1.1
            > Host: www.example
            """,
        ],
    },
    conforming=[
        """
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * 20 ms later
        > GET /2 HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * server closes
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
        * server closes
        """,
        """
        * client leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: Close
        < Content-Length: 0
        * 5 ms later
        > GET /2 HTTP/1.1
        > Host: www.example
        """,
        """
        * at an unknown time
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        > GET /2 HTTP/1.1
        > Host: www.example
        """,
        """
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        * server closes
        * a new connection
        > GET /2 HTTP/1.1
        > Host: www.example
        """,
    ],
)
def check(connection: Connection, event: RequestHead) -> Iterator[Evidence]:
    """A request is sent on a connection that was announced as ending.

    The option close says that nothing follows: the server must not process a later request, and
    closes instead. So the request is lost, and the client cannot know whether it was read. Where a
    server does process it, the two sides disagree about where a connection ends, and a proxy in
    between may hand the answer to somebody else.

    It happens when one side misses an option that the other one understands: Close with a capital
    letter (mitmproxy itself compares with close alone, and goes on), close in a second Connection
    line or behind another option, a client that reads the field of its first response only, or one
    that uses a dead connection again (httperf/httperf#4).

    In a client library, look for the option close in all members of all Connection lines, in any
    letter case, and take the connection out of the pool when it is found, in a request as well as
    in a response.

    own-close is a client that has said close itself, peer-close one that was told. Requests that
    were on the wire before close arrived are excused, so a request must follow the response by more
    than 50 ms where mitmproxy has only its own clock. On the leg between mitmproxy and the server
    the sender is mitmproxy. mitmproxy obeys close in lower case, so there it is seen for other
    spellings only; in captures for all.
    """
    asked, said = connection.close_asked, connection.close_said
    if asked:
        yield Evidence(
            f"{sends(connection)} after it has said Connection: close in request {asked}.",
            variant="own-close",
            sender=connection.requester,
        )
        return
    idle = connection.idle(event.time)
    if idle is not None and idle > T_PIPELINED:
        yield Evidence(
            f"{sends(connection)} although response {said} has said Connection: close.",
            variant="peer-close",
            sender=connection.requester,
        )
