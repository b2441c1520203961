"""The violation log of real processes: ends of all sorts, full disks, and several of them."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.live.feeding import ADDON, OK
from tests.peers import Http1Client, Http1Origin, Mitm, ProcessFailedError, message
from tests.peers.mitm import Option
from tests.records import read_log

pytestmark = pytest.mark.live

MANY = 60
MINE = re.compile(r"^\[[0-9:.]+\]\s*(hopguard.*)$", re.MULTILINE)


@pytest.fixture
def origin() -> Iterator[Http1Origin]:
    with Http1Origin(default=OK) as started:
        yield started


@contextmanager
def proxy(origin: Http1Origin, confdir: Path, log: Path, **options: Option) -> Iterator[Mitm]:
    """Start a mitmdump with the addon and a log."""
    given = {"hopguard_log": str(log), "hopguard_see_rejected": True, **options}
    with Mitm(f"reverse:{origin.url}", scripts=[ADDON], options=given, confdir=confdir) as mitm:
        yield mitm


def violate(mitm: Mitm, name: str, times: int = MANY) -> list[str]:
    """Make exchanges with one finding each, each of which succeeds; name them."""
    names = [f"/{name}/{number}" for number in range(times)]
    with Http1Client(mitm.address()) as client:
        for one in names:
            line = message(
                b"GET %s HTTP/1.1" % one.encode(), b"Host: x", b"Proxy-Connection: keep-alive"
            )
            assert client.exchange(line).status == 200
    return names


def found(*logs: Path) -> list[str]:
    """Name the exchanges in the logs, all of whose lines must be valid."""
    return ["/" + one["url"].split("/", 3)[3] for log in logs for one in read_log(log)]


def complaints(mitm: Mitm) -> list[str]:
    """Give what we have printed but for the findings."""
    said = MINE.findall(mitm.output)
    return [line for line in said if "proxy-connection-field" not in line and "what" not in line]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_missing_after_the_end(
    origin: Http1Origin, confdir: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """What a client has its answer for is in the log, even after `kill -9`."""
    log = tmp_path / "new" / "v.jsonl"
    with proxy(origin, confdir, log) as mitm:
        names = violate(mitm, "end")
        mitm.stop(number)
        assert complaints(mitm) == []
    assert found(log) == names


def test_rotation(origin: Http1Origin, confdir: Path, tmp_path: Path) -> None:
    log = tmp_path / "v.jsonl"
    options: dict[str, Option] = {"hopguard_log_max_size": "4k", "hopguard_log_keep": "99"}
    with proxy(origin, confdir, log, **options) as mitm:
        names = violate(mitm, "rotated")
        assert mitm.stop() == 0
        assert complaints(mitm) == []
    count = len(list(tmp_path.iterdir()))
    assert count > 5
    files = [tmp_path / f"v.jsonl.{number}" for number in range(count - 1, 0, -1)]
    assert all(file.stat().st_size <= 4096 for file in files)
    assert found(*files, log) == names


def test_two_proxies_share_a_log(origin: Http1Origin, confdir: Path, tmp_path: Path) -> None:
    log, names = tmp_path / "v.jsonl", []
    options: dict[str, Option] = {"hopguard_log_max_size": "2k", "hopguard_log_keep": "999"}
    with ExitStack() as stack:
        proxies = [stack.enter_context(proxy(origin, confdir, log, **options)) for _ in range(2)]
        for turn in range(10):
            names += violate(proxies[turn % 2], f"turn-{turn}", times=10)
    assert sorted(found(*tmp_path.iterdir())) == sorted(names)


def test_a_full_disk(origin: Http1Origin, confdir: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with proxy(origin, confdir, Path("/dev/full")) as mitm:
        violate(mitm, "full")
        assert mitm.stop() == 0
        assert complaints(mitm) == [
            "hopguard: cannot write the violation log /dev/full: No space left on device"
            " (records lost so far: 1)",
            f"hopguard: {MANY} records are missing from /dev/full",
        ]


def test_the_log_is_moved_truncated_and_removed_while_it_is_written(
    origin: Http1Origin, confdir: Path, tmp_path: Path
) -> None:
    """Nothing but what was removed is missing."""
    folder = tmp_path / "folder"
    log = folder / "v.jsonl"
    with proxy(origin, confdir, log) as mitm:
        moved = violate(mitm, "moved", 5)
        log.rename(folder / "old")
        copied = violate(mitm, "copied", 5)
        (folder / "copy").write_bytes(log.read_bytes())
        os.truncate(log, 0)
        kept = violate(mitm, "kept", 5)
        assert found(folder / "old") == moved
        assert found(folder / "copy") == copied
        assert found(log) == kept
        folder.rename(tmp_path / "gone")
        last = violate(mitm, "last", 5)
        assert mitm.stop() == 0
        assert complaints(mitm) == []
    assert found(log) == last


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("hopguard_log_max_size=50mb", "hopguard_log_max_size: '50mb' is not a size"),
        ("hopguard_log_keep=0", "hopguard_log_keep: '0' is not a number of files from 1 to"),
        ("hopguard_log=/proc/no/v.jsonl", "hopguard_log: cannot write '/proc/no/v.jsonl': "),
    ],
)
def test_a_wrong_value_is_refused_at_start(
    origin: Http1Origin, confdir: Path, tmp_path: Path, setting: str, said: str
) -> None:
    name, _, value = setting.partition("=")
    with (
        pytest.raises(ProcessFailedError, match=re.escape(said)) as ended,
        proxy(origin, confdir, tmp_path / "v.jsonl", **{name: value}),
    ):
        pass
    assert "exit status 1" in str(ended.value)


def test_config_yaml(origin: Http1Origin, tmp_path: Path, confdir: Path) -> None:
    """A number needs no quotes there."""
    own = tmp_path / "conf"
    own.mkdir()
    for file in confdir.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    (own / "config.yaml").write_text("hopguard_log_keep: 1\nhopguard_log_max_size: 1\n")
    log = tmp_path / "log" / "v.jsonl"
    with proxy(origin, own, log) as mitm:
        names = violate(mitm, "yaml", 3)
    assert found(log.with_name("v.jsonl.1"), log) == names[1:]
