"""Flow files, as mitmproxy saves them: one tagged netstring after the other."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hopguard.captures.buffered import Buffered, EndsTooEarlyError
from hopguard.captures.capture import Captured, CaptureError, Format, Loss, Stream
from hopguard.captures.flowrecord import FlowDecoder
from hopguard.captures.losses import INTERIM_RESPONSES
from hopguard.captures.oversize import slim
from hopguard.captures.tnetstrings import DICTIONARY, PREFIX, PREFIX_LIMIT, DamageError

RECORD_LIMIT = 8 << 20
"""Octets of a record that is held as a whole; of a larger one, what no rule needs is left out."""

IN_FRONT = Loss(
    "what is in front of the servers is not told, unless --idle-timeout says it",
    frozenset({"keep-alive-shorter-than-peer-idle/announced"}),
)

LOST = (
    INTERIM_RESPONSES,
    Loss(
        "what is sent before an answer, and behind a switch of protocols, is not kept",
        frozenset({"data-before-protocol-switch", "http-after-protocol-switch"}),
    ),
    Loss(
        "the :protocol of an extended CONNECT is not kept", frozenset({"extended-connect-invalid"})
    ),
    Loss(
        "who ended a connection is not told",
        frozenset(
            {
                "close-missing-while-draining",
                "keep-alive-promise-mismatch/max-short",
                "keep-alive-promise-mismatch/timeout-short",
                "keep-alive-shorter-than-peer-idle/observed",
                "non-persistent-peer-unannounced",
                "server-closed-without-announcing",
            }
        ),
    ),
    IN_FRONT,
    Loss("octets that nobody has asked for are not kept", frozenset({"unsolicited-response-data"})),
    Loss(
        "a CONNECT that a further proxy refuses is not kept",
        frozenset({"connect-rejected-connection-kept"}),
    ),
)

DAMAGED = "the flow that begins here is damaged"

Record = tuple[bytes, int, int, int]
"""Octets, where in them the value of the record starts and stops, and its offset."""

_START = re.compile(rb"\d{1,12}:\d{1,2}:\w+[;,]\d")


def is_flow_file(head: bytes) -> bool:
    """Tell whether a capture that begins with `head` is a flow file."""
    return _START.match(head) is not None


class FlowFileReader:
    """Reads flow files. It needs no mitmproxy, and is many times faster."""

    lost: Sequence[Loss] = LOST

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._latest: Record | None = None

    def flow(self) -> object:
        """Return mitmproxy's own flow object for what was read last, without its content if large.

        None if it is too odd for mitmproxy.
        """
        from mitmproxy import exceptions
        from mitmproxy.io import FlowReader

        assert self._latest is not None, "only asked about a flow that was read"
        data, begin, end, _ = self._latest
        octets = b"%d:%s" % (end - begin, data[begin : end + 1])
        try:
            return next(iter(FlowReader(io.BytesIO(octets)).stream()))
        except (exceptions.FlowReadException, KeyError, TypeError, AssertionError):
            return None

    def read(
        self, stream: Stream, name: str, start: int = 0, stop: int | None = None
    ) -> Iterator[Captured | CaptureError]:
        """Read the capture called `name`; see `Reader`.

        `stream` begins at the octet `start`, where a record begins; those that begin at or after
        `stop` are not read.
        """
        decoder = FlowDecoder()
        for record in _records(stream, name, start):
            if isinstance(record, CaptureError):
                yield record
                continue
            self._latest = record
            data, begin, end, offset = record
            if stop is not None and offset >= stop:
                return
            try:
                if data[end] != DICTIONARY:
                    raise DamageError("it is no dictionary")
                captured = decoder.decode(data, begin, end, offset)
            except DamageError as error:
                yield CaptureError(name, offset, f"{DAMAGED}: {error}")
            else:
                if captured is not None:
                    yield captured


def _records(stream: Stream, name: str, offset: int) -> Iterator[Record | CaptureError]:
    """Give each record, or what is wrong with it.

    Raises:
        CaptureError: there is something else, or the file ends too early.
    """
    source = Buffered(stream, offset)
    try:
        while prefix := (
            PREFIX.match(source.data, source.position) or source.prefix(PREFIX, PREFIX_LIMIT)
        ):
            offset, length = source.offset, int(prefix[1])
            source.position = begin = prefix.end()
            if length > RECORD_LIMIT:
                yield _large_record(source, name, offset, length)
            elif begin + length < len(source.data) or source.has(length + 1):
                begin = source.position
                source.position = begin + length + 1
                yield source.data, begin, begin + length, offset
            else:
                raise EndsTooEarlyError
    except EndsTooEarlyError:
        raise CaptureError(name, offset, "the file ends within the flow that begins here") from None
    if source.position < len(source.data):
        raise CaptureError(name, source.offset, "no flow begins here")


def _large_record(source: Buffered, name: str, offset: int, length: int) -> Record | CaptureError:
    stop = source.offset + length
    try:
        copied = slim(source, length)
        return copied + source.take(1), 0, len(copied), offset
    except DamageError as error:
        source.skip(stop + 1 - source.offset)
        return CaptureError(name, offset, f"{DAMAGED}: {error}")


def compile_filter(pattern: str) -> Callable[[Any], object]:
    """Compile one of mitmproxy's flow filters.

    Raises:
        ValueError: it is none.
    """
    from mitmproxy import flowfilter

    matches: Callable[[Any], object] = flowfilter.parse(pattern)
    return matches


FLOW_FILE = Format("flow file", is_flow_file, FlowFileReader)
