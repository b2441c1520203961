"""Connections followed through captures: one place, in the order of the captures.

So the result does not depend on how many read them. Nobody knows who closed a connection: rules
that need it find nothing.
"""

import heapq
from collections.abc import Iterator
from dataclasses import replace

from hopguard.captures.lifespan import Exchange, Span
from hopguard.checker import Checker
from hopguard.events import Closed, Event, Key, RequestHead
from hopguard.lifecycle import Judged, Lifecycle
from hopguard.record import Circumstances, Record, Redaction, make_record

MOST_CLOSING = 100_000
"""Connections whose end is known and has not come; the earliest of those beyond is not told."""


class Connections:
    """Follows connections. Its memory is bounded."""

    def __init__(self, checker: Checker, redaction: Redaction) -> None:
        """Judge by the rules of `checker`."""
        self._lifecycle = Lifecycle(checker)
        self._lifecycle.forget = self._forget
        self._redaction = redaction
        self._latest: dict[Key, Exchange] = {}
        self._started: dict[Key, float] = {}
        """When the latest request on each connection began."""
        self._closing: list[tuple[float, Key]] = []
        """A heap: the next one to close is first."""
        self._ends: dict[Key, float] = {}

    def feed(self, exchange: Exchange) -> Iterator[Record]:
        """Take in an exchange; give the records of what is found.

        Exchanges come in the order in which they began, or in which they were complete, as far as
        one connection is concerned; what does not is left out.
        """
        begun = exchange.spans[0].events[0].time
        if begun is not None:
            yield from self._close_until(begun)
        for span in exchange.spans:
            if self._is_late(span):
                continue
            self._latest[span.key] = exchange._replace(spans=())
            if self._lifecycle.connection(span.key) is None:
                yield from self._tell(span.key, span.opened)
            for event in span.events:
                yield from self._tell(span.key, event)
            self._will_close(span)

    def finish(self) -> Iterator[Record]:
        """Close what is known to be closed, and forget everything."""
        yield from self._close_until(float("inf"))
        for connection in list(self._lifecycle.connections()):
            self._lifecycle.feed(connection.key, Closed(None))

    def _is_late(self, span: Span) -> bool:
        head = span.events[0]
        assert isinstance(head, RequestHead)
        if head.time is None:
            return False
        late = head.time < self._started.get(span.key, head.time)
        self._started[span.key] = max(head.time, self._started.get(span.key, head.time))
        return late

    def _will_close(self, span: Span) -> None:
        if span.closed is None or span.key in self._ends:
            return
        self._ends[span.key] = span.closed
        heapq.heappush(self._closing, (span.closed, span.key))
        if len(self._closing) > MOST_CLOSING:
            heapq.heappop(self._closing)

    def _close_until(self, time: float) -> Iterator[Record]:
        while self._closing and self._closing[0][0] <= time:
            end, key = heapq.heappop(self._closing)
            if self._ends.get(key) == end:
                yield from self._tell(key, Closed(end))

    def _tell(self, key: Key, event: Event) -> Iterator[Record]:
        latest = self._latest.get(key)
        for judged in self._lifecycle.feed(key, event):
            yield make_record(judged.finding, _where(judged, event, latest), self._redaction)

    def _forget(self, key: Key) -> None:
        for known in (self._latest, self._started, self._ends):
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
