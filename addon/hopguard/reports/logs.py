"""Logs as a command reads them: what is wrong with them goes to standard error."""

import sys
from collections.abc import Iterator, Sequence

from hopguard.record import Record
from hopguard.reports.reading import BadLine, UnreadableLogError, read_records
from hopguard.reports.words import number
from hopguard.rule import Rule

MOST_COMPLAINTS = 10
"""Bad lines that are named; the others are counted."""


def say(*sentences: str) -> None:
    """Write `sentences` to standard error, each on a line of its own."""
    for sentence in sentences:
        print(f"hopguard: {sentence}", file=sys.stderr)


class LogsReading:
    """Reads logs, and tells of what could not be read."""

    def __init__(self, logs: Sequence[str]) -> None:
        """Read the files `logs`, or standard input."""
        self._logs = logs
        self._bad = 0
        self._read = 0
        self.reasons: Sequence[str] = ()
        """Which logs could not be read, and why; standard error has it."""

    def records(self) -> Iterator[Record]:
        """Read the records of all logs that can be read."""
        try:
            for record in read_records(self._logs, self._complain):
                self._read += 1
                yield record
        except UnreadableLogError as error:
            self.reasons = error.reasons
            say(*self.reasons)

    def _complain(self, line: BadLine) -> None:
        self._bad += 1
        if self._bad <= MOST_COMPLAINTS:
            say(str(line))

    def notes(self) -> list[str]:
        """Say how many lines were not as they should be, and which logs are missing."""
        are = "is" if self._bad == 1 else "are"
        bad = f"{number(self._bad, 'line')} of the input {are} not as hopguard would write it"
        return [bad, *self.reasons] if self._bad else list(self.reasons)

    @property
    def failed(self) -> bool:
        """Whether a log could not be read, or there were lines and none was any good."""
        return bool(self.reasons) or (self._bad > 0 and self._read == 0)

    def could_find(self, rule: Rule) -> bool:
        """Tell that there could be a finding of `rule`: a log does not say what was on."""
        return True
