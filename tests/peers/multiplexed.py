"""What the peers of HTTP/2 and HTTP/3 have in common: streams."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

from .messages import FieldLines, Request, Stream
from .origin import Connection, Origin
from .script import Close, Data, Fields, GoAway, Reset, Step
from .waiting import Changes

Lines = Sequence[tuple[bytes, bytes]]


class Streams(ABC):
    """One side of a connection with streams. Its methods belong to the event loop's thread."""

    version: str

    def __init__(self) -> None:
        self.streams: dict[int, Stream] = {}
        self.goaway: int | None = None
        """Error code of the peer's GOAWAY (HTTP/2), or of its CONNECTION_CLOSE (HTTP/3)."""
        self.goaway_reason = b""
        self.closed = False
        self.changes = Changes()
        self.on_over: Callable[[Stream], None] = lambda _: None
        """Called once for each stream on which nothing more can come."""
        self.on_lost: Callable[[], None] = lambda: None
        """Called once when the connection has ended."""

    def stream(self, number: int) -> Stream:
        """Give what has come on a stream."""
        return self.streams.setdefault(number, Stream(number))

    def came(
        self, number: int, *, section: FieldLines | None = None, data: bytes = b"", end: bool
    ) -> None:
        """Record what came on a stream."""
        stream = self.stream(number)
        was_over = stream.over
        if section is not None:
            stream.sections.append(section)
        stream.body += data
        stream.ended |= end
        self._changed(stream, was_over)

    def was_reset(self, number: int, code: int) -> None:
        """Record that the peer reset a stream."""
        stream = self.stream(number)
        was_over, stream.reset, stream.stopped = stream.over, code, True
        self._changed(stream, was_over)

    def _changed(self, stream: Stream, was_over: bool) -> None:
        if stream.over and not was_over:
            self.on_over(stream)
        self.changes.notify()

    def lost(self) -> None:
        """Record that the connection has ended."""
        if not self.closed:
            self.closed = True
            self.on_lost()
            self.changes.notify()

    def stopped(self, number: int) -> bool:
        """Tell whether the peer takes nothing more on a stream."""
        return self.closed or self.stream(number).stopped

    def check(self, number: int) -> None:
        """Raise a ConnectionError if the peer takes nothing more on a stream."""
        if self.stopped(number):
            raise ConnectionResetError(f"the peer takes nothing more on stream {number}")

    async def perform(self, number: int, step: Step) -> None:
        """Send something on a stream."""
        self.check(number)
        match step:
            case bytes(octets):
                await self.send_raw(number, octets)
            case Fields(lines, end):
                await self.send_fields(number, lines, end)
            case Data(octets, end):
                await self.send_data(number, octets, end)
            case Reset(code):
                await self.send_reset(number, code)
            case GoAway(code):
                await self.send_goaway(code)
            case Close():
                self.close()
            case _:
                raise TypeError(f"not a step that sends something: {step}")

    @abstractmethod
    def next_stream(self) -> int:
        """Take the number of the client's next stream."""

    @abstractmethod
    async def send_raw(self, number: int, octets: bytes) -> None:
        """Send octets as they are: on the connection (HTTP/2), on the stream (HTTP/3)."""

    @abstractmethod
    async def send_fields(self, number: int, lines: Lines, end: bool) -> None: ...

    @abstractmethod
    async def send_data(self, number: int, octets: bytes, end: bool) -> None: ...

    @abstractmethod
    async def send_reset(self, number: int, code: int) -> None: ...

    @abstractmethod
    async def send_goaway(self, code: int) -> None: ...

    @abstractmethod
    def close(self) -> None: ...


class Answering:
    """Lets an origin record and answer the requests of one connection, each in a task."""

    def __init__(self, origin: Origin, connection: Connection, streams: Streams) -> None:
        self._origin = origin
        self._connection = connection
        self._streams = streams
        self._tasks: set[asyncio.Task[None]] = set()
        streams.on_over, streams.on_lost = self._over, self._lost

    def _over(self, stream: Stream) -> None:
        request = stream.request(self._streams.version, self._connection.number)
        self._origin.received(request)
        if stream.ended:
            task = asyncio.get_running_loop().create_task(self._answer(request))
            self._tasks.add(task)
            task.add_done_callback(self._answered)

    async def _answer(self, request: Request) -> None:
        perform = partial(self._streams.perform, request.stream)
        await self._origin.follow(request, perform)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._connection.error = repr(error)  # if it is a fault of the script, see `follow`

    def _lost(self) -> None:
        for stream in self._streams.streams.values():
            if not stream.over:
                request = stream.request(self._streams.version, self._connection.number)
                self._origin.received(request)
        self._connection.goaway = self._streams.goaway
        self._connection.closed = True
        self._origin.changed()
