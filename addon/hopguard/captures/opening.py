"""Captures, opened: files, standard input, and whatever fsspec can reach."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from hopguard.captures.capture import HEAD, Stream
from hopguard.captures.decompression import uncompressed
from hopguard.extras import MissingExtraError

STANDARD_INPUT = "-"
"""Stands for standard input where a path is expected."""

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:(//|:)")


class Stamp(NamedTuple):
    """What shows that a file is as it was."""

    number: int
    size: int
    changed: int
    """In nanoseconds."""


class Capture:
    """An open capture: a `Stream` that knows how it begins."""

    def __init__(self, file: BinaryIO, stamp: Stamp | None) -> None:
        """Read `file` from where it stands; uncompress it if need be.

        Raises:
            CompressionError: it is damaged.
            MissingExtraError: what uncompresses it is not installed.
        """
        self._file, self._stamp = file, stamp
        self._raw = _Raw(file)
        outer = _Peeked(self._raw)
        inner = uncompressed(cast("BinaryIO", outer), outer.head)
        self._stream = outer if inner is outer else _Peeked(inner)
        self.compressed = inner is not outer
        self.head = self._stream.head
        """Its first octets, which are still to be read."""
        self.offset = 0
        """How many octets were read, uncompressed."""

    def read(self, size: int, /) -> bytes:
        """Read up to `size` octets; fewer only at the end.

        Raises:
            CompressionError: it is damaged.
            OSError: it cannot be read.
        """
        octets = self._stream.read(size)
        self.offset += len(octets)
        return octets

    @property
    def consumed(self) -> int:
        """How many octets of the file itself were read."""
        return self._raw.count

    @property
    def changed(self) -> bool:
        """Whether the file is not as it was when it was opened."""
        return self._stamp is not None and stamp_of(self._file) != self._stamp


@contextmanager
def open_capture(path: str, start: int = 0) -> Iterator[Capture]:
    """Open the capture at `path`; begin at the octet `start`, which only plain files can do.

    Raises:
        OSError: it cannot be opened.
        MissingExtraError: what opens it is not installed.
    """
    if path == STANDARD_INPUT:
        yield Capture(sys.stdin.buffer, None)
        return
    with _open(path) as file:
        if start:
            file.seek(start)
        yield Capture(file, stamp_of(file))


def is_url(path: str) -> bool:
    """Tell whether `path` is for fsspec."""
    return _URL.match(path) is not None


def _open(path: str) -> Any:
    if not is_url(path):
        return Path(path).open("rb")
    return filesystem(path).open(path, "rb")


def filesystem(path: str) -> Any:
    """Return fsspec's file system for the URL `path`.

    Raises:
        OSError: there is no such file system.
        MissingExtraError: fsspec is not installed.
    """
    try:
        import fsspec
    except ImportError:
        raise MissingExtraError(f"reading {path}", "scale") from None
    try:
        return fsspec.core.url_to_fs(path)[0]
    except (ImportError, ValueError) as error:
        raise OSError(None, str(error)) from None


def stamp_of(file: BinaryIO) -> Stamp | None:
    """Return the stamp of a regular file of this system; None for anything else."""
    try:
        status = os.fstat(file.fileno())
    except (AttributeError, OSError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns)


class _Raw:
    """A file, and how much of it was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def read(self, size: int, /) -> bytes:
        octets = self._file.read(size)
        self.count += len(octets)
        return octets


class _Peeked:
    """A stream whose first octets have been looked at."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.head = self._rest = stream.read(HEAD)

    def read(self, size: int, /) -> bytes:
        if not self._rest:
            return self._stream.read(size)
        octets, self._rest = self._rest[:size], self._rest[size:]
        return octets + self._stream.read(size - len(octets)) if size > len(octets) else octets
