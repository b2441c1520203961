"""The violation log where the disk is full or cannot be written, for real."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hopguard.reports.jsonlines import ViolationLog
from hopguard.reports.rotation import Rotation

LIMITED = """
import json, logging, resource, sys
from pathlib import Path
from hopguard.reports.jsonlines import ViolationLog
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
logging.basicConfig(format="%(message)s")
log = ViolationLog(path)
log.write({"n": number} for number in range(50))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.write([{"n": 50}])
log.close()
"""


def mount(*arguments: str) -> None:
    """Run mount, or skip the test where that is not allowed."""
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder that is a file system of 64 KiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Write until the disk is full."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return filler
    raise AssertionError("the disk has no end")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List what was logged."""
    return [record.getMessage() for record in caplog.records]


def test_a_device_that_is_always_full(caplog: pytest.LogCaptureFixture) -> None:
    """One error, and the number at the end."""
    path = Path("/dev/full")
    if not path.exists():
        pytest.skip("there is no /dev/full")
    with caplog.at_level(logging.ERROR):
        log = ViolationLog(path, Rotation(1))
        log.write({"n": number} for number in range(10))
        log.close()
    assert said(caplog) == [
        "hopguard: cannot write the violation log /dev/full: No space left on device"
        " (records lost so far: 1)",
        "hopguard: 10 records are missing from /dev/full",
    ]


def test_a_process_that_may_write_no_more(tmp_path: Path) -> None:
    """The record that did not fit breaks off; what comes when there is room again is whole."""
    path = tmp_path / "v.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    whole = [f'{{"n":{number}}}' for number in range(12)]
    assert path.read_text().splitlines() == [*whole, '{"', '{"n":50}']
    assert done.stderr.splitlines() == [
        f"hopguard: cannot write the violation log {path}: only 2 of 9 octets were written"
        " (records lost so far: 1)",
        f"hopguard: 38 records are missing from {path}",
    ]


def test_a_full_disk(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Writing goes on by itself when there is room again."""
    path = disk / "folder" / "v.jsonl"
    log = ViolationLog(path)
    log.write([{"n": 1}])
    filler = fill(disk)
    with caplog.at_level(logging.ERROR):
        log.write({"n": 2, "padding": "x" * 1000} for _ in range(10))
        lost = log.lost
        filler.unlink()
        log.write([{"n": 3}])
        log.close()
    assert 0 < lost <= 10
    lines = path.read_text().splitlines()
    assert (lines[0], lines[-1]) == ('{"n":1}', '{"n":3}')
    assert said(caplog)[-1] == f"hopguard: {lost} records are missing from {path}"


def test_a_full_disk_does_not_keep_a_file_from_being_moved(disk: Path) -> None:
    """A name needs no room, but what there is must stay."""
    path = disk / "v.jsonl"
    log = ViolationLog(path, Rotation(5000, keep=9))
    log.write({"n": number, "padding": "x" * 900} for number in range(5))
    filler = fill(disk)
    log.write({"n": number, "padding": "x" * 900} for number in range(5, 50))
    filler.unlink()
    log.write([{"n": 50}])
    log.close()
    whole = [
        json.loads(line)["n"]
        for file in sorted(disk.iterdir(), reverse=True)
        for line in file.read_text().splitlines()
        if line.endswith("}")
    ]
    assert whole[:5] == [0, 1, 2, 3, 4]
    assert whole[-1] == 50
    assert 0 < log.lost == 51 - len(whole)


def test_a_disk_that_becomes_read_only(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As Linux makes it after an error."""
    path = disk / "v.jsonl"
    log = ViolationLog(path)
    log.write([{"n": 1}])
    filler = fill(disk)
    with caplog.at_level(logging.ERROR):
        log.write([{"n": 2, "padding": "x" * 9000}])  # now it is not open, as after an error
        filler.unlink()
        mount("-o", "remount,ro", str(disk))
        log.write([{"n": 3}])
        mount("-o", "remount,rw", str(disk))
        log.write([{"n": 4}])
        log.close()
    lines = path.read_text().splitlines()
    assert (lines[0], lines[-1]) == ('{"n":1}', '{"n":4}')
    assert said(caplog)[-1] == f"hopguard: 2 records are missing from {path}"
