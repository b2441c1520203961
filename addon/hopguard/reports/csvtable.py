"""Findings as a table of comma-separated values, for spreadsheets."""

import csv
import re
from collections.abc import Sequence
from typing import TextIO

from hopguard.record import Record

COLUMNS = (
    *("time", "severity", "rule", "variant", "message", "sender", "leg", "part", "http_version"),
    *("field", "value", "line", "action", "edits", "policy", "method", "url", "status"),
    *("flow", "connection", "client", "server", "rfc", "section", "keyword", "requirement_url"),
)

_REQUIREMENT = {"rfc": "rfc", "section": "section", "keyword": "keyword", "requirement_url": "url"}

# A spreadsheet that splits at semicolons, as in many countries, sees further cells begin there.
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@|%])")


class CsvReport:
    """Writes each record as a row, below a row of names (RFC 4180, in quotes throughout)."""

    def __init__(self, out: TextIO) -> None:
        """Write the row of names to `out`."""
        self._writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, record: Record) -> None:
        """Write a record."""
        requirement = record["requirement"] or {}
        values = [
            requirement.get(_REQUIREMENT[name]) if name in _REQUIREMENT else record[name]
            for name in COLUMNS
        ]
        self._writer.writerow([_cell(value) for value in values])

    def finish(self, notes: Sequence[str]) -> Sequence[str]:
        """Return the notes: there is no place for them."""
        return notes


def _cell(value: object) -> str:
    """Show `value` so that no spreadsheet takes it for a formula: after an apostrophe it is text.

    The exact values are in the format jsonl.
    """
    if value is None:
        return ""
    if isinstance(value, list):
        value = "; ".join(value)
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else str(value)
