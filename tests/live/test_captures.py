"""What a real mitmproxy saves is scanned as it judges: live, and when it reads the file again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hopguard.cli import main
from tests.live.feeding import ADDON
from tests.peers import Http1Client, Http1Origin, Mitm, message
from tests.records import read_log

pytestmark = pytest.mark.live

ANSWER = message(
    b"HTTP/1.1 200 OK", b"Content-Length: 2", b"Keep-Alive: timeout=5", b"TE: x", body=b"ok"
)


def comparable(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the time, and what was found about connections, of which not all is saved."""
    found = [{**one, "time": None} for one in records if one["part"] != "connection"]
    return sorted(found, key=json.dumps)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> tuple[Path, Path]:
    """Give a flow file and the violation log of the same traffic."""
    folder = tmp_path_factory.mktemp("saved")
    flows, log = folder / "saved.flows", folder / "live.jsonl"
    options = {"hopguard_log": str(log), "save_stream_file": str(flows)}
    with (
        Http1Origin(default=ANSWER) as origin,
        Mitm(f"reverse:{origin.url}", scripts=[ADDON], options=options, confdir=confdir) as mitm,
    ):
        for fields in (
            [b"Connection: keep-alive, X-Forwarded-For", b"X-Forwarded-For: 192.0.2.1"],
            [b"Proxy-Connection: keep-alive", b"Cookie: secret=1", b"TE: gzip"],
            [b"Transfer-Encoding: chunked", b"Content-Length: 3"],
        ):
            with Http1Client(mitm.address()) as client:
                start = b"GET /path?query=secret HTTP/1.1"
                client.exchange(message(start, b"Host: www.example", *fields))
        mitm.stop()
    return flows, log


def test_scanned_as_seen_live(saved: tuple[Path, Path], tmp_path: Path) -> None:
    """Also what was refused."""
    flows, log = saved
    report = tmp_path / "scanned.jsonl"
    assert main(["scan", str(flows), "--format", "jsonl", "--output", str(report)]) == 0
    live = comparable(read_log(log))
    assert comparable(read_log(report)) == live
    assert {one["action"] for one in live} == {"flagged", "refused"}


def test_mitmdump_reads_it_the_same(saved: tuple[Path, Path], tmp_path: Path) -> None:
    """With the option -n and -r."""
    flows, live = saved
    log = tmp_path / "again.jsonl"
    tool = Path(sys.executable).parent / "mitmdump"
    options = ["--set", f"hopguard_log={log}", "--set", f"confdir={tmp_path}"]
    argv = [str(tool), "-q", "-n", "-r", str(flows), "-s", str(ADDON), *options]
    subprocess.run(argv, check=True, timeout=120)
    assert comparable(read_log(log)) == comparable(read_log(live))
