"""Messages with what was found, as text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.annotation import annotate
from hopguard.message import Message, RawFields, Request, Response
from hopguard.record import Record, Redaction
from hopguard.reports.reading import normalise
from hopguard.rules import load_rules

RULES = load_rules()


def request(*fields: tuple[bytes, bytes], trailers: RawFields | None = None) -> Request:
    """Make a request."""
    return Request(
        version="HTTP/1.1", fields=fields, leg="client", method=b"GET", trailers=trailers
    )


def record(**changes: object) -> Record:
    """Make a record about the first line of a request."""
    made: dict[str, Any] = {
        "rule": "a-rule",
        "severity": "error",
        "message": "X: 1 is bad.",
        "requirement": {"rfc": 9110, "section": "7.6.1", "keyword": "MUST", "url": "https://r/"},
        "sender": "client",
        "part": "request",
        "field": "X",
        "value": "1",
        "line": 0,
        "action": "flagged",
    }
    return normalise({**made, **changes})[0]


def show(message: Message, *records: Record, width: int = 78) -> list[str]:
    """Annotate."""
    return annotate(message, records, Redaction(), RULES, width).split("\n")


def test_a_finding_stands_below_its_line() -> None:
    """With the requirement, and where to read more."""
    shown = show(request((b"A", b"b"), (b"X", b"1"), (b"TE", b"")), record(line=1))
    assert shown == [
        "Request on the client leg, HTTP/1.1: 1 error.",
        "",
        "end-to-end       A: b",
        "end-to-end       X: 1",
        "    ERROR a-rule",
        "    | X: 1 is bad.",
        "    | Sent by the client.",
        "    | RFC 9110, section 7.6.1 (MUST)",
        "    | https://r/",
        "hop-by-hop       TE:",
        "",
        "hop-by-hop: for the next recipient alone, not to be forwarded blindly.",
        "end-to-end: for the final recipient; intermediaries pass it on.",
    ]


def test_a_response_without_anything() -> None:
    """Says so."""
    empty = Response(version="HTTP/2", fields=(), leg="server", status=204)
    assert show(empty) == [
        "Response 204 on the server leg, HTTP/2: nothing found.",
        "",
        "It has no field lines.",
    ]


def test_of_several_equal_lines_the_right_one() -> None:
    """The position decides; where it does not fit, the first."""
    message = request((b"X", b"1"), (b"X", b"1"))
    assert show(message, record(line=1))[4] == "    ERROR a-rule"
    assert show(message, record(line=7))[3] == "    ERROR a-rule"


@pytest.mark.parametrize(
    "changes",
    [
        {"field": None, "value": None, "line": None},
        {"value": "2"},
        {"field": "Y"},
        {"part": "request-trailers"},
    ],
)
def test_without_a_line_it_stands_at_the_top(changes: Record) -> None:
    """There was none, or it is not there any more."""
    shown = show(request((b"X", b"1")), record(**changes))
    assert shown[2] == "    ERROR a-rule"
    assert shown[-3].startswith("end-to-end       X: 1")


def test_trailers() -> None:
    """Have a section of their own, with what was found there."""
    message = request((b"X", b"1"), trailers=((b"X", b"1"), (b"Host", b"h")))
    shown = show(message, record(part="request-trailers"))
    start = shown.index("Trailer section:")
    assert shown[start + 1 : start + 3] == ["end-to-end       X: 1", "    ERROR a-rule"]
    assert "not in trailers  Host: h" in shown


def test_findings_elsewhere_are_mentioned() -> None:
    """One line for each place."""
    shown = show(
        request((b"X", b"1")),
        record(part="response", rule="b-rule", variant="v"),
        record(part="response-trailers", rule="c-rule", severity="info"),
        record(part="connection", severity="warning"),
        record(part=None),
    )
    assert shown[:4] == [
        "Request on the client leg, HTTP/1.1: nothing found.",
        "About the response: 1 error, 1 info (b-rule/v, c-rule).",
        "About the connection: 1 warning (a-rule).",
        "About the exchange: 1 error (a-rule).",
    ]


def test_what_was_done_is_said() -> None:
    """What was changed, too."""
    shown = show(
        request((b"X", b"1")), record(action="fixed", edits=["Connection: a -> b"], sender=None)
    )
    assert "    | Sent by an unknown peer; fixed." in shown
    assert "    | Connection: a -> b" in shown


@pytest.mark.parametrize(
    ("requirement", "line"),
    [
        (None, "    | Sent by the client."),
        ({}, "    | Sent by the client."),
        ({"keyword": "MUST"}, "    | MUST"),
        ({"section": "a section"}, "    | a section"),
        ({"rfc": 9110, "section": "3"}, "    | RFC 9110, section 3"),
    ],
)
def test_requirements_of_all_sorts(requirement: object, line: str) -> None:
    """As much as is known of them."""
    shown = show(request((b"X", b"1")), record(requirement=requirement))
    assert shown[shown.index("    | Sent by the client.") :][: 1 + (line != shown[5])][-1] == line


def test_a_rule_is_explained_once() -> None:
    """However often it is broken."""
    message = request((b"X", b"1"), (b"X", b"2"))
    records = [
        record(rule="te-in-response"),
        record(rule="te-in-response", value="2", line=1),
        record(rule="later-rule"),
    ]
    shown = show(message, *records)
    assert shown.count("te-in-response") == 1
    assert shown.count("More: hopguard.explain te-in-response") == 1
    assert "later-rule" not in shown


def test_secret_values_are_not_shown() -> None:
    """Nor does that hide the finding about them."""
    message = request((b"Authorization", b"secret"), (b"X", b"1\r\nCookie: secret"))
    shown = show(message, record(field="Authorization", value="[redacted]"))
    assert "secret" not in "\n".join(shown)
    assert shown[2:4] == ["end-to-end       Authorization: [redacted]", "    ERROR a-rule"]


@given(
    st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=400)), max_size=4),
    st.text(min_size=1, max_size=50),
    st.text(max_size=50),
)
def test_whatever_it_holds_it_is_printable(
    fields: list[tuple[bytes, bytes]], rule: str, text: str
) -> None:
    """Nothing acts on the place where it is read."""
    bad = record(rule=rule, message=text, edits=[text], requirement={"url": text}, part=text)
    shown = show(request(*fields, trailers=tuple(fields)), bad, record(message=text, field=text))
    assert all(line.isascii() and line.isprintable() for line in shown)


def test_running_text_is_filled_to_the_width() -> None:
    """Addresses and values are not."""
    shown = show(request((b"X", b"1")), record(message="word " * 60), width=50)
    assert max(map(len, shown)) <= 50
