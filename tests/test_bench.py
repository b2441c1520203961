"""scripts/bench runs, and the README shows what it has measured. Nothing here depends on time."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scripts.benchmarks import __main__ as command
from scripts.benchmarks import core, files, live
from scripts.benchmarks.figure import Figure, number
from scripts.benchmarks.load import Spent, mean
from scripts.benchmarks.rounds import alternate, median_ratio
from scripts.benchmarks.size import TINY, Size
from scripts.benchmarks.table import (
    BEGIN,
    END,
    README,
    RESULTS,
    ROOT,
    section,
    table,
    update_readme,
)


def test_the_readme_shows_the_results() -> None:
    """The table is what the committed figures say."""
    text = README.read_text(encoding="utf-8")
    data = json.loads(RESULTS.read_text(encoding="utf-8"))
    shown = BEGIN + text.partition(BEGIN)[2].partition(END)[0] + END
    assert shown == section(data)
    assert all(
        Figure.of_json(one).as_json() == one and one["reached"] is not None
        for one in data["figures"]
        if not one["missing"]
    )


def test_the_readme_is_brought_up_to_date(tmp_path: Path) -> None:
    """Only what is between the marks changes."""
    readme, results = tmp_path / "README.md", tmp_path / "bench.json"
    readme.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n")
    results.write_text(RESULTS.read_text(encoding="utf-8"))
    update_readme(readme, results)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n| figure ")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "stale" not in text


def test_a_figure_knows_whether_it_is_good_enough() -> None:
    """Compared as its target says; a missing one is neither."""
    figure = Figure(what="time", target="<= 12")
    assert figure.with_value(12.0).reached is True
    assert figure.with_value(12.1).reached is False
    assert figure.reached is None
    assert Figure(what="rate", target=">= 0.97", value=0.96).reached is False


def test_a_table_shows_misses_and_gaps() -> None:
    """A figure that is not good enough is in bold; one that is missing says why."""
    figures = [
        Figure(what="a", target="<= 1", unit="us", value=2.0, ours="x", peer="y"),
        Figure(what="b", target=">= 100", unit="times", value=1234.5),
        Figure(what="c", target="<= 1").without("wrk is not installed"),
    ]
    assert table(figures).splitlines()[2:] == [
        "| a | **2.00 us** | <= 1 | x | y |",
        "| b | 1,234 times | >= 100 |  |  |",
        "| c | missing | <= 1 |  | wrk is not installed |",
    ]
    assert number(12.34) == "12.3"


def test_rounds_alternate() -> None:
    """Forwards and backwards, so that nobody is always first."""
    order: list[str] = []
    results = alternate({name: lambda name=name: order.append(name) for name in "ab"}, 2)  # type: ignore[misc]
    assert order == ["a", "b", "b", "a"]
    assert results == {"a": [None, None], "b": [None, None]}
    assert median_ratio([1.0, 4.0, 9.0], [1.0, 2.0, 3.0]) == 2.0


def complete(figures: Sequence[Figure]) -> None:
    """Every figure has a value, or says why it has none."""
    assert figures
    for figure in figures:
        assert figure.missing or figure.value is not None
        assert bool(figure.missing) == (figure.reached is None)


def test_loads_of_a_process_are_one() -> None:
    """A load during which garbage was collected counts, too; h2load tells no latency."""
    loads = [Spent(900.0, 1100.0, 0.25), Spent(900.0, 1100.0, 0.25), Spent(1200.0, 800.0, 0.5)]
    assert mean(loads) == Spent(1000.0, 1000.0, 1 / 3)
    assert mean([Spent(900.0, 1100.0), Spent(1100.0, 900.0)]) == Spent(1000.0, 1000.0)


def test_the_checker_is_measured() -> None:
    """Also where no linter is there to compare with: they are named as missing."""
    figures = list(core.figures(TINY, Path("/nonexistent/python")))
    complete(figures)
    missing = {
        figure.what.split()[1].strip(","): figure.missing for figure in figures if figure.missing
    }
    assert set(missing) == set(core.LINTERS)
    assert "does not run" in missing["httplint"]


def test_a_linter_that_is_not_installed_is_missing() -> None:
    """Its own error says so."""
    figures = {figure.what: figure for figure in core.figures(TINY, Path(sys.executable))}
    assert "No module named 'httpolice'" in figures["against httpolice, the same exchange"].missing


def test_scans_are_measured() -> None:
    """On the smallest files."""
    figures = list(files.figures(TINY))
    complete(figures)
    assert not any(figure.missing for figure in figures)


@pytest.mark.live
@pytest.mark.peer
@pytest.mark.skipif(
    not all(map(shutil.which, ("nginx", "wrk", "h2load"))),
    reason="nginx, wrk and h2load put load on a real mitmproxy",
)
def test_live_traffic_is_measured() -> None:
    """Through real proxies, for a moment."""
    figures = list(live.figures(TINY))
    complete(figures)
    assert not any(figure.missing for figure in figures)


def test_without_servers_the_figures_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on, and says what is not installed."""
    monkeypatch.setenv("PATH", "")
    figures = list(live.figures(TINY))
    assert {figure.missing for figure in figures} == {"nginx is not installed"}
    assert len(figures) == sum(len(load.aspects) for load in live.LOADS) + 1


def test_the_command_takes_groups(tmp_path: Path) -> None:
    """And writes the figures as JSON."""
    command = [sys.executable, "-m", "scripts.benchmarks", "--size", "tiny"]
    path = tmp_path / "figures.json"
    done = subprocess.run(
        [*command, "core", "--json", str(path)],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    data = json.loads(path.read_text(encoding="utf-8"))
    assert len(done.stdout.splitlines()) == len(data["figures"])
    assert data["machine"]["cores"] >= 1
    wrong = subprocess.run(
        [*command, "nothing"], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert wrong.returncode == 2
    assert "no such group: nothing" in wrong.stderr


def test_what_goes_wrong_ends_only_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other groups are measured, and the message is kept."""

    def broken(_: Size) -> Iterator[Figure]:
        yield Figure(what="first", target=">= 0", value=1.0)
        raise RuntimeError("the scan ended with status 3")

    monkeypatch.setattr(command, "GROUPS", {"files": broken, "core": broken})
    data = command.measure(["files", "core"], TINY)
    assert [one["missing"] for one in data["figures"]] == ["", "the scan ended with status 3"] * 2
