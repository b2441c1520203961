"""A large JSON document (RFC 8259), taken apart while it is read, in memory of a fixed size.

A streaming parser would tell neither where in the file a part stands nor what comes after a part
that is damaged, and would hold each string as a whole: in a HAR, whole downloads.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from hopguard.captures.buffered import Buffered, EndsTooEarlyError

LONGEST_TEXT = 1 << 16
"""Characters of a string that is read; a longer one may be replaced by null."""
MOST_OCTETS = 8 << 20
"""Of a part, without its long strings."""
DEEPEST = 100
"""Levels within a part. With ten times as many the document is given up."""

_LONGEST_STRING = 12 * LONGEST_TEXT  # a character may be written as two escapes of six octets
_LONGEST_ATOM = 1 << 10
_GROWTH = 1 << 17
_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_IN_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_FLAT = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_ATOM = re.compile(rb"[-+.\w]*+")


class JsonError(ValueError):
    """The document is no JSON from here on; the text is half a sentence."""


class PartError(ValueError):
    """A part, which has been passed, cannot be read; the text is half a sentence."""


class Part(NamedTuple):
    """A value within the document."""

    offset: int
    octets: bytes

    def value(self) -> Any:
        """Parse it; octets that are no UTF-8 become surrogates, as Python has them.

        Raises:
            PartError: it is no JSON.
        """
        try:
            return json.loads(self.octets.decode("utf-8", "surrogateescape"), strict=False)
        except ValueError:
            raise PartError("it is no JSON") from None


class JsonReader:
    """A document, and a position in it."""

    def __init__(self, source: Buffered) -> None:
        self._source = source

    def next(self) -> bytes:
        """Return the next octet that is no white space; b"" at the end."""
        source = self._source
        while True:
            source.position = self._match(_SPACE).end()
            octet = source.data[source.position : source.position + 1]
            if octet or not source.has(1):
                return octet

    @property
    def offset(self) -> int:
        """Where in the document it stands."""
        return self._source.offset

    def members(self) -> Iterator[str]:
        """Give the names of the members of the object that begins here.

        Whoever takes a name passes its value before the next one.

        Raises:
            JsonError: there is no object, or no end of it.
            EndsTooEarlyError: the document ends before it.
        """
        for _ in self._until(b"{", b"}"):
            if self.next() != b'"':
                raise JsonError("there is no name of a member")
            name = self.part()
            self._pass(b":")
            yield name.octets.decode("utf-8", "replace").strip('"')

    def elements(self) -> Iterator[None]:
        """Stand before each element of the array that begins here; see `members`."""
        return self._until(b"[", b"]")

    def _until(self, begin: bytes, end: bytes) -> Iterator[None]:
        self._pass(begin)
        more = self.next() != end
        while more:
            yield
            more = self.next() != end
            if more:
                self._pass(b",")
                self.next()  # so that `offset` is that of the element
        self._pass(end)

    def _pass(self, wanted: bytes) -> None:
        found = self.next()
        if found != wanted:
            raise JsonError(f"there is no {wanted.decode()}") if found else EndsTooEarlyError
        self._source.position += 1

    def part(self) -> Part:
        """Pass the value that begins here, and return it without its long strings.

        Raises:
            JsonError: there is none.
            PartError: it is too large, or too deep.
            EndsTooEarlyError: the document ends before it does.
        """
        if self.next() not in b'"[{':
            self._source.has(_LONGEST_ATOM)
            offset, atom = self.offset, self._match(_ATOM)[0]
            if not 0 < len(atom) < _LONGEST_ATOM:
                raise JsonError("there is no value")
            self._source.position += len(atom)
            return Part(offset, atom)
        offset, size, deepest, pieces = self.offset, 0, 0, []
        for depth, piece in self._pieces():
            size, deepest = size + len(piece), max(deepest, depth)
            if size <= MOST_OCTETS:
                pieces.append(piece)
        if size > MOST_OCTETS:
            raise PartError("it is too large")
        if deepest > DEEPEST:
            raise PartError("it is nested too deeply")
        return Part(offset, b"".join(pieces))

    def skip(self) -> None:
        """Pass the value that begins here, whatever its size; see `part`."""
        if self.next() in b'"[{':
            for _ in self._pieces():
                pass
        else:
            self.part()

    def _pieces(self) -> Iterator[tuple[int, bytes]]:
        """Pass a string, an array or an object; give its octets, and how deep they are in it.

        Raises:
            JsonError: it is nested too deeply for anything that is meant.
            EndsTooEarlyError: the document ends before it does.
        """
        source, depth = self._source, 0
        while source.has(1):
            position = source.position
            if depth and (end := self._match(_FLAT).end()) > position:
                source.position = end
                yield depth, source.data[position:end]
                continue
            octet = source.data[position : position + 1]
            if octet == b'"':
                yield depth, self._string()
            else:
                source.position += 1
                depth += 1 if octet in b"[{" else -1
                if depth > 10 * DEEPEST:
                    raise JsonError("it is nested too deeply")
                yield depth, octet
            if not depth:
                return
        raise EndsTooEarlyError

    def _string(self) -> bytes:
        """Pass a string, and return it; a long one becomes null."""
        source, size = self._source, _GROWTH
        while size < _LONGEST_STRING + _GROWTH:
            more = source.has(size)
            match = _STRING.match(source.data, source.position)
            if match:
                source.position = match.end()
                return match[0]
            if not more:
                raise EndsTooEarlyError
            size += _GROWTH
        source.position += 1
        while True:
            source.position = self._match(_IN_STRING).end()
            if source.data.startswith(b'"', source.position):
                source.position += 1
                return b"null"
            if not source.has(len(source.data) - source.position + 1):
                raise EndsTooEarlyError

    def _match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        match = pattern.match(self._source.data, self._source.position)
        assert match is not None  # these patterns match nothing at all, too
        return match
