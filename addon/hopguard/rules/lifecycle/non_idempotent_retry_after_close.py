from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import RequestEnd
from hopguard.history import seconds
from hopguard.message import HTTP1
from hopguard.peer import Peers
from hopguard.rule import ERROR, WARNING, Evidence, Requirement, Variant, peer_rule
from hopguard.text import printable
from hopguard.tolerances import T_RETRY


@peer_rule(
    requirement=Requirement(9110, "9.2.2", "SHOULD NOT"),
    also=(Requirement(9112, "9.3.1"),),
    variants={
        "client": WARNING,
        "proxy": Variant(ERROR, requirement=Requirement(9110, "9.2.2", "MUST NOT")),
    },
    profiles=("rfc9110",),
    versions=HTTP1,
    events=(RequestEnd,),
    senders=("client", "intermediary"),
    concerns=lambda _, event: event.fingerprint,
    violating={
        "client": [
            """
            * every body: amount=7
            * opened
            > POST /pay HTTP/1.1
            > Host: www.example
            > Content-Length: 8
            * server closes
            * 20 ms later
            * a new connection
            >! POST /pay HTTP/1.1
            > Host: www.example
            > Content-Length: 8
            """
        ],
        "proxy": [
            """
            * every body: amount=7
            * opened
            > POST /pay HTTP/1.1
            > Host: www.example
            > Via: 1.1 proxy
            > Content-Length: 8
            * server closes
            * 20 ms later
            * a new connection
            >! POST /pay HTTP/1.1
            > Host: www.example
            > Via: 1.1 proxy
            > Content-Length: 8
            """
        ],
    },
    conforming=[
        """
        * opened
        > GET /list HTTP/1.1
        > Host: www.example
        * server closes
        * 20 ms later
        * a new connection
        > GET /list HTTP/1.1
        > Host: www.example
        """,
        """
        * every body: amount=7
        * opened
        > POST /pay HTTP/1.1
        > Host: www.example
        > Idempotency-Key: "8e03978e"
        > Content-Length: 8
        * server closes
        * 20 ms later
        * a new connection
        > POST /pay HTTP/1.1
        > Host: www.example
        > Idempotency-Key: "8e03978e"
        > Content-Length: 8
        """,
        """
        * every body: amount=7
        * opened
        > POST /pay HTTP/1.1
        > Host: www.example
        > Content-Length: 8
        * server closes
        * 3 s later
        * a new connection
        > POST /pay HTTP/1.1
        > Host: www.example
        > Content-Length: 8
        """,
        """
        * every body: amount=7
        * opened
        > POST /pay HTTP/1.1
        > Host: www.example
        > Content-Length: 8
        * client closes
        * 20 ms later
        * a new connection
        > POST /pay HTTP/1.1
        > Host: www.example
        > Content-Length: 8
        """,
        """
        * every body: amount=7
        * opened
        > POST /pay HTTP/1.1
        > Host: www.example
        > Content-Length: 8
        < HTTP/1.1 502 Bad Gateway
        < Connection: close
        < Content-Length: 0
        * server closes
        * 20 ms later
        * a new connection
        > POST /pay HTTP/1.1
        > Host: www.example
        > Content-Length: 8
        """,
    ],
)
def check(peers: Peers, connection: Connection, event: RequestEnd) -> Iterator[Evidence]:
    """A request that must not be repeated is sent again after its connection was lost.

    When a connection ends without an answer, the server may have done what was asked. Repeating a
    GET harms nobody; repeating a POST may pay twice. So a client does so only if it knows that the
    request is safe to repeat or was never applied, and a proxy never does.

    Libraries with an automatic retry do it when the retry does not look at the method, and load
    balancers that try the next server for every failure (nginx: proxy_next_upstream with
    non_idempotent; HAProxy: retry-on conn-failure is safe, retry-on all-retryable-errors is not).

    Restrict retries to idempotent methods (urllib3 does so by allowed_methods, nginx by default),
    or send an Idempotency-Key that the server honours.

    The twin has the same method, target, Host and content, comes from the same client on another
    connection, and follows within a second, faster than a person would. An answer of the server, an
    Idempotency-Key, or a client that gave up by itself excuses it; the 502 that mitmproxy sends in
    the server's place does not. HTTP/2 and HTTP/3 are left out: a connection that is lost there
    does not tell which of its requests were answered.
    """
    lost, request = peers.client.lost, connection.request
    if lost is None or request is None or event.time is None or not connection.client_is_peer:
        return
    same = lost.fingerprint == event.fingerprint and lost.connection != connection.key.connection
    if same and 0 <= event.time - lost.time <= T_RETRY:
        yield Evidence(
            f"{printable(request.method)} is sent again {seconds(event.time - lost.time)} after "
            "the same request was lost with its connection.",
            variant="proxy" if request.forwarded else "client",
            sender="intermediary" if request.forwarded else "client",
        )
