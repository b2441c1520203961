from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import Closed, RequestHead
from hopguard.history import nth, promise, seconds
from hopguard.message import HTTP1
from hopguard.peer import Peers
from hopguard.rule import INFO, WARNING, Evidence, Requirement, peer_rule
from hopguard.tolerances import KEEP_ALIVE_TOLERANCE, T_FAST

DRAFT = Requirement(
    document="draft-thomson-hybi-http-timeout-03",
    section="2",
    link="https://datatracker.ietf.org/doc/html/draft-thomson-hybi-http-timeout-03#section-2",
)


@peer_rule(
    requirement=DRAFT,
    also=(Requirement(2068, "19.7.1.1"), Requirement(9112, "9.5")),
    variants={
        "timeout-short": WARNING,
        "timeout-overrun": INFO,
        "max-exceeded": WARNING,
        "max-short": INFO,
    },
    profiles=("rfc2068",),
    versions=HTTP1,
    events=(RequestHead, Closed),
    senders=("server", "client"),
    concerns=lambda connection, _: connection.promise,
    violating={
        "timeout-short": [
            """
            * server leg
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=15, max=100
            < Content-Length: 0
            * 3 s later
            * server closes
            * a new connection
            > GET /2 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=15, max=100
            < Content-Length: 0
            * 3.1 s later
            * server closes
            * a new connection
            > GET /3 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=15, max=100
            < Content-Length: 0
            * 3 s later
            *! server closes
            """
        ],
        "timeout-overrun": [
            """
            * server leg
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=5
            < Content-Length: 0
            * 5.6 s later
            >! GET /2 HTTP/1.1
            > Host: www.example
            """
        ],
        "max-exceeded": [
            """
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=5, max=1
            < Content-Length: 0
            > GET /2 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 0
            >! GET /3 HTTP/1.1
            > Host: www.example
            """
        ],
        "max-short": [
            """
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: max=100
            < Content-Length: 0
            *! server closes
            """
        ],
    },
    conforming=[
        """
        * server leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=15, max=100
        < Content-Length: 0
        * 4.9 s later
        > GET /2 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=15, max=99
        < Content-Length: 0
        * 15.2 s later
        * server closes
        """,
        """
        * server leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=15
        < Content-Length: 0
        * 3 s later
        * server closes
        * a new connection
        > GET /2 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=15
        < Content-Length: 0
        * 15 s later
        * server closes
        * a new connection
        > GET /3 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=15
        < Content-Length: 0
        * 8 s later
        * server closes
        """,
        """
        * client leg
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=5
        < Content-Length: 0
        * 60 s later
        > GET /2 HTTP/1.1
        > Host: www.example
        """,
        """
        * opened
        > GET /1 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Keep-Alive: timeout=5
        < Content-Length: 0
        * 6 s later
        > GET /2 HTTP/1.1
        > Host: www.example
        """,
    ],
)
def check(peers: Peers, connection: Connection, event: RequestHead | Closed) -> Iterator[Evidence]:
    """The connection does not live as Keep-Alive has promised.

    With Keep-Alive: timeout=15 a server says that it keeps an idle connection for 15 seconds, and
    with max=100 that it takes 100 more requests. Clients and load balancers rely on it: they use
    a connection until shortly before. If the server closes earlier (timeout-short), the next
    request is lost; Node reports ECONNRESET or "socket hang up" (nodejs/node#20256), a load
    balancer 502. A client that goes on beyond the promise takes the same risk (timeout-overrun,
    max-exceeded; node-modules/agentkeepalive#23).

    A promise is broken where two parts of a server have two opinions: the application writes the
    field by hand, a proxy in front relays what the server behind it has promised to the proxy, or a
    firewall forgets the connection earlier. Remove the field from the application, and let the
    server whose connection it is write it: Apache httpd takes it from KeepAliveTimeout, Node from
    server.keepAliveTimeout, nginx from the second argument of keepalive_timeout, which should not
    be larger than the first. In a client, close idle connections a second before the promise ends.

    One early close may be a restart. So timeout-short needs three idle closes that agree with each
    other and come more than a second too early. A close right after a response is no idle close:
    max-short is told for it if max alone was promised, and otherwise the rule about unannounced
    closes speaks. Between client and mitmproxy nothing is judged: the promise, which mitmproxy
    relays, is about the connection to the server.
    """
    given = connection.promise
    if given is None or connection.closing or not connection.server_is_peer:
        return
    if isinstance(event, RequestHead):
        yield from _overrun(connection, event)
        return
    idle = connection.idle(event.time)
    if event.by != "server" or connection.notice or idle is None:
        return
    if given.timeout is None:
        if idle <= T_FAST and connection.number - connection.promised < (given.most or 0):
            yield Evidence(
                f"The server closes the connection {seconds(idle)} after {nth(connection)}, "
                f"although {promise(connection)} allows more requests.",
                variant="max-short",
            )
        return
    learned = peers.server.after(connection, event).idle_timeout
    if learned is None or peers.server.idle_timeout is not None:
        return  # too early, or told already
    if learned.high < given.timeout - KEEP_ALIVE_TOLERANCE and idle <= learned.high:
        yield Evidence(
            f"The server closes idle connections after {learned}, although it promises "
            f"{promise(connection)}.",
            variant="timeout-short",
        )


def _overrun(connection: Connection, event: RequestHead) -> Iterator[Evidence]:
    given = connection.promise
    assert given is not None, "the caller has looked"
    idle = connection.idle(event.time)
    further = connection.number + 1 - connection.promised
    text = f"The client sends {nth(connection, connection.number + 1)}"
    if given.most is not None and further > given.most and not connection.outstanding:
        yield Evidence(
            f"{text}, which is more than {promise(connection)} allows.",
            variant="max-exceeded",
            sender="client",
        )
    elif given.timeout is not None and idle is not None and idle > given.timeout:
        yield Evidence(
            f"{text} after {seconds(idle)} without traffic, although the server promises only "
            f"{promise(connection)}: it may meet a closing connection.",
            variant="timeout-overrun",
            sender="client",
        )
