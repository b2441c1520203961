from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import Closed, ResponseHead
from hopguard.idle_settings import setting_of
from hopguard.message import HTTP1
from hopguard.peer import Peers
from hopguard.rule import WARNING, Evidence, Requirement, peer_rule


@peer_rule(
    requirement=Requirement(9112, "9.5"),
    also=(Requirement(9112, "9.3.1"),),
    variants={"announced": WARNING, "observed": WARNING},
    profiles=("rfc9110",),
    versions=HTTP1,
    events=(ResponseHead, Closed),
    senders=("server",),
    concerns=lambda _, event: isinstance(event, Closed) or event.timeout,
    violating={
        "announced": [
            """
            * server leg
            * in front: 60 s
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            <! HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=5
            < Content-Length: 0
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=5
            < Content-Length: 0
            """,
        ],
        "observed": [
            """
            * server leg
            * in front: 60 s
            * opened
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Server: gunicorn
            < Content-Length: 0
            * 2 s later
            * server closes
            * a new connection
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Server: gunicorn
            < Content-Length: 0
            * 2.1 s later
            * server closes
            * a new connection
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Server: gunicorn
            < Content-Length: 0
            * 2 s later
            *! server closes
            """,
        ],
    },
    conforming=[
        """
        * server leg
        * in front: 60 s
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=65
        < Content-Length: 0
        """,
        """
        * server leg
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=5
        < Content-Length: 0
        * 5 s later
        * server closes
        """,
        """
        * server leg
        * in front: 60 s
        * opened
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        * 2 s later
        * server closes
        """,
    ],
)
def check(peers: Peers, connection: Connection, event: ResponseHead | Closed) -> Iterator[Evidence]:
    """The server closes idle connections earlier than whoever is in front of it expects.

    A load balancer keeps a connection to the server in its pool for, say, 60 seconds. If the server
    closes it after 5, or after the same 60, some requests meet the close: the load balancer answers
    502 at a steady low rate, and no log of the server has a word about it. This is the most common
    fault of connection management there is: Node and Bun behind a load balancer
    (guardian/dotcom-rendering#10450, seek-oss/skuba#1111, medplum/medplum#2253), gunicorn, too
    (apache/superset#20348, PostHog/posthog#17897).

    Give the server a longer timeout than whoever is in front of it, by some seconds: Node
    server.keepAliveTimeout = 65000, gunicorn --keep-alive 65 (with a threaded or asynchronous
    worker), uvicorn --timeout-keep-alive 65, KeepAliveTimeout 65 in Apache httpd, keepalive_timeout
    65s in nginx, keepAliveTimeout in Tomcat, idleTimeout in Bun.

    Say in the option hopguard_idle_timeout, or in --idle-timeout of hopguard scan, how many seconds
    it is in front, such as 60 for many load balancers; without it nothing is judged. Told once for
    each server: when Keep-Alive announces a timeout that is not longer (announced), or when three
    idle closes that agree with each other were not later (observed; on live traffic, since captures
    do not tell who closed).
    """
    assumed, server = peers.assumed_idle, peers.server
    if assumed is None or not connection.server_is_peer:
        return
    in_front = f"but whoever is in front of it keeps them for {assumed:g} s"
    if isinstance(event, ResponseHead):
        news = event.timeout != server.announced and not event.own
        if news and (event.timeout or 0) <= assumed:
            yield Evidence(
                f"The server announces Keep-Alive: timeout={event.timeout}, {in_front}: raise "
                f"{setting_of(event.server)}.",
                variant="announced",
            )
        return
    learned = server.after(connection, event).idle_timeout
    told = server.announced is not None and server.announced <= assumed
    if learned is None or server.idle_timeout is not None or told:
        return
    if learned.typical <= assumed:
        yield Evidence(
            f"The server closes idle connections after {learned}, {in_front}: raise "
            f"{setting_of(server.product)}.",
            variant="observed",
        )
