"""What comes of one task, while it is done."""

from hopguard.captures.capture import CaptureError, Reader
from hopguard.captures.lifespan import Exchange
from hopguard.captures.opening import Capture
from hopguard.captures.quiet import Quiet
from hopguard.captures.stretch import WORTHWHILE, Placed, Stretch, stretch_of
from hopguard.record import Record
from hopguard.scanning.task import Batch, Task

RECORDS, EXCHANGES = 500, 500
"""How many make a batch."""

MOST_ERRORS = 10
"""Errors of one capture that are told; the others are counted."""


class Part:
    """Collects batches."""

    def __init__(self, task: Task) -> None:
        """Begin with `task`."""
        self.task = task
        self.capture: Capture | None = None
        self.reader: Reader | None = None
        self.format = ""
        self.ignored = False
        self._told = 0
        self._consumed = 0
        self._begin()

    def _begin(self) -> None:
        self._records: list[Record] = []
        self._connections: list[tuple[int, Exchange | Quiet] | Stretch] = []
        self._quiet: list[Placed] = []
        """Exchanges that come behind all those, each behind so many of the records."""
        self._exchanges = 0
        self._errors: list[str] = []
        self._more_errors = 0

    @property
    def offset(self) -> int | None:
        """How far the capture was read."""
        return self.task.start + self.capture.offset if self.capture is not None else None

    def add(self, records: list[Record], exchange: Exchange | Quiet | None) -> bool:
        """Take what was found in an exchange; tell whether there is enough for a batch.

        `exchange` is what it adds to its connections, if somebody wants to know.
        """
        self._records += records
        if isinstance(exchange, Exchange):
            self._end_stretch()
            self._connections.append((len(self._records), exchange))
        elif exchange is not None:
            self._quiet.append((len(self._records), exchange))
        self._exchanges += 1
        return len(self._records) >= RECORDS or self._exchanges >= EXCHANGES

    def _end_stretch(self) -> None:
        quiet, self._quiet = self._quiet, []
        stretch = stretch_of(quiet) if len(quiet) >= WORTHWHILE else None
        self._connections += quiet if stretch is None else [stretch]

    def complain(self, reason: str, offset: int | None = None) -> None:
        """Say what is wrong with the capture."""
        self.tell(CaptureError(self.task.path, offset, reason))

    def tell(self, error: CaptureError) -> None:
        """Say what is wrong with the capture, unless that was said often enough."""
        self._told += 1
        if self._told <= MOST_ERRORS:
            self._errors.append(str(error))
        else:
            self._more_errors += 1

    def batch(self) -> Batch:
        """Return what has come together."""
        consumed = self.capture.consumed if self.capture is not None else 0
        self._end_stretch()
        batch = Batch(
            records=self._records,
            connections=tuple(self._connections),
            exchanges=self._exchanges,
            octets=consumed - self._consumed,
            errors=tuple(self._errors),
            more_errors=self._more_errors,
        )
        self._consumed = consumed
        self._begin()
        return batch

    def rest(self) -> Batch:
        """Return the last batch."""
        return self.batch()._replace(
            files=int(self.task.stop is None),
            format=self.format,
            lost=tuple(self.reader.lost) if self.reader is not None else (),
            ignored=self.ignored,
        )
