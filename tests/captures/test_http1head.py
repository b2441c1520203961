"""Header sections of HTTP/1.x, as they were stored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.captures import http1head
from hopguard.captures.http1head import HeadError, parse_request_head, parse_response_head
from tests.captures.archives import exchanges

FIELDS = b"A: 1\r\nb:2 \r\n\r\n"


@pytest.mark.parametrize(
    ("line", "version", "method", "target"),
    [
        (b"GET / HTTP/1.1", "HTTP/1.1", b"GET", b"/"),
        (b"GET  /\tHTTP/1.0 ", "HTTP/1.0", b"GET", b"/"),
        (b"GET /a b HTTP/1.7", "HTTP/1.1", b"GET", b"/a b"),
        (b"GET / HTTP/2", "HTTP/2", b"GET", b"/"),
        (b"GET / HTTP/3.0", "HTTP/3", b"GET", b"/"),
    ],
)
def test_request_lines(line: bytes, version: str, method: bytes, target: bytes) -> None:
    head = parse_request_head(line + b"\r\n" + FIELDS)
    assert (head.version, head.method, head.target) == (version, method, target)
    assert head.fields == ((b"A", b"1"), (b"b", b"2"))


@pytest.mark.parametrize("line", [b"", b"GET /", b"GET HTTP/1.1", b"GET / HTTP/a", b"\x16\x03\x01"])
def test_what_is_no_request_line(line: bytes) -> None:
    with pytest.raises(HeadError, match="does not begin with a request line"):
        parse_request_head(line + b"\r\n" + FIELDS)


@pytest.mark.parametrize(
    ("line", "version", "status"),
    [
        (b"HTTP/1.1 200 OK", "HTTP/1.1", 200),
        (b"HTTP/1.0\t404", "HTTP/1.0", 404),
        (b"HTTP/1.1 999 x", "HTTP/1.1", 999),
        (b"HTTP/2.0 204 ", "HTTP/2", 204),
        (b"HTTP/1.1 101 x", "HTTP/1.1", 101),
        (b"HTTP/1.1 103 Early Hints", "HTTP/1.1", 103),
    ],
)
def test_status_lines(line: bytes, version: str, status: int) -> None:
    head = parse_response_head(line + b"\n" + FIELDS + b"HTML")
    assert (head.version, head.status) == (version, status)
    assert head.fields == ((b"A", b"1"), (b"b", b"2"))


@pytest.mark.parametrize("line", [b"", b"ICY 200 OK", b"HTTP/1.1 20", b"HTTP/1.1 2000", b"<html>"])
def test_what_is_no_status_line(line: bytes) -> None:
    with pytest.raises(HeadError, match="does not begin with a status line"):
        parse_response_head(line + b"\r\n" + FIELDS)


def test_interim_responses_are_passed_over() -> None:
    head = parse_response_head(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: a\r\n\r\nHTTP/1.1 201 x\r\n" + FIELDS
    )
    assert (head.status, len(head.fields)) == (201, 2)
    with pytest.raises(HeadError, match="has no end"):
        parse_response_head(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 x\r\nA: 1")


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        (b"A: 1\nB : 2\n", [(b"A", b"1"), (b"B ", b"2")]),
        (b"A: 1,\r\n\t2 \r\n 3\r\n", [(b"A", b"1,\r\n\t2 \r\n 3")]),
        (b" first: 1\r\n", [(b" first", b"1")]),
        (b"no colon\r\n: 1\r\na:b:c\r\n", [(b"", b"1"), (b"a", b"b:c")]),
        (b"A: \x00\xff\r\rB\r\n", [(b"A", b"\x00\xff\r\rB")]),
        (b"", []),
    ],
)
def test_field_lines(lines: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    octets = b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n"
    assert list(parse_response_head(octets).fields) == fields


def test_writers_that_leave_out_the_empty_line() -> None:
    assert len(parse_request_head(b"GET / HTTP/1.1\r\nA: 1\r\n").fields) == 1
    with pytest.raises(HeadError, match="has no end"):
        parse_request_head(b"GET / HTTP/1.1\r\nA: 1")


def test_a_header_section_without_an_end_is_not_read() -> None:
    line = b"GET / HTTP/1.1\r\n"
    with pytest.raises(HeadError, match="has no end"):
        parse_request_head((line + b"A: 1\n" * http1head.MOST_OCTETS)[: http1head.MOST_OCTETS])


@settings(deadline=None)
@given(st.binary() | exchanges().map(lambda pair: b"GET / HTTP/1.1\r\n" + pair[0].target))
def test_anything_is_read_or_refused(octets: bytes) -> None:
    for parse in (parse_request_head, parse_response_head):
        try:
            parse(octets)
        except HeadError:
            continue
