"""The checker alone, and beside other linters."""

import gc
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hopguard.checker import Checker
from hopguard.message import Message, Request, Response, Version, made
from hopguard.rules import load_rules

from .figure import Figure, number
from .rounds import alternate, median_ratio
from .sample import Fields, exchange
from .size import Size

POOL = 100
"""Exchanges that are made before the clock runs; few enough to be in the processor's cache."""

JUDGES = "scripts.benchmarks.judges"
ROOT = Path(__file__).parents[2]
VERSIONS: dict[Version, float] = {"HTTP/1.1": 12, "HTTP/2": 6}
LINTERS = {"httplint": 100, "httpolice": 600}


def figures(size: Size, linters: Path) -> Iterator[Figure]:
    """Measure all of them; `linters` is the interpreter that has the others."""
    checker = Checker()
    for version, limit in VERSIONS.items():
        spent = [judge_exchanges(checker, version, size.repeats) for _ in range(size.rounds)]
        yield Figure(
            what=f"checking one clean exchange, {version}, both messages",
            target=f"<= {limit}",
            unit="us",
            value=statistics.median(spent),
        )
    for linter, least in LINTERS.items():
        yield _beside(linter, least, size, linters)
    yield _by_number_of_rules(size)
    yield from _linear(size)


def judge_exchanges(checker: Checker, version: Version, repeats: int) -> float:
    """Judge clean exchanges; return the microseconds of processor time for each."""

    def judge() -> None:
        for asked, answered in pool:
            ours, theirs = request(asked, version), response(answered, version)
            checker.judge_request(ours)
            checker.judge_answer(ours, theirs)

    spent = []
    for _ in range(repeats):
        pool = [exchange(http2=version == "HTTP/2") for _ in range(POOL)]
        spent.append(_processor_time(judge) / POOL)
    return statistics.median(spent) * 1e6


def request(fields: Fields, version: Version) -> Request:
    """Make a request with these fields, as the addon does."""
    return made(
        Request,
        {
            "version": version,
            "fields": fields,
            "leg": "server",
            "tls": True,
            "method": b"GET",
            "to_proxy": False,
        },
    )


def response(fields: Fields, version: Version) -> Response:
    """Make a response with these fields, as the addon does."""
    return made(
        Response,
        {
            "version": version,
            "fields": fields,
            "leg": "server",
            "tls": True,
            "status": 200,
            "direct": True,
        },
    )


def _processor_time(act: Callable[[], object]) -> float:
    gc.disable()  # and no collection before: that leaves nothing in the processor's caches
    try:
        began = time.process_time()
        act()
        return time.process_time() - began
    finally:
        gc.enable()


def _beside(linter: str, least: float, size: Size, linters: Path) -> Figure:
    """Compare with a linter that judges the same exchange in a process of its own."""
    figure = Figure(what=f"against {linter}, the same exchange", target=f">= {least:g}")
    checker = Checker()
    try:
        spent = alternate(
            {
                "ours": lambda: judge_exchanges(checker, "HTTP/1.1", size.repeats),
                "theirs": lambda: judge_with(linters, linter, size.exchanges_of_linters),
            },
            size.rounds,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        output = getattr(error, "stderr", "") or str(error)
        return figure.without(f"{linter} does not run: {output.strip().splitlines()[-1]}")
    return figure.with_value(
        median_ratio(spent["theirs"], spent["ours"]),
        unit="times",
        ours=f"{number(statistics.median(spent['ours']))} us",
        peer=f"{linter}: {number(statistics.median(spent['theirs']))} us",
    )


def judge_with(linters: Path, linter: str, exchanges: int) -> float:
    """Let a linter judge; return the microseconds of processor time for each exchange."""
    command = [str(linters), "-m", JUDGES, linter, str(exchanges)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return float(done.stdout)


def _by_number_of_rules(size: Size) -> Figure:
    rules = load_rules()
    some = [rule for rule in rules if rule.kind in ("message", "exchange")]
    checkers = {"all": Checker(), "some": Checker(rules=some[:: len(some) // 20][:20])}
    spent = alternate(
        {
            name: lambda checker=checker: judge_exchanges(checker, "HTTP/1.1", size.repeats)  # type: ignore[misc]
            for name, checker in checkers.items()
        },
        size.rounds,
    )
    return Figure(
        what=f"clean exchange, all {len(rules)} rules against 20 rules",
        target="<= 1.05",
        value=median_ratio(spent["all"], spent["some"]),
        ours=f"{number(statistics.median(spent['all']))} us",
        peer=f"20 rules: {number(statistics.median(spent['some']))} us",
    )


def _linear(size: Size) -> Iterator[Figure]:
    """Hostile messages: ten times as much must not take more than that time."""
    shapes: dict[str, Callable[[int], Sequence[tuple[bytes, bytes]]]] = {
        "a Connection value of 1 MB": lambda share: [(b"Connection", b"a" * (100_000 * share))],
        "100,000 options": lambda share: [
            (b"Connection", b",".join(b"x%d" % number for number in range(10_000 * share)))
        ],
        "10,000 field lines": lambda share: [
            (b"Connection" if number % 2 else b"X-%d" % number, b"close")
            for number in range(1_000 * share)
        ],
    }
    checker = Checker()
    for what, make in shapes.items():
        small, large = (request(tuple(make(share)), "HTTP/1.1") for share in (1, 10))
        spent = alternate(
            {
                "small": lambda message=small: _judge_anew(checker, message),  # type: ignore[misc]
                "large": lambda message=large: _judge_anew(checker, message),  # type: ignore[misc]
            },
            3 * size.rounds,  # the small one takes a few milliseconds
        )
        yield Figure(
            what=f"time for {what}, against a tenth of it",
            target="<= 12",
            unit="times",
            value=median_ratio(spent["large"], spent["small"]),
            ours=f"{number(statistics.median(spent['large']) * 1e3)} ms",
            peer=f"a tenth: {number(statistics.median(spent['small']) * 1e3)} ms",
        )


def _judge_anew(checker: Checker, message: Message) -> float:
    """Judge a message that remembers nothing of having been judged before."""
    return _processor_time(lambda: checker.check_message(replace(message)))
