"""Saved traffic: the scan of flow files, beside mitmproxy's own reading of them."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from mitmproxy.io import FlowReader

from hopguard.scanning.reading import ScanReading
from hopguard.scanning.scanner import Scanner
from hopguard.scanning.task import Settings, Task

from .chain import make_chain
from .figure import Figure, number
from .flows import write_flows
from .rounds import alternate, median_ratio
from .size import Size

BODY_OF_LARGE_FILES = 64 * 1024
MEGABYTE = 1_000_000
FLOWS_AT_A_TIME = 1000
LIMIT = 150
"""Megabytes that a scan may use."""

_ID = re.compile(rb"[0-9a-f]{8}(?=(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""How the ids of flows and connections begin."""


def figures(size: Size) -> Iterator[Figure]:
    """Measure all of them."""
    with tempfile.TemporaryDirectory(prefix="hopguard-bench-") as name:
        folder = Path(name)
        for what, certificates, least in (("with", make_chain(), 10), ("without", [], 4)):
            path = folder / f"{what}.flows"
            write_flows(path, size.flows_in_file, certificates)
            yield _beside_flow_reader(path, what, least, size)
        yield _by_workers(folder, size)
        yield from _of_memory(folder, size)


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
    """Scan as the command does, connections included; return the seconds of processor time.

    What is made once, before the first flow, does not count.
    """
    settings = Settings()
    reading = ScanReading(Scanner(settings).scan(Task(str(path))), settings)
    began = time.process_time()
    for record in reading.records():
        raise RuntimeError(f"a flow is not clean: {record['message']}")
    if reading.failed:
        raise RuntimeError(reading.reasons)
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
    _write_much(path, size.megabytes_for_workers)

    def scan(workers: int) -> float:
        began = time.perf_counter()
        _run_scan(["--workers", str(workers), str(path)])
        return time.perf_counter() - began

    spent = alternate({"1": lambda: scan(1), "2": lambda: scan(2)}, size.rounds)
    return Figure(
        what=f"scan of {path.stat().st_size / MEGABYTE:,.0f} MB by 2 workers, against 1",
        target=">= 1.8",
        unit="times",
        value=median_ratio(spent["1"], spent["2"]),
        ours=f"{number(statistics.median(spent['2']))} s",
        peer=f"1 worker: {number(statistics.median(spent['1']))} s",
    )


def _write_much(path: Path, megabytes: int) -> None:
    """Write the same flows again and again, each time on other connections."""
    write_flows(path, FLOWS_AT_A_TIME, [])
    between_ids = _ID.split(path.read_bytes())
    times = megabytes * MEGABYTE // path.stat().st_size
    with path.open("ab") as file:
        for number_of_copy in range(1, times):
            file.write((b"%08x" % number_of_copy).join(between_ids))


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
