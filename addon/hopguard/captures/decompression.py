"""Compressed captures, uncompressed while they are read, in memory of a fixed size."""

import gzip
import zlib
from abc import ABC, abstractmethod
from typing import Any, BinaryIO

from hopguard.captures.capture import Stream
from hopguard.extras import MissingExtraError

GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
"""The octets with which compressed files begin."""

_FED = 1 << 10
"""Octets that are uncompressed at once: of zstd's shortest blocks, four octets are 128 KiB."""


class CompressionError(ValueError):
    """A compressed file is damaged; the text is half a sentence."""


def uncompressed(stream: BinaryIO, head: bytes) -> Stream:
    """Return what is in `stream`, which begins with `head`: uncompressed, if it is compressed.

    Raises:
        MissingExtraError: what uncompresses it is not installed.
    """
    if head.startswith(GZIP):
        return _Gzip(stream)
    if head.startswith(ZSTANDARD):
        return _Zstandard(stream)
    return stream


class _Uncompressed(ABC):
    """What is read from a compressed stream: all that is before the damage, if there is any."""

    _error: CompressionError | None = None

    def read(self, size: int, /) -> bytes:
        """Read up to `size` octets; fewer only at the end, or before the damage.

        Raises:
            CompressionError: the file is damaged here.
        """
        found = bytearray()
        while len(found) < size and self._error is None:
            try:
                more = self._more(size - len(found))
            except CompressionError as error:
                self._error = error
                break
            if not more:
                return bytes(found)
            found += more
        if self._error is not None and not found:
            raise self._error
        return bytes(found)

    @abstractmethod
    def _more(self, size: int) -> bytes:
        """Return some octets, but no more than `size`; none at the end.

        Raises:
            CompressionError: the file is damaged here.
        """


class _Gzip(_Uncompressed):
    """One or more members of gzip (RFC 1952)."""

    def __init__(self, stream: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=stream)

    def _more(self, size: int) -> bytes:
        try:
            return self._file.read1(size)
        except EOFError:
            raise CompressionError("the gzip file ends too early") from None
        except (gzip.BadGzipFile, zlib.error):
            raise CompressionError("the gzip file is damaged") from None


class _Zstandard(_Uncompressed):
    """One or more frames of Zstandard (RFC 8878)."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            import zstandard
        except ImportError:
            raise MissingExtraError("reading .zst files", "scan") from None
        self._stream = stream
        self._error_of_library = zstandard.ZstdError
        self._begin = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj
        self._frame: Any = None
        self._fed = b""
        self._ready = bytearray()

    def _more(self, size: int) -> bytes:
        while not self._ready and self._feed():
            pass
        found = bytes(self._ready[:size])
        del self._ready[:size]
        return found

    def _feed(self) -> bool:
        """Uncompress a little more; False at the end."""
        fed = self._fed or self._stream.read(_FED)
        if not fed:
            if self._frame is not None:
                raise CompressionError("the zstd file ends too early")
            return False
        if self._frame is None:
            self._frame = self._begin()
        try:
            self._ready += self._frame.decompress(fed)
        except self._error_of_library:
            raise CompressionError("the zstd file is damaged") from None
        self._fed = b""
        if self._frame.eof:
            self._fed, self._frame = self._frame.unused_data, None
        return True
