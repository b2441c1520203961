"""Sentences about edits: true, short, and safe to print."""

import pytest

from hopguard.differences import MOST_SENTENCES, changed_places, describe
from hopguard.message import Message, RawFields, Request
from hopguard.record import Redaction

Fields = list[tuple[bytes, bytes]]


def request(fields: Fields, trailers: Fields | None = None) -> Request:
    """Make a request."""
    held: RawFields | None = None if trailers is None else tuple(trailers)
    return Request(
        version="HTTP/1.1", fields=tuple(fields), trailers=held, leg="client", method=b"GET"
    )


def told(before: Message, after: Message, redaction: Redaction | None = None) -> list[str]:
    """Return all sentences; the places are those that are said to differ."""
    described = describe(before, after, redaction or Redaction())
    assert described.keys() == changed_places(before, after)
    return [text for texts in described.values() for text in texts]


def test_nothing() -> None:
    """Where nothing was edited."""
    one = request([(b"A", b"b")], [(b"C", b"d")])
    assert told(one, one) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            [(b"Connection", b"keep-alive, close")],
            [(b"Connection", b"close")],
            ["Connection: keep-alive, close became Connection: close"],
        ),
        ([(b"Keep-Alive", b"timeout=5")], [], ["removed Keep-Alive: timeout=5"]),
        ([], [(b"Connection", b"close")], ["added Connection: close"]),
        (
            [(b"Connection", b"a"), (b"Connection", b"b"), (b"Connection", b"c")],
            [(b"Connection", b"a"), (b"Connection", b"c")],
            ["removed Connection: b"],
        ),
        (
            [(b"Connection", b"a"), (b"CONNECTION", b"b")],
            [(b"Connection", b"a, b")],
            [
                "Connection: a became part of Connection: a, b",
                "CONNECTION: b became part of Connection: a, b",
            ],
        ),
        (
            [(b"Connection", b"a, x"), (b"Connection", b"b"), (b"Connection", b"x, c")],
            [(b"Connection", b"a"), (b"Connection", b"b"), (b"Connection", b"c")],
            [
                "Connection: a, x became Connection: a",
                "Connection: x, c became Connection: c",
            ],
        ),
        (
            [(b"Connection \t", b"close")],
            [(b"Connection", b"close")],
            ["Connection \\x09: close became Connection: close"],
        ),
        ([(b"TE", b"a")] * 3 + [(b"te", b"a")], [], ["removed TE: a (3 times)", "removed te: a"]),
    ],
)
def test_lines(before: Fields, after: Fields, expected: list[str]) -> None:
    """Gone, come, or become another one."""
    assert told(request(before), request(after)) == expected


def test_trailer_section() -> None:
    """It is named."""
    before = request([(b"TE", b"a")], [(b"TE", b"a"), (b"Host", b"b"), (b"X", b"c")])
    after = request([(b"TE", b"a")], [(b"Host", b"d"), (b"X", b"c"), (b"Y", b"e")])
    assert told(before, after) == [
        "removed TE: a from the trailer section",
        "Host: b became Host: d in the trailer section",
        "added Y: e to the trailer section",
    ]
    joined = request([(b"TE", b"a")], [(b"TE", b"x"), (b"TE", b"y"), (b"Host", b"b"), (b"X", b"c")])
    assert told(joined, before)[0] == ("TE: x became part of TE: a in the trailer section")


def test_what_cannot_be_printed_is_escaped_and_cut() -> None:
    """Nobody's terminal does what a field says."""
    value = b"\x1b[31m" + b"\xff" * 200
    texts = told(request([(b"Keep-Alive", value), (b"TE", b"a\r\nb: c")]), request([]))
    assert texts[0].startswith("removed Keep-Alive: \\x1b[31m\\xff")
    assert texts[0].endswith("...[205 octets]")
    assert texts[1] == "removed TE: a\\x0d\\x0ab: c"


def test_secrets_are_left_out() -> None:
    """Whatever the name is spelt like, and where a value goes on with them."""
    secret = (b"Proxy-Authorization", b"Basic c2VjcmV0")
    odd = (b"Proxy_Authorization ", b"c2VjcmV0")
    late = (b"Connection", b"x\r\nCookie: c2VjcmV0")
    texts = told(request([secret, odd, late]), request([]))
    assert texts == [
        "removed Proxy-Authorization: [redacted]",
        "removed Proxy_Authorization : [redacted]",
        "removed Connection: [redacted]",
    ]
    own = Redaction.of(["te"], keep_query=False)
    assert told(request([(b"TE", b"c2VjcmV0")]), request([(b"TE", b"trailers")]), own) == [
        "TE: [redacted] became TE: [redacted]"
    ]


def test_many_are_counted() -> None:
    """A flood of lines is no flood of sentences."""
    lines = [(b"TE", b"%d" % number) for number in range(1000)]
    texts = told(request(lines), request([]))
    assert len(texts) == MOST_SENTENCES + 1
    assert texts[-1] == f"and {1000 - MOST_SENTENCES} more"
