"""One side of an HTTP/2 connection at the level of frames: it refuses nothing, sends anything.

h2 is not used: even without its validation, it insists on the order of messages.
"""

from collections.abc import Mapping

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from .multiplexed import Lines, Streams
from .wire import Wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER = 9
RECEIVE_WINDOW = 2**24
SEND_WINDOW = 65535
FRAME_SIZE = 16384


class Http2Streams(Streams):
    """Reads and writes frames. `settings` are sent first, besides those it needs itself."""

    version = "HTTP/2"

    def __init__(
        self, wire: Wire, *, client: bool, settings: Mapping[int, int] | None = None
    ) -> None:
        super().__init__()
        self.wire = wire
        self._client = client
        self._settings = {
            SettingsFrame.INITIAL_WINDOW_SIZE: RECEIVE_WINDOW,
            **({SettingsFrame.ENABLE_PUSH: 0} if client else {}),
            **(settings or {}),
        }
        self._encoder = Encoder()
        self._decoder = Decoder(max_header_list_size=2**24)
        self._next_stream = 1
        self._block: HeadersFrame | None = None
        self._window = SEND_WINDOW
        self._initial_window = SEND_WINDOW
        self._windows: dict[int, int] = {}
        self._frame_size = FRAME_SIZE

    def next_stream(self) -> int:
        """Take the number of the client's next stream."""
        self._next_stream += 2
        return self._next_stream - 2

    async def start(self) -> None:
        """Send what every connection begins with."""
        window = WindowUpdateFrame(0, window_increment=RECEIVE_WINDOW)
        if self._client:
            await self.wire.send(PREFACE)
        await self._send(SettingsFrame(0, settings=self._settings), window)

    async def _send(self, *frames: Frame) -> None:
        await self.wire.send(b"".join(frame.serialize() for frame in frames))

    async def send_raw(self, number: int, octets: bytes) -> None:
        """Send octets as they are on the connection."""
        await self.wire.send(octets)

    async def send_fields(self, number: int, lines: Lines, end: bool) -> None:
        """Send HEADERS, and CONTINUATION if one frame is too small."""
        block = self._encoder.encode(lines)
        size = self._frame_size
        parts = [block[at : at + size] for at in range(0, len(block), size)] or [b""]
        frames: list[HeadersFrame | ContinuationFrame] = [HeadersFrame(number, parts[0])]
        frames += [ContinuationFrame(number, part) for part in parts[1:]]
        if end:
            frames[0].flags.add("END_STREAM")
        frames[-1].flags.add("END_HEADERS")
        await self._send(*frames)

    async def send_data(self, number: int, octets: bytes, end: bool) -> None:
        """Send DATA, as far as the peer's flow control lets it."""
        sent = 0
        while sent < len(octets):
            await self.changes.until(lambda: self._room(number) > 0 or self.stopped(number))
            self.check(number)
            part = octets[sent : sent + self._room(number)]
            sent += len(part)
            self._window -= len(part)
            self._windows[number] -= len(part)
            await self._send_data_frame(number, part, end and sent == len(octets))
        if not octets:
            await self._send_data_frame(number, b"", end)

    async def _send_data_frame(self, number: int, octets: bytes, end: bool) -> None:
        await self._send(DataFrame(number, octets, flags=["END_STREAM"] if end else []))

    def _room(self, number: int) -> int:
        window = self._windows.setdefault(number, self._initial_window)
        return min(window, self._window, self._frame_size)

    async def send_reset(self, number: int, code: int) -> None:
        """Send RST_STREAM."""
        await self._send(RstStreamFrame(number, error_code=code))

    async def send_goaway(self, code: int) -> None:
        """Send GOAWAY."""
        last = max(self.streams, default=0)
        await self._send(GoAwayFrame(0, last_stream_id=last, error_code=code))

    def close(self) -> None:
        """Close the TCP connection."""
        self.wire.writer.close()

    async def receive(self) -> None:
        """Read frames until the connection ends."""
        while len(header := await self.wire.exactly(FRAME_HEADER)) == FRAME_HEADER:
            frame, length = Frame.parse_frame_header(memoryview(header))
            frame.parse_body(memoryview(await self.wire.exactly(length)))
            await self._received(frame)
            self.wire.taken.clear()
            self.changes.notify()

    async def _received(self, frame: Frame) -> None:
        match frame:
            case HeadersFrame() | ContinuationFrame():
                self._received_block(frame)
            case DataFrame():
                await self._received_data(frame)
            case SettingsFrame() if "ACK" not in frame.flags:
                self._received_settings(frame.settings)
                await self._send(SettingsFrame(0, flags=["ACK"]))
            case PingFrame() if "ACK" not in frame.flags:
                await self._send(PingFrame(0, frame.opaque_data, flags=["ACK"]))
            case WindowUpdateFrame(stream_id=0):
                self._window += frame.window_increment
            case WindowUpdateFrame(stream_id=number):
                self._room(number)
                self._windows[number] += frame.window_increment
            case RstStreamFrame():
                self.was_reset(frame.stream_id, frame.error_code)
            case GoAwayFrame():
                self.goaway, self.goaway_reason = frame.error_code, frame.additional_data

    def _received_block(self, frame: HeadersFrame | ContinuationFrame) -> None:
        if isinstance(frame, HeadersFrame):
            self._block = frame
        elif self._block:
            self._block.data += frame.data
        if self._block and "END_HEADERS" in frame.flags:
            decoded = self._decoder.decode(self._block.data, raw=True)
            section = tuple((bytes(line[0]), bytes(line[1])) for line in decoded)
            end = "END_STREAM" in self._block.flags
            self.came(self._block.stream_id, section=section, end=end)
            self._block = None

    async def _received_data(self, frame: DataFrame) -> None:
        if length := frame.flow_controlled_length:
            numbers = (0, frame.stream_id)
            await self._send(*[WindowUpdateFrame(n, window_increment=length) for n in numbers])
        self.came(frame.stream_id, data=frame.data, end="END_STREAM" in frame.flags)

    def _received_settings(self, settings: Mapping[int, int]) -> None:
        initial = settings.get(SettingsFrame.INITIAL_WINDOW_SIZE, self._initial_window)
        for number in self._windows:
            self._windows[number] += initial - self._initial_window
        self._initial_window = initial
        self._frame_size = settings.get(SettingsFrame.MAX_FRAME_SIZE, self._frame_size)
        if (size := settings.get(SettingsFrame.HEADER_TABLE_SIZE)) is not None:
            self._encoder.header_table_size = min(size, 4096)
