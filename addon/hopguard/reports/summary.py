"""What many records say together, in memory that does not grow with their number."""

from collections import Counter
from collections.abc import Hashable, Iterator
from datetime import datetime
from itertools import pairwise

from hopguard.record import Record
from hopguard.reports.places import place_of
from hopguard.reports.reading import SEVERITIES

UNKNOWN = "(unknown)"
"""Stands for what a record does not say."""

OTHER_RULES = "(other rules)"
"""Under this name stand the rules beyond `MOST_RULES`."""

MOST_RULES = 200
"""More than there are: a foreign log may name any number."""

MOST_HOSTS = 5_000
MOST_HOSTS_OF_RULE = MOST_PLACES = 500
MOST_NAMES = 50
"""Of variants, versions and senders."""

EXAMPLES = 3
"""Records that are kept of each rule."""

MOST_BUCKETS = 120
"""Parts of the time from the first record to the last."""

_STEPS = (1, 5, 15, 60, 300, 900, 3_600, 10_800, 43_200, 86_400, 604_800)
"""Seconds; after the last, each is twice the one before."""


class BoundedCounter[K: Hashable](Counter[K]):
    """Counts what is frequent by name, and what is rare in `others`.

    It holds at most twice `most` names. When there would be more, the rarer ones are dropped and
    their counts go to `others`; so a name's count leaves out what was dropped before, and the sum
    of all is always right.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.others = 0

    def add(self, key: K) -> None:
        """Count `key` once."""
        self[key] += 1
        if len(self) > 2 * self.most:
            kept = dict(self.most_common(self.most))
            self.others += self.total() - sum(kept.values())
            self.clear()
            self.update(kept)


class Timeline:
    """How many findings of which severity there were when."""

    def __init__(self) -> None:
        """Begin with the finest step."""
        self.step = _STEPS[0]
        """Seconds that a bucket is long."""
        self._buckets: dict[int, Counter[str]] = {}

    def add(self, time: str, severity: str) -> None:
        """Count a finding. `time` is as in a record."""
        number = int(datetime.fromisoformat(time).timestamp() // self.step)
        if number in self._buckets:
            self._buckets[number][severity] += 1
            return
        self._buckets[number] = Counter({severity: 1})
        while max(self._buckets) - min(self._buckets) >= MOST_BUCKETS:
            self._coarsen()

    def _coarsen(self) -> None:
        after = dict(pairwise(_STEPS))
        step = after.get(self.step, 2 * self.step)
        buckets: dict[int, Counter[str]] = {}
        for number, counts in self._buckets.items():
            buckets.setdefault(number * self.step // step, Counter()).update(counts)
        self.step, self._buckets = step, buckets

    def __iter__(self) -> Iterator[tuple[float, Counter[str]]]:
        """Give the start of each bucket, in seconds since the epoch, and its counts by severity.

        There is no gap between the first and the last; empty ones are given as well.
        """
        if self._buckets:
            for number in range(min(self._buckets), max(self._buckets) + 1):
                yield float(number * self.step), self._buckets.get(number, Counter())


class _Span:
    """Counts records, and knows the times of the first and the last."""

    def __init__(self) -> None:
        self.first: str | None = None
        self.last: str | None = None

    def _extend(self, time: str | None) -> None:
        if time is not None:  # all times are in UTC and of one form: their order is that of texts
            self.first = min(time, self.first or time)
            self.last = max(time, self.last or time)


class RuleSummary(_Span):
    """What the records of one rule say together."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule
        self.severity = SEVERITIES[-1]
        """The worst that was found."""
        self.count = 0
        self.variants: BoundedCounter[str] = BoundedCounter(MOST_NAMES)
        """Empty is the name of what is no variant."""
        self.senders: BoundedCounter[str] = BoundedCounter(MOST_NAMES)
        self.hosts: BoundedCounter[str] = BoundedCounter(MOST_HOSTS_OF_RULE)
        self.places: BoundedCounter[tuple[str, str]] = BoundedCounter(MOST_PLACES)
        """By host and path."""
        self.examples: list[Record] = []
        """The first few records."""

    def add(self, record: Record, host: str, path: str) -> None:
        """Count a record."""
        self.count += 1
        self.severity = min(self.severity, record["severity"], key=SEVERITIES.index)
        self.variants.add(record["variant"] or "")
        self.senders.add(record["sender"] or UNKNOWN)
        self.hosts.add(host)
        self.places.add((host, path))
        if len(self.examples) < EXAMPLES:
            self.examples.append(record)
        self._extend(record["time"])


class Summary(_Span):
    """What many records say together. Records are as `read_records` gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.by_severity: Counter[str] = Counter()
        self.by_rule: Counter[str] = Counter()
        self.by_host: BoundedCounter[str] = BoundedCounter(MOST_HOSTS)
        self.by_version: BoundedCounter[str] = BoundedCounter(MOST_NAMES)
        self.by_sender: BoundedCounter[str] = BoundedCounter(MOST_NAMES)
        self.timeline = Timeline()
        self.rules: dict[str, RuleSummary] = {}

    def add(self, record: Record) -> None:
        """Count a record."""
        rule: str = record["rule"]
        if rule not in self.rules and len(self.rules) >= MOST_RULES:
            rule = OTHER_RULES
        host, path = place_of(record)
        self.total += 1
        self.by_severity[record["severity"]] += 1
        self.by_rule[rule] += 1
        self.by_host.add(host)
        self.by_version.add(record["http_version"] or UNKNOWN)
        self.by_sender.add(record["sender"] or UNKNOWN)
        if rule not in self.rules:
            self.rules[rule] = RuleSummary(rule)
        self.rules[rule].add(record, host, path)
        self._extend(record["time"])
        if record["time"] is not None:
            self.timeline.add(record["time"], record["severity"])

    def worst_first(self) -> list[RuleSummary]:
        """Sort the rules by their severity, then by their count."""
        return sorted(
            self.rules.values(),
            key=lambda part: (SEVERITIES.index(part.severity), -part.count, part.rule),
        )
