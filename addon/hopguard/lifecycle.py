"""Events in, findings about connections out: what is remembered between them, within bounds."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hopguard.checker import Checker
from hopguard.connection import Connection
from hopguard.events import (
    SHORT,
    Closed,
    Event,
    Key,
    Opened,
    RequestEnd,
    RequestHead,
    ResponseHead,
)
from hopguard.peer import ClientPast, Peers, ServerPast
from hopguard.rule import Finding
from hopguard.selection import Lines
from hopguard.steady import Passed, is_steady

MOST_OPEN = 100_000
"""Open connections that are followed; of those beyond, one is given up that has long been idle."""

MOST_PEERS = 10_000
"""Servers, and clients, whose past is remembered: the least recently used is forgotten."""


_TELLING = (RequestEnd, ResponseHead, Closed)
"""Events from which something is learned about the peers."""


class Judged(NamedTuple):
    """A finding about a connection, and the exchange that was the latest one on it."""

    finding: Finding
    key: Key
    flow: str | None
    """See `RequestHead.flow`."""


class Lifecycle:
    """Follows connections from event to event. Events of one connection come in their order."""

    def __init__(
        self,
        checker: Checker,
        *,
        idle_timeout: float | None = None,
        most_open: int = MOST_OPEN,
        most_peers: int = MOST_PEERS,
    ) -> None:
        """Judge by the rules of `checker`.

        Args:
            checker: gives rules and profiles; may be replaced at any time.
            idle_timeout: seconds for which whoever stands in front of the servers keeps idle
                connections, if that is known.
            most_open: open connections that are followed.
            most_peers: servers, and clients, that are remembered.
        """
        self.checker = checker
        self.idle_timeout = idle_timeout
        self.forget: Callable[[Key], None] = lambda _: None
        """Called with each connection that is followed no more: it is closed, or given up."""
        self.settle: Callable[[Key], None] = lambda _: None
        """Called before anything is told or asked of a connection, or it is given up: whoever puts
        off what happens has to tell it by then."""
        self.given_up = 0
        """Connections that were given up because there were too many."""
        self._most_open = most_open
        self._most_peers = most_peers
        self._open: OrderedDict[Key, Connection] = OrderedDict()
        self.pasts: OrderedDict[str, ServerPast] = OrderedDict()
        """What is remembered of servers, by address."""
        self._clients: OrderedDict[tuple[str, int], ClientPast] = OrderedDict()

    def connection(self, key: Key) -> Connection | None:
        """Return what is known of an open connection; None of one that is not followed."""
        self.settle(key)
        return self._open.get(key)

    def __contains__(self, key: Key) -> bool:
        """Tell whether an open connection is followed."""
        return key in self._open

    def connections(self) -> Iterator[Connection]:
        """Give the open connections that are followed, in the order in which they were told of."""
        for key in list(self._open):
            self.settle(key)
        yield from self._open.values()

    def follow(self, connection: Connection) -> None:
        """Go on with a connection of which somebody else knows what it has been."""
        self._keep(connection.key, connection)

    def server(self, address: str) -> ServerPast | None:
        """Return what is remembered of the server at `address`, if that is anything."""
        return self.pasts.get(address)

    def servers(self) -> list[ServerPast]:
        """List the servers whose past is remembered, by address."""
        return sorted(self.pasts.values(), key=lambda server: server.address)

    def steady(self, key: Key) -> Connection | None:
        """Return a connection on which plain exchanges of HTTP/1.1 need but be counted.

        None if they are to be told, in a `RequestHead`, a `ResponseHead` and a `ResponseEnd` each.
        """
        connection = self._open.get(key)
        return connection if connection is not None and is_steady(connection) else None

    def teaches(self, server: str | None, answered: Lines) -> bool:
        """Tell whether a plain response, of these lines, says something new of the server there.

        Then it is to be told. None is for a connection to a client.
        """
        if server is None:
            return False
        past = self._server(server)
        if past.single:
            return True
        for name, value in answered:
            if name.lower() == b"server":
                return value[:SHORT] not in (b"", past.product)
        return False

    def count(self, key: Key, number: int, ended: float | None, latest: Passed) -> None:
        """Take in so many plain exchanges on a steady connection, one after the other.

        `latest` is the latest of them, and the one before that has `ended` then.
        """
        before = self._open[key]
        if number > 1:
            before = before.after_exchanges(number - 1, ended)
        request, response = latest.heads_on(key.leg)
        self._keep(key, before.after_exchange(request, response, latest.ended))

    def count_streams(
        self, key: Key, *, begun: int = 0, ended: int = 0, time: float | None = None
    ) -> None:
        """Take in that so many exchanges of HTTP/2 or HTTP/3 have begun, and so many ended.

        There, no rule is about what happens on the connection. `time` is when the last of them
        ended. A connection that is not known begins.
        """
        before = self._open.get(key) or Connection(key)
        latest = max((known for known in (before.response_ended, time) if known), default=None)
        self._keep(key, before.after_streams(begun, ended, latest))

    def feed(self, key: Key, event: Event) -> list[Judged]:
        """Take in whatever happens on a connection; return what is wrong with it.

        A request begins a connection that is not known; other events of such are ignored. After
        `Closed` it is forgotten.
        """
        self.settle(key)
        return self._take_in(key, event)

    def _take_in(self, key: Key, event: Event) -> list[Judged]:
        before = self._open.get(key)
        if before is None or isinstance(event, Opened):
            if not isinstance(event, Opened | RequestHead):
                return []
            before = Connection(key)
        findings = self.checker.check_event(before, event, lambda: self._peers(before, event))
        if isinstance(event, _TELLING):
            self._learn(before, event)
        after = before.after(event)
        if isinstance(event, Closed):
            self._open.pop(key, None)
            self.forget(key)
        else:
            self._keep(key, after)
        if not findings:
            return []
        flow = after.request.flow if after.request is not None else None
        return [Judged(finding, key, flow) for finding in findings]

    def _keep(self, key: Key, connection: Connection) -> None:
        self._open[key] = connection
        self._open.move_to_end(key)
        while len(self._open) > self._most_open:
            self._give_up(next(iter(self._open)))

    def _give_up(self, oldest: Key) -> None:
        """Give up a connection, unless what was put off shows that it is in use."""
        self.settle(oldest)
        if next(iter(self._open)) == oldest:
            del self._open[oldest]
            self.given_up += 1
            self.forget(oldest)

    def _peers(self, connection: Connection, event: Event) -> Peers:
        client = self._client(connection, event)
        server = self._server(connection.server or "")
        return Peers(client, server, self.idle_timeout)

    def _client(self, connection: Connection, event: Event) -> ClientPast:
        return self._clients.get(_client_of(connection, event)) or ClientPast()

    def _server(self, address: str) -> ServerPast:
        return self.pasts.get(address) or ServerPast(address)

    def _learn(self, connection: Connection, event: Event) -> None:
        if connection.server is not None and not isinstance(event, RequestEnd):
            server = self._server(connection.server)
            learned = server.after(connection, event)
            if learned is not server:
                _put(self.pasts, connection.server, learned, self._most_peers)
        if connection.client is not None and not isinstance(event, ResponseHead):
            client = self._client(connection, event)
            known = client.after(connection, event)
            if known is not client:
                _put(self._clients, _client_of(connection, event), known, self._most_peers)


def _client_of(connection: Connection, event: Event) -> tuple[str, int]:
    """Return the client's host, whose ports change, and what its User-Agent is remembered by."""
    host = (connection.client or "").rpartition(":")[0]
    request = event if isinstance(event, RequestHead) else connection.request
    return host, request.agent if request is not None else 0


def _put[K, V](known: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > most:
        known.popitem(last=False)
