"""The formats of reports by their names."""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TextIO

from hopguard.record import Record
from hopguard.reports.csvtable import CsvReport
from hopguard.reports.jsonl import JsonLinesReport
from hopguard.reports.junit import JUnitReport
from hopguard.reports.sarif import SarifReport
from hopguard.reports.summary import Summary
from hopguard.reports.text import TextReport
from hopguard.rule import Rule

ReportFormat = Literal["text", "html", "sarif", "junit", "jsonl", "csv"]

TITLE = "HTTP connection management: what hopguard found"
"""Of a page."""


class Report(Protocol):
    """Takes records as `read_records` gives them, one at a time."""

    def add(self, record: Record) -> None:
        """Take a record."""

    def finish(self, notes: Sequence[str]) -> Sequence[str]:
        """Write what is left to write, and return those of `notes` that had no place in it."""


class HtmlReport:
    """Sums up, and writes a page at the end."""

    def __init__(self, out: TextIO) -> None:
        """Write to `out`."""
        self._out = out
        self._summary = Summary()

    def add(self, record: Record) -> None:
        """Count a record."""
        self._summary.add(record)

    def finish(self, notes: Sequence[str]) -> Sequence[str]:
        """Write the page, with the notes at its end.

        Raises:
            MissingExtraError: what the page is made with is not installed.
        """
        from hopguard.reports.html import write_html

        write_html(self._summary, self._out, title=TITLE, notes=notes)
        return ()


def open_report(
    form: ReportFormat,
    out: TextIO,
    rules: Sequence[Rule],
    *,
    width: int = 80,
    checked: Callable[[Rule], bool] = lambda _: True,
) -> Report:
    """Begin a report to `out`.

    `rules` say what the findings mean, `checked` which of them could have been broken; `width` is
    that of text.
    """
    makers: dict[ReportFormat, Callable[[], Report]] = {
        "text": lambda: TextReport(out, rules, width),
        "html": lambda: HtmlReport(out),
        "sarif": lambda: SarifReport(out, rules),
        "junit": lambda: JUnitReport(out, rules, checked),
        "jsonl": lambda: JsonLinesReport(out),
        "csv": lambda: CsvReport(out),
    }
    return makers[form]()
