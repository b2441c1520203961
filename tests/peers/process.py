"""A process whose output is read line by line while it runs."""

import atexit
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .waiting import TIMEOUT, WaitTimeoutError


class ProcessFailedError(RuntimeError):
    """The process ended too early, or badly; the message holds its output."""


@dataclass(frozen=True)
class Line:
    """A line of output."""

    time: float
    """Seconds of the monotonic clock."""
    stream: str
    """`stdout` or `stderr`."""
    text: str


class Process:
    """A process with its output. Whoever starts it calls `kill` in the end, come what may.

    If even that fails to happen, the end of the interpreter kills it.
    """

    def __init__(self, command: Sequence[str], cwd: Path | None = None) -> None:
        self.command = command
        self.lines: list[Line] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
            errors="backslashreplace",
            # Of a terminal's Ctrl-C we are told, and pass it on: twice is more than some can take.
            process_group=0,
        )
        atexit.register(self._process.kill)
        assert self._process.stdout
        assert self._process.stderr
        streams = [("stdout", self._process.stdout), ("stderr", self._process.stderr)]
        # Complete before the first starts: a reader whose stream ends at once removes itself.
        self._readers = [
            threading.Thread(target=self._read, args=one, daemon=True) for one in streams
        ]
        for reader in list(self._readers):
            reader.start()

    def _read(self, name: str, stream: IO[str]) -> None:
        with stream:
            for text in stream:
                with self._news:
                    self.lines.append(Line(time.monotonic(), name, text.rstrip("\n")))
                    self._news.notify_all()
        with self._news:
            self._readers.remove(threading.current_thread())
            self._news.notify_all()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    @property
    def output(self) -> str:
        """All that it has printed."""
        with self._news:
            return "\n".join(line.text for line in self.lines)

    def position(self) -> int:
        """Give the number of lines so far, to look only at later ones."""
        with self._news:
            return len(self.lines)

    def wait_for_line(
        self, pattern: str, *, since: int = 0, timeout: float = TIMEOUT
    ) -> re.Match[str]:
        """Wait for a line, after the first `since` ones, in which `pattern` is found."""
        found = self.wait_for(
            lambda: self._search(pattern, since), f"a line like {pattern!r}", timeout
        )
        assert found
        return found

    def _search(self, pattern: str, since: int) -> re.Match[str] | None:
        return next(
            (found for line in self.lines[since:] if (found := re.search(pattern, line.text))), None
        )

    def wait_for[T](self, condition: Callable[[], T], what: str, timeout: float = TIMEOUT) -> T:
        """Wait until the output makes `condition` true; fail when the process ends before."""
        end = time.monotonic() + timeout
        with self._news:
            while not (result := condition()):
                if not self._readers:
                    status = self._process.wait(timeout)
                    raise ProcessFailedError(
                        f"exit status {status} while waiting for {what}\n{self._shown()}"
                    )
                if not self._news.wait(end - time.monotonic()):
                    raise WaitTimeoutError(f"{what} in the output:\n{self._shown()}", timeout)
            return result

    def _shown(self) -> str:
        return "\n".join([" ".join(self.command), *(f"| {line.text}" for line in self.lines)])

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait until it has ended by itself and all its output is here; give its exit status."""
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise WaitTimeoutError(
                f"the process to end; its output:\n{self._shown()}", timeout
            ) from None
        atexit.unregister(self._process.kill)
        for reader in list(self._readers):
            reader.join(timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGINT, timeout: float = TIMEOUT) -> int:
        """Ask it to end, with a signal; give its exit status."""
        self._process.send_signal(number)
        return self.wait(timeout)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self.wait()
