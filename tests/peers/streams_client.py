from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Self

from .messages import Response
from .multiplexed import Lines, Streams
from .script import Data, Fields, Step
from .waiting import Background


class StreamsClient(ABC):
    """A client of HTTP/2 or HTTP/3; a context manager. Sends whatever it is told."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._background = Background(type(self).__name__)
        self._streams: Streams | None = None

    @abstractmethod
    async def connect(self) -> Streams:
        """Connect, handshake included."""

    @abstractmethod
    async def disconnect(self) -> None:
        """Let go of the connection."""

    @property
    def streams(self) -> Streams:
        """The connection."""
        assert self._streams, "use the client as a context manager"
        return self._streams

    def __enter__(self) -> Self:
        self._background.__enter__()
        try:
            self._streams = self._background.run(self.connect(), "a connection", self.timeout)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._background.run(self.disconnect(), "the connection to close")
        finally:
            self._background.__exit__()

    def request(
        self, lines: Lines, body: bytes = b"", trailers: Lines = (), *, end: bool = True
    ) -> int:
        """Send a request on a new stream, of which the number is returned."""
        number = self.streams.next_stream()
        steps: list[Step] = [Fields(lines, end and not body and not trailers)]
        if body:
            steps.append(Data(body, end and not trailers))
        if trailers:
            steps.append(Fields(trailers, end))
        with suppress(ConnectionError):  # the response will tell
            self.send(number, *steps)
        return number

    def send(self, number: int, *steps: Step) -> None:
        """Send something on a stream; a ConnectionError when the peer takes nothing more."""
        for step in steps:
            sending = self.streams.perform(number, step)
            self._background.run(sending, f"{step!r} to be sent", self.timeout)

    def response(self, number: int) -> Response:
        """Give the response on a stream: its end, its reset or the connection's end is awaited.

        Compare `complete`, `reset`, and this client's `closed` and `goaway`.
        """
        stream = self.streams.stream(number)
        over = self.streams.changes.until(lambda: stream.over or self.streams.closed)
        self._background.run(over, f"a response on stream {number}: {stream}", self.timeout)
        return stream.response(self.streams.version)

    def exchange(self, lines: Lines, body: bytes = b"", trailers: Lines = ()) -> Response:
        """Send a request, and give its response."""
        return self.response(self.request(lines, body, trailers))

    @property
    def closed(self) -> bool:
        """Whether the connection has ended."""
        return self.streams.closed

    @property
    def goaway(self) -> int | None:
        """Error code of the peer's GOAWAY (HTTP/2), or of its CONNECTION_CLOSE (HTTP/3)."""
        return self.streams.goaway

    @property
    def goaway_reason(self) -> bytes:
        """What the peer said with it."""
        return self.streams.goaway_reason

    def wait_for_close(self) -> int | None:
        """Wait until the peer closes the connection; give the code of its GOAWAY, if any."""
        gone = self.streams.changes.until(lambda: self.streams.closed)
        self._background.run(gone, "the peer to close", self.timeout)
        return self.goaway
