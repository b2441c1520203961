"""What mitmdump prints, on a terminal and in a pipe, and the status with which it ends."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import io

from tests.peers import (
    TIMEOUT,
    Certificates,
    Http1Client,
    Http1Origin,
    Http2Client,
    Http3Client,
    Http3Origin,
    Mitm,
    Process,
    answer,
    message,
    request_lines,
)
from tests.peers.mitm import Option, free_ports

pytestmark = pytest.mark.live

ADDON = Path(__file__).parents[2] / "addon" / "hopguard_addon.py"

GOOD = message(b"HTTP/1.1 200 OK", b"Content-Length: 2", body=b"ok")
BAD = message(b"HTTP/1.1 200 OK", b"Keep-Alive: timeout=5", b"Content-Length: 2", body=b"ok")
FOUND = "keep-alive-without-connection-option"
OURS = re.compile(r"^\[[0-9:.]+\] (hopguard: .*)$", re.MULTILINE)
BIDI, ZERO_WIDTH = "\u202e".encode(), "\u200b".encode()
BEHIND = """
import asyncio
async def done():
    for _ in range(5):
        await asyncio.sleep(0)
    print("done behind", flush=True)
"""


@contextmanager
def proxy(
    confdir: Path, response: bytes, *, scripts: list[Path] | None = None, **options: Option
) -> Iterator[Mitm]:
    """Start mitmdump with the addon before an origin that always gives `response`."""
    with (
        Http1Origin(default=response) as origin,
        Mitm(
            f"reverse:{origin.url}",
            scripts=[ADDON, *(scripts or [])],
            options=options,
            confdir=confdir,
        ) as mitm,
    ):
        yield mitm


def fetch(mitm: Mitm, times: int, path: bytes = b"/") -> None:
    """Fetch something, again and again."""
    with Http1Client(mitm.address()) as client:
        for _ in range(times):
            client.exchange(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n\r\n")


def saved(confdir: Path, folder: Path, response: bytes, times: int = 1) -> Path:
    """Make a file of flows."""
    path = folder / "flows"
    with proxy(confdir, response, save_stream_file=str(path)) as mitm:
        fetch(mitm, times)
    return path


def reading(path: Path, *arguments: str, tool: str = "mitmdump") -> list[str]:
    """Make a command that reads a file of flows."""
    run = f"from mitmproxy.tools.main import {tool} as run; run()"
    read = ["-n", "-r", str(path), "-s", str(ADDON)]
    return [sys.executable, "-P", "-c", run, *read, *arguments]


def read(path: Path, *arguments: str) -> tuple[int, str]:
    """Read a file of flows; return the exit status, and what was printed."""
    process = Process(reading(path, *arguments))
    return process.wait(), process.output


def ours(output: str) -> list[str]:
    """Return our lines, without the time."""
    return OURS.findall(output)


def test_ten_lines_then_counts(tmp_path: Path, confdir: Path) -> None:
    """In the log file and in the flows is everything."""
    log, flows = tmp_path / "log", tmp_path / "flows"
    with proxy(confdir, BAD, hopguard_log=str(log), save_stream_file=str(flows)) as mitm:
        fetch(mitm, 25, b"/a?secret")
        mitm.stop()
    lines = ours(mitm.output)
    address = re.search(r"reverse proxy to (\S+) listening", mitm.output)
    assert address
    assert (
        lines[:10]
        == [
            f"hopguard: error {FOUND}: Keep-Alive: timeout=5 is sent, but Connection does not list"
            f" keep-alive. [server on the server leg, HTTP/1.1] GET {address[1]}/a"
        ]
        * 10
    )
    count, table = lines[10:]
    assert re.fullmatch(
        rf"hopguard: \.\.\. 15 more of {FOUND} from 127\.0\.0\.1 in the last (\d+ )?seconds?", count
    )
    assert table == "hopguard: what was found"
    assert re.search(rf"^{FOUND} +25  server  HTTP/1\.1$", mitm.output, re.MULTILINE)
    assert "\x1b" not in mitm.output
    assert len(log.read_text().splitlines()) == 25
    with flows.open("rb") as file:
        kept = [flow.metadata["hopguard"] for flow in io.FlowReader(file).stream()]
    assert [len(records) for records in kept] == [1] * 25


def test_a_count_comes_when_traffic_has_ended(confdir: Path) -> None:
    """It does not wait for more, nor for the end."""
    with proxy(confdir, BAD) as mitm:
        fetch(mitm, 12)
        mitm.wait_for_line(rf"\.\.\. 2 more of {FOUND} from 127\.0\.0\.1 in the last 10 seconds$")
        assert mitm.stop() == 0
    assert mitm.output.count(" more of ") == 1


HOSTILE = [
    b"\x1b[31mred",
    b"\x1b]0;title\x07",
    b"\x9b31m",
    BIDI + b"txt",
    ZERO_WIDTH,
    b"\xff\xfe",
    b"%s %d {}",
    b"<script>",
    b"\x7f\x08\x08",
]


@pytest.mark.parametrize("octets", HOSTILE)
def test_hostile_octets_are_shown_escaped(confdir: Path, octets: bytes) -> None:
    """In values, names, paths, methods, hosts; on HTTP/1.1 and on HTTP/2."""
    line = b"GET /%s HTTP/1.1" % octets
    heads = [
        [line, b"Host: h", b"Connection: x-odd%s" % octets],
        [b"GET / HTTP/1.1", b"Host: h", b"Connection: close, X-Forwarded-For", b"%s: 1" % octets],
        [b"GET%s / HTTP/1.1" % octets, b"Host: h", b"Proxy-Connection: close"],
        [b"GET / HTTP/1.1", b"Host: h%s" % octets, b"Proxy-Connection: close"],
    ]
    answered = message(
        b"HTTP/1.1 200 OK", b"Keep-Alive: %s" % octets, b"Connection: close", b"Content-Length: 0"
    )
    with proxy(confdir, answered, hopguard_profile=["default", "noise"]) as mitm:
        for head in heads:
            with Http1Client(mitm.address()) as client:
                client.send(message(*head))
                client.wait_for_close()
        for name in (b":path", b":method", b":authority", b"connection"):
            lines = dict([*request_lines("/"), (b"connection", b"close")])
            lines[name] += octets
            with Http2Client(mitm.address()) as stream:
                stream.exchange(list(lines.items()))
        mitm.stop()
    output = "\n".join(ours(mitm.output))
    assert len(ours(mitm.output)) > 4
    assert output.replace("\n", "").isprintable()
    assert output.isascii()
    escaped = "".join(chr(one) if 0x20 <= one < 0x7F else f"\\x{one:02x}" for one in octets)
    assert f"Keep-Alive: {escaped}" in output


@pytest.mark.parametrize("name", [b":path", b":method", b":authority", b"connection"])
def test_nobody_forges_a_line(confdir: Path, name: bytes) -> None:
    """HTTP/2 can carry line ends anywhere."""
    with proxy(confdir, BAD) as mitm:
        lines = dict([*request_lines("/"), (b"connection", b"close")])
        lines[name] += b"\r\n[00:00:00.000] hopguard: forged"
        with Http2Client(mitm.address()) as client:
            client.exchange(list(lines.items()))
        mitm.stop()
    assert not any(line.startswith("hopguard: forged") for line in ours(mitm.output))


@contextmanager
def terminal(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[str], str]]]:
    """Start a process in a terminal; give a function that reads until a pattern is there."""
    ours_, its = pty.openpty()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=its, stderr=its)
    os.close(its)
    shown = b""

    def read_until(pattern: str) -> str:
        nonlocal shown
        while not re.search(pattern, shown.decode()):
            assert select.select([ours_], [], [], TIMEOUT)[0], shown
            try:
                shown += os.read(ours_, 65536)
            except OSError:  # how Linux says that nobody holds the terminal any more
                break
        return shown.decode()

    try:
        yield process, read_until
    finally:
        process.kill()
        process.wait()
        os.close(ours_)


def test_a_terminal_has_colours(tmp_path: Path, confdir: Path) -> None:
    """By severity; without them, it is the same text."""
    path = saved(confdir, tmp_path, BAD, 12)
    arguments = ("--set", "flow_detail=0", "--set", f"confdir={confdir}")
    with terminal(reading(path, *arguments)) as (process, read_until):
        shown = read_until("(?!)")
        assert process.wait() == 0
    rule = f"\x1b[1m{FOUND}\x1b[0m"
    assert shown.count(f"hopguard: \x1b[31m\x1b[1merror\x1b[0m {rule}: Keep-Alive: timeout=5") == 10
    assert f"hopguard: \x1b[31m... 2 more of {FOUND} from" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")
    status, output = read(path, *arguments)
    assert (status, ours(output)) == (0, ours(plain))


def test_mitmweb_gets_no_colours(tmp_path: Path, confdir: Path) -> None:
    """Though it runs in a terminal, which does."""
    path = saved(confdir, tmp_path, BAD)
    (port,) = free_ports(1)
    arguments = ("--no-web-open-browser", "--web-port", str(port), "--set", f"confdir={confdir}")
    with terminal(reading(path, *arguments, tool="mitmweb")) as (process, read_until):
        read_until(rf"\x1b\[1m{FOUND}\x1b\[0m")
        shown = read_until(r"Web server listening at \S+\s")
        found = re.search(r"\?token=(\w+)", shown)
        assert found
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/events", headers={"Authorization": f"Bearer {found[1]}"}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT) as response:
            events: list[dict[str, Any]] = json.load(response)
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT) == 0
    texts = [event["message"] for event in events]
    assert any(f"hopguard: error {FOUND}: " in text for text in texts)
    assert "\x1b" not in "".join(texts)


def test_quiet_is_quiet(tmp_path: Path, confdir: Path) -> None:
    """The log file remains, and the status."""
    path, log = saved(confdir, tmp_path, BAD, 12), tmp_path / "log"
    arguments = ["-q", "--set", f"hopguard_log={log}", "--set", "hopguard_fail_on=error"]
    assert read(path, *arguments) == (1, "")
    assert len(log.read_text().splitlines()) == 12


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("response", "fail_on", "status"),
    [(BAD, "never", 0), (BAD, "error", 1), (BAD, "info", 1), (GOOD, "info", 0)],
)
def test_status_live(
    tmp_path: Path, confdir: Path, number: int, response: bytes, fail_on: str, status: int
) -> None:
    """Addons behind ours are done as ever."""
    behind = tmp_path / "behind.py"
    behind.write_text(BEHIND)
    with proxy(confdir, response, scripts=[behind], hopguard_fail_on=fail_on) as mitm:
        fetch(mitm, 1)
        assert mitm.stop(number) == status
    assert "done behind" in mitm.output
    assert "Traceback" not in mitm.output
    said = f"hopguard: exit status 1: something at or above severity {fail_on} was found"
    assert (said in ours(mitm.output)) == bool(status)


@pytest.mark.parametrize(
    ("fields", "fail_on", "status"),
    [
        ([b"Keep-Alive: timeout=5"], "error", 1),
        ([b"Connection: keep-alive, close"], "error", 0),
        ([b"Connection: keep-alive, close"], "warning", 1),
        ([], "info", 0),
    ],
)
def test_status_of_a_file(
    tmp_path: Path, confdir: Path, fields: list[bytes], fail_on: str, status: int
) -> None:
    """The same findings, the same status."""
    response = message(b"HTTP/1.1 200 OK", *fields, b"Content-Length: 2", body=b"ok")
    path = saved(confdir, tmp_path, response)
    assert read(path, "--set", f"hopguard_fail_on={fail_on}")[0] == status
    assert read(path)[0] == 0


def test_a_wrong_severity_is_refused(tmp_path: Path, confdir: Path) -> None:
    """At start, before anything is read."""
    status, output = read(saved(confdir, tmp_path, GOOD), "--set", "hopguard_fail_on=warn")
    assert status == 1
    assert "hopguard_fail_on: 'warn' is none of never, error, warning, info" in output
    assert "hopguard: what was found" not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("value", "status"), [(b"keep-alive", 1), (b"", 0)])
def test_status_after_http3(
    confdir: Path, certificates: Certificates, number: int, value: bytes, status: int
) -> None:
    """Where a mitmproxy that goes its own way often ends with a segmentation fault."""
    fields = [(b"connection", value)] if value else []
    with (
        Http3Origin(default=answer(*fields, body=b"ok"), certificates=certificates) as origin,
        Mitm(
            f"reverse:{origin.url}",
            scripts=[ADDON],
            options={"hopguard_fail_on": "error"},
            confdir=confdir,
        ) as mitm,
    ):
        with Http3Client(mitm.address()) as client:
            assert client.exchange(request_lines("/")).body == b"ok"
        assert mitm.stop(number) == status
    assert ours(mitm.output)[-1].startswith("hopguard: ")
