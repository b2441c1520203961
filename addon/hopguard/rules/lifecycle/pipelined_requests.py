from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import RequestHead
from hopguard.history import nth
from hopguard.message import HTTP11
from hopguard.peer import Peers
from hopguard.rule import ERROR, INFO, WARNING, Evidence, Requirement, Variant, peer_rule
from hopguard.text import printable
from hopguard.tolerances import T_PIPELINE_RETRY


@peer_rule(
    requirement=Requirement(9112, "9.3.2"),
    also=(Requirement(9110, "9.2.2"),),
    variants={
        "pipelined": INFO,
        "after-non-idempotent": Variant(
            WARNING, requirement=Requirement(9112, "9.3.2", "SHOULD NOT")
        ),
        "right-after-failure": Variant(ERROR, requirement=Requirement(9112, "9.3.2", "MUST NOT")),
    },
    profiles=("rfc9110",),
    versions=HTTP11,
    events=(RequestHead,),
    senders=("client",),
    concerns=lambda connection, _: connection.outstanding,
    visible="raw",
    violating={
        "pipelined": [
            """
            * opened
            > GET /a HTTP/1.1
            > Host: www.example
            >! GET /b HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            >! GET /c HTTP/1.1
            > Host: www.example
            """
        ],
        "after-non-idempotent": [
            """
            * opened
            > POST /a HTTP/1.1
            > Host: www.example
            > Content-Length: 0
            >! GET /b HTTP/1.1
            > Host: www.example
            """
        ],
        "right-after-failure": [
            """
            * opened
            > GET /a HTTP/1.1
            > Host: www.example
            > HEAD /b HTTP/1.1
            > Host: www.example
            * server closes
            * 20 ms later
            * a new connection
            > GET /a HTTP/1.1
            > Host: www.example
            >! HEAD /b HTTP/1.1
            > Host: www.example
            """
        ],
    },
    conforming=[
        """
        * opened
        > GET /a HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        > GET /b HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        * opened
        > GET /a HTTP/1.1
        > Host: www.example
        < HTTP/1.1 100 Continue
        < HTTP/1.1 200 OK
        < Content-Length: 0
        > GET /b HTTP/1.1
        > Host: www.example
        """,
    ],
)
def check(peers: Peers, connection: Connection, event: RequestHead) -> Iterator[Evidence]:
    """A request is sent before the response to the one before it is complete.

    Pipelining is allowed, and hardly anybody does it any more, because intermediaries and servers
    get it wrong: answers out of order, answers that are lost, and requests whose fate is unknown
    when the connection ends in between. After a POST, PATCH or a method that nobody knows
    (after-non-idempotent) that means that nobody can repeat them safely. And whoever repeats a
    failed pipeline must not pipeline at the start of the new connection (right-after-failure): if
    pipelining was the reason, it fails again and again.

    Benchmarks (wrk with a script), some crawlers and old package managers pipeline; hackers do it
    to desynchronise proxies. In a client, use HTTP/2, or more connections. In a server, answer in
    the order of the requests, and say close in the response after which the rest is dropped.

    mitmproxy takes one request at a time, so that later ones show only when the response is
    complete. Captures that hold the time of every message show it.
    """
    if event.surfaced:
        return
    if connection.failure is not None or not connection.client_is_peer:
        return
    before = connection.request
    failed = peers.client.pipeline_failed
    opened = connection.opened
    text = f"The client sends {nth(connection, connection.number + 1)}"
    if (
        failed is not None
        and opened is not None
        and connection.number == 1
        and 0 <= opened - failed <= T_PIPELINE_RETRY
    ):
        yield Evidence(
            f"{text} before the first one is answered, on a connection that follows a failed "
            "pipeline.",
            variant="right-after-failure",
        )
    elif before is not None and not before.idempotent:
        yield Evidence(
            f"{text} before the {printable(before.method)} before it is answered.",
            variant="after-non-idempotent",
        )
    else:
        yield Evidence(
            f"{text} while {connection.outstanding} before it have no whole answer.",
            variant="pipelined",
        )
