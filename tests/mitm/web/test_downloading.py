"""Reports on findings that were chosen."""

import asyncio
import io
import json
import sys
from tempfile import TemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.extras import MissingExtraError
from hopguard.mitm.web import assets, downloading
from hopguard.mitm.web.store import FindingStore
from hopguard.record import Record
from tests.reports.making import make


def store_of(count: int, most: int = 100) -> FindingStore:
    """Make a store of records whose lines are their numbers."""
    store = FindingStore(most)
    for number in range(1, count + 1):
        store.add(make(line=number))
    return store


def chosen(store: FindingStore, text: str | None) -> list[int]:
    """Return the lines of the records that `text` means."""
    ranges = None if text is None else downloading.parse_numbers(text)
    return [record["line"] for record in asyncio.run(downloading.choose(store, ranges))]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (None, [4, 5, 6, 7, 8]),
        ("", []),
        ("5", [5]),
        ("4-6,8", [4, 5, 6, 8]),
        ("1-5", [4, 5]),
        ("7-999999999999999", [7, 8]),
        ("6-5,9,3", []),
    ],
)
def test_findings_are_chosen_by_number(text: str | None, lines: list[int]) -> None:
    """Those that are kept."""
    assert chosen(store_of(8, 5), text) == lines


@given(st.sets(st.integers(1, 50)))
def test_any_choice(numbers: set[int]) -> None:
    """Exactly those."""
    assert chosen(store_of(50), ",".join(map(str, sorted(numbers)))) == sorted(numbers)


@pytest.mark.parametrize("text", ["x", "1-", "-1", "1--2", "1 2", "\u0661", "1" * 16, "1;2"])
def test_other_numbers_are_refused(text: str) -> None:
    """With what is right."""
    with pytest.raises(ValueError, match="like 1-50,53"):
        downloading.parse_numbers(text)


def report(form: downloading.Download, records: list[Record]) -> str:
    """Return a report."""
    with TemporaryFile() as out:
        asyncio.run(downloading.write_report(form, records, out))
        out.seek(0)
        return out.read().decode()


def test_reports() -> None:
    """As the command line makes them."""
    records = [make(line=number) for number in range(250)]
    lines = report("jsonl", records).splitlines()
    assert [json.loads(line) for line in lines] == records
    (run,) = json.loads(report("sarif", records))["runs"]
    assert [result["occurrenceCount"] for result in run["results"]] == [250]
    page = report("html", records)
    assert page.startswith("<!DOCTYPE html>")
    assert "<dt>Findings</dt><dd>250</dd>" in page
    assert "There was no finding." in report("html", [])


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but HTML and charts is there; of these, it is said what to install."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert report("jsonl", [make()])
    for making in (
        lambda: downloading.write_report("html", [], io.BytesIO()),
        lambda: assets.Charts().script(),
    ):
        with pytest.raises(MissingExtraError, match=r"pip install 'hopguard\[report\]'"):
            asyncio.run(making())
    assert assets.charts_missing()


def test_a_standalone_binary_is_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot run what the extra needs."""
    assert assets.charts_missing() is None
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert assets.charts_missing()


def test_a_process_that_fails_is_told() -> None:
    """By the last that it said."""
    with TemporaryFile() as out:
        with pytest.raises(RuntimeError, match=r"^ValueError: why$"):
            asyncio.run(assets.run_python("-c", "raise ValueError('why')", out=out))
        with pytest.raises(RuntimeError, match="exit status 3"):
            asyncio.run(assets.run_python("-c", "raise SystemExit(3)", out=out))


def test_charts_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask; after a failure it is tried again."""
    calls = []

    async def make_bundle() -> bytes:
        calls.append(1)
        await asyncio.sleep(0)
        if len(calls) == 1:
            raise RuntimeError("no")
        return b"script"

    async def ask() -> None:
        charts = assets.Charts()
        with pytest.raises(RuntimeError):
            await charts.script()
        scripts = await asyncio.gather(charts.script(), charts.script())
        assert list(scripts) == [b"script"] * 2

    monkeypatch.setattr(assets, "_make_bundle", make_bundle)
    asyncio.run(ask())
    assert len(calls) == 2
