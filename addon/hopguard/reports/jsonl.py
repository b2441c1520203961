"""Findings as JSON Lines again: selected, complete, and in one form."""

import json
from collections.abc import Sequence
from typing import TextIO

from hopguard.record import Record


class JsonLinesReport:
    """Writes each record as a line, as in the violation log."""

    def __init__(self, out: TextIO) -> None:
        """Write to `out`."""
        self._out = out

    def add(self, record: Record) -> None:
        """Write a record."""
        self._out.write(json.dumps(record, separators=(",", ":")) + "\n")

    def finish(self, notes: Sequence[str]) -> Sequence[str]:
        """Return the notes: there is no place for them."""
        return notes
