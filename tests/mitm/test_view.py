"""Findings on flows, beside what people put there."""

from mitmproxy.test import tflow
from mitmproxy.utils import emoji

from hopguard.message import FieldLine
from hopguard.mitm import view
from hopguard.mitm.tally import Tally
from hopguard.record import Circumstances, Record, Redaction, make_record
from hopguard.rule import ERROR, INFO, WARNING, Finding, Requirement, Severity
from hopguard.rules import load_rules


def record(rule: str = "a-rule", severity: Severity = ERROR, line: int = 0) -> Record:
    """Make a record."""
    finding = Finding(
        rule=rule,
        variant="v",
        severity=severity,
        text="X: 1 is bad.",
        requirement=Requirement(9110, "7.6.1"),
        sender="client",
        leg="client",
        part="request",
        version="HTTP/1.1",
        line=FieldLine("header", line, b"X", b"1"),
    )
    where = Circumstances(time=0, method=b"GET", url="http://h/", client="192.0.2.1:5")
    return make_record(finding, where, Redaction())


def test_markers_exist() -> None:
    """mitmweb shows only shortcodes that it knows."""
    assert set(view.MARKERS.values()) <= set(emoji.emoji)


def test_a_finding_is_attached_once() -> None:
    """However many hooks report it."""
    flow = tflow.tflow()
    assert len(view.attach(flow, [record(), record(line=1)])) == 2
    assert view.attach(flow, [record()]) == []
    assert len(view.attach(flow, [record(), record("b-rule")])) == 1
    assert [held["rule"] for held in flow.metadata["hopguard"]] == ["a-rule", "a-rule", "b-rule"]


def test_the_worst_finding_marks() -> None:
    """A marker of ours is replaced, a person's stays."""
    flow = tflow.tflow()
    for severity in (INFO, ERROR, WARNING):
        view.attach(flow, [record(f"rule-{severity}", severity)])
        view.mark(flow)
    assert flow.marked == view.MARKERS["error"]
    flow.marked = ":grapes:"
    view.mark(flow)
    assert flow.marked == ":grapes:"


def test_the_comment_is_one_line_below_a_persons_text() -> None:
    """It is updated in place."""
    flow = tflow.tflow()
    flow.comment = "look at this\nhopguard is a tool"
    for rule in ("a-rule", "b-rule", "a-rule"):
        view.attach(flow, [record(rule)])
        view.comment(flow)
    assert flow.comment == "look at this\nhopguard is a tool\nhopguard: a-rule, b-rule"


def test_the_comment_stands_alone_where_nobody_wrote() -> None:
    """Without an empty line."""
    flow = tflow.tflow()
    view.attach(flow, [record()])
    view.comment(flow)
    assert flow.comment == "hopguard: a-rule"


def test_what_an_earlier_run_left_is_removed() -> None:
    """But not what a person left."""
    flow = tflow.tflow()
    view.detach(flow)
    flow.comment = "mine"
    view.attach(flow, [record()])
    view.mark(flow)
    view.comment(flow)
    view.detach(flow)
    assert (flow.comment, flow.marked, flow.metadata) == ("mine", "", {})
    view.attach(flow, [record()])
    flow.marked = ":grapes:"
    view.detach(flow)
    assert flow.marked == ":grapes:"


def test_metadata_is_plain_data() -> None:
    """It can be saved with the flow."""
    flow = tflow.tflow()
    view.attach(flow, [record()])
    copy = type(flow).from_state(flow.get_state())
    assert copy.metadata == flow.metadata


def test_the_table_counts() -> None:
    """By rule, sender and version, most frequent first."""
    tally = Tally()
    assert tally.table() == ""
    for rule in ("b-rule", "a-rule", "b-rule"):
        tally.add(record(rule))
    assert tally.table().split("\n") == [
        "rule    count  sender  version",
        "b-rule      2  client  HTTP/1.1",
        "a-rule      1  client  HTTP/1.1",
    ]


def test_the_table_fits_into_80_columns() -> None:
    """Whatever the rule, the sender and the count."""
    tally = Tally()
    longest = max((rule.id for rule in load_rules()), key=len)
    tally.add({"rule": longest, "sender": "intermediary", "http_version": "HTTP/1.1"})
    tally._counts[longest, "intermediary", "HTTP/1.1"] = 10_000_000
    assert max(len(line) for line in tally.table().split("\n")) <= 80
