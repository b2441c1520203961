"""Compare what intermediaries send on: see `main`."""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.sidebyside_products import OTHERS, columns, run  # noqa: E402
from scripts.sidebyside_requests import REQUESTS  # noqa: E402
from scripts.sidebyside_responses import RESPONSES  # noqa: E402
from scripts.sidebyside_table import Comparison, markdown, summary, text  # noqa: E402
from tests.peers import ProcessFailedError, make_certificates  # noqa: E402

CASES = [*REQUESTS, *RESPONSES]
README = ROOT / "README.md"
DOCUMENT = ROOT / "docs" / "side-by-side.md"
START, END = "<!-- sidebyside -->", "<!-- /sidebyside -->"
SAYS = (
    "Send the same requests and responses through mitmproxy, hopguard, nginx, HAProxy and Apache,"
    " as far as they are installed, and show what arrives behind them. The exit status is 1 if"
    " hopguard's conforming forwarding differs from what RFC 9110, section 7.6.1, asks for."
)
FORMATS = {"text": text, "markdown": markdown, "summary": summary}


def compare() -> Comparison:
    """Send every case through everything that is installed, all at the same time."""
    with tempfile.TemporaryDirectory(prefix="hopguard-") as name, ThreadPoolExecutor() as pool:
        folder = Path(name)
        certificates = make_certificates(folder)
        found = columns(folder)
        results = pool.map(lambda column: run(column, CASES, certificates), found)
        seen = {column.name: result for column, result in zip(found, results, strict=True)}
    return Comparison(CASES, {column.name: column.version for column in found}, seen)


def update(comparison: Comparison) -> None:
    """Write the tables that the project shows."""
    readme = README.read_text("utf-8")
    table = f"{START}\n{summary(comparison)}\n{END}"
    pattern = f"{re.escape(START)}.*?{re.escape(END)}"
    README.write_text(re.sub(pattern, lambda _: table, readme, flags=re.DOTALL), "utf-8")
    head, rule, _ = DOCUMENT.read_text("utf-8").partition("\nCompared: ")
    if not rule:
        raise SystemExit(f"{DOCUMENT} holds no line that begins with 'Compared: '")
    DOCUMENT.write_text(f"{head}\n{markdown(comparison)}", "utf-8")


def show(table: str) -> None:
    """Print it, also if whoever reads has gone; nobody hears a complaint then."""
    try:
        print(table, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def missing(comparison: Comparison) -> list[str]:
    """List what is not installed."""
    return [name for name in OTHERS if name not in comparison.versions]


def main(arguments: Sequence[str]) -> int:
    """Return 1 if conforming forwarding does not do what RFC 9110 asks for, else 0.

    3 says that there was nothing to compare, 130 that it was interrupted.
    """
    parser = argparse.ArgumentParser(prog="scripts/sidebyside", description=SAYS)
    parser.add_argument("--format", choices=FORMATS, default="text", help="text is the default")
    parser.add_argument(
        "--update", action="store_true", help="write the tables of README.md and docs/ instead"
    )
    wanted = parser.parse_args(arguments)
    try:
        comparison = compare()
    except KeyboardInterrupt:
        return 130
    except (OSError, ProcessFailedError) as error:
        print(f"The comparison failed: {error}", file=sys.stderr)
        return 3
    absent = missing(comparison)
    if absent:
        print(f"not installed: {', '.join(absent)}", file=sys.stderr)
    if not wanted.update:
        show(FORMATS[wanted.format](comparison))
    elif absent:
        return 3
    else:
        update(comparison)
    for one in comparison.unexplained():
        print(f"unexplained: {one}", file=sys.stderr)
    for bug in comparison.bugs():
        print(f"conforming is not: {bug}", file=sys.stderr)
    return 1 if comparison.bugs() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
