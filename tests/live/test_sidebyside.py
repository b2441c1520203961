"""The comparison, with whatever products are here."""

import pytest

from scripts.sidebyside import CASES, DOCUMENT, compare
from scripts.sidebyside_reasons import REASONS
from scripts.sidebyside_table import Comparison, markdown, text

pytestmark = [pytest.mark.live, pytest.mark.peer]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare()


def test_conforming_forwarding_is_conforming(comparison: Comparison) -> None:
    assert comparison.bugs() == []


def test_mitmproxy_alone_is_not(comparison: Comparison) -> None:
    """So that a comparison in which nothing can go wrong is noticed."""
    wrong = [number for number in range(len(CASES)) if comparison.wrong("mitmproxy", number)]
    assert len(wrong) > len(CASES) / 2


def test_every_difference_is_explained_and_shown(comparison: Comparison) -> None:
    document = DOCUMENT.read_text("utf-8")
    written = markdown(comparison)
    if written.partition("\n")[0] not in document:
        pytest.skip("these are other products, or other versions, than in docs/")
    assert comparison.unexplained() == []
    assert written in document, "docs/ is stale: run scripts/sidebyside --update"
    assert unused_reasons(comparison) == []


def unused_reasons(comparison: Comparison) -> list[tuple[str, str]]:
    found = {
        (column, kind)
        for column in comparison.versions
        for number, case in enumerate(CASES)
        for fault in comparison.unlike(column, number)
        for kind in (f"{case.kind}: {fault.kind}", fault.kind)
    }
    known = [(column, kind) for column, reasons in REASONS.items() for kind in reasons]
    return [one for one in known if one not in found]


def test_all_of_it_is_printed(comparison: Comparison) -> None:
    printed = text(comparison)
    for number, case in enumerate(CASES, 1):
        assert f"\n{number}. {case.kind}, {case.topic}: {case.name}\n" in printed
