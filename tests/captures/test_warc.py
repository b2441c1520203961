"""WARC files, as crawlers write them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.captures import losses
from hopguard.captures.capture import Captured, CaptureError
from hopguard.captures.warc import WAITING, WARC, WarcReader
from hopguard.captures.warcrecord import MOST_OF_HEADER
from hopguard.message import Request, Response
from tests.captures.archives import (
    Pieces,
    as_warc,
    exchanges,
    found_in,
    read,
    read_warc,
    record,
    software,
)

WGET = software("Wget/1.24.5 (linux-gnu)")
GET = b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
URI = "https://www.example/"


def response(*lines: str, start: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([start, *lines, "", ""]).encode()


@settings(deadline=None)
@given(st.lists(exchanges(), max_size=4))
def test_what_was_written_is_read(pairs: list[tuple[Request, Response]]) -> None:
    assert [(each.request, each.response) for each in read_warc(as_warc(pairs))] == [
        (replace(request, tls=False), replace(response, tls=False)) for request, response in pairs
    ]


def test_what_is_known_of_an_exchange() -> None:
    asking = record("request", GET, warc_target_uri=URI, warc_record_id="<urn:1>")
    answer = record(
        "response",
        OK,
        warc_target_uri=f"<{URI}>",
        warc_record_id="<urn:2>",
        warc_concurrent_to="<urn:1>",
        warc_ip_address="192.0.2.1",
    )
    (captured,) = read_warc(WGET + asking + answer)
    assert captured.offset == len(WGET)
    assert (captured.method, captured.status, captured.url) == (b"GET", 200, URI)
    assert (captured.flow, captured.server.address) == ("urn:1", "192.0.2.1")
    assert captured.requested.start == 1767323045
    assert captured.request is not None
    assert captured.request is captured.asked
    assert captured.request.tls is True
    assert captured.response is not None
    assert captured.response.leg == "server"


def test_it_is_recognised() -> None:
    assert WARC.recognises(b"WARC/1.0\r\n")
    assert not WARC.recognises(b"\r\nWARC/1.0\r\n")


# Which request and which response


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ({"id": "1"}, {"id": "2", "to": "1"}, True),
        ({"id": "1", "to": ["3", "2"]}, {"id": "2"}, True),
        ({"id": "1", "uri": URI}, {"id": "2", "uri": URI, "to": "3"}, False),
        ({"uri": URI}, {"uri": URI}, True),
        ({"uri": URI}, {"uri": URI + "a"}, False),
        ({}, {}, False),
    ],
)
def test_halves(first: dict[str, str], second: dict[str, str], together: bool) -> None:
    names = {"id": "warc_record_id", "to": "warc_concurrent_to", "uri": "warc_target_uri"}
    halves = [{names[name]: value for name, value in half.items()} for half in (first, second)]
    for pair in (halves, halves[::-1]):
        captured = read_warc(record("request", GET, **pair[0]) + record("response", OK, **pair[1]))
        assert [each.asked is not None and each.response is not None for each in captured] == (
            [True] if together else [False, False]
        )


def test_two_requests_are_no_exchange() -> None:
    assert len(read_warc(record("request", GET, warc_target_uri=URI) * 2)) == 2


def test_the_other_half_is_not_waited_for_in_vain() -> None:
    first = record("response", OK, warc_record_id="1")
    others = [record("request", GET, warc_target_uri=f"{URI}{n}") for n in range(WAITING)]
    last = record("request", GET, warc_record_id="2", warc_concurrent_to="1")
    captured = read_warc(b"".join([first, *others, last]))
    assert len(captured) == WAITING + 2
    assert [each.offset for each in captured] == sorted(each.offset for each in captured)
    assert len(read_warc(b"".join([first, *others[1:], last]))) == WAITING


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("revisit", "application/http; msgtype=response"),
        ("metadata", "application/warc-fields"),
        ("resource", "application/http"),
        ("response", "text/dns"),
        ("", "application/http"),
    ],
)
def test_other_records_are_passed_over(kind: str, content_type: str) -> None:
    assert read_warc(record(kind, OK, content_type=content_type)) == []


@pytest.mark.parametrize(
    "content_type", ["application/http;msgtype=response", "Application/HTTP ", ""]
)
def test_media_types(content_type: str) -> None:
    assert len(read_warc(record("Response", OK, content_type=content_type))) == 1


# Versions


@pytest.mark.parametrize(
    ("protocols", "start", "version"),
    [
        (["tls/1.3", "h2"], "HTTP/1.1 200 OK", "HTTP/2"),
        ("h3,tls/1.3", "HTTP/1.1 200 OK", "HTTP/3"),
        ("http/1.1", "HTTP/1.0 200 OK", "HTTP/1.0"),
        ("http/1.1", "HTTP/2 200", "HTTP/1.1"),
        ("tls/1.3", "HTTP/2 200", "HTTP/2"),
        ([], "HTTP/1.0 200", "HTTP/1.0"),
        ("H2", "HTTP/1.1 200", "HTTP/2"),
    ],
)
def test_versions(protocols: Sequence[str], start: str, version: str) -> None:
    answer = record("response", response(start=start), warc_protocol=protocols)
    (captured,) = read_warc(answer)
    assert captured.response is not None
    assert captured.response.version == version


def test_a_request_of_http2_is_not_judged() -> None:
    asking = GET.replace(b"Host", b"Connection: keep-alive\r\nTE: gzip\r\nHost")
    octets = record("request", asking, warc_target_uri=URI) + record(
        "response", response("connection: keep-alive"), warc_target_uri=URI, warc_protocol="h2"
    )
    (captured,) = read_warc(octets)
    assert captured.request is None
    assert captured.method == b"GET"
    assert found_in([captured]) == ["connection-field-in-http2"]
    assert losses.HTTP2_REQUESTS.what in lost_of(octets)


def test_other_protocols_are_not_judged() -> None:
    octets = record("response", OK, warc_protocol="spdy/3") + record(
        "request", GET, warc_protocol="quic"
    )
    assert read_warc(octets) == []
    assert losses.UNKNOWN_VERSIONS.what in lost_of(octets)
    assert losses.HTTP2_REQUESTS.what not in lost_of(octets)


# What writers keep

REWRITTEN = [
    response("Transfer-Encoding: chunked", "Connection: close", "Content-Length: -1"),
    response("Keep-Alive: timeout=5", "Content-Length: 1"),
    response("Content-Type: text/html"),
    response("Upgrade: websocket", "Content-Length: 1"),
    response("Content-Length: 1", "Content-Length: 2", start="HTTP/1.1 204 x"),
    response("Connection: close,\r\n , ,x", "x: 1", "Content-Length: 0"),
    response(start="HTTP/1.1 101 x"),
    response(start="HTTP/1.1 426 x"),
]


@pytest.mark.parametrize("block", REWRITTEN)
def test_what_a_writer_may_have_changed_is_no_finding(block: bytes) -> None:
    def exchange(first: bytes) -> bytes:
        asking = GET.replace(b"Host", b"TE: gzip\r\nHost")
        return (
            first
            + record("request", asking, warc_target_uri=URI)
            + record("response", block, warc_target_uri=URI)
        )

    for first in (b"", software("Browsertrix-Crawler 1.6"), software("webrecorder (warcprox 2)")):
        assert set(found_in(read_warc(exchange(first)))) <= {
            "connection-option-unrecognised/custom-field"
        }
        assert losses.FRAMING.what in lost_of(exchange(first))
    for first in (WGET, software("heritrix/3.4.0 http://crawler.archive.org")):
        assert "te-without-connection-option" in found_in(read_warc(exchange(first)))
        assert len(found_in(read_warc(exchange(first)))) > 1
        assert losses.FRAMING.what not in lost_of(exchange(first))


def test_masked_fields_speak_of_the_stored_body() -> None:
    masked = response(
        "X-Crawl-Transfer-Encoding: gzip", "Content-Length: 5", "Transfer-Encoding: a"
    )
    octets = WGET + record("response", masked)
    assert found_in(read_warc(octets)) == []
    assert losses.FRAMING.what in lost_of(octets)
    assert found_in(read_warc(WGET + record("response", masked.replace(b"X-Crawl", b"X-Craw"))))


@pytest.mark.parametrize("date", ["", "yesterday", "\xff", "99999-01-01T00:00:00Z"])
def test_dates(date: str) -> None:
    (captured,) = read_warc(record("response", OK, warc_date=date))
    assert captured.requested.start is None


# Damage


@pytest.mark.parametrize(
    ("octets", "complete", "reason"),
    [
        (b"%sWARC/1.0\r\nWARC-Type: response\r\n", 1, "has a header without an end"),
        (
            b"%sWARC/1.0\r\nContent-Length: 90\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            1,
            "ends within the record",
        ),
        (b"%sWARC/1.0\r\n\r\n\r\n\r\n%s", 2, "does not tell its length"),
        (b"%sWARC/1.0\r\nContent-Length: 1a\r\n\r\nab\r\n\r\n%s", 2, "does not tell its length"),
        (
            b"%sWARC/1.0\r\nContent-Length: 9999999999999999\r\n\r\n\r\n%s",
            2,
            "does not tell its length",
        ),
        (b"%sWARC/1.0\r\nContent-Length: 3\r\n\r\nabcdef\r\n\r\n%s", 2, "is longer than it says"),
        (b"%sgarbage\r\n\r\n%s", 2, "no record begins here"),
        (b"WARC/1.0\r\n" + b"a: b\r\n" * MOST_OF_HEADER + b"\r\n%s", 1, "a header without an end"),
        (b"garbage", 0, "no record begins here"),
    ],
)
def test_what_is_whole_in_a_damaged_file_is_read(octets: bytes, complete: int, reason: str) -> None:
    whole = record("response", OK)
    captured, errors = read(WarcReader(), octets.replace(b"%s", whole))
    assert len(captured) == complete
    assert reason in str(errors[0])
    assert errors[0].offset == (len(whole) if octets.startswith(b"%s") else 0) or "longer" in reason


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (b"", "there is no message in it"),
        (b"HTTP/0.9", "does not begin with a status line"),
        (b"HTTP/1.1 200 OK\r\nA: 1", "the header section has no end"),
    ],
)
def test_a_record_without_a_head_is_left_out(block: bytes, reason: str) -> None:
    octets = record("response", OK) + record("response", block) + record("response", OK)
    captured, errors = read(WarcReader(), octets)
    assert len(captured) == 2
    (error,) = errors
    assert reason in str(error)
    assert error.offset == len(record("response", OK))


@pytest.mark.parametrize("most", [1, 7, 1 << 20])
@pytest.mark.parametrize("between", [b"", b"\r\n", b"\n\n\n", b"\r\r\n"])
def test_records_in_a_pipe(most: int, between: bytes) -> None:
    octets = between.join([WGET, record("response", OK + b"a" * 300_000), record("response", OK)])
    captured, errors = read(WarcReader(), octets, most)
    assert not errors
    assert len(captured) == 2


def test_what_waits_is_told_when_a_stream_breaks() -> None:
    class Broken(Pieces):
        def read(self, size: int, /) -> bytes:
            if octets := super().read(size):
                return octets
            raise OSError

    found: list[Captured | CaptureError] = []
    reading = WarcReader().read(Broken(record("request", GET) + b"WARC"), "a file")
    with pytest.raises(OSError, match=r"^$"):
        found.extend(reading)
    assert len(found) == 1


def test_a_record_may_end_without_line_ends() -> None:
    octets = record("response", OK).removesuffix(b"\r\n\r\n")
    assert len(read_warc(octets * 2)) == 2


def test_headers_of_records_are_folded_and_in_any_case() -> None:
    octets = (
        record("response", OK)
        .replace(b"WARC-Type: ", b"warc-type :\r\n ")
        .replace(b"\r\n", b"\r\r\n", 1)
    )
    assert len(read_warc(octets)) == 1


def lost_of(octets: bytes) -> list[str]:
    reader = WarcReader()
    read(reader, octets)
    return [loss.what for loss in reader.lost]


# What programs have written, in files that others have collected


def written(text: str, block: str, *, end: str = "\r\n") -> bytes:
    """Make a record whose header is written as it stands here, with other line ends."""
    lines = [line.strip() for line in text.strip().splitlines()]
    octets = block.encode()
    lines.append(f"Content-Length: {len(octets)}")
    return (end.join(lines) + end * 2).encode() + octets + b"\r\n\r\n"


CLUEWEB = written(
    """
    WARC/0.18
    WARC-Type: response
    WARC-Target-URI: http://www.example/shop/order/
    WARC-Warcinfo-ID: c95d1e81-0000-4509-81b4-87f9e8faab63
    WARC-Date: 2008-10-294T05:21:46-0700
    WARC-Identified-Payload-Type:
    Content-Type: application/http;msgtype=response
    """,
    "HTTP/1.1 200 OK\nContent-Encoding: gzip\nConnection: close\nContent-Length: 9\n\nunzipped!\n",
)
"""Lines of the message end in LF, the date is none, and the length is not that of the body."""

DOUBLED = written(
    """
    WARC/1.0
    WARC-Type: response
    WARC-Target-URI: http://www.example/
    Content-Type: application/http; msgtype=response
    """,
    "HTTP/1.0 302 \r\nLocation: /x\r\nConnection: close\r\n\r\n",
    end="\r\r\n",
)
"""Somebody has turned line ends twice; the status has no reason."""

SPILLED = written(
    """
    WARC/0.17
    WARC-Type: response
    WARC-Target-URI: http://www.example/
    Content-Type: application/http; msgtype=response
    Server: x
    Content-Type: text/html; charset=utf-8
    Connection: close
    """,
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    end="\n",
)
"""Fields of the message stand in the record's own header as well."""

OVER_HTTP2 = written(
    """
    WARC/1.0
    WARC-Type: response
    WARC-Target-URI: https://www.example/
    WARC-Protocol: h2
    WARC-Protocol: tls/1.3
    WARC-Cipher-Suite: TLS_AES_256_GCM_SHA384
    Content-Type: application/http; msgtype=response
    """,
    "HTTP/1.1 200 \r\nserver: x\r\nX-Crawler-content-encoding: br\r\nContent-Length: 0\r\n\r\n",
)
"""A message of HTTP/2 is written as one of HTTP/1.1."""


@pytest.mark.parametrize(
    ("octets", "version", "status", "url"),
    [
        (CLUEWEB, "HTTP/1.1", 200, "http://www.example/shop/order/"),
        (DOUBLED, "HTTP/1.0", 302, "http://www.example/"),
        (SPILLED, "HTTP/1.1", 200, "http://www.example/"),
        (OVER_HTTP2, "HTTP/2", 200, "https://www.example/"),
    ],
)
def test_what_programs_have_written(octets: bytes, version: str, status: int, url: str) -> None:
    captured = read_warc(octets * 2)
    assert [(each.status, each.url) for each in captured] == [(status, url)] * 2
    assert {each.response.version for each in captured if each.response} == {version}
    assert found_in(captured) == []


def test_wget_writes_addresses_in_brackets() -> None:
    ids = {"warc_record_id": "<urn:uuid:1>", "warc_target_uri": f"<{URI}>"}
    asked = record("request", GET, **ids)
    answered = record("response", OK, warc_concurrent_to="<urn:uuid:1>", warc_target_uri=f"<{URI}>")
    (captured,) = read_warc(WGET + asked + answered)
    assert (captured.url, captured.status, captured.flow) == (URI, 200, "urn:uuid:1")
    assert captured.method == b"GET"


def test_heritrix_keeps_names_that_were_looked_up() -> None:
    looked_up = record("response", b"20080430\nx.\t5\tIN\tA\t192.0.2.1\n", content_type="text/dns")
    heritrix = software("Heritrix/@VERSION@ http://crawler.archive.org")
    (captured,) = read_warc(heritrix + looked_up + record("response", OK))
    assert captured.status == 200
