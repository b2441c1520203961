"""What origins have in common: a background loop, a record of what came, scripted answers."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from .messages import Request
from .script import Answer, Answers, Signal, Step, Wait, WaitForRequests
from .waiting import TIMEOUT, Address, Background, Changes, WaitTimeoutError

LOCAL = "127.0.0.1"


@dataclass
class Connection:
    """What is known of a connection to an origin."""

    number: int
    received: bytearray = field(default_factory=bytearray)
    """Every octet that came, after TLS (HTTP/1 and HTTP/2)."""
    alpn: str | None = None
    closed: bool = False
    """Whether it has ended, from whichever side."""
    error: str | None = None
    """What could not be understood of it, or how it broke."""
    goaway: int | None = None
    """Error code of the peer's GOAWAY (HTTP/2), or of its CONNECTION_CLOSE (HTTP/3)."""


class Origin(ABC):
    """An origin on 127.0.0.1; a context manager.

    Requests are recorded before they are answered. For the answers see `script`.
    """

    scheme: str

    def __init__(self, answers: Answers | None, default: Answer) -> None:
        self.answers = {} if answers is None or callable(answers) else dict(answers)
        """By path; may be changed at any time."""
        self._callable = answers if callable(answers) else None
        self.default = default
        self.requests: list[Request] = []
        self.connections: list[Connection] = []
        self.errors: list[BaseException] = []
        """Steps that failed; leaving the context raises the first of them."""
        self.address: Address = (LOCAL, 0)
        self._changes = Changes()
        self._background = Background(type(self).__name__)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.address[1]

    @property
    def url(self) -> str:
        """For mitmproxy's `reverse:` mode."""
        return f"{self.scheme}://{LOCAL}:{self.port}"

    def __enter__(self) -> Self:
        self._background.__enter__()
        try:
            self.address = self._background.run(self._listen(), "it to listen")
        except BaseException:
            self._background.__exit__()
            raise
        return self

    def __exit__(self, _: object, error: BaseException | None, *__: object) -> None:
        try:
            self._background.run(self._close(), "it to close")
        finally:
            self._background.__exit__()
        if self.errors and error is None:
            raise self.errors[0]

    def wait_for_requests(self, count: int, timeout: float = TIMEOUT) -> list[Request]:
        """Wait until `count` requests have come; give all that have."""
        self._wait(lambda: len(self.requests) >= count, f"{count} requests", timeout)
        return list(self.requests)

    def wait_for_close(self, number: int = 0, timeout: float = TIMEOUT) -> Connection:
        """Wait until the connection with this number has come, and ended."""
        self._wait(
            lambda: len(self.connections) > number and self.connections[number].closed,
            f"connection {number} to be closed",
            timeout,
        )
        return self.connections[number]

    def _wait(self, condition: Callable[[], bool], what: str, timeout: float) -> None:
        try:
            self._background.run(self._changes.until(condition), what, timeout)
        except WaitTimeoutError as error:
            error.add_note(f"requests: {[request.target for request in self.requests]}")
            error.add_note(f"connections: {self.connections}")
            raise

    def opened(self) -> Connection:
        """Record a connection."""
        connection = Connection(len(self.connections))
        self.connections.append(connection)
        self.changed()
        return connection

    def received(self, request: Request) -> None:
        """Record a request."""
        self.requests.append(request)
        self.changed()

    def changed(self) -> None:
        """Let those who wait look again."""
        self._changes.notify()

    async def follow(self, request: Request, perform: Callable[[Step], Awaitable[None]]) -> None:
        """Go through the steps of the answer; `perform` does those that send something."""
        try:
            for step in self._steps(request):
                match step:
                    case Wait(flag):
                        await flag.reached()
                    case Signal(flag):
                        flag.set()
                    case WaitForRequests(count):
                        await self._until_requests(count)
                    case _:
                        await perform(step)
        except (ConnectionError, asyncio.CancelledError):
            raise  # a peer may always go away
        except Exception as error:
            self.errors.append(error)
            raise

    def _steps(self, request: Request) -> list[Step]:
        if self._callable:
            answer = self._callable(request)
        else:
            answer = self.answers.get(request.path, self.default)
        return [answer] if isinstance(answer, bytes) else list(answer)

    async def _until_requests(self, count: int) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                await self._changes.until(lambda: len(self.requests) >= count)
        except TimeoutError:
            raise WaitTimeoutError(
                f"{count} requests, of which came {len(self.requests)}"
            ) from None

    @abstractmethod
    async def _listen(self) -> Address: ...

    @abstractmethod
    async def _close(self) -> None: ...
