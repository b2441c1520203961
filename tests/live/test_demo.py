"""What scripts/demo shows, run as a user runs it but for the set-up."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.peers import TIMEOUT, Process
from tests.records import read_log

pytestmark = pytest.mark.live

SCRIPT = Path(__file__).parents[2] / "scripts" / "demo.py"
FINDING = (
    r"^\[[0-9:.]+\] hopguard: (error|warning|info) ([a-z0-9-]+)(/[a-z0-9-]+)?: .*\[.* leg, HTTP"
)
ROW = re.compile(r"^([a-z0-9-]+) +(\d+)  (client|server) +(HTTP/\S+)$", re.MULTILINE)
START = """
import os, sys
os.environ["TMPDIR"] = sys.argv[1]
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
EVERY_VERSION = {"HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"}


def run(folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run the demo, which has to succeed; give its output."""
    done = subprocess.run(
        [sys.executable, SCRIPT],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        check=False,
        text=True,
        timeout=TIMEOUT,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def rules_of(output: str) -> list[str]:
    return [found[1] for found in re.findall(FINDING, output, re.MULTILINE)]


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[Process]:
    """Start the demo; in the end, see that nothing of it is left."""
    temporary = folder / "temporary"
    temporary.mkdir()
    process = Process(
        [sys.executable, "-c", START, str(temporary), str(SCRIPT), *arguments], folder
    )
    try:
        yield process
        process.wait()
        assert processes_with(f"TMPDIR={temporary}") == []
        assert list(temporary.iterdir()) == []
    finally:
        process.kill()
        for left in processes_with(f"TMPDIR={temporary}"):
            with suppress(ProcessLookupError):
                os.kill(int(left), signal.SIGKILL)


def processes_with(text: str) -> list[str]:
    """List the processes of this machine that have `text` in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
        except OSError:  # another user's, or gone
            continue
        if text.encode() in environment:
            found.append(process.name)
    return found


def test_findings_table_and_log(tmp_path: Path) -> None:
    output = run(tmp_path)
    records = read_log(tmp_path / "violations.jsonl")
    assert rules_of(output) == [record["rule"] for record in records]
    assert {record["http_version"] for record in records} == EVERY_VERSION
    assert {record["sender"] for record in records} == {"client", "server"}
    assert {record["action"] for record in records} == {"flagged", "refused"}
    table = output.partition("hopguard: what was found\n")[2]
    counts = Counter(
        (str(record["rule"]), str(record["sender"]), str(record["http_version"]))
        for record in records
    )
    rows = {(row[1], row[3], row[4]): int(row[2]) for row in ROW.finditer(table)}
    assert rows == counts
    assert f"violations: {len(records)}, " in table


def test_what_is_correct_stays_silent_and_findings_follow_their_cause(tmp_path: Path) -> None:
    exchanges = run(tmp_path).partition("hopguard: what was found")[0].split("\n\n")
    correct = [one for one in exchanges if re.match(r"\d+\. .*: correct", one)]
    faulty = [one for one in exchanges if re.match(r"\d+\. ", one) and one not in correct]
    assert len(correct) >= 4
    assert not any(rules_of(one) for one in correct)
    assert all(rules_of(one) for one in faulty)


def test_a_second_run_has_a_log_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "violations.jsonl").write_text("mine\n")
    for name in ("violations-2.jsonl", "violations-3.jsonl"):
        assert f"in {name}" in run(tmp_path)
        assert read_log(tmp_path / name)
    assert (tmp_path / "violations.jsonl").read_text() == "mine\n"


def test_without_curl(tmp_path: Path) -> None:
    assert "curl: (" not in run(tmp_path, {"PATH": str(tmp_path)})


def test_nothing_is_left_running(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("begun", ["Starting", r"^3\. ", r"^20\. "])
def test_interrupted(tmp_path: Path, number: signal.Signals, begun: str) -> None:
    with demo(tmp_path) as process:
        process.wait_for_line(begun)
        assert process.stop(number) == 128 + number
        assert "Traceback" not in process.output


@pytest.mark.parametrize("begun", ["Starting", r"^3\. "])
def test_interrupted_in_a_terminal(tmp_path: Path, begun: str) -> None:
    with demo(tmp_path) as process:
        process.wait_for_line(begun)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == 128 + signal.SIGINT
        assert "Traceback" not in process.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("to_all", [False, True], ids=["to the demo", "as in a terminal"])
def test_web(tmp_path: Path, number: signal.Signals, to_all: bool) -> None:
    with demo(tmp_path, "--web") as process:
        address = process.wait_for_line(r"Look at the flows: (\S+)$")[1]
        flows = flows_in(address)
        records = read_log(tmp_path / "violations.jsonl")
        assert rules_of(process.output) == [record["rule"] for record in records]
        if to_all:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
        assert process.wait() == 0
        assert "hopguard: what was found" in process.output
        assert "Traceback" not in process.output
    marked = {flow["id"]: flow["comment"] for flow in flows if flow["marked"]}
    assert marked.keys() == {record["flow"] for record in records}
    assert len(marked) < len(flows)
    assert all(str(record["rule"]) in marked[str(record["flow"])] for record in records)


def flows_in(address: str) -> list[dict[str, str]]:
    """Visit mitmweb's page, which gives a cookie for the token; fetch what it shows."""
    visit = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor()
    )
    with visit.open(address, timeout=TIMEOUT) as page:
        assert page.status == 200
    with visit.open(urljoin(address, "/flows"), timeout=TIMEOUT) as response:
        flows: list[dict[str, str]] = json.load(response)
    return flows


def test_help_and_misuse(tmp_path: Path) -> None:
    for arguments, status in (["--help"], 0), (["--wbe"], 2):
        process = Process([sys.executable, str(SCRIPT), *arguments], tmp_path)
        assert process.wait() == status
        assert process.output.startswith("usage: scripts/demo ")
        assert len(process.lines) == 5
    assert list(tmp_path.iterdir()) == []
