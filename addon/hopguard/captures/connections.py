"""Connections followed through captures: one place, in the order of the captures.

So the result does not depend on how many read them. Nobody knows who closed a connection: rules
that need it find nothing.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from hopguard.captures.lifespan import Exchange, Span
from hopguard.captures.quiet import Quiet, Side, began_on, events_on, is_first
from hopguard.checker import Checker
from hopguard.events import Closed, Event, Key
from hopguard.lifecycle import Judged, Lifecycle
from hopguard.record import Circumstances, Record, Redaction, make_record
from hopguard.rule import Finding

MOST_OPEN = 20_000
"""Connections that are followed, and as many on which all has been quiet: more than a capture of
one proxy holds at a time. Of those beyond, the one that was used least recently is given up."""

MOST_CLOSING = 50_000
"""Connections whose end is known and has not come; the earliest of those beyond is not told."""


class Connections:
    """Follows connections. Its memory is bounded."""

    def __init__(
        self,
        checker: Checker,
        redaction: Redaction,
        wanted: Callable[[Finding], bool] | None = None,
    ) -> None:
        """Judge by the rules of `checker`; what is not `wanted` is left out."""
        self._wanted = wanted or (lambda _: True)
        self._lifecycle = Lifecycle(checker, most_open=MOST_OPEN)
        self._lifecycle.forget = self._forget
        self._redaction = redaction
        self._latest: dict[Key, Exchange] = {}
        self._started: dict[Key, float] = {}
        """When the latest request on each connection began."""
        self._quiet: dict[Key, tuple[int, bool, Side, Quiet]] = {}
        """Connections on which all has been quiet: how many exchanges there were, whether the first
        of them is known, and the last."""
        self._closing: list[tuple[float, Key]] = []
        """A heap: the next one to close is first."""
        self._ends: dict[Key, float] = {}

    def feed(self, exchange: Exchange | Quiet) -> Iterable[Record]:
        """Take in an exchange; give the records of what is found, as it is found.

        Exchanges come in the order in which they began, or in which they were complete, as far as
        one connection is concerned; what does not is left out.
        """
        if isinstance(exchange, Exchange):
            return self._feed(exchange)
        pair = exchange[0]
        sides = [side for side in (pair.client, pair.server) if side is not None]
        began = began_on(sides[0], exchange)
        if self._closing and self._closing[0][0] <= began:
            return self._feed_quiet(sides, exchange)
        for side in sides:
            if self._lifecycle.connection(side.key) is not None:
                return self._feed_quiet(sides, exchange)
        for side in sides:
            self._note(side, exchange)
        return ()

    def _feed(self, exchange: Exchange) -> Iterator[Record]:
        yield from self._close_until(exchange.spans[0].events[0].time)
        bare = exchange._replace(spans=())
        for span in exchange.spans:
            if not self._is_late(span.key, span.events[0].time):
                yield from self._follow(span, bare)
                self._will_close(span.key, span.closed)

    def _feed_quiet(self, sides: list[Side], quiet: Quiet) -> Iterator[Record]:
        """Take in a quiet exchange on connections of which at least one is followed, or closes."""
        yield from self._close_until(began_on(sides[0], quiet))
        (client, server), (*_, method, flow, url) = quiet[0].addresses, quiet
        bare = Exchange((), flow, method, url, client, server)
        for side in sides:
            if self._lifecycle.connection(side.key) is None:
                self._note(side, quiet)
            elif not self._is_late(side.key, began_on(side, quiet)):
                self._latest[side.key] = bare
                for event in events_on(side, quiet):
                    yield from self._tell(side.key, event)
                self._will_close(side.key, side.closed)

    def _note(self, side: Side, quiet: Quiet) -> None:
        """Count a quiet exchange on a connection that need not be followed."""
        key, began = side.key, began_on(side, quiet)
        if self._is_late(key, began):
            return
        before = self._quiet.pop(key, None)
        if before is None:
            self._quiet[key] = 1, is_first(side.opened, began), side, quiet
            if len(self._quiet) > MOST_OPEN:
                self._forget(next(iter(self._quiet)))
        else:
            self._quiet[key] = before[0] + 1, before[1], side, quiet
        if side.closed is not None:
            self._will_close(key, side.closed)

    def _follow(self, span: Span, exchange: Exchange) -> Iterator[Record]:
        key = span.key
        before = self._quiet.pop(key, None)
        if before is not None:
            number, whole, side, quiet = before
            self._lifecycle.follow(side.connection(number, whole=whole))
            for event in events_on(side, quiet):
                yield from self._tell(key, event)
        self._latest[key] = exchange
        if self._lifecycle.connection(key) is None:
            yield from self._tell(key, span.opened)
        for event in span.events:
            yield from self._tell(key, event)

    def finish(self) -> Iterator[Record]:
        """Close what is known to be closed, and forget everything."""
        yield from self._close_until(float("inf"))
        for connection in list(self._lifecycle.connections()):
            self._lifecycle.feed(connection.key, Closed(None))
        for key in list(self._quiet):
            self._forget(key)

    def _is_late(self, key: Key, time: float | None) -> bool:
        if time is None:
            return False
        before = self._started.get(key, time)
        self._started[key] = max(before, time)
        return time < before

    def _will_close(self, key: Key, time: float | None) -> None:
        if time is None or key in self._ends:
            return
        self._ends[key] = time
        heapq.heappush(self._closing, (time, key))
        if len(self._closing) > MOST_CLOSING:
            heapq.heappop(self._closing)

    def _close_until(self, time: float | None) -> Iterator[Record]:
        while time is not None and self._closing and self._closing[0][0] <= time:
            end, key = heapq.heappop(self._closing)
            if self._ends.get(key) == end:
                yield from self._tell(key, Closed(end))
                self._forget(key)

    def _tell(self, key: Key, event: Event) -> Iterator[Record]:
        latest = self._latest.get(key)
        for judged in self._lifecycle.feed(key, event):
            if self._wanted(judged.finding):
                yield make_record(judged.finding, _where(judged, event, latest), self._redaction)

    def _forget(self, key: Key) -> None:
        for known in (self._latest, self._started, self._ends, self._quiet):
            known.pop(key, None)


def _where(judged: Judged, event: Event, latest: Exchange | None) -> Circumstances:
    where = Circumstances(time=event.time, flow=judged.flow, connection=judged.key.connection)
    if latest is None:
        return where
    return replace(
        where,
        method=latest.method,
        url=latest.url,
        client=latest.client,
        server=latest.server,
    )
