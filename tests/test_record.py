"""Records: plain data, in the documented order, with nothing that must not be written."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.message import FieldLine
from hopguard.record import Circumstances, Redaction, format_time, make_record
from hopguard.rule import ERROR, Finding, Requirement
from hopguard.text import printable

KEYS = [
    *("schema", "time", "rule", "variant", "severity", "message", "requirement", "sender", "leg"),
    *("part", "http_version", "field", "value", "line", "action", "edits", "policy"),
    *("method", "url", "status", "flow", "connection", "client", "server"),
]


def finding(name: bytes | None, value: bytes = b"", text: str = "It is so.") -> Finding:
    """Make a finding about a field line."""
    return Finding(
        rule="some-rule",
        variant="",
        severity=ERROR,
        text=text,
        requirement=Requirement(9110, "7.6.1", "MUST NOT"),
        sender="client",
        leg="client",
        part="request",
        version="HTTP/2",
        line=FieldLine("header", 3, name, value) if name is not None else None,
    )


def test_keys_are_complete_and_in_order() -> None:
    """Unknown is null."""
    record = make_record(finding(None), Circumstances(time=0), Redaction())
    assert list(record) == KEYS
    assert record["time"] == "1970-01-01T00:00:00.000000Z"
    assert record["requirement"] == {
        "rfc": 9110,
        "section": "7.6.1",
        "keyword": "MUST NOT",
        "url": "https://www.rfc-editor.org/rfc/rfc9110.html#section-7.6.1",
    }
    unknown = {key for key in KEYS if record[key] is None}
    assert unknown == {"variant", *KEYS[11:14], *KEYS[16:]}


def test_octets_are_escaped_and_cut() -> None:
    """Whatever a peer sent, the record is printable ASCII."""
    where = Circumstances(time=1.5, method=b"G\x1bET", url="http://h/\u202eabc\n", edits=("x",))
    record = make_record(finding(b"X\xff", b"\x00" + b"a" * 999), where, Redaction())
    assert record["field"] == r"X\xff"
    assert record["value"] == r"\x00" + "a" * 255 + "...[1000 octets]"
    assert record["method"] == r"G\x1bET"
    assert record["url"] == r"http://h/\xe2\x80\xaeabc\x0a"
    assert record["edits"] == ["x"]
    assert json.dumps(record).isprintable()


@pytest.mark.parametrize(
    "name", [b"authorization", b"Proxy-Authorization", b"COOKIE", b"set_cookie", b"Cookie \t"]
)
def test_secret_values_are_written_nowhere(name: bytes) -> None:
    """Neither as the value nor in the sentence."""
    secret = finding(name, b"Basic hunter2", "Authorization: Basic hunter2 is here.")
    record = make_record(secret, Circumstances(time=0), Redaction())
    assert "hunter2" not in json.dumps(record)
    assert record["value"] == "[redacted]"
    assert record["field"] == printable(name)


def test_the_user_decides_what_is_secret() -> None:
    """Names are compared without regard to letter case."""
    redaction = Redaction.of([" X-Key "], keep_query=False)
    assert redaction.hides(b"x-KEY")
    assert not redaction.hides(b"cookie")


@pytest.mark.parametrize(
    ("url", "short", "full"),
    [
        ("http://h/p?q=1#f", "http://h/p", "http://h/p?q=1#f"),
        ("https://u:pw@h:8/p", "https://h:8/p", "https://h:8/p"),
        ("https://h/p@x?u=a@b", "https://h/p@x", "https://h/p@x?u=a@b"),
        ("h:443", "h:443", "h:443"),
        ("u:pw@h:443", "h:443", "h:443"),
        ("http://a:b@c@h/", "http://h/", "http://h/"),
    ],
)
def test_urls(url: str, short: str, full: str) -> None:
    """User information goes always, the query unless it is asked for."""
    assert Redaction().url(url) == short
    assert Redaction.of([], keep_query=True).url(url) == full


def test_urls_are_not_remembered_without_end() -> None:
    """Peers choose them."""
    redaction = Redaction()
    for number in range(1000):
        for url in (f"http://h/{number}?x", "http://h/?" + "x" * 10_000):
            assert redaction.url(url) == redaction.url(url) == url.partition("?")[0]
    assert len(redaction._urls) < 100
    assert max(map(len, redaction._urls)) < 10_000


@given(st.text(alphabet="ab:@/?#", max_size=20))
def test_no_password_survives(rest: str) -> None:
    """Whatever stands around it."""
    assert "s3cret" not in Redaction.of([], keep_query=True).url(f"http://u:s3cret@h/{rest}")


def test_time_is_utc_with_microseconds() -> None:
    """RFC 3339."""
    assert format_time(1_800_000_000.25) == "2027-01-15T08:00:00.250000Z"


@given(
    st.floats(-62_135_596_800, 253_402_300_799) | st.integers(0, 2 * 10**15).map(lambda n: n / 5e5)
)
def test_times_are_those_of_datetime(seconds: float) -> None:
    """To the microsecond, whichever way it is rounded."""
    expected = datetime.fromtimestamp(seconds, UTC)
    assert datetime.fromisoformat(format_time(seconds)) == expected
    assert len(format_time(seconds)) == len("2026-11-27T12:00:00.000000Z")
