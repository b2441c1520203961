"""Summaries: right sums, and bounds, whatever comes."""

from collections import Counter

import pytest

from hopguard.record import format_time
from hopguard.reports import summary as module
from hopguard.reports.summary import (
    MOST_BUCKETS,
    OTHER_RULES,
    UNKNOWN,
    BoundedCounter,
    Summary,
    Timeline,
)
from tests.reports.making import make


def test_sums() -> None:
    """By each of the keys."""
    summary = Summary()
    for record in (
        make(),
        make(time="2026-05-31T11:00:00.000000Z", sender=None, http_version=None),
        make(rule="te-in-response", variant="te", severity="warning", url="http://b.example/x?y"),
        make(rule="te-in-response", severity="info", time=None, url=None, server=None),
    ):
        summary.add(record)
    assert summary.total == 4
    assert (summary.first, summary.last) == (
        "2026-05-31T11:00:00.000000Z",
        "2026-05-31T12:00:00.000000Z",
    )
    assert summary.by_severity == {"error": 2, "warning": 1, "info": 1}
    assert summary.by_rule == {"connection-field-in-http2": 2, "te-in-response": 2}
    assert summary.by_host == {"www.example": 2, "b.example": 1, "(unknown)": 1}
    assert summary.by_version == {"HTTP/2": 3, UNKNOWN: 1}
    assert summary.by_sender == {"server": 3, UNKNOWN: 1}
    assert sum((counts for _, counts in summary.timeline), Counter()) == {"error": 2, "warning": 1}
    part = summary.rules["te-in-response"]
    assert (part.rule, part.severity, part.count) == ("te-in-response", "warning", 2)
    assert part.variants == {"te": 1, "": 1}
    assert part.hosts == {"b.example": 1, "(unknown)": 1}
    assert part.places == {("b.example", "/x"): 1, ("(unknown)", ""): 1}
    assert (part.first, part.last) == ("2026-05-31T12:00:00.000000Z",) * 2
    assert [example["severity"] for example in part.examples] == ["warning", "info"]


def test_the_worst_come_first() -> None:
    """Then the most frequent, then by name."""
    summary = Summary()
    for rule, severity in ("c", "info"), ("b", "error"), ("a", "error"), ("d", "info"):
        summary.add(make(rule=rule, severity=severity))
    summary.add(make(rule="d", severity="info"))
    assert [part.rule for part in summary.worst_first()] == ["a", "b", "d", "c"]


def test_a_bounded_counter_keeps_what_is_frequent() -> None:
    """And always has the right sum."""
    counter: BoundedCounter[int] = BoundedCounter(10)
    for number in range(1_000):
        counter.add(number)
        counter.add(7)
        assert len(counter) <= 20
        assert counter.total() + counter.others == 2 * (number + 1)
    assert counter.most_common(1) == [(7, 1_001)]


def test_any_number_of_rules_and_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest has a name of its own; only a few examples are kept."""
    monkeypatch.setattr(module, "MOST_RULES", 3)
    monkeypatch.setattr(module, "MOST_HOSTS", 3)
    summary = Summary()
    for number in range(50):
        summary.add(make(rule=f"rule-{number}", url=f"http://{number}.example/"))
    assert summary.by_rule == {"rule-0": 1, "rule-1": 1, "rule-2": 1, OTHER_RULES: 47}
    assert summary.rules[OTHER_RULES].count == 47
    assert len(summary.rules[OTHER_RULES].examples) == 3
    assert len(summary.by_host) <= 6
    assert summary.by_host.total() + summary.by_host.others == 50


def times(step: int, number: int) -> list[str]:
    """Give times, `step` seconds apart."""
    return [format_time(1_780_000_000 + step * count) for count in range(number)]


@pytest.mark.parametrize("step", [1, 60, 86_400, 40_000_000])
def test_a_timeline_stays_short(step: int) -> None:
    """Its buckets grow with the span, follow each other, and hold everything."""
    timeline = Timeline()
    for time in reversed(times(step, 130)):
        timeline.add(time, "error")
        timeline.add(time, "info")
    buckets = list(timeline)
    assert len(buckets) <= MOST_BUCKETS
    assert sum(counts.total() for _, counts in buckets) == 260
    starts = [start for start, _ in buckets]
    assert starts == [starts[0] + timeline.step * number for number in range(len(starts))]
    assert starts[0] <= 1_780_000_000 < starts[0] + timeline.step


def test_a_timeline_shows_gaps() -> None:
    """As empty buckets; without a finding there is none."""
    timeline = Timeline()
    assert list(timeline) == []
    for time in times(30, 2):
        timeline.add(time, "error")
    assert [counts.total() for _, counts in timeline] == [1, *[0] * 29, 1]
