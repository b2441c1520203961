"""Connections followed through captures: one place, in the order of the captures.

So the result does not depend on how many read them. Nobody knows who closed a connection: rules
that need it find nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from hopguard.captures import calm, ends
from hopguard.captures.calm import Calm, Past
from hopguard.captures.ends import Ends
from hopguard.captures.lifespan import Exchange, Span
from hopguard.captures.quiet import Quiet, Side, began_first, began_on, events_on, is_first
from hopguard.captures.stretch import Stretch
from hopguard.checker import Checker
from hopguard.events import Closed, Event, Key
from hopguard.lifecycle import Judged, Lifecycle
from hopguard.record import Circumstances, Record, Redaction, make_record
from hopguard.rule import Finding


class Connections:
    """Follows connections. Its memory is bounded."""

    def __init__(
        self,
        checker: Checker,
        redaction: Redaction,
        wanted: Callable[[Finding], bool] | None = None,
        idle_timeout: float | None = None,
    ) -> None:
        """Judge by the rules of `checker`; what is not `wanted` is left out.

        `idle_timeout` is that of whoever stands in front of the servers, in seconds, if known.
        """
        self._wanted = wanted or (lambda _: True)
        self._lifecycle = Lifecycle(checker, idle_timeout=idle_timeout, most_open=calm.MOST)
        self._lifecycle.forget = self._forget
        self._redaction = redaction
        self._latest: dict[Key, Exchange] = {}
        self._started: dict[Key, float] = {}
        """When the latest request on each connection began."""
        self._calm = Calm()
        self._ends = Ends()

    def feed(self, exchange: Exchange | Quiet) -> Iterable[Record]:
        """Take in an exchange; give the records of what is found, as it is found.

        Exchanges come in the order in which they began, or in which they were complete, as far as
        one connection is concerned; what does not is left out.
        """
        if isinstance(exchange, Exchange):
            return self._feed(exchange)
        pair = exchange[0]
        sides = [side for side in (pair.client, pair.server) if side is not None]
        if self._ends.next <= began_first(exchange):
            return self._feed_quiet(sides, exchange)
        for side in sides:
            if self._lifecycle.connection(side.key) is not None:
                return self._feed_quiet(sides, exchange)
        for side in sides:
            self._note(side, exchange)
        return ()

    def take(self, stretch: Stretch) -> bool:
        """Take in a stretch of exchanges as a whole; False if they must be fed one by one.

        What comes of it is the same in either case, whoever has made stretches of what.
        """
        ending = self._ends.due(stretch.until)
        if not self._is_apart(stretch, ending) or not self._has_room(stretch, ending):
            return False
        for side, number, _, latest, whole, last in stretch.shares:
            self._calm.add(side.key, Past(number, whole, side, last))
            self._started[side.key] = latest
            self._ends.add(side.key, side.closed)
        for key in self._calm.beyond():
            self._forget(key)
        for _, key in self._ends.pop(stretch.until):
            self._forget(key)
        return True

    def _is_apart(self, stretch: Stretch, ending: Mapping[Key, float]) -> bool:
        """Tell whether nothing but the stretch concerns its connections, and nobody the others.

        None of them is followed, nor any that ends meanwhile; no exchange begins before one that
        was there; and if one of them ends meanwhile, all exchanges of the stretch know of it.
        """
        for side, _, first, *_ in stretch.shares:
            key = side.key
            if key in self._lifecycle or self._started.get(key, first) > first:
                return False
            if key in ending and ending[key] != side.closed:
                return False
        return not any(key in self._lifecycle for key in ending)

    def _has_room(self, stretch: Stretch, ending: Mapping[Key, float]) -> bool:
        """Tell whether nothing is forgotten for the stretch, or only what does not concern it."""
        shares = stretch.shares
        if len(self._ends) + len(shares) > ends.MOST or len(shares) > calm.MOST:
            return False
        keys = {share.side.key for share in shares}
        given_up = self._calm.beyond(keys)
        if not given_up:
            return True
        ends_come = ending or any(share.side.closed is not None for share in shares)
        return not ends_come and keys.isdisjoint(given_up)

    def _feed(self, exchange: Exchange) -> Iterator[Record]:
        yield from self._close_until(exchange.spans[0].events[0].time)
        bare = exchange._replace(spans=())
        for span in exchange.spans:
            if not self._is_late(span.key, span.events[0].time):
                yield from self._follow(span, bare)
                self._ends.add(span.key, span.closed)

    def _feed_quiet(self, sides: list[Side], quiet: Quiet) -> Iterator[Record]:
        """Take in a quiet exchange on connections of which at least one is followed, or closes."""
        yield from self._close_until(began_first(quiet))
        (client, server), (*_, method, flow, url) = quiet[0].addresses, quiet
        bare = Exchange((), flow, method, url, client, server)
        for side in sides:
            if self._lifecycle.connection(side.key) is None:
                self._note(side, quiet)
            elif not self._is_late(side.key, began_on(side, quiet)):
                self._latest[side.key] = bare
                for event in events_on(side, quiet):
                    yield from self._tell(side.key, event)
                self._ends.add(side.key, side.closed)

    def _note(self, side: Side, quiet: Quiet) -> None:
        """Count a quiet exchange on a connection that need not be followed."""
        key, began = side.key, began_on(side, quiet)
        if self._is_late(key, began):
            return
        self._calm.add(key, Past(1, is_first(side.opened, began), side, quiet))
        if len(self._calm) > calm.MOST:
            self._forget(next(iter(self._calm)))
        self._ends.add(key, side.closed)

    def _follow(self, span: Span, exchange: Exchange) -> Iterator[Record]:
        key = span.key
        before = self._calm.pop(key)
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
        for key in list(self._calm):
            self._forget(key)

    def _is_late(self, key: Key, time: float | None) -> bool:
        if time is None:
            return False
        before = self._started.get(key, time)
        self._started[key] = max(before, time)
        return time < before

    def _close_until(self, time: float | None) -> Iterator[Record]:
        if time is not None:
            for end, key in self._ends.pop(time):
                yield from self._tell(key, Closed(end))
                self._forget(key)

    def _tell(self, key: Key, event: Event) -> Iterator[Record]:
        latest = self._latest.get(key)
        for judged in self._lifecycle.feed(key, event):
            if self._wanted(judged.finding):
                yield make_record(judged.finding, _where(judged, event, latest), self._redaction)

    def _forget(self, key: Key) -> None:
        self._latest.pop(key, None)
        self._started.pop(key, None)
        self._ends.forget(key)
        self._calm.pop(key)


def _where(judged: Judged, event: Event, latest: Exchange | None) -> Circumstances:
    where = Circumstances(time=event.time, flow=judged.flow, connection=judged.key.connection)
    if latest is None:
        return where
    return where._replace(
        method=latest.method,
        url=latest.url,
        client=latest.client,
        server=latest.server,
    )
