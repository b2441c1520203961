"""Every rule on its own examples: they are its tests and its documentation."""

import re

import pytest

from hopguard.checker import Checker
from hopguard.rule import DEFAULT_PROFILES, PROFILES, WARNING, Rule
from hopguard.rules import load_rules
from hopguard.text import printable
from hopguard.transcript import parse
from tests.judging import judge

RULES = load_rules()

COMPANIONS: dict[str, set[str]] = {
    # What Connection nominates must not be announced as a trailer field.
    "connection-option-unrecognised": {"connection-field-in-trailers"},
    # A folding that stands where a comma should: two faults.
    "connection-option-not-token": {"connection-field-illegal-octets"},
    # Two framing fields that HTTP/1.0 knows one of.
    "transfer-encoding-with-http10": {"transfer-encoding-with-content-length"},
    # A promise that cannot be kept, in a field that is not listed.
    "close-delimited-response": {"keep-alive-without-connection-option"},
    # What Upgrade says, and that Connection does not list it.
    "upgrade-without-connection-option": {"upgrade-token-obsolete"},
    "http2-settings-without-connection-option": {"upgrade-token-obsolete"},
    # What is wrong with an offer, and that nobody should make it.
    "http2-settings-invalid": {"upgrade-token-obsolete"},
    # The offer, which is only obsolete, and the answer that opens the tunnel.
    "h2c-upgrade-smuggling-risk": {"upgrade-token-obsolete"},
    # What HTTP/1.1 already has against a field that is fatal further on.
    "field-fatal-behind-http2-edge": {"upgrade-token-obsolete"},
    # The client that makes an offer, and the server that takes it.
    "switching-protocols-not-requested": {"upgrade-without-connection-option"},
    "upgrade-with-http10": {"upgrade-with-http10/offered"},
    # A status and the fields that came with it.
    "switching-protocols-in-http2-or-http3": {"connection-field-in-http2"},
    # Whoever sent the field, and the intermediary that let it through.
    "proxy-connection-field": {"hop-by-hop-field-leaked"},
    "websocket-handshake-incomplete": {"hop-by-hop-field-leaked"},
    "hop-by-hop-field-leaked": {
        "keep-alive-without-connection-option",
        "proxy-connection-field",
        "te-without-connection-option",
        "upgrade-without-connection-option",
    },
    # The request that should not be there, and the server that answers it.
    "close-not-honoured": {"request-after-close"},
    # The message with the doubtful framing.
    "faulty-framing-connection-reused": {
        "transfer-encoding-with-content-length",
        "transfer-encoding-chunked-misplaced",
        "transfer-encoding-with-http10",
    },
    # The first of several connections, which nobody can know yet to be one of several.
    "close-missing-while-draining": {"server-closed-without-announcing"},
    "non-persistent-peer-unannounced": {"server-closed-without-announcing"},
    # The pipeline that failed.
    "pipelined-requests": {"pipelined-requests/pipelined"},
}
"""Rules, or other variants of it, that rightly speak beside the one whose example it is."""


def checker_for(rule: Rule, variant: str) -> Checker:
    """Make a checker with the default profiles and what this variant needs besides."""
    wanted = set(rule.profiles) | set(rule.variants[variant].profiles if rule.variants else ())
    return Checker({*DEFAULT_PROFILES, *(wanted - rule.silenced_by - {"rfc2616"})})


VIOLATING = [
    pytest.param(rule, variant, text, id=f"{rule.id}-{variant}-{number}")
    for rule in RULES
    for variant, texts in rule.violating.items()
    for number, text in enumerate(texts)
]
CONFORMING = [
    pytest.param(rule, text, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, text in enumerate(rule.conforming)
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_declaration_is_complete(rule: Rule) -> None:
    """Nothing that the documentation is made of is missing."""
    assert rule.title.endswith(".")
    assert len(rule.title) < 100
    assert len(rule.explanation) > 80
    assert set(rule.violating) == (set(rule.variants) or {""})
    assert all(rule.violating.values())
    assert rule.conforming
    assert rule.profiles | rule.silenced_by <= set(PROFILES)
    for variant in rule.variants.values():
        assert {*variant.profiles, *variant.raised_by} <= set(PROFILES)
    for requirement in (rule.requirement, *rule.also):
        assert re.match(r"https://", requirement.url)
        assert str(requirement)
    assert all(name == name.lower() for name in rule.fields)


@pytest.mark.parametrize(("rule", "variant", "text"), VIOLATING)
def test_violating_example_is_found_where_it_is_marked(rule: Rule, variant: str, text: str) -> None:
    """The rule points at exactly the marked lines, and nobody else speaks."""
    judged = judge(text, checker_for(rule, variant))
    companions = COMPANIONS.get(rule.id, set())
    own = [
        (finding.variant, at)
        for finding, at in judged
        if finding.rule == rule.id
        and (finding.variant == variant or f"{rule.id}/{finding.variant}" not in companions)
    ]
    marks = parse(text).marks
    assert marks, "the example marks no line"
    assert sorted(set(own), key=str) == sorted({(variant, mark) for mark in marks}, key=str)
    others = {
        finding.rule
        for finding, _ in judged
        if finding.rule != rule.id and finding.severity >= WARNING
    }
    assert others <= companions


@pytest.mark.parametrize(("rule", "text"), CONFORMING)
def test_conforming_example_is_silent(rule: Rule, text: str) -> None:
    """The rule finds nothing, whatever profile is on."""
    for profiles in (DEFAULT_PROFILES, PROFILES):
        checker = Checker(profiles)
        assert [f for f, _ in judge(text, checker) if f.rule == rule.id] == []


@pytest.mark.parametrize(("rule", "variant", "text"), VIOLATING)
def test_finding_names_the_field(rule: Rule, variant: str, text: str) -> None:
    """A finding about a field line names the field in its sentence."""
    for finding, _ in judge(text, checker_for(rule, variant)):
        if finding.line is not None:
            assert printable(finding.line.name).lower() in finding.text.lower()
        assert finding.text.endswith(".")
        assert finding.text.isprintable()
