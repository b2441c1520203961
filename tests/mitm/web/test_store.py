"""The findings that the page holds, and what it is told of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.mitm.web import rows
from hopguard.mitm.web.store import FindingStore
from tests.reports.making import make


def filled(count: int, most: int = 5) -> FindingStore:
    """Make a store to which `count` records were added; their lines are their numbers."""
    store = FindingStore(most)
    for number in range(1, count + 1):
        store.add(make(line=number))
    return store


def numbers(store: FindingStore, after: int = 0, most: int = 100) -> list[int]:
    """Return the numbers that the store gives; each must belong to its record."""
    given_ = list(store.after(after, most))
    assert all(record["line"] == number for number, record in given_)
    return [number for number, _ in given_]


def test_the_newest_are_kept() -> None:
    """Under numbers that stay theirs."""
    store = filled(12)
    assert (store.oldest, store.newest) == (8, 12)
    assert numbers(store) == [8, 9, 10, 11, 12]
    assert numbers(store, 9, 2) == [10, 11]
    assert numbers(store, 12) == []
    kept = store.get(8)
    assert kept is not None
    assert kept["line"] == 8
    assert store.get(7) is None
    assert store.get(13) is None


def test_an_empty_one() -> None:
    """It has an answer, too."""
    store = FindingStore()
    assert (store.oldest, store.newest, numbers(store), store.get(1)) == (1, 0, [], None)
    news = rows.news(store, 0)
    assert (news["complete"], news["rows"], news["totals"]["total"]) == (True, [], 0)


def test_nothing_is_counted_before_somebody_looks_or_it_goes() -> None:
    """Then it is counted once."""
    store = filled(5)
    assert store.summary.total == 0
    store.add(make(line=6))
    assert (store.counted, store.summary.total) == (1, 1)
    store.count(3)
    assert (store.counted, store.summary.total) == (4, 4)
    store.count(100)
    assert (store.counted, store.summary.total) == (6, 6)
    store.add(make(line=7))
    assert store.summary.total == 6


@given(
    st.integers(1, 7),
    st.lists(st.one_of(st.just("add"), st.integers(0, 9)), max_size=60),
)
def test_every_record_is_counted_once(most: int, steps: list[str | int]) -> None:
    """Whenever somebody looks."""
    store = FindingStore(most)
    for step in steps:
        if isinstance(step, int):
            store.count(step)
        else:
            store.add(make(line=store.newest + 1))
        assert store.summary.total == store.counted
        assert numbers(store) == list(range(max(1, store.newest - most + 1), store.newest + 1))
    store.count(len(steps))
    assert store.summary.total == store.newest


def test_rows_come_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last of them come the totals, of all that there ever were."""
    monkeypatch.setattr(rows, "ROWS_AT_ONCE", 2)
    store = filled(7)
    pieces = [rows.news(store, 0)]
    while not pieces[-1]["complete"]:
        pieces.append(rows.news(store, pieces[-1]["last"]))
    assert [[row[0] for row in piece["rows"]] for piece in pieces] == [[3, 4], [5, 6], [7]]
    assert [piece["totals"] is None for piece in pieces] == [True, True, False]
    assert pieces[-1]["totals"]["total"] == 7
    assert pieces[-1]["oldest"] == 3


def test_a_row_is_named_by_its_columns() -> None:
    """Host and path are those of the reports."""
    row = dict(zip(rows.COLUMNS, rows.row_of(9, make(url="https://A.example/b?c")), strict=True))
    assert (row["number"], row["host"], row["path"]) == (9, "a.example", "/b")
    assert (row["rule"], row["value"], row["flow"]) == (
        "connection-field-in-http2",
        "keep-alive",
        "f1",
    )


def test_totals() -> None:
    """The most frequent first; what is not named is counted."""
    store = FindingStore()
    for number in range(150):
        store.add(make(url=f"https://h{number}.example/", rule="rare", severity="info"))
    store.add(make(severity="warning", sender=None, http_version=None))
    store.add(make())
    store.count(1000)
    totals = json.loads(json.dumps(rows.totals(store.summary)))
    assert totals["total"] == 152
    assert totals["severity"] == [["error", 1], ["warning", 1], ["info", 150]]
    assert totals["rule"] == [["rare", 150, "info"], ["connection-field-in-http2", 2, "error"]]
    assert totals["sender"] == [["server", 151], ["(unknown)", 1]]
    assert totals["host"][0] == ["www.example", 2]
    assert len(totals["host"]) == 100
    assert totals["others"] == {"host": 51}
    assert totals["timeline"]["step"] == 1
    ((_, *counts),) = totals["timeline"]["bins"]
    assert counts == [1, 1, 150]
