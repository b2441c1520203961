"""What the README says of the rules is what the rules say."""

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import optmanager
from mitmproxy.addonmanager import Loader

from hopguard.catalogue.listing import list_rules
from hopguard.mitm.options import add_options
from hopguard.rules import load_rules
from scripts.demo_exchanges import EXCHANGES

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- rules -->", "<!-- /rules -->"


def table_in(text: str) -> str:
    """Return what stands between the two markers."""
    for marker in (START, END):
        if text.count(marker) != 1:
            pytest.fail(f"README.md must hold {marker!r} once, not {text.count(marker)} times")
    table, found, _ = text.partition(START)[2].partition(END)
    if not found:
        pytest.fail(f"in README.md, {END!r} must come after {START!r}")
    return table.strip()


def test_table_of_rules() -> None:
    """It is what `hopguard rules --format markdown` prints."""
    if table_in(README.read_text("utf-8")) != list_rules(load_rules(), "markdown"):
        pytest.fail(
            f"the table of rules in README.md is stale: put between {START} and {END} what"
            " `python -m hopguard rules --format markdown` prints",
            pytrace=False,
        )


@pytest.mark.parametrize("text", ["", START, f"{START} a {END} b {END}", f"{END} a {START}"])
def test_missing_markers_are_told(text: str) -> None:
    """Clearly."""
    with pytest.raises(pytest.fail.Exception, match=r"README\.md"):
        table_in(text)


def block(name: str, page: Path = README) -> str:
    """Return what stands between the markers called `name`."""
    text = page.read_text("utf-8")
    return text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0].strip()


def test_table_of_options() -> None:
    """It is what mitmproxy is told."""
    options = optmanager.OptManager()
    master: Any = SimpleNamespace(options=options)
    add_options(Loader(master))
    rows = ["| option | default | meaning |", "| --- | --- | --- |"]
    for name in sorted(options.keys()):
        default = options.default(name)
        shown = default if isinstance(default, list) else [str(default).lower() or "(empty)"]
        words = " ".join(f"`{word}`" for word in shown)
        rows.append(f"| `{name}` | {words} | {options._options[name].help} |")
    expected = "\n".join(rows)
    assert block("options") == expected


def test_transcript_of_the_demo() -> None:
    """It shows today's exchanges and, at least, what each must find."""
    text = block("demo")
    shown = re.findall(r"^\[.*hopguard: (?:error|warning|info) ([a-z0-9-]+)", text, re.M)
    assert not Counter(rule for one in EXCHANGES for rule in one.finds) - Counter(shown)
    said = re.findall(r"^\d+\. (.*)$", text, re.M)
    assert said == [one.says for one in EXCHANGES]
    assert text.startswith("```console\n$ scripts/demo\n")
