"""A Dask cluster does the same as one process does."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hopguard.cli import main
from hopguard.extras import MissingExtraError
from hopguard.reports.making import WrongUsageError
from hopguard.scanning import cluster, command
from hopguard.scanning.scanner import Scanner
from hopguard.scanning.task import Batch, Settings, Task
from tests.captures.flows import saved
from tests.scanning.captures import flow, write
from tests.scanning.test_workers import summed

distributed: Any = pytest.importorskip("distributed", reason="needs the extra 'scale'")

FILES = 30

PROCESSES = {"threads_per_worker": 1, "processes": True, "dashboard_address": "127.0.0.1:0"}
"""How a cluster of processes on this machine is made; without the last, ports would collide."""


@pytest.fixture(scope="module")
def running() -> Iterator[Any]:
    """Give a cluster of two worker processes."""
    with distributed.LocalCluster(n_workers=2, **PROCESSES) as made:
        yield made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of captures, of which one is damaged."""
    made = tmp_path_factory.mktemp("captures")
    for number in range(FILES):
        write(made / f"{number:03d}.flows", *range(10 * number, 10 * number + 10))
    with (made / "005.flows").open("ab") as damaged:
        damaged.write(b"garbage")
    return made


def scanned(folder: Path, output: Path, *options: str) -> bytes:
    """Scan a folder; return the report, in JSON Lines."""
    argv = ["scan", str(folder), "--format", "jsonl", "--output", str(output), *options]
    assert main(argv) == 3
    return output.read_bytes()


def test_the_result_is_the_same(running: Any, folder: Path, tmp_path: Path) -> None:
    """To the octet."""
    here = scanned(folder, tmp_path / "here", "--workers", "1")
    there = scanned(folder, tmp_path / "there", "--dask", running.scheduler_address)
    assert here == there
    assert here.count(b"\n") == 2 * 10 * FILES


def test_a_url(running: Any, folder: Path, tmp_path: Path) -> None:
    """Through fsspec: each worker reads for itself."""
    here = scanned(folder, tmp_path / "here")
    output = tmp_path / "there"
    for url in (f"file://{folder}", f"file://{folder}/*.flows"):
        options = ("--format", "jsonl", "--output", str(output))
        assert main(["scan", url, *options, "--dask", running.scheduler_address]) == 3
        assert output.read_bytes() == here


def test_a_worker_that_dies(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has done, and nobody has fetched yet, is done again: the result is the same."""
    here = scanned(folder, tmp_path / "here", "--workers", "1")
    scan, killed = cluster.scan_on_cluster, []
    with distributed.LocalCluster(n_workers=2, **PROCESSES) as made:

        def scan_and_kill(*arguments: Any) -> Iterator[Batch]:
            batches = iter(scan(*arguments))
            yield next(batches)
            killed.append(made.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)
            yield from batches

        monkeypatch.setattr(command, "scan_on_cluster", scan_and_kill)
        there = scanned(folder, tmp_path / "there", "--dask", made.scheduler_address)
    assert killed
    assert there == here


def test_standard_input_stays_here(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker has it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(saved([flow(7)]))))
    batches = cluster.scan_on_cluster(running.scheduler_address, ["-"], Settings())
    assert summed(batches)[1] == 1


def test_what_a_worker_does(folder: Path) -> None:
    """All of a task, at once."""
    task = Task(str(folder / "001.flows"))
    assert cluster._do(task, Settings()) == list(Scanner(Settings()).scan(task))


def test_a_task_that_nobody_can_do() -> None:
    """It is named."""

    class Failed:
        def exception(self) -> Exception:
            return MemoryError("too much")

    (batch,) = cluster._result(Task("a.flows"), Failed())
    (error,) = batch.errors
    assert error.startswith("cannot read a.flows")
    assert "no worker of the cluster could do it: MemoryError: too much" in error


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and nothing is scanned."""
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 0.1)
    with pytest.raises(WrongUsageError, match="there is no Dask scheduler at tcp://127"):
        cluster.scan_on_cluster("tcp://127.0.0.1:1", ["x"], Settings())


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtraError, match="scale"):
        cluster.scan_on_cluster("tcp://127.0.0.1:1", ["x"], Settings())
