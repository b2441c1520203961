"""What captures have lost."""

from hopguard.captures import harexporter, losses, warcexchange
from hopguard.captures.capture import Loss
from hopguard.rules import load_rules
from tests.test_readme import README, block

PAGE = README.parent / "docs" / "captures.md"

LOSSES = [value for value in vars(losses).values() if isinstance(value, Loss)]


def test_they_name_rules_and_variants_that_there_are() -> None:
    rules = {rule.id: rule for rule in load_rules()}
    for loss in LOSSES:
        for name in loss.rules:
            rule, _, variant = name.partition("/")
            assert not variant or variant in rules[rule].variants, name


def test_what_is_lost_of_some_exchanges_silences_no_rule_in_all() -> None:
    tally = losses.Tally([losses.TRAILERS])
    assert list(tally.lost) == [losses.TRAILERS]
    assert tally.add([losses.ROUTE, losses.LINES, losses.LINES]) == (
        losses.TRAILERS.rules | losses.ROUTE.rules | losses.LINES.rules
    )
    assert tally.add([losses.LINES]) == losses.TRAILERS.rules | losses.LINES.rules
    assert list(tally.lost) == [losses.TRAILERS, Loss(losses.ROUTE.what), losses.LINES]


def test_the_documentation_lists_them() -> None:
    rows = ["| lost | in | rules that are not run |", "| --- | --- | --- |"]
    places = {
        "all HAR files": harexporter.LOST,
        "those of mitmproxy": harexporter.MITMPROXY.lost,
        "those of Chromium": harexporter.CHROMIUM.lost,
        "those of others": harexporter.OTHER.lost,
        "all WARC files": warcexchange.LOST,
        "those that are composed again": warcexchange.REWRITTEN,
    }
    for loss in LOSSES:
        where = ", ".join(place for place, lost in places.items() if loss in lost)
        rules = ", ".join(f"`{rule}`" for rule in sorted(loss.rules))
        rows.append(f"| {loss.what} | {where or 'single messages'} | {rules} |")
    assert block("archive losses", PAGE) == "\n".join(rows)
