"""Several processes: the same result, whatever their number, and whatever happens to them."""

import gc
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import hopguard
from hopguard.scanning import splitting, worker, workers
from hopguard.scanning.inputs import Input
from hopguard.scanning.scanner import Scanner
from hopguard.scanning.splitting import tasks_of
from hopguard.scanning.task import Batch, Settings, Task
from hopguard.scanning.worker import can_fork, how_ended, work
from hopguard.scanning.workers import Workers, scan, scan_here
from tests.captures.flows import saved
from tests.scanning.captures import flow, write


def summed(batches: Iterator[Batch]) -> tuple[list[object], int, list[str]]:
    """Return records, exchanges and errors of all batches."""
    all_ = list(batches)
    errors = [error for batch in all_ for error in batch.errors]
    records: list[object] = [record for batch in all_ for record in batch.records]
    return records, sum(batch.exchanges for batch in all_), errors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a large file and small ones."""
    write(tmp_path / "large.flows", *range(60), body=3_000)
    for number in range(3):
        write(tmp_path / f"small{number}.flows", 100 + number)
    return tmp_path


def test_parts_hold_each_flow_once(folder: Path) -> None:
    """A large file is cut where flows begin."""
    path = str(folder / "large.flows")
    parts = list(tasks_of([path], part=50_000))
    assert len(parts) > 2
    assert parts[0].start == 0
    assert [part.start for part in parts[1:]] == [part.stop for part in parts[:-1]]
    assert sum(part.size for part in parts) == Path(path).stat().st_size
    whole = summed(scan_here(iter([Task(path)]), Settings()))
    assert summed(scan_here(iter(parts), Settings())) == whole
    assert whole[1] == 60


@pytest.mark.parametrize("damage", [b"garbage", b"9999999:", b""])
def test_what_is_behind_the_damage_belongs_to_the_last_part(folder: Path, damage: bytes) -> None:
    """It is told once, with its offset in the file."""
    path = folder / "large.flows"
    good = path.read_bytes()
    path.write_bytes(good + damage)
    _, exchanges, errors = summed(scan_here(tasks_of([str(path)], part=50_000), Settings()))
    assert exchanges == 60
    assert [f"{len(good):,}" in error for error in errors] == [True] * bool(damage)


def test_what_cannot_be_looked_up_is_not_cut() -> None:
    """Whoever reads it will find out."""
    assert splitting._octets(-1, 9, 0) == b""


def test_what_is_not_cut(folder: Path) -> None:
    """Other formats, small files, and what cannot be opened."""
    other = folder / "other"
    other.write_bytes(bytes(200_000))
    assert list(tasks_of([str(other)], part=100)) == [Task(str(other), size=200_000)]
    small = folder / "small0.flows"
    assert len(list(tasks_of([str(small)]))) == 1
    gone = Input(str(folder / "gone"), size=10**9)
    assert [task.path for task in splitting._tasks_of(gone, 100, 100)] == [gone.path]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_their_number_does_not_matter(
    folder: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Neither does standard input among the files, nor how much may wait for its turn."""
    monkeypatch.setattr(workers, "WORTHWHILE", 0)
    monkeypatch.setattr(workers, "BUFFERED", 1)
    stdin = io.TextIOWrapper(io.BytesIO(saved([flow(7)])))
    monkeypatch.setattr(sys, "stdin", stdin)
    paths = [str(folder / "small1.flows"), "-", str(folder)]
    found = summed(scan(tasks_of(paths, part=50_000), Settings(), count))
    stdin.seek(0)
    assert found == summed(scan_here(tasks_of(paths), Settings()))
    assert found[1] == 65


def test_new_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what whoever has other threads gets."""
    monkeypatch.setattr(worker, "can_fork", lambda: False)
    pool = Workers(Settings(), 2)
    batches = pool.scan(tasks_of([str(folder)], part=50_000))
    assert {type(one.process).__name__ for one in pool._workers} == {"SpawnProcess"}
    assert summed(batches) == summed(scan_here(tasks_of([str(folder)]), Settings()))


def test_who_can_be_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process with one thread, if that is known."""
    monkeypatch.setattr(worker, "_THREADS", tmp_path)
    (tmp_path / "1").mkdir()
    assert can_fork()
    (tmp_path / "2").mkdir()
    assert not can_fork()
    monkeypatch.setattr(worker, "_THREADS", tmp_path / "gone")
    assert not can_fork()


def test_a_copy_keeps_nothing_that_it_must_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the ends of other pipes, nor handlers of signals."""
    set_: dict[int, object] = {}
    monkeypatch.setattr(signal, "getsignal", lambda number: print if number == 10 else None)
    monkeypatch.setattr(signal, "signal", set_.__setitem__)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    ours, theirs = multiprocessing.Pipe()
    other, others = multiprocessing.Pipe()
    work(theirs, Settings(), [ours, other])
    assert (ours.closed, other.closed) == (True, True)
    assert set_ == {10: signal.SIG_DFL, signal.SIGINT: signal.SIG_IGN}
    with others, pytest.raises(EOFError):
        others.recv()


COPIES = """
import os, signal, sys, threading
from pathlib import Path
from hopguard.scanning import workers
from hopguard.scanning.splitting import tasks_of
from hopguard.scanning.task import Settings

signal.signal(signal.SIGTERM, lambda *_: None)
sys.stdout.write("once ")  # is not written yet
pool = workers.Workers(Settings(), 3)
batches = pool.scan(tasks_of(sys.argv[1:], part=50_000))
kinds = {type(one.process).__name__ for one in pool._workers}
assert kinds == {"ForkProcess" if Path("/proc/self/task").is_dir() else "SpawnProcess"}
"""


def ended(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that has one thread; it has ended when all have that may write to its pipe."""
    paths = [str(Path(hopguard.__file__).parents[1]), str(Path(__file__).parents[2])]
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", COPIES + program, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        check=False,
        text=True,
    )


def test_copies(folder: Path) -> None:
    """They find the same as new processes, also if one is replaced when there are threads."""
    replace = """
os.kill(pool._workers[0].process.pid, signal.SIGKILL)
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(sum(batch.exchanges + len(batch.errors) > 0 for batch in batches))
"""
    count = "print(sum(batch.exchanges for batch in batches))"
    assert ended(folder, count).stdout == "once 63\n"
    replaced = ended(folder, replace)
    assert (replaced.returncode, replaced.stdout.split()[0]) == (0, "once")


def test_copies_end_with_their_parent(folder: Path) -> None:
    """However it ends: what they have inherited does not keep them waiting for each other."""
    died = ended(folder, "sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)")
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, "once ")


def test_copies_are_stopped(folder: Path) -> None:
    """What their parent does with signals is not theirs; nor do they write what it will write."""
    assert ended(folder, "next(batches); batches.close()").stdout == "once "
    unused = ended(folder, "del batches; assert not pool._workers")
    assert (unused.returncode, unused.stdout) == (0, "once ")


def test_little_is_done_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started for it."""
    monkeypatch.setattr(workers, "Workers", None)
    assert summed(scan(tasks_of([str(folder)]), Settings(), 2))[1] == 63


def test_a_worker_that_dies(folder: Path) -> None:
    """Its task is named, and the others are done."""
    pool = Workers(Settings(), 1)
    tasks = tasks_of([str(folder)], part=50_000)
    batches = pool.scan(tasks)
    first = next(batches)
    (one,) = pool._workers
    assert one.process.pid is not None
    os.kill(one.process.pid, signal.SIGKILL)
    one.process.join()
    records, exchanges, errors = summed(batches)
    assert errors
    assert all("the process that read it ended by SIGKILL" in error for error in errors)
    assert exchanges + first.exchanges >= 3
    assert len(records) == 2 * exchanges


def test_work_ends_with_its_connection(folder: Path) -> None:
    """What a worker process runs."""
    ours, theirs = multiprocessing.Pipe()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signal, "signal", lambda *_: None)  # only a main thread may
        thread = threading.Thread(target=work, args=(theirs, Settings()))
        thread.start()
        ours.send(Task(str(folder / "small0.flows")))
        batch = ours.recv()
        assert ours.recv_bytes() == b""
        ours.close()
        thread.join()
    assert batch.exchanges == 1


def test_how_processes_end() -> None:
    """By a signal, or with a status."""
    assert how_ended(-9) == "by SIGKILL"
    assert how_ended(-300) == "by signal 300"
    assert how_ended(1) == "with status 1"


def test_a_bug_is_named_and_hides_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading goes on with the next file."""
    scanner = Scanner(Settings())
    monkeypatch.setattr("hopguard.scanning.scanner.judge", lambda *_: 1 / 0)
    _, exchanges, errors = summed(scanner.scan(Task(str(folder / "small0.flows"))))
    assert exchanges == 0
    assert "this is a bug of hopguard: ZeroDivisionError" in errors[0]


def test_a_file_that_changes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is reported all the same."""
    monkeypatch.setattr("hopguard.scanning.part.EXCHANGES", 1)
    path = folder / "large.flows"
    batches = Scanner(Settings()).scan(Task(str(path)))
    next(batches)
    with path.open("ab") as file:
        file.write(saved([flow(1)]))
    _, exchanges, errors = summed(batches)
    assert exchanges == 60
    assert errors == [f"cannot read {path}: it has changed while it was read"]


def test_whoever_has_seen_enough_stops_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is left behind."""
    monkeypatch.setattr(workers, "AHEAD", 1)
    pool = Workers(Settings(), 2)
    batches = pool.scan(tasks_of([str(folder)], part=50_000))
    next(batches)
    processes = [one.process for one in pool._workers]
    batches.close()
    assert processes
    assert not any(process.is_alive() for process in processes)


def test_what_is_gone_meanwhile(tmp_path: Path) -> None:
    """It was there when the captures were listed."""
    _, exchanges, errors = summed(Scanner(Settings()).scan(Task(str(tmp_path / "gone"))))
    assert exchanges == 0
    assert errors == [f"cannot read {tmp_path}/gone: No such file or directory"]


def test_other_formats(tmp_path: Path) -> None:
    """They are recognised by their content."""
    path = tmp_path / "x"
    path.write_text('{"log": {"version": "1.2", "creator": {"name": "x"}, "entries": []}}')
    *_, last = Scanner(Settings()).scan(Task(str(path)))
    assert (last.format, last.errors) == ("HAR", ())
