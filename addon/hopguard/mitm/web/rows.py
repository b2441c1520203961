"""What the page is told of the findings: short rows for its table, and the totals."""

from typing import Any

from hopguard.mitm.web.store import FindingStore
from hopguard.record import Record
from hopguard.reports.places import place_of
from hopguard.reports.reading import SEVERITIES
from hopguard.reports.summary import BoundedCounter, Summary

ROWS_AT_ONCE = 1_000
"""In one answer: it is made in the proxy's own thread, in which meanwhile nothing else happens."""

MOST_VALUES = 100
"""Of hosts, rules and so on that are named with their totals."""

COPIED = (
    *("time", "severity", "rule", "variant", "sender", "leg", "http_version", "field", "value"),
    *("action", "method", "status", "part", "flow"),
)
"""Keys of a record that stand in its row as they are."""

COLUMNS = ("number", *COPIED, "host", "path")
"""What the elements of a row are."""


def row_of(number: int, record: Record) -> list[Any]:
    """Return the row of a record, in the order of `COLUMNS`."""
    place = place_of(record)
    return [number, *(record[key] for key in COPIED), place.host, place.path]


def news(store: FindingStore, after: int) -> dict[str, Any]:
    """Return rows of the findings with numbers above `after`, up to `ROWS_AT_ONCE`.

    With the last of them come the totals.
    """
    store.count(ROWS_AT_ONCE)
    rows = [row_of(number, record) for number, record in store.after(after, ROWS_AT_ONCE)]
    last = rows[-1][0] if rows else max(after, store.newest)
    complete = last >= store.newest and store.counted == store.newest
    return {
        "run": store.run,
        "most": store.most,
        "oldest": store.oldest,
        "newest": store.newest,
        "last": last,
        "complete": complete,
        "rows": rows,
        "totals": totals(store.summary) if complete else None,
    }


def totals(summary: Summary) -> dict[str, Any]:
    """Return the counts as plain data: pairs of a name and a number, the most frequent first.

    A rule's pair is followed by its worst severity. What has no name here is in `others`.
    """
    rules = sorted(summary.rules.values(), key=lambda part: (-part.count, part.rule))
    return {
        "total": summary.total,
        "severity": [[name, summary.by_severity[name]] for name in SEVERITIES],
        "rule": [[part.rule, part.count, part.severity] for part in rules],
        "host": _most(summary.by_host),
        "http_version": _most(summary.by_version),
        "sender": _most(summary.by_sender),
        "others": {"host": summary.total - sum(count for _, count in _most(summary.by_host))},
        "timeline": {
            "step": summary.timeline.step,
            "bins": [
                [start, *(counts[name] for name in SEVERITIES)]
                for start, counts in summary.timeline
            ],
        },
    }


def _most(counter: BoundedCounter[str]) -> list[tuple[str, int]]:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return ordered[:MOST_VALUES]
