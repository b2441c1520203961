from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import Closed
from hopguard.history import seconds
from hopguard.message import HTTP1
from hopguard.peer import Peers, ended_in_use
from hopguard.rule import WARNING, Evidence, Requirement, peer_rule
from hopguard.tolerances import DRAINING

_ONE = """
* a new connection
> GET /{0} HTTP/1.1
> Host: www.example
< HTTP/1.1 200 OK
< Content-Length: 0
> GET /{0} HTTP/1.1
> Host: www.example
< HTTP/1.1 200 OK
< Content-Length: 0
* 50 ms later
"""


def _connections(count: int, *last: str) -> str:
    """Write an example with `count` connections, of which the last one ends with `last`."""
    texts = [_ONE.format(number) + "* server closes\n" for number in range(1, count)]
    return "\n* server leg\n" + "".join(texts) + _ONE.format(count) + "\n".join(last)


@peer_rule(
    requirement=Requirement(9112, "9.6", "SHOULD"),
    also=(Requirement(9112, "9.5"),),
    severity=WARNING,
    profiles=("rfc9110",),
    versions=HTTP1,
    events=(Closed,),
    senders=("server",),
    violating=[
        _connections(DRAINING, "*! server closes"),
        _connections(DRAINING, "> GET /lost HTTP/1.1", "> Host: www.example", "*! server closes"),
    ],
    conforming=[
        _connections(DRAINING, "* 1.5 s later", "* server closes"),
        _connections(
            DRAINING,
            "> GET /last HTTP/1.1",
            "> Host: www.example",
            "< HTTP/1.1 200 OK",
            "< Connection: close",
            "< Content-Length: 0",
            "* server closes",
        ),
        _connections(
            DRAINING,
            "* 5 s later",
            "> GET /idle HTTP/1.1",
            "> Host: www.example",
            "* server closes",
        ),
        _connections(DRAINING, "* 12 s later", _ONE.format("later"), "* server closes"),
    ],
)
def check(peers: Peers, connection: Connection, event: Closed) -> Iterator[Evidence]:
    """A server ends many connections that are in use, and says close in none of them.

    This is what a deployment without draining looks like: the server stops, and every connection
    on which requests go back and forth ends at once. Clients and load balancers lose the requests
    that are on their way, and answer 502 for some seconds. With close in its last responses, nobody
    would send another request there.

    Kubernetes and its proxies have the gap when a pod stops before it is taken out of the service
    (kubernetes/ingress-nginx#8094, envoyproxy/gateway#4205); Node's server.close() ends idle
    connections and lets the others go on until the process exits (nodejs/node#60617).

    When it is told to stop, let the server first answer for some seconds with Connection: close,
    then close what is idle, then exit: in Node set the field for every response after SIGTERM, in
    Go use Server.Shutdown, in Kubernetes add a preStop hook that waits, in nginx stop with quit
    instead of stop.

    It takes five connections within ten seconds, each used more than once and ended within a second
    after a response, or with a request unanswered that followed as quickly. Idle connections do not
    count, so that a clean restart is silent. Told for the fifth; until ten seconds later the rule
    about single connections is silent.
    """
    if not connection.server_is_peer or not ended_in_use(connection, event) or event.time is None:
        return
    ended = (*peers.server.recently_ended(event.time), event.time)
    if len(ended) < DRAINING or peers.server.is_draining(event.time):
        return
    yield Evidence(
        f"The server has ended {len(ended)} connections in use within "
        f"{seconds(event.time - ended[0])}, and has said close in none of them."
    )
