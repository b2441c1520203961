"""What the README says of the rules is what the rules say."""

from pathlib import Path

import pytest

from hopguard.catalogue.listing import list_rules
from hopguard.rules import load_rules

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
