"""A stream, read in chunks, so that what is in a chunk is looked at in place."""

import re

from hopguard.captures.capture import Stream

CHUNK = 1 << 17
"""Octets that are read at a time: with more, memory is mapped anew for each chunk."""


class EndsTooEarlyError(ValueError):
    """The stream ends before what is needed."""


class Buffered:
    """Octets of a stream, with a position in them."""

    def __init__(self, stream: Stream, offset: int = 0) -> None:
        """Read `stream`, which begins at `offset` of a capture."""
        self._stream = stream
        self._base = offset
        self.data = b""
        self.position = 0

    @property
    def offset(self) -> int:
        """Where in the capture it stands."""
        return self._base + self.position

    def has(self, size: int) -> bool:
        """Make sure that `size` octets follow the position in `data`; False if the stream ends."""
        missing = self.position + size - len(self.data)
        if missing <= 0:
            return True
        parts = [self.data[self.position :]]
        while missing > 0:
            more = self._stream.read(max(CHUNK, missing))
            if not more:
                break
            parts.append(more)
            missing -= len(more)
        self._base += self.position
        self.data, self.position = b"".join(parts), 0
        return missing <= 0

    def prefix(self, pattern: re.Pattern[bytes], longest: int) -> re.Match[bytes] | None:
        """Match `pattern`, which is `longest` octets or less, here."""
        self.has(longest)
        return pattern.match(self.data, self.position)

    def skip(self, size: int) -> None:
        """Go on by `size` octets.

        Raises:
            EndsTooEarlyError: there are fewer.
        """
        inside = min(size, len(self.data) - self.position)
        self.position += inside
        size -= inside
        while size > 0:
            self._base += len(self.data)
            self.data, self.position = self._stream.read(min(size, CHUNK)), 0
            if not self.data:
                raise EndsTooEarlyError
            self.position = len(self.data)
            size -= len(self.data)

    def take(self, size: int) -> bytes:
        """Return the next `size` octets, and go on behind them.

        Raises:
            EndsTooEarlyError: there are fewer.
        """
        if not self.has(size):
            raise EndsTooEarlyError
        self.position += size
        return self.data[self.position - size : self.position]
