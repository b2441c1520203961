"""Open connections of a running mitmproxy, and the latest of those that are closed."""

import logging
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, Self

from mitmproxy import ctx, http
from mitmproxy.connection import Server
from mitmproxy.utils import human

from hopguard.connection import Connection
from hopguard.events import Closed, ClosedBy, Event, Key, Opened, StillOpen
from hopguard.lifecycle import Judged, Lifecycle
from hopguard.message import Leg
from hopguard.mitm import flows, idletimes
from hopguard.tolerances import T_CLOSE

logger = logging.getLogger(__name__)

MOST_CLOSED = 2_000
"""Closed connections of which it is kept who closed them, for whoever shows flows."""

URL_LIMIT = 512
"""Characters of the URL that are kept of the latest exchange on a connection."""

URL_OCTETS = 4 * URL_LIMIT
"""Octets of so many characters, at most."""

MOST_TIMERS = 1_000
"""Connections at a time that are looked at again because they ought to be closed."""


_LEGS: tuple[Leg, ...] = ("client", "server")


Address = tuple[Any, ...] | str | None
"""As mitmproxy has it, or as text."""


class Told(NamedTuple):
    """What reports tell of an exchange: only of few it is asked for as text."""

    host: str
    port: int
    method: bytes
    scheme: bytes
    authority: bytes
    path: bytes
    """As far as it is kept."""
    client_address: Address
    server_address: Address
    known_url: str | None = None
    """Where mitmproxy knows no host."""

    @classmethod
    def of(cls, flow: http.HTTPFlow) -> Self:
        """Take it from a flow."""
        data = flow.request.data
        return cls(
            *(data.host, data.port, data.method, data.scheme, data.authority),
            data.path[:URL_OCTETS],
            flow.client_conn.peername,
            server_address(flow.server_conn),
            None if data.host else flows.url_of(flow)[:URL_LIMIT],
        )

    @property
    def url(self) -> str | None:
        """The beginning of the URL, as mitmproxy puts it together, if it is known."""
        if not self.host:
            return self.known_url
        return flows.url_of_parts.__wrapped__(*self[:6])[:URL_LIMIT]

    @property
    def client(self) -> str:
        """The client's address."""
        return _shown(self.client_address) or human.format_address(None)

    @property
    def server(self) -> str | None:
        """The server's address, if it is known."""
        return _shown(self.server_address)


def server_address(server: Server) -> Address:
    """Return the address of a server, or the one that is to be connected to."""
    return server.peername or server.address


def _shown(address: Address) -> str | None:
    return human.format_address(address) if isinstance(address, tuple) else address


class Latest:
    """The latest exchange on a connection. In mitmdump, its flow is soon gone."""

    __slots__ = ("_reference", "_told")

    def __init__(self, flow: http.HTTPFlow | None, told: Told | None = None) -> None:
        """Remember `flow` for as long as it exists, and what is told of it: see `keep`."""
        self._reference = weakref.ref(flow) if flow is not None else None
        self._told = told

    def keep(self, flow: http.HTTPFlow) -> None:
        """Keep what is told of `flow`, of which nothing more is to come."""
        self._told = Told.of(flow)

    @property
    def flow(self) -> http.HTTPFlow | None:
        """The flow, if it still exists."""
        return self._reference() if self._reference is not None else None

    @property
    def told(self) -> Told | None:
        """What is told of it; None if its flow is gone, and has come to no end."""
        flow = self.flow
        return self._told or (Told.of(flow) if flow is not None else None)


Report = Callable[[list[Judged], Latest | None, bool], bool]
"""Called with findings about one connection, its latest exchange, and whether mitmproxy closes it
by itself. Returns whether it does because of them."""


class Following:
    """Feeds events to a judge, and keeps what it takes to report what that finds."""

    def __init__(self, lifecycle: Lifecycle, report: Report) -> None:
        """Feed `lifecycle`, and hand what it finds to `report`."""
        self.lifecycle = lifecycle
        lifecycle.forget = self._forget
        self._report = report
        self._latest: dict[Key, Latest] = {}
        """The latest exchange on each open connection."""
        self._ours: set[Key] = set()
        """Open connections that mitmproxy itself is about to close."""
        self._closed: OrderedDict[str, ClosedBy | None] = OrderedDict()
        self._timers = 0
        self._since = time.time()
        """Of connections that began before, it is unknown what has been."""

    def tell(self) -> None:
        """Say in mitmproxy's log, in the end, what was learned of servers, and what was missed."""
        idletimes.tell(self.lifecycle.servers())
        if self.lifecycle.given_up:
            logger.warning(
                "hopguard: %d connections were not followed to their end: too many were open",
                self.lifecycle.given_up,
            )

    def history(self, connection_id: str) -> Connection | None:
        """Return what is known of an open connection; None if that is nothing."""
        for leg in _LEGS:
            found = self.lifecycle.connection(Key(leg, connection_id))
            if found is not None:
                return found
        return None

    def closed_by(self, connection_id: str) -> ClosedBy | None:
        """Return who closed a connection; None if it is open, or nobody knows."""
        return self._closed.get(connection_id)

    def _open(self, key: Key, opened: Opened) -> None:
        """Follow a connection from now on, of which it is known when it began."""
        self._feed(key, opened._replace(whole=(opened.time or 0.0) >= self._since))

    def _is_latest(self, key: Key, flow: http.HTTPFlow) -> bool:
        self.lifecycle.settle(key)
        latest = self._latest.get(key)
        return latest is not None and latest.flow is flow

    def _close(self, key: Key, ended: float | None, by: ClosedBy | None) -> None:
        connection = self.lifecycle.connection(key)
        if connection is not None:
            self._feed(key, Closed(ended, by))
            self._closed[key.connection] = by
            if len(self._closed) > MOST_CLOSED:
                self._closed.popitem(last=False)

    def _forget(self, key: Key) -> None:
        self._latest.pop(key, None)
        self._ours.discard(key)

    def _flow(self, key: Key) -> http.HTTPFlow | None:
        self.lifecycle.settle(key)
        latest = self._latest.get(key)
        return latest.flow if latest is not None else None

    def _feed(self, key: Key, event: Event) -> None:
        self.lifecycle.settle(key)
        latest, ours = self._latest.get(key), key in self._ours
        judged = self.lifecycle.feed(key, event)
        closes = bool(judged) and self._report(judged, latest, ours)
        if closes and self.lifecycle.connection(key) is not None:
            self._ours.add(key)

    def _look_later(self, key: Key) -> None:
        """Look again when the connection ought to be closed, unless mitmproxy closes it."""
        connection = self.lifecycle.connection(key)
        waits = connection is not None and connection.closing and key not in self._ours
        if waits and self._timers < MOST_TIMERS:
            self._timers += 1
            # The flow, which mitmdump forgets, is kept until then: filters of the policy ask it.
            ctx.master.event_loop.call_later(T_CLOSE * 1.02, self._look, key, self._flow(key))

    def _look(self, key: Key, _: http.HTTPFlow | None) -> None:
        self._timers -= 1
        if self.lifecycle.connection(key) is not None:
            self._feed(key, StillOpen(time.time()))
