"""Measure, and write down what was measured."""

import argparse
import datetime
import itertools
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import core, files, live
from .figure import Figure
from .size import DEFAULT, QUICK, TINY, Size
from .table import README, RESULTS, ROOT, table, update_readme

LINTERS = ROOT / ".venv-bench" / "bin" / "python"
SIZES = {"default": DEFAULT, "quick": QUICK, "tiny": TINY}
GROUPS: dict[str, Callable[[Size], Iterator[Figure]]] = {
    "core": lambda size: core.figures(size, LINTERS),
    "live": live.figures,
    "files": files.figures,
}


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure what hopguard costs, each figure beside that of its peer.",
    )
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"{', '.join(GROUPS)}; by default all"
    )
    parser.add_argument(
        "--quick",
        dest="size",
        action="store_const",
        const="quick",
        default="default",
        help="less of everything: a minute or two, and figures that vary",
    )
    parser.add_argument("--size", choices=SIZES, help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument(
        "--readme",
        action="store_true",
        help=f"write them to {RESULTS.relative_to(ROOT)}, and the table to the README",
    )
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    size = SIZES[options.size]
    data = measure(options.groups or list(GROUPS), size)
    for path in [options.json] if options.json else []:
        write(path, data)
    if options.readme:
        write(RESULTS, data)
        update_readme(README, RESULTS)


def measure(groups: list[str], size: Size) -> dict[str, Any]:
    """Measure, and show each figure as it comes; return all of them as plain data."""
    figures = []
    for figure in itertools.chain(*(_measured(group, size) for group in groups)):
        figures.append(figure)
        print(table([figure]).splitlines()[-1], flush=True)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "mitmproxy": version("mitmproxy"),
        },
        "rounds": size.rounds,
        "pairs": size.pairs,
        "figures": [figure.as_json() for figure in figures],
    }


def _measured(group: str, size: Size) -> Iterator[Figure]:
    """Measure a group; what goes wrong in it ends that group, not the run."""
    try:
        yield from GROUPS[group](size)
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
        yield Figure(what=f"further figures: {group}", target=">= 0").without(str(error))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def write(path: Path, data: dict[str, Any]) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
