"""Rotation, with everything that others do to the same files at the same time."""

import fcntl
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hopguard.reports.jsonlines import ViolationLog
from hopguard.reports.rotation import Rotation

LINE = len('{"n":0}\n')

WRITER = """
import sys
from pathlib import Path
from hopguard.reports.jsonlines import ViolationLog
from hopguard.reports.rotation import Rotation
path, first, last, size, keep, pace = Path(sys.argv[1]), *map(int, sys.argv[2:])
log = ViolationLog(path, Rotation(size, keep))
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, last):
    if pace and number % pace == 0:
        sys.stdin.readline()
    log.write([{"n": number, "padding": "x" * (number % 50)}])
    print(number, flush=True)
log.close()
assert log.lost == 0
"""
"""Writes records, and says of each when it is written; with a pace, it waits now and then."""


def numbers(path: Path) -> list[int]:
    """Read the records in one file."""
    return [json.loads(line)["n"] for line in path.read_bytes().splitlines() if line]


def all_numbers(folder: Path) -> list[int]:
    """Read the records in all files of a folder, in ascending order."""
    return sorted(number for path in folder.iterdir() for number in numbers(path))


@contextmanager
def writers(
    path: Path, *spans: tuple[int, int], size: int, keep: int, pace: int = 0
) -> Iterator[list[Any]]:
    """Start a process for each span of numbers; let all of them begin at once."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, *map(str, (path, first, last, size, keep, pace))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
        )
        for first, last in spans
    ]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_full_file_moves_and_the_oldest_one_goes(tmp_path: Path) -> None:
    """A file holds what fits into it; `.1` is the youngest of those that moved."""
    path = tmp_path / "v.jsonl"
    log = ViolationLog(path, Rotation(2 * LINE, keep=2))
    log.write({"n": number} for number in range(9))
    log.close()
    assert {one.name: numbers(one) for one in tmp_path.iterdir()} == {
        "v.jsonl": [8],
        "v.jsonl.1": [6, 7],
        "v.jsonl.2": [4, 5],
    }


def test_a_file_that_is_full_at_the_start(tmp_path: Path) -> None:
    """And a record that is larger than a file may be: it has one of its own."""
    path = tmp_path / "v.jsonl"
    for number in range(3):
        log = ViolationLog(path, Rotation(1, keep=5))
        log.write([{"n": number}])
        log.close()
    found = [numbers(tmp_path / f"v.jsonl{number}") for number in ("", ".1", ".2")]
    assert found == [[2], [1], [0]]


def test_nothing_goes_while_there_is_a_free_number(tmp_path: Path) -> None:
    """A process that was killed between two moves, or somebody tidying up, left a gap."""
    path = tmp_path / "v.jsonl"
    for name, number in (("", 9), (".2", 2), (".3", 3)):
        (tmp_path / f"v.jsonl{name}").write_text(f'{{"n":{number}}}\n')
    log = ViolationLog(path, Rotation(LINE, keep=3))
    log.write([{"n": 8}])
    assert all_numbers(tmp_path) == [2, 3, 8, 9]
    assert numbers(tmp_path / "v.jsonl.3") == [3]
    log.write([{"n": 7}])
    log.close()
    assert all_numbers(tmp_path) == [2, 7, 8, 9]


def test_without_a_size_nothing_moves(tmp_path: Path) -> None:
    """The default of the class; the addon has another one."""
    log = ViolationLog(tmp_path / "v.jsonl", Rotation(0, keep=1))
    log.write({"n": number} for number in range(1000))
    log.close()
    assert os.listdir(tmp_path) == ["v.jsonl"]  # noqa: PTH208


def test_a_symbolic_link_is_not_moved(tmp_path: Path) -> None:
    """Such as /dev/stdout: it would be moved, or what the shell redirected it to."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    log = ViolationLog(tmp_path / "link", Rotation(LINE))
    log.write([{"n": 1}, {"n": 2}])
    log.close()
    assert sorted(os.listdir(tmp_path)) == ["link", "real"]  # noqa: PTH208
    assert numbers(tmp_path / "real") == [1, 2]


def test_who_cannot_rotate_writes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It says so once a minute; nothing is lost."""
    now = [0.0]
    path = tmp_path / "v.jsonl"
    (tmp_path / "v.jsonl.1").mkdir()
    log = ViolationLog(path, Rotation(LINE), clock=lambda: now[0])
    log.write({"n": number} for number in range(3))
    now[0] = 61
    log.write([{"n": 3}])
    (tmp_path / "v.jsonl.1").rmdir()
    log.write([{"n": 4}])
    log.close()
    said = f"hopguard: cannot rotate the violation log {path}: Is a directory (it grows on)"
    assert [record.getMessage() for record in caplog.records] == [said] * 2
    assert numbers(path) == [4]
    assert numbers(tmp_path / "v.jsonl.1") == [0, 1, 2, 3]


def test_nobody_waits_for_another_one_that_rotates(tmp_path: Path) -> None:
    """It may have been stopped in the middle: traffic and log go on, and so does the file."""
    path = tmp_path / "v.jsonl"
    log = ViolationLog(path, Rotation(LINE))
    log.write([{"n": 1}])
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        log.write([{"n": 2}])
    assert numbers(path) == [1, 2]
    log.write([{"n": 3}])
    log.close()
    assert numbers(path) == [3]


@pytest.mark.parametrize("made_anew", [False, True])
def test_another_one_was_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_anew: bool
) -> None:
    """What comes after its move is in the file that it moved; the new file stays where it is."""
    path, moved = tmp_path / "v.jsonl", tmp_path / "v.jsonl.1"
    log = ViolationLog(path, Rotation(LINE))
    log.write([{"n": 1}])
    lock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        if operation != fcntl.LOCK_UN and not moved.exists():
            path.rename(moved)
            if made_anew:
                path.write_text('{"n":3}\n')
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    log.write([{"n": 2}])
    log.close()
    assert numbers(moved) == [1, 2]
    assert path.exists() == made_anew


def test_processes_that_write_and_rotate_one_file_at_once(tmp_path: Path) -> None:
    """Every record is there, once."""
    path, each = tmp_path / "v.jsonl", 2000
    spans = [(number * each, (number + 1) * each) for number in range(3)]
    with writers(path, *spans, size=2000, keep=9999) as processes:
        for process in processes:
            _, said = process.communicate(timeout=120)
            assert (process.returncode, said) == (0, "")
    assert len(list(tmp_path.iterdir())) > 10  # how many there are, is a matter of luck
    assert all_numbers(tmp_path) == list(range(3 * each))


def test_processes_whose_file_is_moved_by_somebody_else(tmp_path: Path) -> None:
    """As logrotate does it, again and again."""
    path, each, pace = tmp_path / "v.jsonl", 2000, 100
    with writers(path, (0, each), (each, 2 * each), size=0, keep=1, pace=pace) as processes:
        for turn in range(each // pace):
            for process in processes:
                process.stdin.write("\n")
                process.stdin.flush()
            for _ in range(pace // 4):  # now both are in the middle of it
                processes[0].stdout.readline()
            path.rename(tmp_path / f"moved.{turn}")
            for _ in range(pace - pace // 4):
                processes[0].stdout.readline()
        for process in processes:
            _, said = process.communicate(timeout=120)
            assert (process.returncode, said) == (0, "")
    assert all_numbers(tmp_path) == list(range(2 * each))


def test_killed(tmp_path: Path) -> None:
    """All that was written is there, whoever was killed where; the rest of the lines is whole."""
    path, each = tmp_path / "v.jsonl", 100_000
    with writers(path, (0, each), (each, 2 * each), size=5000, keep=9999) as processes:
        written = [int(processes[number % 2].stdout.readline()) for number in range(1000)]
        processes[0].send_signal(signal.SIGKILL)
        rest = processes[0].stdout.read()
        # The last line may have broken off with the process.
        written += map(int, rest.split("\n")[:-1])
        written += [int(processes[1].stdout.readline()) for _ in range(1000)]
    whole, broken = set(), []
    for file in tmp_path.iterdir():
        for line in file.read_text().splitlines():
            found = re.fullmatch(r'\{"n":(\d+),"padding":"x*"\}', line)
            if found:
                assert int(found[1]) not in whole
                whole.add(int(found[1]))
            elif line:
                broken.append(line)
    assert set(written) <= whole
    assert len(broken) <= 2


def test_complaints_about_writing_and_rotating_are_counted_apart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one does not silence the other."""
    (tmp_path / "v.jsonl.1").mkdir()
    log = ViolationLog(tmp_path / "v.jsonl", Rotation(LINE), clock=lambda: 0)
    log.write([{"n": 1}, {"n": 2}])

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with caplog.at_level(logging.ERROR):
        log.write([{"n": 3}])
        log.close()
    assert [record.getMessage().split()[2] for record in caplog.records] == [
        "rotate",
        "write",
        "records",
    ]
