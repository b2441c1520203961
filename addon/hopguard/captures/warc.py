"""WARC files (ISO 28500), such as those of Common Crawl and of the Internet Archive."""

import re
from collections.abc import Iterator, Sequence

from hopguard.captures import losses
from hopguard.captures.capture import Captured, CaptureError, Format, Loss, Stream
from hopguard.captures.decompression import CompressionError
from hopguard.captures.http1head import HeadError, parse_request_head, parse_response_head
from hopguard.captures.warcexchange import LOST, REWRITTEN, Half, put_together
from hopguard.captures.warcrecord import MAGIC, Record, read_records

RAW_WRITERS = (b"wget/", b"heritrix/", b"wpull/")
"""How the `software` of a warcinfo record begins if its records hold messages as they were sent.
Crawlers with a browser, and most others, compose them again from what a library tells."""

WAITING = 16
"""Most records whose other half is waited for: writers put the two side by side."""

_SOFTWARE = re.compile(rb"^software[ \t]*:[ \t]*(.*)", re.IGNORECASE | re.MULTILINE)


def is_warc(head: bytes) -> bool:
    """Tell by its first octets whether a file is of this format."""
    return head.startswith(MAGIC)


class WarcReader:
    """Reads requests and responses; revisits, metadata and other kinds of records are passed over.

    A request and its response are put together by WARC-Concurrent-To, or else by their URI.
    """

    def __init__(self) -> None:
        self._tally = losses.Tally(LOST)
        self._is_raw = False
        self._waiting: list[Half] = []

    @property
    def lost(self) -> Sequence[Loss]:
        """What this capture has lost, as far as it has been read."""
        return self._tally.lost

    def read(self, stream: Stream, name: str) -> Iterator[Captured | CaptureError]:
        """Read the capture: see `hopguard.captures.capture.Reader`."""
        end: Exception | None = None
        try:
            for record in read_records(stream, name):
                if isinstance(record, CaptureError):
                    yield record
                else:
                    yield from self._take(record, name)
        except (CaptureError, CompressionError, OSError) as error:
            end = error  # what waits for its other half is told first
        for half in self._waiting:
            yield from self._captured(half)
        if end is not None:
            raise end

    def _take(self, record: Record, name: str) -> Iterator[Captured | CaptureError]:
        kind = record.get(b"warc-type").lower()
        if kind == b"warcinfo":
            software = _SOFTWARE.search(record.block)
            self._is_raw = software is not None and software[1].lower().startswith(RAW_WRITERS)
        media_type = record.get(b"content-type").partition(b";")[0].rstrip().lower()
        if kind not in (b"request", b"response") or media_type not in (b"application/http", b""):
            return
        try:
            half = _half(record, is_request=kind == b"request")
        except HeadError as error:
            yield CaptureError(name, record.offset, str(error))
            return
        partner = next((other for other in self._waiting if half.belongs_to(other)), None)
        if partner is not None:
            self._waiting.remove(partner)
            yield from self._captured(partner, half)
            return
        self._waiting.append(half)
        if len(self._waiting) > WAITING:
            yield from self._captured(self._waiting.pop(0))

    def _captured(self, *halves: Half) -> Iterator[Captured]:
        exchange, lost = put_together(halves, () if self._is_raw else REWRITTEN)
        unjudged = self._tally.add(lost)
        if exchange.request is not None or exchange.response is not None:
            yield exchange._replace(unjudged=unjudged)


def _half(record: Record, *, is_request: bool) -> Half:
    bare = record._replace(block=b"")
    if is_request:
        return Half(bare, parse_request_head(record.block))
    return Half(bare, parse_response_head(record.block))


WARC = Format("WARC", is_warc, WarcReader)
