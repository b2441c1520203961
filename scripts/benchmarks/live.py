"""Live traffic: a mitmdump with hopguard and its log, beside a bare one."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.peers import make_certificates

from .figure import Figure, number
from .load import Spent, h2load, mean, wrk
from .rounds import alternate, median_ratio
from .servers import NotThereError, Proxy, running_nginx
from .size import Size

BARE = "bare mitmdump"


class Aspect(NamedTuple):
    """One way to look at what a load has cost."""

    what: str
    target: str
    unit: str
    of: Callable[[Spent], float]


def _time(what: str) -> Aspect:
    of: Callable[[Spent], float] = lambda spent: spent.microseconds  # noqa: E731
    return Aspect(f"{what}: processor time of the proxy for a request", "<= 1.03", "us", of)


def _rate(what: str, target: str) -> Aspect:
    return Aspect(f"{what}: requests a second", target, "/s", lambda spent: spent.rate)


P99 = Aspect(
    "live, HTTP/1.1: the time in which 99 of 100 requests are answered",
    "<= 1.05",
    "ms",
    lambda spent: (spent.p99 or 0) * 1e3,
)


class Load(NamedTuple):
    """A load on both proxies, and how to look at it."""

    http2: bool
    put_on: Callable[[Proxy, Size], Spent]
    aspects: Sequence[Aspect]


LOADS = (
    Load(
        False,
        lambda proxy, size: wrk(proxy, size.seconds),
        [_time("live, HTTP/1.1"), _rate("live, HTTP/1.1", ">= 0.97"), P99],
    ),
    Load(
        True,
        lambda proxy, size: h2load(proxy, size.requests),
        [_time("live, HTTP/2"), _rate("live, HTTP/2", ">= 0.97")],
    ),
    Load(
        False,
        lambda proxy, size: wrk(proxy, size.seconds, violating=True),
        [_rate("live, every message violates", ">= 0.85")],
    ),
)


def figures(size: Size) -> Iterator[Figure]:
    """Measure all of them."""
    with tempfile.TemporaryDirectory(prefix="hopguard-bench-") as name:
        folder = Path(name)
        certificates = make_certificates(folder)
        for load in LOADS:
            try:
                with running_nginx(folder, certificates) as (plain, secure):
                    spent = _put_on(load, secure if load.http2 else plain, folder, size)
            except NotThereError as error:
                for aspect in load.aspects:
                    yield Figure(what=aspect.what, target=aspect.target, missing=str(error))
            else:
                yield from (_figure(aspect, **spent) for aspect in load.aspects)
        memory = Figure(what=f"memory after {size.flows:,} flows, beyond {BARE}", target="<= 5")
        try:
            with running_nginx(folder, certificates) as (plain, _):
                yield _of_memory(memory, plain, folder, size)
        except NotThereError as error:
            yield memory.without(str(error))


def _put_on(load: Load, origin: str, folder: Path, size: Size) -> dict[str, list[Spent]]:
    """Put the load on several pairs of processes, on both in turns: the machine is never even.

    Returns the means for each process. mitmproxy collects garbage every ten seconds or so, which
    is part of what a request costs, and would be an outlier among the loads.
    """
    spent: dict[str, list[Spent]] = {"bare": [], "ours": []}
    for _ in range(size.pairs):
        with _both(origin, folder) as proxies:
            for proxy in proxies.values():
                load.put_on(proxy, size)  # to have all that is done once behind us
            parts = {name: partial(load.put_on, proxy, size) for name, proxy in proxies.items()}
            for name, results in alternate(parts, size.loads).items():
                spent[name].append(mean(results))
    return spent


@contextmanager
def _both(origin: str, folder: Path) -> Iterator[dict[str, Proxy]]:
    log = folder / "violations.jsonl"
    with ExitStack() as stack:
        yield {
            "bare": stack.enter_context(Proxy(origin, folder)),
            "ours": stack.enter_context(Proxy(origin, folder, log=log)),
        }


def _figure(aspect: Aspect, ours: Sequence[Spent], bare: Sequence[Spent]) -> Figure:
    of_ours, of_bare = list(map(aspect.of, ours)), list(map(aspect.of, bare))
    return Figure(
        what=aspect.what,
        target=aspect.target,
        value=median_ratio(of_ours, of_bare),
        ours=f"{number(statistics.median(of_ours))} {aspect.unit}",
        peer=f"{BARE}: {number(statistics.median(of_bare))} {aspect.unit}",
    )


def _of_memory(figure: Figure, origin: str, folder: Path, size: Size) -> Figure:
    """Load both at once: it takes long, and memory does not depend on who else runs."""
    with _both(origin, folder) as proxies, ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda proxy: h2load(proxy, size.flows, http2=False), proxies.values()))
        used = {name: proxy.megabytes for name, proxy in proxies.items()}
    return figure.with_value(
        used["ours"] - used["bare"],
        unit="MB",
        ours=f"{number(used['ours'])} MB",
        peer=f"{BARE}: {number(used['bare'])} MB",
    )
