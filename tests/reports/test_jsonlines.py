"""The violation log on a real file system, with what can happen there."""

import json
import logging
import os
import shutil
import stat
from pathlib import Path

import pytest

from hopguard.reports.jsonlines import ViolationLog
from hopguard.reports.rotation import Rotation


def numbers(path: Path) -> list[int]:
    """Read the records back."""
    return [json.loads(line)["n"] for line in path.read_text().splitlines()]


def test_records_are_lines_in_a_private_file(tmp_path: Path) -> None:
    """The folder is made, both are the owner's, a second log appends."""
    path = tmp_path / "new" / "v.jsonl"
    for first in (1, 3):
        log = ViolationLog(path)
        log.write([{"n": first}, {"n": first + 1}])
        log.close()
    assert numbers(path) == [1, 2, 3, 4]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


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


def test_another_file_that_bears_the_name_is_the_log(tmp_path: Path) -> None:
    """Somebody else has moved ours and begun a new one: that is what people follow."""
    path = tmp_path / "v.jsonl"
    log = ViolationLog(path)
    log.write([{"n": 1}])
    path.rename(tmp_path / "old")
    path.write_text('{"n":2}\n')
    log.write([{"n": 3}, {"n": 4}])
    log.close()
    assert numbers(tmp_path / "old") == [1]
    assert numbers(path) == [2, 3, 4]


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
        f"(records lost so far: {lost})"
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


def test_a_line_that_broke_off_ends_before_the_next_one(tmp_path: Path) -> None:
    """Somebody else's, too, and while the file is open: whoever shares it may be killed."""
    path = tmp_path / "v.jsonl"
    path.write_text('{"n":0}\n{"n')
    log = ViolationLog(path)
    log.write([{"n": 1}])
    with path.open("a") as other:
        other.write('{"n":2')
    log.write([{"n": 3}, {"n": 4}])
    log.close()
    assert path.read_text() == '{"n":0}\n{"n\n{"n":1}\n{"n":2\n{"n":3}\n{"n":4}\n'


def test_copy_and_truncate(tmp_path: Path) -> None:
    """As logrotate does it where it is told so: the next line is the first one, without a gap."""
    path = tmp_path / "v.jsonl"
    log = ViolationLog(path)
    log.write([{"n": 1}, {"n": 2}])
    path.write_bytes(b"")
    log.write([{"n": 3}])
    log.close()
    assert path.read_text() == '{"n":3}\n'


def test_the_folder_is_removed(tmp_path: Path) -> None:
    """It is made again."""
    path = tmp_path / "folder" / "v.jsonl"
    log = ViolationLog(path)
    log.write([{"n": 1}])
    shutil.rmtree(path.parent)
    log.write([{"n": 2}])
    log.close()
    assert numbers(path) == [2]
    assert log.lost == 0


def test_the_folder_becomes_a_file(tmp_path: Path) -> None:
    """What cannot be written is lost; then writing goes on."""
    path = tmp_path / "folder" / "v.jsonl"
    log = ViolationLog(path)
    shutil.rmtree(path.parent)
    path.parent.touch()
    log.write([{"n": 1}])
    path.parent.unlink()
    log.write([{"n": 2}])
    log.close()
    assert numbers(path) == [2]
    assert log.lost == 1


def test_a_pipe_that_nobody_empties_does_not_stop_traffic(tmp_path: Path) -> None:
    """What does not fit into it is lost."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    log = ViolationLog(path, Rotation(1))
    log.write({"n": number} for number in range(50_000))
    assert 0 < log.lost < 50_000
    log.close()


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """At start that is the caller's to tell."""
    blocker = tmp_path / "file"
    blocker.touch()
    with pytest.raises(OSError, match="file"):
        ViolationLog(blocker / "v.jsonl")
