"""The figures as a table, for people and for the README."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .figure import Figure, number

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "bench.json"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def table(figures: Sequence[Figure]) -> str:
    """Write the table in Markdown."""
    lines = [
        "| figure | measured | must be | hopguard | beside |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {' | '.join(_cells(figure))} |" for figure in figures]
    return "\n".join(lines)


def _cells(figure: Figure) -> list[str]:
    if figure.value is None:
        return [figure.what, "missing", figure.target, "", figure.missing]
    value = " ".join(filter(None, (number(figure.value), figure.unit)))
    shown = value if figure.reached else f"**{value}**"
    return [figure.what, shown, figure.target, figure.ours, figure.peer]


def section(data: dict[str, Any]) -> str:
    """Write what stands between the marks in the README."""
    figures = [Figure.of_json(one) for one in data["figures"]]
    machine = data["machine"]
    return "\n".join(
        [
            BEGIN,
            table(figures),
            "",
            f"Measured on {data['date']}: {machine['cores']} cores ({machine['processor']}),"
            f" Python {machine['python']}, mitmproxy {machine['mitmproxy']};"
            f" medians of {data['rounds']} rounds, of live traffic with {data['pairs']} pairs of"
            " processes. A figure in bold is not good enough.",
            END,
        ]
    )


def update_readme(readme: Path, results: Path) -> None:
    """Bring the table in the README up to date."""
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    data = json.loads(results.read_text(encoding="utf-8"))
    readme.write_text(before + section(data) + after, encoding="utf-8")
