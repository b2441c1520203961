"""Profiles: what each of the optional ones adds, takes away and weighs anew, and nothing else."""

from typing import NamedTuple

import pytest

from hopguard.checker import Checker
from hopguard.rule import DEFAULT_PROFILES, OPTIONAL_PROFILES, PROFILES, Finding
from hopguard.rules import load_rules
from tests.judging import Judged, judge

Kind = tuple[str, str, str]
"""Rule, variant and severity of a finding."""


class Change(NamedTuple):
    """What switching a profile on changes."""

    appear: frozenset[Kind] = frozenset()
    disappear: frozenset[Kind] = frozenset()
    alone: frozenset[Kind] = frozenset()
    """All that can be found if no other profile is on."""


CHANGES = {
    "rfc2616": Change(
        disappear=frozenset(
            {
                ("keep-alive-without-connection-option", "", "error"),
                ("te-without-connection-option", "", "error"),
                ("upgrade-without-connection-option", "", "error"),
            }
        ),
        alone=frozenset(
            {
                ("connection-field-in-http2", "", "error"),
                ("forbidden-header-from-browser", "acah", "info"),
                ("forbidden-header-from-browser", "acrh", "warning"),
                ("forbidden-header-from-browser", "script-request", "warning"),
                ("hop-by-hop-field-leaked", "stored", "error"),
                ("hop-by-hop-field-leaked", "via", "warning"),
                ("hop-by-hop-field-unlisted", "declared", "error"),
                ("http10-connection-reused-without-keep-alive", "", "error"),
                ("server-closed-without-announcing", "at-once", "warning"),
            }
        ),
    ),
    "mdn-current": Change(
        appear=frozenset({("hop-by-hop-field-unlisted", "standard", "info")}),
        alone=frozenset({("hop-by-hop-field-unlisted", "standard", "info")}),
    ),
    "rfc7230": Change(
        appear=frozenset({("connection-empty-value", "lone", "error")}),
        disappear=frozenset({("connection-empty-value", "lone", "info")}),
    ),
    "rfc7231": Change(
        appear=frozenset({("request-timeout-without-close", "", "info")}),
        alone=frozenset({("request-timeout-without-close", "", "info")}),
    ),
    "noise": Change(
        appear=frozenset(
            {
                ("non-persistent-peer-unannounced", "client", "info"),
                ("server-closed-without-announcing", "idle", "info"),
                ("upgrade-offer-not-taken", "", "info"),
            }
        ),
        alone=frozenset({("upgrade-offer-not-taken", "", "info")}),
    ),
    "http2-edge": Change(
        appear=frozenset(
            {
                ("field-fatal-behind-http2-edge", "event-stream", "info"),
                ("field-fatal-behind-http2-edge", "keep-alive", "info"),
                ("field-fatal-behind-http2-edge", "upgrade", "info"),
            }
        ),
        alone=frozenset(
            {
                ("field-fatal-behind-http2-edge", "event-stream", "info"),
                ("field-fatal-behind-http2-edge", "keep-alive", "info"),
                ("field-fatal-behind-http2-edge", "upgrade", "info"),
            }
        ),
    ),
}

EXAMPLES = [
    text
    for rule in load_rules()
    for texts in [*rule.violating.values(), rule.conforming]
    for text in texts
]

BACKGROUNDS = {
    "default": frozenset(DEFAULT_PROFILES),
    "all others": frozenset(PROFILES),
}


def declared(profiles: frozenset[str]) -> set[Kind]:
    """List what the rules can find under `profiles`, by what they declare."""
    kinds: set[Kind] = set()
    for rule in Checker(profiles).rules:
        for name, variant in rule.variants.items():
            if rule.runs_variant(name, profiles):
                raised = [variant.raised_by[by] for by in variant.raised_by if by in profiles]
                kinds.add((rule.id, name, str(max([variant.severity, *raised]))))
        if not rule.variants:
            kinds.add((rule.id, "", str(rule.severity)))
    return kinds


def kind(finding: Finding) -> Kind:
    """Return what a finding is one of."""
    return finding.rule, finding.variant, str(finding.severity)


def without(judged: list[Judged], kinds: frozenset[Kind]) -> list[Judged]:
    """Leave out the findings that are of one of `kinds`."""
    return [found for found in judged if kind(found.finding) not in kinds]


def test_every_optional_profile_is_here() -> None:
    """A new profile needs an entry."""
    assert sorted(CHANGES) == sorted(OPTIONAL_PROFILES)


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("profile", OPTIONAL_PROFILES)
def test_profile_declares_its_changes_and_no_others(profile: str, background: str) -> None:
    """Rules, variants and severities that differ are exactly the listed ones."""
    before = declared(BACKGROUNDS[background] - {profile})
    after = declared(BACKGROUNDS[background] | {profile})
    assert after - before == CHANGES[profile].appear
    assert before - after == CHANGES[profile].disappear


@pytest.mark.parametrize("profile", OPTIONAL_PROFILES)
def test_profile_alone(profile: str) -> None:
    """A profile switches on its own rules, whatever else is off."""
    assert declared(frozenset({profile})) == CHANGES[profile].alone


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("profile", OPTIONAL_PROFILES)
def test_profile_changes_nothing_else_on_any_example(profile: str, background: str) -> None:
    """The findings on all examples of all rules differ in what is listed, and in all of it."""
    off = Checker(BACKGROUNDS[background] - {profile})
    on = Checker(BACKGROUNDS[background] | {profile})
    change = CHANGES[profile]
    appeared: set[Kind] = set()
    disappeared: set[Kind] = set()
    for text in EXAMPLES:
        before, after = judge(text, off), judge(text, on)
        assert without(after, change.appear) == without(before, change.disappear)
        appeared |= {kind(found.finding) for found in after if found not in before}
        disappeared |= {kind(found.finding) for found in before if found not in after}
    assert appeared == change.appear
    assert disappeared == change.disappear
