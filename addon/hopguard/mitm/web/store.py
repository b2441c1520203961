"""The findings that the page shows: the newest ones, and what all of them say together."""

import secrets
from collections.abc import Iterator

from hopguard.record import Record
from hopguard.reports.summary import Summary

NEWEST_FINDINGS = 100_000
"""How many are kept one by one. They are the very records that the flows carry."""


class FindingStore:
    """Keeps records under running numbers, from 1. Its memory is bounded.

    To add one costs next to nothing: they are counted when somebody looks, or when they go.
    """

    def __init__(self, most: int = NEWEST_FINDINGS) -> None:
        """Begin without any; keep at most `most`."""
        self.most = most
        self.run = secrets.token_hex(8)
        """Names this store: numbers of another one mean other findings."""
        self.newest = 0
        """Number of the newest record; 0 if there is none."""
        self.counted = 0
        """Number of the newest record that the summary knows."""
        self.summary = Summary()
        """Of the records up to `counted`, whether or not they are still kept."""
        self._ring: list[Record] = []

    @property
    def oldest(self) -> int:
        """Number of the oldest record that is kept; above `newest` if there is none."""
        return self.newest - len(self._ring) + 1

    def add(self, record: Record) -> None:
        """Take a record; the oldest one goes if there are too many."""
        if len(self._ring) < self.most:
            self._ring.append(record)
        else:
            place = self.newest % self.most
            if self.counted < self.oldest:
                self._count(self._ring[place])
            self._ring[place] = record
        self.newest += 1

    def get(self, number: int) -> Record | None:
        """Return the record with this number, unless it has gone or has not come yet."""
        if not self.oldest <= number <= self.newest:
            return None
        return self._ring[(number - 1) % self.most]

    def after(self, number: int, most: int) -> Iterator[tuple[int, Record]]:
        """Give up to `most` records, oldest first, whose numbers are above `number`."""
        first = max(number + 1, self.oldest)
        for each in range(first, min(first + most, self.newest + 1)):
            yield each, self._ring[(each - 1) % self.most]

    def count(self, most: int) -> None:
        """Count up to `most` of the records that the summary does not know yet."""
        for _, record in self.after(self.counted, most):
            self._count(record)

    def _count(self, record: Record) -> None:
        self.summary.add(record)
        self.counted += 1
