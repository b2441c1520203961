"""Processes that do tasks, and one place that gets what they find, in the order of the tasks."""

import pickle
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from itertools import chain, islice
from multiprocessing.connection import wait

from hopguard.captures.capture import CaptureError
from hopguard.captures.opening import STANDARD_INPUT
from hopguard.scanning.scanner import Scanner
from hopguard.scanning.task import Batch, Settings, Task
from hopguard.scanning.worker import DONE, Waiting, Worker

BUFFERED = 4 << 20
"""Octets of batches that may wait for their turn, for each task; its worker waits as well then."""

WORTHWHILE = 8 << 20
"""Octets, of all tasks, for which it is worth the while to start processes."""

AHEAD = 4
"""Tasks, for each worker, that may be begun before the first of them is done."""


def scan(tasks: Iterator[Task], settings: Settings, count: int) -> Iterator[Batch]:
    """Do the tasks with `count` processes, or in this one if that is faster."""
    some, size = [], 0
    if count > 1:
        for task in tasks:
            some.append(task)
            size += task.size
            if size >= WORTHWHILE:
                return Workers(settings, count).scan(chain(some, tasks))
    return scan_here(chain(some, tasks), settings)


def scan_here(tasks: Iterable[Task], settings: Settings) -> Iterator[Batch]:
    """Do the tasks in this process, one after the other."""
    scanner = Scanner(settings)
    for task in tasks:
        yield from scanner.scan(task)


class Workers:
    """Some processes that do tasks. Their number changes nothing but how long it takes."""

    def __init__(self, settings: Settings, count: int) -> None:
        """Start up to `count` processes when there is something to do."""
        self._settings, self._count = settings, count
        self._workers: list[Worker] = []
        self._order: deque[Waiting] = deque()
        self._next: deque[Task] = deque()
        """Looked up while all are busy: nobody has to wait until a large file is cut."""

    def scan(self, tasks: Iterator[Task]) -> Generator[Batch]:
        """Do the tasks, and give what is found in their order.

        A process that dies takes with it what it has not told of its task; another one goes on with
        the next task. The first ones start now, not when somebody asks for what they find: there
        may be threads by then, and processes start faster where there are none.
        """
        batches = self._batches(tasks)
        next(batches)
        return batches

    def _batches(self, tasks: Iterator[Task]) -> Generator[Batch]:
        """Start with a batch of nothing."""
        try:
            self._hand_out(tasks)
            yield Batch([])
            while self._hand_out(tasks):
                first = self._order[0]
                if first.task.path == STANDARD_INPUT:  # that is ours, no other process has it
                    yield from Scanner(self._settings).scan(first.task)
                    first.done = True
                if first.batches:
                    yield first.take()
                    self._receive(first, wait_for=0)  # others may be done, and have to go on
                elif first.done:
                    self._order.popleft()
                else:
                    self._receive(first)
        finally:
            self._stop()

    def _hand_out(self, tasks: Iterator[Task]) -> bool:
        """Keep everybody busy; tell whether there is anything to wait for."""
        while len(self._order) < AHEAD * self._count:
            idle = next((worker for worker in self._workers if worker.waiting is None), None)
            if idle is None and len(self._workers) >= self._count:
                break
            task = self._next.popleft() if self._next else next(tasks, None)
            if task is None:
                break
            waiting = Waiting(task)
            self._order.append(waiting)
            if task.path == STANDARD_INPUT:
                continue
            if idle is None:
                others = [worker.connection for worker in self._workers]
                idle = Worker(self._settings, others)
                self._workers.append(idle)
            idle.begin(waiting)
        self._next += islice(tasks, self._count - len(self._next))
        return bool(self._order)

    def _receive(self, first: Waiting, wait_for: float | None = None) -> None:
        """Take a batch, or the end of a task, from each worker that has one.

        Wait for the first one, but no longer than `wait_for` seconds.
        """
        heard = {
            worker.connection: worker
            for worker in self._workers
            if worker.waiting is first
            or (worker.waiting is not None and worker.waiting.size < BUFFERED)
        }
        for ready in wait(list(heard), wait_for):
            worker = heard[ready]  # type: ignore[index]  # it is one of those that were given
            assert worker.waiting is not None
            try:
                octets = worker.connection.recv_bytes()
            except (EOFError, OSError):
                self._bury(worker, worker.waiting)
                continue
            if octets == DONE:
                worker.waiting.done = True
                worker.waiting = None
            else:
                worker.waiting.put(octets)

    def _bury(self, worker: Worker, waiting: Waiting) -> None:
        worker.process.join()
        why = f"the process that read it ended {worker.ending()}"
        error = CaptureError(waiting.task.path, waiting.task.start, why)
        waiting.put(pickle.dumps(Batch([], errors=(str(error),))))
        waiting.done = True
        worker.connection.close()
        self._workers.remove(worker)

    def _stop(self) -> None:
        for worker in self._workers:
            worker.connection.close()
            if worker.waiting is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
        self._workers.clear()
