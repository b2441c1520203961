"""The policy: which action a finding gets, and what a wrong line is answered with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.checker import Checker
from hopguard.message import Request
from hopguard.policy import (
    ACTIONS,
    Decision,
    Matches,
    Policy,
    PolicyError,
    Subject,
    parse,
    parse_action,
)
from hopguard.rule import ERROR, INFO, WARNING, Severity
from hopguard.rules import load_rules

RULES = load_rules()
FIELD = Subject("connection-field-in-http2", "", "http2-and-http3", ERROR)
EDGE = "field-fatal-behind-http2-edge"
EMPTY = Subject("connection-empty-value", "lone", "connection-syntax", INFO)


def compile_filter(text: str) -> Matches:
    """Make a filter that matches the flow of that name; a question mark is no filter."""
    if "?" in text:
        raise ValueError
    return lambda flow: flow == text


def policy(*lines: str) -> Policy:
    return parse(lines, RULES, compile_filter)


def test_without_lines_the_default_decides() -> None:
    assert Policy().decide(FIELD) == Decision("flag", None)
    assert Policy("block").decide(FIELD) == Decision("block", None)


@pytest.mark.parametrize(
    ("name", "covers_field", "covers_empty"),
    [
        ("all", True, True),
        ("error", True, False),
        ("info", False, True),
        ("warning", False, False),
        ("http2-and-http3", True, False),
        ("connection-syntax", False, True),
        ("connection-field-in-http2", True, False),
        ("connection-empty-value", False, True),
        ("connection-empty-value/lone", False, True),
        ("connection-empty-value/masking", False, False),
    ],
)
def test_what_a_line_is_about(name: str, covers_field: bool, covers_empty: bool) -> None:
    for line in (f"/{name}/fix", f"|{name}|fix", f"/some/filter/{name}/fix", f"|f|{name}|fix"):
        (parsed,) = policy(line).lines
        assert parsed.covers(FIELD) == covers_field
        assert parsed.covers(EMPTY) == covers_empty
        assert parsed.action == "fix"


def test_later_lines_win() -> None:
    made = policy("/all/block", "/error/fix", "/connection-field-in-http2/off")
    assert made.decide(FIELD) == Decision("off", "/connection-field-in-http2/off")
    assert made.decide(FIELD._replace(rule="x")) == Decision("fix", "/error/fix")
    assert made.decide(EMPTY) == Decision("block", "/all/block")


def test_the_severity_is_that_of_the_finding() -> None:
    made = policy("/warning/off")
    assert made.decide(EMPTY._replace(severity=WARNING)).action == "off"
    assert made.decide(EMPTY).action == "flag"


def test_a_finding_is_in_the_group_of_its_rule() -> None:
    message = Request(
        version="HTTP/2", fields=((b"connection", b"x"),), leg="client", method=b"GET"
    )
    (finding,) = Checker().check_message(message)
    assert policy("/http2-and-http3/block").of(finding).action == "block"
    assert policy("/mine/error/off").of(finding, "mine").action == "off"
    assert Policy("fix").of(finding) == Decision("fix", None)


def test_a_line_with_a_filter_is_for_flows_that_match() -> None:
    made = policy("/all/fix", "/mine/all/off")
    assert made.decide(FIELD, "mine").action == "off"
    assert made.decide(FIELD, "other").action == "fix"
    assert made.decide(FIELD).action == "fix"


@pytest.mark.parametrize(
    ("line", "filter_", "rule", "variant"),
    [
        ("/~u a/b/c/all/off", "~u a/b/c", "all", None),
        ("/a/connection-empty-value/lone/off", "a", "connection-empty-value", "lone"),
        ("|connection-empty-value/lone|off", "", "connection-empty-value", "lone"),
        (":a/b:connection-empty-value/lone:off", "a/b", "connection-empty-value", "lone"),
        # A group has the name of a variant: the catalogue knows which is meant.
        ("/field-fatal-behind-http2-edge/upgrade/off", "", EDGE, "upgrade"),
        ("/a/upgrade/off", "a", "upgrade", None),
        ("/connection-empty-value/all/off", "connection-empty-value", "all", None),
    ],
)
def test_how_a_line_is_read(line: str, filter_: str, rule: str, variant: str | None) -> None:
    (parsed,) = policy(line).lines
    assert (parsed.filter, parsed.rule, parsed.variant) == (filter_, rule, variant)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "it is empty; write /flow-filter/rule/action"),
        ("/", "only one part stands behind the separator '/'"),
        ("/off", "only one part"),
        ("connection-field-in-http2/off", "it begins with 'c', which is no separator"),
        ("/all/of", "there is no action 'of'; did you mean 'off'? - there are off, flag, fix"),
        ("/all/", "there is no action ''; there are off, flag, fix, block"),
        ("/connection-field-in-http/off", "did you mean 'connection-field-in-http3'?"),
        ("/connection-empty-value/lonely/off", "has no variant 'lonely'; it has masking, lone"),
        ("/errors/off", "there is no rule 'errors'"),
        ("/errors/off", "did you mean 'error'?"),
        ("/zzzz/off", "(allowed are an id, id/variant, a group, info, warning, error, and all)"),
        ("//all/off", "its flow filter is empty"),
        ("/~u ?/all/off", "'~u ?' is not a flow filter"),
        ("//off", "there is no rule ''"),
    ],
)
def test_a_wrong_line(line: str, why: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy("/all/fix", line)
    assert str(caught.value).startswith(f"line 2, {line!r}: ")
    assert why in str(caught.value)


def test_what_may_be_decided_for_a_rule() -> None:
    made = policy("/all/fix", "/off/error/off", "/a/all/block", "/warning/off")
    assert list(made.prospects(FIELD)) == [
        ("a", Decision("block", "/a/all/block")),
        ("off", Decision("off", "/off/error/off")),
        ("", Decision("fix", "/all/fix")),
    ]
    assert list(policy().prospects(FIELD)) == [("", Decision("flag", None))]


@pytest.mark.parametrize("action", ACTIONS)
def test_actions(action: str) -> None:
    assert parse_action(action) == action


@given(st.lists(st.text(max_size=40) | st.from_regex(r"[/|:][a-z/|: ]{0,30}[/|:](off|fix)")))
def test_any_text_is_a_policy_or_named(lines: list[str]) -> None:
    """Nothing but the documented error, whatever is typed."""
    try:
        made = policy(*lines)
    except PolicyError:
        return
    assert [line.text for line in made.lines] == lines
    for severity in Severity:
        assert made.decide(EMPTY._replace(severity=severity), "flow").action in ACTIONS
