"""Connections followed through captures: one place, in the order of the captures.

So the result does not depend on how many read them. Nobody knows who closed a connection: rules
that need it find nothing.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import replace

from hopguard.captures.lifespan import Exchange, Span
from hopguard.captures.quiet import Quiet
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
        self._quiet: dict[Key, tuple[int, Quiet, Exchange]] = {}
        """Connections on which all has been quiet: how many exchanges there were, and the last."""
        self._closing: list[tuple[float, Key]] = []
        """A heap: the next one to close is first."""
        self._ends: dict[Key, float] = {}

    def feed(self, exchange: Exchange) -> Iterator[Record]:
        """Take in an exchange; give the records of what is found.

        Exchanges come in the order in which they began, or in which they were complete, as far as
        one connection is concerned; what does not is left out.
        """
        yield from self._close_until(_beginning(exchange.spans[0]))
        bare = exchange._replace(spans=())
        for span in exchange.spans:
            if not self._is_late(span.key, _beginning(span)):
                if isinstance(span, Quiet) and self._lifecycle.connection(span.key) is None:
                    self._note(span, bare)
                else:
                    yield from self._follow(span, bare)
                self._will_close(span.key, span.closed)

    def _note(self, quiet: Quiet, exchange: Exchange) -> None:
        """Count a quiet exchange on a connection that need not be followed."""
        number, first, _ = self._quiet.pop(quiet.key, (0, quiet, exchange))
        latest = quiet._replace(whole=first.whole)
        self._quiet[quiet.key] = number + 1, latest, exchange
        if len(self._quiet) > MOST_OPEN:
            self._forget(next(iter(self._quiet)))

    def _follow(self, span: Span | Quiet, exchange: Exchange) -> Iterator[Record]:
        key = span.key
        before = self._quiet.pop(key, None)
        if before is not None:
            number, quiet, last = before
            self._lifecycle.follow(quiet.connection(number))
            for event in quiet.events(last.method, last.flow):
                yield from self._tell(key, event)
        self._latest[key] = exchange
        if isinstance(span, Quiet):
            events = span.events(exchange.method, exchange.flow)
        elif self._lifecycle.connection(key) is None:
            events = (span.opened, *span.events)
        else:
            events = span.events
        for event in events:
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


def _beginning(span: Span | Quiet) -> float | None:
    return span.began if isinstance(span, Quiet) else span.events[0].time


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
