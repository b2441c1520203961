"""Reports on the findings that somebody chose on the page, made beside the proxy's own work."""

import asyncio
import io
import re
import time
from collections.abc import Iterator, Sequence
from tempfile import TemporaryFile
from typing import IO, Literal, get_args

from hopguard.mitm.web.assets import missing, run_python
from hopguard.mitm.web.store import FindingStore
from hopguard.record import Record
from hopguard.reports.formats import open_report
from hopguard.rules import load_rules

Download = Literal["jsonl", "html", "sarif"]
"""The formats that there are."""

TYPES = {"jsonl": "application/jsonl", "html": "text/html", "sarif": "application/sarif+json"}
"""Their media types."""

_RANGE = re.compile(r"([0-9]{1,15})(?:-([0-9]{1,15}))?", re.ASCII)

_AT_ONCE = 5_000
"""Records that are picked before others have their turn."""

_IN_A_ROW, _PAUSE = 100, 0.0001
"""After so many records a thread lets the proxy go on, for so many seconds at least."""


def parse_numbers(text: str) -> list[range]:
    """Return the ranges that are written like `1-50,53`, each end included.

    Raises:
        ValueError: something else is written.
    """
    ranges = []
    for part in filter(None, text.split(",")):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise ValueError("findings are named by their numbers, like 1-50,53")
        ranges.append(range(int(found[1]), int(found[2] or found[1]) + 1))
    return ranges


async def choose(store: FindingStore, ranges: Sequence[range] | None) -> list[Record]:
    """Return the records with these numbers, or all, as far as they are kept."""
    kept = range(store.oldest, store.newest + 1)
    chosen: list[Record] = []
    for part in (kept,) if ranges is None else ranges:
        for start in range(max(part.start, kept.start), min(part.stop, kept.stop), _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, part.stop, kept.stop))
            chosen += [record for one in numbers if (record := store.get(one)) is not None]
            await asyncio.sleep(0)
    return chosen


async def write_report(form: Download, records: Sequence[Record], out: IO[bytes]) -> None:
    """Write a report on `records` to `out`.

    Raises:
        MissingExtraError: what it is made with is not installed.
        RuntimeError: it could not be made; the text says why.
    """
    if form != "html":
        await asyncio.to_thread(_write, form, records, out)
        return
    # Its pictures are drawn by a JavaScript engine, which would hold up the proxy.
    refusal = missing("the HTML report", "jinja2", "vl_convert")
    if refusal is not None:
        raise refusal
    with TemporaryFile() as log:
        await asyncio.to_thread(_write, "jsonl", records, log)
        log.seek(0)
        await run_python("-m", "hopguard", "report", "--format", form, "-", out=out, given=log)


def _write(form: Download, records: Sequence[Record], out: IO[bytes]) -> None:
    text = io.TextIOWrapper(out, "utf-8", write_through=False)
    report = open_report(form, text, load_rules())
    for record in _without_haste(records):
        report.add(record)
    report.finish([])
    text.detach()


def _without_haste(records: Sequence[Record]) -> Iterator[Record]:
    for start in range(0, len(records), _IN_A_ROW):
        yield from records[start : start + _IN_A_ROW]
        time.sleep(_PAUSE)  # a thread that only computes makes all others wait


def is_download(form: str) -> bool:
    """Tell whether there is a format of that name."""
    return form in get_args(Download)
