"""HAR files, the HTTP Archive format that browsers and proxies export."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from hopguard.captures import losses
from hopguard.captures.buffered import Buffered, EndsTooEarlyError
from hopguard.captures.capture import Captured, CaptureError, Format, Loss, Stream
from hopguard.captures.harentry import Entry
from hopguard.captures.harexporter import LOST, exporter_of
from hopguard.captures.harvalues import EntryError
from hopguard.captures.jsonparts import JsonError, JsonReader, PartError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_START = re.compile(rb"(?:" + _BYTE_ORDER_MARK + rb")?\s*+\{\s*+\"log\"\s*+:")


def is_har(head: bytes) -> bool:
    """Tell by its first octets whether a file is of this format: a JSON object with a log."""
    return _START.match(head) is not None


class HarReader:
    """Reads HAR files entry by entry."""

    def __init__(self) -> None:
        self._tally = losses.Tally(LOST)
        self._exporter = exporter_of(None)
        self._begin: int | None = None

    @property
    def lost(self) -> Sequence[Loss]:
        """What this capture has lost, as far as it has been read."""
        return self._tally.lost

    def read(self, stream: Stream, name: str) -> Iterator[Captured | CaptureError]:
        """Read the capture: see `hopguard.captures.capture.Reader`."""
        document = JsonReader(_without_mark(stream))
        try:
            for member in document.members():
                if member == "log" and document.next() == b"{":
                    yield from self._read_log(document, name)
                else:
                    document.skip()
        except EndsTooEarlyError:
            known = self._begin is not None
            reason = "the entry that begins here" if known else "what precedes the entries"
            raise CaptureError(name, self._begin or 0, f"the file ends within {reason}") from None
        except JsonError as error:
            raise CaptureError(name, document.offset, f"this is no JSON: {error}") from None
        if self._begin is None:
            raise CaptureError(name, 0, "it is no HAR: it holds no log with entries")
        if document.next():
            yield CaptureError(name, document.offset, "something follows the end of the HAR")

    def _read_log(self, document: JsonReader, name: str) -> Iterator[Captured | CaptureError]:
        for member in document.members():
            if member == "entries" and document.next() == b"[":
                self._begin = document.offset
                for _ in document.elements():
                    self._begin = document.offset
                    yield from self._read_entry(document, name)
            elif member == "creator":
                self._exporter = exporter_of(_value(document))
            else:
                document.skip()

    def _read_entry(self, document: JsonReader, name: str) -> Iterator[Captured | CaptureError]:
        offset = document.offset
        try:
            entry = Entry(document.part().value(), offset, self._exporter)
        except (PartError, EntryError) as error:
            yield CaptureError(name, offset, f"the entry that begins here is damaged: {error}")
            return
        unjudged = self._tally.add((*self._exporter.lost, *entry.lost))
        if entry.captured is not None:
            yield entry.captured._replace(unjudged=unjudged)


def _without_mark(stream: Stream) -> Buffered:
    source = Buffered(stream)
    source.has(len(_BYTE_ORDER_MARK))
    if source.data.startswith(_BYTE_ORDER_MARK):
        source.position = len(_BYTE_ORDER_MARK)
    return source


def _value(document: JsonReader) -> Any:
    try:
        return document.part().value()
    except PartError:
        return None


HAR = Format("HAR", is_har, HarReader)
