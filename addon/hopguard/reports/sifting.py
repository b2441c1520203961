"""From what was read to what is reported: selected, and not accepted by a baseline."""

from collections import Counter
from collections.abc import Iterable

from hopguard.record import Record
from hopguard.reports.baseline import Baseline, BaselineMaker
from hopguard.reports.fingerprint import Fingerprint
from hopguard.reports.formats import Report
from hopguard.reports.reading import SEVERITIES
from hopguard.reports.selecting import Selection
from hopguard.reports.words import number, severities

MOST_GONE = 10
"""Entries of a baseline that are named; the others are counted."""


class Sifter:
    """Hands on what is to be reported, and counts it."""

    def __init__(
        self, selection: Selection, baseline: Baseline, maker: BaselineMaker | None = None
    ) -> None:
        """Sift by `selection` and `baseline`. `maker` is told all that is selected."""
        self._admit = selection.admits()
        self.concerns = selection.concerns
        self._baseline = baseline
        self.maker = maker
        """Where what is selected goes as well."""
        self.accepted = 0
        """Selected findings that the baseline accepts."""
        self.by_severity: Counter[str] = Counter()
        """The findings that were reported."""

    def sift(self, records: Iterable[Record], report: Report) -> None:
        """Add to `report` what is left of `records`.

        Raises:
            BaselineError: there are too many different findings for a new baseline.
            OSError: the report cannot be written.
        """
        for record in records:
            # Asked first: an entry has occurred, whether or not it was selected.
            accepted = self._baseline.accepts(record)
            if not self._admit(record):
                continue
            if self.maker is not None:
                self.maker.add(record)
            if accepted:
                self.accepted += 1
            else:
                self.by_severity[record["severity"]] += 1
                report.add(record)

    def reaches(self, severity: str) -> bool:
        """Tell whether something at or above `severity` was reported; nothing reaches another."""
        if severity not in SEVERITIES:
            return False
        reached = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return any(self.by_severity[name] for name in reached)

    def in_words(self) -> str:
        """Say how many findings were reported."""
        total = self.by_severity.total()
        counts = f" ({severities(self.by_severity)})" if total else ""
        return f"{number(total, 'finding')}{counts}"

    def notes(self) -> list[str]:
        """Say what the baseline did."""
        notes = []
        if self.accepted:
            notes.append(f"{number(self.accepted, 'finding')} accepted by the baseline")
        gone = self._baseline.gone()
        if gone:
            entries = "1 entry" if len(gone) == 1 else f"{len(gone):,} entries"
            more = f"; and {len(gone) - MOST_GONE:,} more" if len(gone) > MOST_GONE else ""
            named = "; ".join(map(_in_words, gone[:MOST_GONE]))
            notes.append(f"{entries} of the baseline did not occur: {named}{more}")
        return notes


def _in_words(entry: Fingerprint) -> str:
    rule = f"{entry.rule}/{entry.variant}" if entry.variant else entry.rule
    parts = [rule, entry.field, f"from the {entry.sender}" if entry.sender else ""]
    return " ".join([part for part in parts if part] + [f"at {entry.host}{entry.path}"])
