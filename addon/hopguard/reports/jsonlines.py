"""The violation log: one JSON object a line, appended."""

import json
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from hopguard.record import Record
from hopguard.reports.rotation import Rotation

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_COMPLAINTS = 60.0

# What was found may tell about people: nobody but the owner reads it by default.
FILE_MODE, FOLDER_MODE = 0o600, 0o700

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class ViolationLog:
    """Appends records to a file.

    Each record is one `write` to a descriptor opened for appending: several proxies can share a
    file, a reader can follow it, and a killed process leaves whole lines. A record that cannot be
    written is counted and given up, since traffic matters more; the file is opened anew for the
    next one, which also finds it after somebody moved it.
    """

    def __init__(
        self,
        path: Path,
        rotation: Rotation | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the file at `path`, with its folder if need be.

        Args:
            path: where the file is, or shall be.
            rotation: when the file is moved out of the way; None is never.
            clock: seconds, from any start.

        Raises:
            OSError: the file cannot be opened.
        """
        self.path = path
        self.lost = 0
        """Records that could not be written."""
        self._name = os.fspath(path)
        self._rotation = rotation or Rotation()
        self._clock = clock
        self._complained_at: dict[str, float] = {}
        self._descriptor: int | None
        self._identity: tuple[int, int]
        """Of the file that is open; no other can have it until it is closed."""
        self._has_size: bool
        """Whether it is a file, and not a device or a pipe."""
        self._open()
        self._end = 0
        """Size of the file after our latest line: if it is that still, the file ends with it."""

    def _open(self) -> tuple[int, int]:
        """Open the file that bears the name, and return its descriptor and size."""
        self.path.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        # For reading too, to see how it ends; and a pipe that nobody empties must not stop traffic.
        self._descriptor = os.open(
            self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY, FILE_MODE
        )
        status = os.fstat(self._descriptor)
        self._identity = status.st_dev, status.st_ino
        self._has_size = stat.S_ISREG(status.st_mode)
        return self._descriptor, status.st_size if self._has_size else 0

    def write(self, records: Iterable[Record]) -> None:
        """Append `records`. Never raises OSError: see `lost`."""
        for record in records:
            line = _encode(record).encode() + b"\n"
            try:
                self._write(line)
            except OSError as error:
                self.lost += 1
                self._give_up_descriptor()
                self._complain("write", error, f"records lost so far: {self.lost}")

    def _write(self, line: bytes) -> None:
        descriptor, size = self._current()
        if self._rotation.is_due(size, len(line)) and self._rotate(descriptor):
            self._give_up_descriptor()
            descriptor, size = self._current()
        # The disk was full, or whoever wrote was killed: the line that broke off ends here.
        if size not in (0, self._end) and os.pread(descriptor, 1, size - 1) not in (b"\n", b""):
            line = b"\n" + line
        written = os.write(descriptor, line)
        if written < len(line):
            raise OSError(f"only {written} of {len(line)} octets were written")
        self._end = size + written

    def _current(self) -> tuple[int, int]:
        """Return the descriptor of the file that bears the name now, and the size of that file."""
        if self._descriptor is not None:
            try:
                # One call tells whose the name is now, and how long the file: it is made for each
                # record, so that none goes to a file that is gone, and as fast as it can be.
                status = os.stat(self._name)  # noqa: PTH116
            except FileNotFoundError:
                pass
            else:
                if (status.st_dev, status.st_ino) == self._identity:
                    return self._descriptor, status.st_size if self._has_size else 0
            self._give_up_descriptor()
        return self._open()

    def _rotate(self, descriptor: int) -> bool:
        try:
            return self._rotation.rotate(self.path, descriptor)
        except OSError as error:  # too long a log is better than one with gaps
            self._complain("rotate", error, "it grows on")
            return False

    def _give_up_descriptor(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor, self._end = None, 0

    def _complain(self, what: str, error: OSError, consequence: str) -> None:
        now = self._clock()
        before = self._complained_at.get(what)
        if before is None or now - before >= SECONDS_BETWEEN_COMPLAINTS:
            self._complained_at[what] = now
            why = error.strerror or error
            logger.error(
                "hopguard: cannot %s the violation log %s: %s (%s)",
                *(what, self.path, why, consequence),
            )

    def close(self) -> None:
        """Close the file, and say how many records are missing from it."""
        self._give_up_descriptor()
        if self.lost:
            logger.error("hopguard: %d records are missing from %s", self.lost, self.path)
