"""One side of an HTTP/3 connection: it refuses nothing that aioquic can decode, sends anything.

Except an empty field name: QPACK's encoder refuses that.
"""

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import FrameType, H3Connection, H3Stream, HeadersState
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    ProtocolNegotiated,
    QuicEvent,
    StopSendingReceived,
    StreamReset,
)

from .multiplexed import Lines, Streams

ALPN = ["h3"]
NO_ERROR = 0x100


class LenientH3(H3Connection):
    """aioquic's HTTP/3 without its validation, and without its order of sections."""

    def _handle_request_or_push_frame(
        self, frame_type: int, frame_data: bytes | None, stream: H3Stream, stream_ended: bool
    ) -> list[H3Event]:
        if frame_type == FrameType.HEADERS:
            headers = self._decode_headers(stream.stream_id, frame_data)
            stream.headers_recv_state = HeadersState.AFTER_HEADERS
            return [HeadersReceived(headers, stream.stream_id, stream_ended, stream.push_id)]
        return super()._handle_request_or_push_frame(frame_type, frame_data, stream, stream_ended)

    def send_section(self, number: int, lines: Lines, end: bool) -> None:
        """Send HEADERS, however many were sent before."""
        self.send_headers(number, list(lines), end)
        self._get_or_create_stream(number).headers_send_state = HeadersState.AFTER_HEADERS


class Http3Streams(QuicConnectionProtocol, Streams):
    """An aioquic protocol that records and sends."""

    version = "HTTP/3"

    def __init__(self, quic: QuicConnection) -> None:
        QuicConnectionProtocol.__init__(self, quic)
        Streams.__init__(self)
        self.alpn: str | None = None
        self._h3: LenientH3 | None = None

    @property
    def h3(self) -> LenientH3:
        """HTTP/3, once the handshake is done."""
        assert self._h3, "QUIC's handshake is not done"
        return self._h3

    def quic_event_received(self, event: QuicEvent) -> None:
        """Record an event."""
        match event:
            case ProtocolNegotiated(alpn_protocol=alpn):
                self.alpn, self._h3 = alpn, LenientH3(self._quic)
            case StreamReset():
                self.was_reset(event.stream_id, event.error_code)
            case StopSendingReceived():
                self.stream(event.stream_id).stopped = True
            case ConnectionTerminated():
                self.goaway, self.goaway_reason = event.error_code, event.reason_phrase.encode()
                self.lost()
        if self._h3:
            for http_event in self._h3.handle_event(event):
                self._http_event_received(http_event)

    def _http_event_received(self, event: H3Event) -> None:
        match event:
            case HeadersReceived():
                section = tuple((bytes(name), bytes(value)) for name, value in event.headers)
                self.came(event.stream_id, section=section, end=event.stream_ended)
            case DataReceived():
                self.came(event.stream_id, data=event.data, end=event.stream_ended)

    def next_stream(self) -> int:
        """Take the number of the client's next stream."""
        return self._quic.get_next_available_stream_id()

    async def send_raw(self, number: int, octets: bytes) -> None:
        """Send octets as they are on the stream."""
        self._quic.send_stream_data(number, octets)
        self.transmit()

    async def send_fields(self, number: int, lines: Lines, end: bool) -> None:
        """Send HEADERS."""
        self.h3.send_section(number, lines, end)
        self.transmit()

    async def send_data(self, number: int, octets: bytes, end: bool) -> None:
        """Send DATA."""
        self.h3.send_data(number, octets, end)
        self.transmit()

    async def send_reset(self, number: int, code: int) -> None:
        """Reset this side of the stream."""
        self._quic.reset_stream(number, code)
        self.transmit()

    async def send_goaway(self, code: int) -> None:
        """Close the connection with an error code."""
        self.close(code)

    def close(self, error_code: int = NO_ERROR, reason_phrase: str = "") -> None:
        """Close the connection."""
        super().close(error_code, reason_phrase)
