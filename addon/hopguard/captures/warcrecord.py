"""The records of a WARC file (ISO 28500), one after the other, each without most of its block.

warcio, the library for this format, collects a line that never ends until the memory is full,
writes about damage to standard error, and raises what it happens to raise. The tests compare with
it where a file is sound.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from hopguard.captures import http1head
from hopguard.captures.buffered import Buffered, EndsTooEarlyError
from hopguard.captures.capture import CaptureError, Stream
from hopguard.grammar import OWS

MAGIC = b"WARC/"
MOST_OF_HEADER = 1 << 16
"""Octets of a record's own header that are read."""

_HEADER = re.compile(rb"WARC/.*\n(?:.*\n)*?\r*\n")
_OTHER = re.compile(rb"[^\r\n]")
_LENGTH = re.compile(rb"[0-9]{1,15}")


class Record(NamedTuple):
    """One record."""

    offset: int
    """Of its first octet in the file, uncompressed."""
    fields: dict[bytes, list[bytes]]
    """Its own fields: values by name in lower case."""
    block: bytes
    """What it holds, up to `http1head.MOST_OCTETS`."""

    def get(self, name: bytes) -> bytes:
        """Return the first value of the field called `name` (lower case); b"" if there is none."""
        return self.fields.get(name, [b""])[0]


def read_records(stream: Stream, name: str) -> Iterator[Record | CaptureError]:
    """Read the records of the WARC file called `name`.

    One that is damaged gives an error; the next one begins where a line begins with `WARC/`.

    Raises:
        CaptureError: the file ends within a record.
    """
    source = Buffered(stream)
    while _skip_line_ends(source):
        offset = source.offset
        fault = "no record begins here"
        header = _header(source)
        if header is not None:
            fields = _parse_header(header)
            length = _LENGTH.fullmatch(fields.get(b"content-length", [b""])[0])
            if length is None:
                fault = "the record that begins here does not tell its length"
            else:
                yield _take(source, Record(offset, fields, b""), int(length[0]), name)
                if _is_between_records(source):
                    continue
                offset, fault = source.offset, "the record that ends here is longer than it says"
        elif source.data.startswith(MAGIC, source.position):
            fault = "the record that begins here has a header without an end"
            source.position += MOST_OF_HEADER // 2  # else every line of it might be looked at anew
        yield CaptureError(name, offset, fault)
        _skip_to_record(source)


def _skip_line_ends(source: Buffered) -> bool:
    """Go on to what is no CR and no LF; False if nothing is."""
    while source.has(1):
        match = _OTHER.search(source.data, source.position)
        source.position = match.start() if match else len(source.data)
        if match:
            return True
    return False


def _is_between_records(source: Buffered) -> bool:
    """Tell whether here is a line's end, a record's beginning, or the file's end."""
    source.has(len(MAGIC))
    return source.data[source.position : source.position + 1] in (b"\r", b"\n", b"") or (
        source.data.startswith(MAGIC, source.position)
    )


def _header(source: Buffered) -> bytes | None:
    """Return, and pass, the header of the record that begins here; None if there is none.

    The end is looked for in what has been read before more is read: headers are short.
    """
    for size in (len(MAGIC), MOST_OF_HEADER):
        source.has(size)
        match = _HEADER.match(source.data, source.position, source.position + MOST_OF_HEADER)
        if match or not source.data.startswith(MAGIC, source.position):
            break
    if match:
        source.position = match.end()
    return match and match[0]


def _take(source: Buffered, record: Record, length: int, name: str) -> Record:
    """Complete `record` by the beginning of its block, and pass it.

    Raises:
        CaptureError: the file ends before the block does.
    """
    kept = min(length, http1head.MOST_OCTETS)
    source.has(kept)
    block = source.data[source.position : source.position + kept]
    try:
        source.skip(length)
    except EndsTooEarlyError:
        raise CaptureError(
            name, record.offset, "the file ends within the record that begins here"
        ) from None
    return record._replace(block=block)


def _skip_to_record(source: Buffered) -> None:
    """Go on to where the next line begins with `WARC/`, or to the end."""
    mark = b"\n" + MAGIC
    source.position = min(source.position, len(source.data))
    while (found := source.data.find(mark, source.position)) < 0:
        source.position = max(source.position, len(source.data) - len(mark) + 1)
        if not source.has(len(mark)):
            source.position = len(source.data)
            return
    source.position = found + 1


def _parse_header(header: bytes) -> dict[bytes, list[bytes]]:
    """Parse a version line and named fields; names do not mind case, and lines may be folded."""
    fields: dict[bytes, list[bytes]] = {}
    for line in re.sub(rb"\r*\n[ \t]+", b" ", header).split(b"\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(name.strip(OWS).lower(), []).append(value.strip(OWS + b"\r"))
    return fields
