"""Open connections of a running mitmproxy, and the latest of those that are closed."""

import logging
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Self

from mitmproxy import ctx, http

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

_OCTETS = 4
"""Of a character, at most."""

MOST_TIMERS = 1_000
"""Connections at a time that are looked at again because they ought to be closed."""


_LEGS: tuple[Leg, ...] = ("client", "server")


class Target(NamedTuple):
    """What a URL is made of: only few requests need theirs as text."""

    host: str
    port: int
    method: bytes
    scheme: bytes
    authority: bytes
    path: bytes

    @classmethod
    def of(cls, request: http.Request) -> Self | None:
        """Take it from a request, as far as its URL is kept; None if mitmproxy knows no host."""
        data = request.data
        if not data.host:
            return None
        path = data.path[: URL_LIMIT * _OCTETS]
        return cls(data.host, data.port, data.method, data.scheme, data.authority, path)

    @property
    def url(self) -> str:
        """The URL, as mitmproxy puts it together."""
        return http.Request(*self, b"HTTP/1.1", http.Headers(), None, None, 0.0, None).url


class Latest(NamedTuple):
    """The latest exchange on a connection. In mitmdump, its flow is soon gone."""

    reference: weakref.ref[http.HTTPFlow] | None
    method: bytes
    target: Target | str | None
    """Whoever wants its URL in text, asks for `url`."""
    client: str
    server: str | None

    @classmethod
    def of(cls, flow: http.HTTPFlow) -> Self:
        """Remember `flow`."""
        return cls(
            weakref.ref(flow),
            flow.request.data.method,
            Target.of(flow.request) or flows.url_of(flow)[:URL_LIMIT],
            flows.client_address(flow),
            flows.server_address(flow),
        )

    @property
    def url(self) -> str | None:
        """The beginning of the URL, if it is known."""
        return self.target.url[:URL_LIMIT] if isinstance(self.target, Target) else self.target

    @property
    def flow(self) -> http.HTTPFlow | None:
        """The flow, if it still exists."""
        return self.reference() if self.reference is not None else None


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
        request = self.lifecycle.request(key)
        return request is not None and request.flow == flow.id

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
        latest = self._latest.get(key)
        return latest.flow if latest is not None else None

    def _feed(self, key: Key, event: Event) -> None:
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
