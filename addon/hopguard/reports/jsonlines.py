"""The violation log: one JSON object a line, appended."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from hopguard.record import Record

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_COMPLAINTS = 60.0


class ViolationLog:
    """Appends records to a file.

    Each record is one `write` to a descriptor opened for appending: several proxies can share a
    file, a reader can follow it, and a killed process leaves whole lines. A record that cannot be
    written is counted and given up, since traffic matters more; the file is opened anew for the
    next one, which also finds it after somebody moved it.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Open the file at `path`, with its folder if need be.

        Raises:
            OSError: the file cannot be opened.
        """
        self.path = path
        self.lost = 0
        """Records that could not be written."""
        self._clock = clock
        self._complained_at: float | None = None
        self._descriptor: int | None = self._open()

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # What was found may tell about people: nobody but the owner reads it by default.
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, records: Iterable[Record]) -> None:
        """Append `records`. Never raises OSError: see `lost`."""
        for record in records:
            line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
            try:
                self._write(line)
            except OSError as error:
                self.lost += 1
                self._give_up_descriptor()
                self._complain(error)

    def _write(self, line: bytes) -> None:
        if self._descriptor is None or self._was_moved(self._descriptor):
            self._give_up_descriptor()
            self._descriptor = self._open()
        written = os.write(self._descriptor, line)
        if written < len(line):  # the disk is filling up: end the broken line for the next record
            os.write(self._descriptor, b"\n")
            raise OSError(f"only {written} of {len(line)} octets were written")

    def _was_moved(self, descriptor: int) -> bool:
        try:
            return self.path.stat().st_ino != os.fstat(descriptor).st_ino
        except FileNotFoundError:
            return True

    def _give_up_descriptor(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _complain(self, error: OSError) -> None:
        now = self._clock()
        due = self._complained_at is None or (
            now - self._complained_at >= SECONDS_BETWEEN_COMPLAINTS
        )
        if due:
            self._complained_at = now
            logger.error(
                "hopguard: cannot write the violation log %s: %s (%d records lost so far)",
                self.path,
                error.strerror or error,
                self.lost,
            )

    def close(self) -> None:
        """Close the file, and say how many records are missing from it."""
        self._give_up_descriptor()
        if self.lost:
            logger.error("hopguard: %d records are missing from %s", self.lost, self.path)
