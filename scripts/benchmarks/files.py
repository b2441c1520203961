"""Saved traffic: the scan of flow files, beside mitmproxy's own reading of them."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mitmproxy import http
from mitmproxy.certs import Cert
from mitmproxy.connection import Client, Server
from mitmproxy.io import FlowReader, FlowWriter
from mitmproxy.proxy.mode_specs import ProxyMode

from hopguard.captures.flowfile import FlowFileReader
from hopguard.captures.judging import judge
from hopguard.checker import Checker
from hopguard.record import Redaction
from tests.peers import make_certificates

from .figure import Figure, number
from .rounds import alternate, median_ratio
from .sample import exchange
from .size import Size

BEGAN = 1_764_230_000.0
BODY = 4096
"""Octets of each response."""
BODY_OF_LARGE_FILES = 64 * 1024
MEGABYTE = 1_000_000
LIMIT = 150
"""Megabytes that a scan may use."""


def figures(size: Size) -> Iterator[Figure]:
    """Measure all of them."""
    with tempfile.TemporaryDirectory(prefix="hopguard-bench-") as name:
        folder = Path(name)
        pair = make_certificates(folder)
        chain = [Cert.from_pem(path.read_bytes()) for path in (pair.certificate, pair.ca)]
        for what, certificates, least in (("with", chain * 2, 10), ("without", [], 4)):
            path = folder / f"{what}.flows"
            write_flows(path, size.flows_in_file, certificates)
            yield _beside_flow_reader(path, what, least, size)
        yield _by_workers(folder, size)
        yield from _of_memory(folder, size)


def write_flows(path: Path, number_of_flows: int, chain: Sequence[Cert], body: int = BODY) -> None:
    """Write clean flows; the server of each has shown the certificates of `chain`."""
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for number_of_flow in range(number_of_flows):
            writer.add(_flow(BEGAN + number_of_flow, chain, body))


def _flow(began: float, chain: Sequence[Cert], body: int) -> http.HTTPFlow:
    client = Client(
        peername=("192.0.2.7", 50_000),
        sockname=("192.0.2.1", 8080),
        timestamp_start=began,
        proxy_mode=ProxyMode.parse("regular"),
    )
    server = Server(address=("www.example.com", 443))
    server.peername = ("198.51.100.7", 443)
    server.timestamp_start = server.timestamp_tcp_setup = began
    if chain:
        client.tls = server.tls = True
        client.certificate_list, server.certificate_list = [], list(chain)
    scheme, port = (b"https", 443) if chain else (b"http", 80)
    asked, answered = exchange()
    flow = http.HTTPFlow(client, server)
    flow.request = http.Request(
        *("www.example.com", port, b"GET", scheme, b"", b"/", b"HTTP/1.1"),
        *(http.Headers(asked), b"", None, began, began + 0.01),
    )
    flow.response = http.Response(
        *(b"HTTP/1.1", 200, b"OK", http.Headers(answered), bytes(body), None),
        *(began + 0.02, began + 0.03),
    )
    return flow


def _beside_flow_reader(path: Path, what: str, least: float, size: Size) -> Figure:
    spent = alternate(
        {"ours": lambda: _scan(path), "theirs": lambda: _read(path)},
        size.rounds,
    )
    ours, theirs = (
        [seconds / size.flows_in_file * 1e6 for seconds in spent[who]] for who in ("ours", "theirs")
    )
    return Figure(
        what=f"flow file scan, one core, against mitmproxy's reading, {what} certificates",
        target=f">= {least}",
        unit="times",
        value=median_ratio(theirs, ours),
        ours=f"{number(statistics.median(ours))} us a flow",
        peer=f"FlowReader: {number(statistics.median(theirs))} us a flow",
    )


def _scan(path: Path) -> float:
    """Read and judge all flows; return the seconds of processor time."""
    checker, redaction = Checker(), Redaction()
    began = time.process_time()
    with path.open("rb") as file:
        for captured in FlowFileReader().read(file, path.name):
            if isinstance(captured, Exception):
                raise captured
            judge(captured, checker, redaction)
    return time.process_time() - began


def _read(path: Path) -> float:
    began = time.process_time()
    with path.open("rb") as file:
        for _ in FlowReader(file).stream():
            pass
    return time.process_time() - began


def _by_workers(folder: Path, size: Size) -> Figure:
    """Scan one file in parts, by the clock: what counts is how long people wait."""
    path = folder / "workers.flows"
    write_flows(path, 1000, [])
    once = path.read_bytes()
    with path.open("ab") as file:
        for _ in range(size.flows_in_file // 50):
            file.write(once)

    def scan(workers: int) -> float:
        began = time.perf_counter()
        _run_scan(["--workers", str(workers), str(path)])
        return time.perf_counter() - began

    spent = alternate({"1": lambda: scan(1), "2": lambda: scan(2)}, size.rounds)
    return Figure(
        what=f"scan of {number(path.stat().st_size / MEGABYTE)} MB by 2 workers, against 1",
        target=">= 1.8",
        unit="times",
        value=median_ratio(spent["1"], spent["2"]),
        ours=f"{number(statistics.median(spent['2']))} s",
        peer=f"1 worker: {number(statistics.median(spent['1']))} s",
    )


def _of_memory(folder: Path, size: Size) -> Iterator[Figure]:
    """Stream files through a pipe: a file of a megabyte again and again, which none can know."""
    path = folder / "piece.flows"
    write_flows(path, MEGABYTE // BODY_OF_LARGE_FILES, [], BODY_OF_LARGE_FILES)
    piece = path.read_bytes()
    used = [
        _run_scan(["--workers", "1", "-"], piece, -(-megabytes * MEGABYTE // len(piece)))
        for megabytes in size.megabytes
    ]
    small, large = (f"{megabytes:,} MB" for megabytes in size.megabytes)
    yield Figure(
        what=f"memory of a scan of {large} (repeated through a pipe)",
        target=f"<= {LIMIT}",
        unit="MB",
        value=used[1],
    )
    yield Figure(
        what=f"memory of a scan of {large}, against {small}",
        target="<= 1.05",
        value=used[1] / used[0],
        ours=f"{number(used[1])} MB",
        peer=f"{small}: {number(used[0])} MB",
    )


def _run_scan(arguments: Sequence[str], piece: bytes = b"", times: int = 0) -> float:
    """Run `hopguard scan`, with `piece` as often as that as input; return its peak in megabytes."""
    command = [sys.executable, "-m", "hopguard", "scan", "--format", "jsonl", "--output"]
    process = subprocess.Popen(
        [*command, os.devnull, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin
    assert process.stderr
    with process.stdin as stdin, process.stderr as stderr:
        for _ in range(times):
            stdin.write(piece)
        stdin.close()
        said = stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the scan ended with status {process.returncode}: {said}")
    return usage.ru_maxrss / 1024
