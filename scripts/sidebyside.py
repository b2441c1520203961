"""Compare what intermediaries send on: see `main`."""

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.sidebyside_products import columns, run  # noqa: E402
from scripts.sidebyside_requests import REQUESTS  # noqa: E402
from scripts.sidebyside_responses import RESPONSES  # noqa: E402
from scripts.sidebyside_table import Comparison, markdown, summary, text  # noqa: E402
from tests.peers import make_certificates  # noqa: E402

CASES = [*REQUESTS, *RESPONSES]
README = ROOT / "README.md"
DOCUMENT = ROOT / "docs" / "side-by-side.md"
START, END = "<!-- sidebyside -->", "<!-- /sidebyside -->"
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


def main(arguments: Sequence[str]) -> int:
    """Return 1 if conforming forwarding does not do what RFC 9110 asks for, else 0."""
    parser = argparse.ArgumentParser(prog="scripts/sidebyside", description=__doc__)
    parser.add_argument("--format", choices=FORMATS, default="text", help="text is the default")
    parser.add_argument(
        "--update", action="store_true", help="write the tables of README.md and docs/ instead"
    )
    wanted = parser.parse_args(arguments)
    comparison = compare()
    if wanted.update:
        update(comparison)
    else:
        print(FORMATS[wanted.format](comparison))
    for one in comparison.unexplained():
        print(f"unexplained: {one}", file=sys.stderr)
    for bug in comparison.bugs():
        print(f"conforming is not: {bug}", file=sys.stderr)
    return 1 if comparison.bugs() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
