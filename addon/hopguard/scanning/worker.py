"""A process that does tasks, and what comes of them until its turn has come."""

import gc
import multiprocessing
import pickle
import signal
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from hopguard.scanning.scanner import Scanner
from hopguard.scanning.task import Batch, Settings, Task

DONE = b""
"""Stands for the end of a task."""


_THREADS = Path("/proc/self/task")


class Waiting:
    """A task that was begun, and the batches of it whose turn has not come."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.batches: deque[bytes] = deque()
        self.size = 0
        self.done = False

    def put(self, octets: bytes) -> None:
        """Keep a batch, as its worker has sent it."""
        self.batches.append(octets)
        self.size += len(octets)

    def take(self) -> Batch:
        """Return the first batch that is kept."""
        octets = self.batches.popleft()
        self.size -= len(octets)
        batch: Batch = pickle.loads(octets)  # it is of our own worker
        return batch


class Worker:
    """A process, and what it is doing."""

    def __init__(self, settings: Settings, others: Iterable[Connection]) -> None:
        """Start it; `others` are the connections to the other workers."""
        forks = can_fork()
        context: Any = multiprocessing.get_context("fork" if forks else "spawn")
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        inherited = [*others, self.connection] if forks else []
        self.process: BaseProcess = context.Process(
            target=work, args=(theirs, settings, inherited), daemon=True
        )
        self.process.start()
        theirs.close()
        self.waiting: Waiting | None = None

    def ending(self) -> str:
        """Say how the process has ended."""
        return how_ended(self.process.exitcode)

    def begin(self, waiting: Waiting) -> None:
        """Begin with a task."""
        self.waiting = waiting
        with suppress(OSError):  # it has died; that shows when it is asked for what it has found
            self.connection.send(waiting.task)


def can_fork() -> bool:
    """Tell whether a copy of this process can work: other threads would be missing in it.

    It is begun in a hundredth of the time of a new process, which imports everything anew. Only
    Linux tells how many threads there are, whoever has started them.
    """
    try:
        return len(list(_THREADS.iterdir())) == 1
    except OSError:
        return False


def work(connection: Connection, settings: Settings, inherited: Sequence[Connection] = ()) -> None:
    """Do what comes through `connection`, until it ends. This is what a worker process runs.

    One that is a copy has `inherited` connections that only its parent may hold: they must end when
    that does.
    """
    if inherited:
        for one in inherited:
            one.close()
        _reset_signals()
        gc.freeze()  # what was there is not ours to clear away
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that has started it decides
    scanner = Scanner(settings)
    try:
        while True:
            for batch in scanner.scan(connection.recv()):
                connection.send(batch)
            connection.send_bytes(DONE)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _reset_signals() -> None:
    """Do with signals what a new program does."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def how_ended(code: int | None) -> str:
    """Say how a process ended, by its exit code."""
    if code is not None and code < 0:
        try:
            return f"by {signal.Signals(-code).name}"
        except ValueError:
            return f"by signal {-code}"
    return f"with status {code}"
