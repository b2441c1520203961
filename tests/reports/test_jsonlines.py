"""The violation log on a real file system, with what can happen there."""

import json
import logging
import os
import stat
from pathlib import Path

import pytest

from hopguard.reports.jsonlines import ViolationLog


def numbers(path: Path) -> list[int]:
    """Read the records back."""
    return [json.loads(line)["n"] for line in path.read_text().splitlines()]


def test_records_are_lines_in_a_private_file(tmp_path: Path) -> None:
    """The folder is made, the file is the owner's, a second log appends."""
    path = tmp_path / "new" / "v.jsonl"
    for first in (1, 3):
        log = ViolationLog(path)
        log.write([{"n": first}, {"n": first + 1}])
        log.close()
    assert numbers(path) == [1, 2, 3, 4]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_writers_share_a_file(tmp_path: Path) -> None:
    """Each line is one write at the end of the file."""
    path = tmp_path / "v.jsonl"
    one, two = ViolationLog(path), ViolationLog(path)
    for number in range(10):
        (one if number % 2 else two).write([{"n": number}])
    assert numbers(path) == list(range(10))
    one.close()
    two.close()


def test_a_moved_file_is_followed_by_a_new_one(tmp_path: Path) -> None:
    """As a log rotation by move does it."""
    path = tmp_path / "v.jsonl"
    log = ViolationLog(path)
    log.write([{"n": 1}])
    path.rename(tmp_path / "old")
    log.write([{"n": 2}])
    path.unlink()
    log.write([{"n": 3}])
    log.close()
    assert numbers(tmp_path / "old") == [1]
    assert numbers(path) == [3]


def test_what_cannot_be_written_is_counted_and_told_once_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traffic goes on; writing goes on by itself when it is possible again."""
    now = [0.0]
    path = tmp_path / "folder" / "v.jsonl"
    log = ViolationLog(path, clock=lambda: now[0])
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with caplog.at_level(logging.ERROR):
        log.write([{"n": 1}, {"n": 2}])
        now[0] = 61.0
        log.write([{"n": 3}])
        monkeypatch.setattr(os, "write", write)
        log.write([{"n": 4}])
        log.close()
    assert numbers(path) == [4]
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"hopguard: cannot write the violation log {path}: No space left on device "
        f"({lost} records lost so far)"
        for lost in (1, 3)
    ] + [f"hopguard: 3 records are missing from {path}"]


def test_a_partial_write_spoils_one_line_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next record begins on a line of its own."""
    path = tmp_path / "v.jsonl"
    log = ViolationLog(path)
    write = os.write
    cut = iter([3])

    def partial(descriptor: int, data: bytes) -> int:
        return write(descriptor, data[: next(cut, None)])

    monkeypatch.setattr(os, "write", partial)
    log.write([{"n": 1}, {"n": 2}])
    log.close()
    assert path.read_text().splitlines() == ['{"n', '{"n":2}']
    assert log.lost == 1


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """At start that is the caller's to tell."""
    blocker = tmp_path / "file"
    blocker.touch()
    with pytest.raises(OSError, match="file"):
        ViolationLog(blocker / "v.jsonl")
