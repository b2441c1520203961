"""Waiting without sleeping: every wait has an end, and says what it waited for."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Self

TIMEOUT = 30.0
"""Seconds: far longer than anything here takes, so that running into it means a fault."""

Address = tuple[str, int]


class WaitTimeoutError(TimeoutError):
    """What was waited for did not happen in time."""

    def __init__(self, what: str, timeout: float = TIMEOUT) -> None:
        super().__init__(f"waited {timeout:g} s in vain for {what}")


class Flag:
    """An event that one peer sets and another waits for, whatever their threads."""

    def __init__(self, name: str = "a flag") -> None:
        self.name = name
        self._future: Future[None] = Future()
        self._lock = threading.Lock()

    @property
    def is_set(self) -> bool:
        """Whether it has been set."""
        return self._future.done()

    def set(self) -> None:
        """Let all go on who wait for it, now or later."""
        with self._lock:
            if not self._future.done():
                self._future.set_result(None)

    def wait(self, timeout: float = TIMEOUT) -> None:
        """Wait in a thread."""
        try:
            self._future.result(timeout)
        except TimeoutError:
            raise WaitTimeoutError(f"{self.name} to be set", timeout) from None

    async def reached(self) -> None:
        """Wait in a coroutine."""
        try:
            async with asyncio.timeout(TIMEOUT):
                await asyncio.shield(asyncio.wrap_future(self._future))
        except TimeoutError:
            raise WaitTimeoutError(f"{self.name} to be set") from None


class Changes:
    """Lets coroutines of one event loop wait for something that other coroutines change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Say that something changed."""
        self._event.set()
        self._event = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` is true; whoever calls sets the time-out."""
        while not condition():
            await self._event.wait()


class Background:
    """An event loop in a thread of its own, for peers with a synchronous face.

    Leaving it cancels what still runs, and waits until it is gone.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel every task, stop the loop, join the thread."""
        if self.loop.is_closed():
            return
        try:
            self.run(self._cancel_all(), "its tasks to end")
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(TIMEOUT)
            if self._thread.is_alive():
                raise WaitTimeoutError(f"the thread of {self.name} to end")
            self.loop.close()

    def run[T](self, coroutine: Coroutine[Any, Any, T], what: str, timeout: float = TIMEOUT) -> T:
        """Run `coroutine` in the loop and give its result; `what` is for the error message."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result(timeout)
        except TimeoutError as error:
            if future.done():
                raise
            raise WaitTimeoutError(f"{what} ({self.name})", timeout) from error
        finally:
            future.cancel()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # What transports do to close themselves takes some turns of the loop.
        for _ in range(5):
            await asyncio.sleep(0)
        await self.loop.shutdown_asyncgens()
