"""Captures read by the workers of a Dask cluster; what they find comes back in order."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from hopguard.captures.capture import CaptureError
from hopguard.captures.opening import STANDARD_INPUT, is_url
from hopguard.extras import MissingExtraError
from hopguard.reports.making import WrongUsageError
from hopguard.scanning.scanner import Scanner
from hopguard.scanning.splitting import PART, tasks_of
from hopguard.scanning.task import Batch, Settings, Task

AHEAD = 4
"""Tasks, for each thread of the cluster, that may be begun before the first of them is done."""

RETRIES = 2
"""How often a task is begun anew after an error of the cluster's."""

SECONDS_TO_CONNECT = 10


def scan_on_cluster(address: str, paths: Sequence[str], settings: Settings) -> Iterator[Batch]:
    """Have the captures at `paths` read by the cluster whose scheduler is at `address`.

    Raises:
        MissingExtraError: Dask is not installed.
        WrongUsageError: there is no scheduler, or it has no workers.
    """
    try:
        import distributed
    except ImportError:
        raise MissingExtraError("--dask", "scale") from None
    try:
        connect: Any = distributed.Client
        client = connect(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise WrongUsageError(f"there is no Dask scheduler at {address}: {error}") from None
    return _scan(client, paths, settings)


def _scan(client: Any, paths: Sequence[str], settings: Settings) -> Iterator[Batch]:
    """Have a limited number of tasks done at a time, and give what comes of them in their order."""
    begun: deque[tuple[Task, Any]] = deque()
    tasks = tasks_of(map(_reachable, paths), least=PART)
    with client:
        most = AHEAD * max(1, sum(client.nthreads().values()))
        while True:
            for task in islice(tasks, most - len(begun)):
                here = task.path == STANDARD_INPUT
                begun.append((task, None if here else _begin(client, task, settings)))
            if not begun:
                return
            task, future = begun.popleft()
            yield from _scanner(settings).scan(task) if future is None else _result(task, future)


def _begin(client: Any, task: Task, settings: Settings) -> Any:
    return client.submit(_do, task, settings, pure=False, retries=RETRIES)


def _do(task: Task, settings: Settings) -> list[Batch]:
    """Do a task. This is what a worker of the cluster runs."""
    return list(_scanner(settings).scan(task))


@lru_cache(maxsize=4)
def _scanner(settings: Settings) -> Scanner:
    return Scanner(settings)


def _result(task: Task, future: Any) -> list[Batch]:
    error = future.exception()
    if error is None:
        batches: list[Batch] = future.result()
        return batches
    why = f"no worker of the cluster could do it: {type(error).__name__}: {error}"
    return [Batch([], errors=(str(CaptureError(task.path, task.start, why)),))]


def _reachable(path: str) -> str:
    """Return `path` so that it means the same in another working directory."""
    return path if path == STANDARD_INPUT or is_url(path) else os.path.abspath(path)  # noqa: PTH100
