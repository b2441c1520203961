"""Which findings get a line of their own, and which are only counted."""

import itertools
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mitmproxy.contrib import click

from hopguard.mitm.lines import COLOURS, host_of
from hopguard.record import Record
from hopguard.rule import SEVERITY_OF, Severity

LINES = 10
"""For each rule and host; further findings are only counted."""

INTERVAL = 10.0
"""Seconds between two counts of the same rule and host."""

PAIRS = 1000
"""Of rule and host, that are told apart. Whoever is observed chooses the names of hosts."""

OTHERS = "other hosts"
"""Stands for those beyond."""

Pair = tuple[str, str]


class Count(NamedTuple):
    """How many findings have had no line."""

    rule: str
    host: str
    number: int
    seconds: int
    severity: str
    """The worst among them."""

    def __str__(self) -> str:
        """Return the line as it is in a pipe, a file, a browser."""
        return f"hopguard: {self._text()}"

    def coloured(self) -> str:
        """Return the line as it is on a terminal."""
        return f"hopguard: {click.style(self._text(), fg=COLOURS[self.severity])}"

    def _text(self) -> str:
        period = "second" if self.seconds == 1 else f"{self.seconds} seconds"
        return f"... {self.number} more of {self.rule} from {self.host} in the last {period}"


@dataclass(slots=True)
class _Seen:
    """What is known of a rule and host; times are of the clock."""

    last: float
    """When it was found last."""
    lines: int = 0
    """Told, at most `LINES`."""
    held: int = 0
    """Findings without a line, of which no count has told yet ..."""
    since: float = 0.0
    """... when the first of them was found ..."""
    worst: Severity = Severity.INFO
    """... and how bad they are."""


class Repeats:
    """Counts what would be the same line over and over. Its memory is bounded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin; `clock` gives seconds."""
        self._clock = clock
        self._seen: OrderedDict[Pair, _Seen] = OrderedDict()
        """The one that was found last is last."""
        self._holding: dict[Pair, _Seen] = {}
        """Those with findings held, in the order of their `since`."""

    def admits(self, record: Record) -> bool:
        """Tell whether a record gets its line. If not, it is counted."""
        pair = record["rule"], host_of(record) or "an unknown host"
        now = self._clock()
        seen = self._seen.get(pair)
        if seen is None:
            pair = self._room_for(*pair)
            seen = self._seen.setdefault(pair, _Seen(now))
        self._seen.move_to_end(pair)
        seen.last = now
        if seen.lines < LINES:
            seen.lines += 1
            return True
        severity = SEVERITY_OF[record["severity"]]
        if seen.held == 0:
            seen.since, seen.worst = now, severity
            self._holding[pair] = seen
        seen.held += 1
        seen.worst = max(seen.worst, severity)
        return False

    def _room_for(self, rule: str, host: str) -> Pair:
        if len(self._seen) < PAIRS:
            return rule, host
        oldest, seen = next(iter(self._seen.items()))
        if seen.held or self._clock() - seen.last < INTERVAL:
            return rule, OTHERS  # there is one for each rule, so this is bounded, too
        del self._seen[oldest]
        return rule, host

    def wait(self) -> float | None:
        """Return in how many seconds a count is due, 0 if one is; None if there is none."""
        for seen in self._holding.values():
            return max(0.0, seen.since + INTERVAL - self._clock())
        return None

    def due(self) -> list[Count]:
        """Return the counts for which it is time."""
        now = self._clock()
        held = self._holding.items()
        late = list(itertools.takewhile(lambda item: now - item[1].since >= INTERVAL, held))
        return [self._count(pair) for pair, _ in late]

    def rest(self) -> list[Count]:
        """Return all counts, whether or not it is time."""
        return [self._count(pair) for pair in list(self._holding)]

    def _count(self, pair: Pair) -> Count:
        seen = self._holding.pop(pair)
        seconds = max(1, round(self._clock() - seen.since))
        number, seen.held = seen.held, 0
        return Count(*pair, number, seconds, str(seen.worst))
