"""Filters of reports."""

from datetime import UTC, datetime

import pytest

from hopguard.catalogue.lookup import UnknownNameError
from hopguard.reports.selecting import Selection, find_rules, parse_moment
from hopguard.rules import load_rules
from tests.reports.making import make

RULES = load_rules()
NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("names", "selected"),
    [
        ([], [True, True, True, True]),
        (["connection-empty-value"], [True, True, False, False]),
        (["connection-empty-value/masking"], [True, False, False, False]),
        (["connection-syntax", "te-in-response"], [True, True, False, True]),
    ],
)
def test_rules(names: list[str], selected: list[bool]) -> None:
    """By id, id and variant, or group."""
    selection = Selection(rules=find_rules(names, RULES))
    admits = selection.admits()
    records = [
        make(rule="connection-empty-value", variant="masking"),
        make(rule="connection-empty-value"),
        make(),
        make(rule="te-in-response", severity="info"),
    ]
    assert [admits(record) for record in records] == selected
    concerned = {rule.id for rule in RULES if selection.concerns(rule)}
    assert ("te-in-response" in concerned) is selected[3]
    assert ("connection-empty-value" in concerned) is selected[0]


def test_unknown_rules() -> None:
    """They are refused with a hint."""
    with pytest.raises(UnknownNameError, match="did you mean 'te-in-response'"):
        find_rules(["te-in-respons"], RULES)


@pytest.mark.parametrize(("least", "selected"), [("error", 1), ("warning", 2), ("info", 3)])
def test_severity(least: str, selected: int) -> None:
    """At or above; a rule that never reaches it is not concerned."""
    selection = Selection(severity=least)
    admits = selection.admits()
    found = [admits(make(severity=severity)) for severity in ("error", "warning", "info")]
    assert found == [True] * selected + [False] * (3 - selected)
    assert all(selection.concerns(rule) is (4 - rule.severity <= selected) for rule in RULES)


@pytest.mark.parametrize(
    ("patterns", "url", "selected"),
    [
        (["www.example"], "https://WWW.example:8443/", True),
        (["www.example:8443"], "https://www.example:8443/", True),
        (["www.example:443"], "https://www.example:8443/", False),
        (["*.example"], "https://a.b.example/", True),
        (["*.example"], "https://example/", False),
        (["b.example", "?.test"], "https://a.test/", True),
        (["*"], None, True),
    ],
)
def test_hosts(patterns: list[str], url: str | None, selected: bool) -> None:
    """Patterns, with the port or without it."""
    assert Selection(hosts=patterns).admits()(make(url=url)) is selected


@pytest.mark.parametrize(
    ("since", "until", "selected"),
    [
        (None, None, [True, True, True]),
        ("12:00", None, [True, True, False]),
        ("12:01", None, [False, True, False]),
        (None, "12:01", [True, False, False]),
        ("12:00", "12:01", [True, False, False]),
    ],
)
def test_times(since: str | None, until: str | None, selected: list[bool]) -> None:
    """From the first on, before the second; what has no time is in no span."""
    admits = Selection(
        since=f"2026-05-31T{since}:00.000000Z" if since else None,
        until=f"2026-05-31T{until}:00.000000Z" if until else None,
    ).admits()
    records = [make(), make(time="2026-05-31T12:01:00.000000Z"), make(time=None)]
    assert [admits(record) for record in records] == selected


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-31T14:00:00+02:00", "2026-05-31T12:00:00.000000Z"),
        ("2026-05-31T12:00:00.5Z", "2026-05-31T12:00:00.500000Z"),
        ("2026-05-31", "2026-05-31T00:00:00.000000Z"),
        ("90s", "2026-05-31T11:58:30.000000Z"),
        ("5m", "2026-05-31T11:55:00.000000Z"),
        ("1h", "2026-05-31T11:00:00.000000Z"),
        ("2d", "2026-05-29T12:00:00.000000Z"),
        ("1w", "2026-05-24T12:00:00.000000Z"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    """Times, dates and durations."""
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is no time"),
        ("1y", "'1y' is no time"),
        ("2026-13-01", "is no time"),
        ("999999999w", "is no time"),
        ("2026-05-31T12:00:00", "has no zone, such as Z for UTC"),
    ],
)
def test_what_is_no_moment(text: str, said: str) -> None:
    """The sentence says what is."""
    with pytest.raises(ValueError, match=said) as raised:
        parse_moment(text, NOW)
    assert "2026-05-31T12:00:00Z" in str(raised.value)
