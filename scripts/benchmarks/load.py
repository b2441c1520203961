"""Load on a proxy, by wrk and h2load."""

import re
import statistics
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

from .sample import ASKED, OF_HTTP1
from .servers import HOST, NotThereError, Proxy

SECONDS = 1800.0
"""After which a load that does not end is given up."""

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Spent(NamedTuple):
    """What a load has cost."""

    microseconds: float
    """Processor time of the proxy for one request."""
    rate: float
    """Requests in a second."""
    p99: float | None = None
    """Seconds within which 99 of 100 requests were answered."""


def mean(loads: Sequence[Spent]) -> Spent:
    """Return what several loads of the same length have cost on average."""
    tails = [spent.p99 for spent in loads if spent.p99 is not None]
    return Spent(
        statistics.mean(spent.microseconds for spent in loads),
        statistics.mean(spent.rate for spent in loads),
        statistics.mean(tails) if tails else None,
    )


def wrk(proxy: Proxy, seconds: int, *, violating: bool = False) -> Spent:
    """Ask over HTTP/1.1 for so long."""
    fields = [*_fields(http2=False), *(["-H", "Proxy-Connection: keep-alive"] if violating else [])]
    url = f"http://{HOST}:{proxy.port}/{'violating' if violating else ''}"
    before = proxy.seconds
    output = _run(["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", *fields, url])
    used = proxy.seconds - before
    latency = _number(r"99%\s+([\d.]+)", output) * _UNITS[_find(r"99%\s+[\d.]+(\w+)", output)]
    requests = _number(r"(\d+) requests in", output)
    return Spent(used / requests * 1e6, _number(r"Requests/sec:\s+([\d.]+)", output), latency)


def h2load(proxy: Proxy, requests: int, *, http2: bool = True) -> Spent:
    """Ask so often."""
    url = f"http{'s' if http2 else ''}://{HOST}:{proxy.port}/"
    how = ["-c4", "-m4"] if http2 else ["--h1", "-c8"]
    before = proxy.seconds
    output = _run(["h2load", f"-n{requests}", *how, *_fields(http2=http2), url])
    used = proxy.seconds - before
    answered = int(_number(r"(\d+) succeeded", output))
    if answered < requests:
        raise NotThereError(f"only {answered} of {requests} requests were answered")
    return Spent(used / requests * 1e6, _number(r"([\d.]+) req/s", output))


def _fields(*, http2: bool) -> list[str]:
    options = []
    for name, value in ASKED:
        if name != "Host" and not (http2 and name in OF_HTTP1):
            options += ["-H", f"{name}: {value.format(1000, 0, 0)}"]
    return options


def _run(command: Sequence[str]) -> str:
    try:
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=SECONDS
        ).stdout
    except FileNotFoundError:
        raise NotThereError(f"{command[0]} is not installed") from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise NotThereError(f"{command[0]} failed: {error.output or error}") from None


def _find(pattern: str, output: str) -> str:
    found = re.search(pattern, output)
    if found is None:
        raise NotThereError(f"the output is not understood: {output!r}")
    return found[1]


def _number(pattern: str, output: str) -> float:
    return float(_find(pattern, output))
