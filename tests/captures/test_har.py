"""HAR files, as many programs write them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.captures import losses
from hopguard.captures.capture import Seconds
from hopguard.captures.har import HAR, HarReader
from hopguard.captures.harvalues import octets_of, times_of, version_of
from hopguard.message import Request, Response
from tests.captures.archives import as_entry, entry, exchanges, found_in, har, read, read_har

CHROME = "WebInspector"


@settings(deadline=None)
@given(st.lists(exchanges(), max_size=4))
def test_what_was_written_is_read(pairs: list[tuple[Request, Response]]) -> None:
    captured = read_har(har(*(as_entry(*pair) for pair in pairs)))
    assert [(each.request, each.response) for each in captured] == [
        (request, replace(response, tls=False)) for request, response in pairs
    ]


@pytest.mark.parametrize(
    ("label", "version"),
    [
        ("http/1.0", "HTTP/1.0"),
        *((label, "HTTP/1.1") for label in ("HTTP/1.1", "http/1.1", " HTTP/1.1 ")),
        *((label, "HTTP/2") for label in ("h2", "http/2.0", "HTTP/2.0", "HTTP/2", "http/2")),
        *((label, "HTTP/3") for label in ("h3", "h3-29", "HTTP/3", "http/3.0")),
        *((label, None) for label in ("", "unknown", "spdy", "h3-Q050", "http/2+quic/46", "h3-2")),
        *((label, None) for label in ("HTTP", "HTTP/0.9", "data", None, 2, ["h2"])),
    ],
)
def test_versions(label: Any, version: str | None) -> None:
    assert version_of(label) == version


def test_what_is_known_of_an_exchange() -> None:
    (captured,) = read_har(har(entry(("Connection", "close;q=1"), ("Content-Length", "0"))))
    assert found_in([captured]) == ["connection-option-not-token"]
    assert captured.request is not None
    assert captured.request.target == b"/a?b"
    assert captured.response is not None
    assert captured.response.tls is True
    assert (captured.method, captured.status) == (b"GET", 200)
    assert captured.url == "https://www.example/a?b#c"
    assert captured.server.address == "192.0.2.1"


def test_an_entry_begins_at_its_offset() -> None:
    octets = b"\xef\xbb\xbf" + json.dumps(har(entry(), entry()), indent=2).encode()
    first, second = (each.offset for each in read_har(octets))
    assert octets[:first].rstrip().endswith(b"[")
    assert octets[:second].rstrip().endswith(b",")
    assert octets[first : first + 1] == octets[second : second + 1] == b"{"


def test_it_is_recognised() -> None:
    for head in (b'{"log":{', b'\xef\xbb\xbf {\r\n\t"log" : '):
        assert HAR.recognises(head)
    for head in (b'[{"log":', b'{"schema": "hopguard/1"', b'{"login":', b"{", b""):
        assert not HAR.recognises(head)


# What browsers do not show


def test_a_browser_shows_a_request_before_it_is_complete() -> None:
    asking = [("User-Agent", "x"), ("Connection", '"close"')]
    shown = har(entry(("Content-Length", "1"), asking=asking), creator=CHROME)
    (captured,) = read_har(shown)
    assert captured.request is None
    assert losses.PROVISIONAL_REQUESTS.what in lost_of(shown)
    complete = har(entry(asking=[*asking, ("host", "www.example")]), creator=CHROME)
    assert "connection-option-not-token" in found_in(read_har(complete))


def test_what_a_response_answers_is_known_even_where_its_fields_are_not() -> None:
    shown = har(entry(("Connection", "keep-alive"), asking=[]), creator=CHROME)
    assert found_in(read_har(shown)) == ["close-delimited-response/contradicted"]
    shown = har(entry(("Transfer-Encoding", "gzip, chunked"), asking=[]), creator=CHROME)
    assert found_in(read_har(shown)) == []


@pytest.mark.parametrize("creator", ["Firefox", CHROME, "Insomnia REST Client"])
def test_a_browser_shows_connection_fields_that_it_does_not_send_in_http2(creator: str) -> None:
    asking = [("Host", "www.example"), ("Connection", "keep-alive"), ("TE", "trailers, gzip")]
    shown = har(entry(asking=asking, version="h2"), creator=creator)
    assert found_in(read_har(shown)) == []
    assert losses.HTTP2_REQUESTS.what in lost_of(shown)


def test_pseudo_header_fields_show_that_a_request_was_sent_so() -> None:
    asking = [(":method", "GET"), (":path", "/p"), ("connection", "keep-alive")]
    shown = har(entry(asking=asking, version="http/2.0"), creator=CHROME)
    (captured,) = read_har(shown)
    assert found_in([captured]) == ["connection-field-in-http2"]
    assert captured.request is not None
    assert captured.request.fields == ((b"connection", b"keep-alive"),)
    assert captured.request.target == b"/p"
    assert captured.request.pseudo_fields == frozenset({b":method", b":path"})


def test_a_proxy_shows_what_came_over_the_wire() -> None:
    asking = [("connection", "keep-alive")]
    assert found_in(read_har(har(entry(asking=asking, version="HTTP/2.0")))) == [
        "connection-field-in-http2"
    ]


def test_a_proxy_may_speak_another_version_to_the_server() -> None:
    made = entry(asking=[("te", "gzip")], version="HTTP/2.0")
    made["response"]["httpVersion"] = "HTTP/1.1"
    (captured,) = read_har(har(made))
    assert captured.asked is not None
    assert (captured.asked.version, captured.asked.leg) == ("HTTP/1.1", "server")
    made["request"]["httpVersion"], made["response"]["httpVersion"] = "HTTP/1.1", "HTTP/3"
    (captured,) = read_har(har(made))
    assert captured.asked is not None
    assert captured.asked.version == "HTTP/3"


def test_chromium_puts_lines_of_one_name_into_one() -> None:
    made = entry(("Set-Cookie", "a\nb"), ("X", "a\n b"), ("Connection", "keep-alive, , x"))
    (captured,) = read_har(har(made, creator=CHROME))
    assert captured.response is not None
    assert captured.response.fields[:3] == (
        (b"Set-Cookie", b"a"),
        (b"Set-Cookie", b"b"),
        (b"X", b"a\n b"),
    )
    assert "connection-empty-list-member" not in found_in([captured])
    assert "connection-empty-list-member" in found_in(read_har(har(made)))


@pytest.mark.parametrize(
    "made",
    [
        entry(("Upgrade", "websocket"), ("Keep-Alive", "timeout=5")),
        entry(status=426),
        entry(status=407),
        entry(status=101, asking=[("Host", "a"), ("Sec-WebSocket-Key", "x"), ("TE", "trailers")]),
        entry(asking=[("Host", "a"), ("Connection", "close"), ("Upgrade", "websocket")]),
        entry(("Content-Length", "5, 5"), ("Transfer-Encoding", "Identity")),
        entry(("Content-Length", "5"), ("Transfer-Encoding", "chunked, gzip"), status=204),
    ],
)
def test_nothing_counts_as_missing_where_an_exporter_is_not_known(made: dict[str, Any]) -> None:
    assert found_in(read_har(har(made, creator="Some program"))) == []
    assert found_in(read_har(har(made)))  # the same from one that leaves nothing out


def test_the_version_of_one_leg_is_not_taken_for_that_of_the_other() -> None:
    made = entry(("Connection", "keep-alive"), version="HTTP/2.0")
    assert found_in(read_har(har(made, creator="Some proxy"))) == []
    assert found_in(read_har(har(made, creator=CHROME))) == ["connection-field-in-http2"]


@pytest.mark.parametrize("creator", [None, 3, {}, {"name": 3}])
def test_an_exporter_without_a_name_is_not_known(creator: Any) -> None:
    document = har(entry(("Keep-Alive", "timeout=5")))
    document["log"]["creator"] = creator
    assert found_in(read_har(document)) == []


# What was not sent


@pytest.mark.parametrize(
    "more",
    [
        {"_fromCache": "disk"},
        {"_fetchedViaServiceWorker": True},
        {"_wasFulfilled": True},
        {"_wasAborted": True},
    ],
)
def test_what_a_browser_did_not_send_is_not_judged(more: dict[str, Any]) -> None:
    document = har(entry(("Connection", '"close"'), **more), creator=CHROME)
    assert read_har(document) == []
    assert losses.NOT_SENT.what in lost_of(document)


def test_a_response_of_no_octets_came_from_a_cache() -> None:
    made = entry(("Connection", '"close"'))
    made["response"]["_transferSize"] = 0
    assert read_har(har(made, creator=CHROME)) == []
    made["response"]["_transferSize"] = 1
    assert len(read_har(har(made, creator=CHROME))) == 1


@pytest.mark.parametrize("url", ["data:text/plain,a", "chrome-extension://a/b", "about:blank", ""])
def test_other_schemes_are_not_http(url: str) -> None:
    assert read_har(har(entry(url=url))) == []


@pytest.mark.parametrize("status", [0, -1, None, "", "0", "-1"])
def test_there_may_be_no_response(status: Any) -> None:
    (captured,) = read_har(har(entry(status=status)))
    assert captured.request is not None
    assert captured.response is None
    assert captured.status is None


def test_what_no_server_was_asked_for_the_proxy_made() -> None:
    made = entry(status=502)
    del made["serverIPAddress"]
    (captured,) = read_har(har(made))
    assert captured.response is None
    (captured,) = read_har(har(made, creator=CHROME))
    assert captured.response is not None
    assert captured.server.address is None


def test_a_message_of_unknown_version_is_not_judged() -> None:
    document = har(entry(("Connection", '"close"'), version="unknown"))
    assert read_har(document) == []
    assert losses.UNKNOWN_VERSIONS.what in lost_of(document)


def test_a_request_has_the_version_of_its_response_if_it_tells_none() -> None:
    made = entry(version="")
    made["response"]["httpVersion"] = "HTTP/1.0"
    (captured,) = read_har(har(made))
    assert captured.request is not None
    assert captured.request.version == "HTTP/1.0"


def test_the_status_101_is_one_of_http11() -> None:
    made = entry(("Connection", "Upgrade"), status="101", version="websocket", url="wss://a/")
    assert "switching-protocols-without-upgrade-field" in found_in(read_har(har(made)))


# Values


@pytest.mark.parametrize(
    ("text", "as_utf8", "octets"),
    [
        ("caf\xe9", False, b"caf\xe9"),
        ("\u20ac", False, b"\xe2\x82\xac"),
        ("caf\xe9", True, b"caf\xc3\xa9"),
        ("\udce9", True, b"\xe9"),
        ("\ud800", True, b"\xed\xa0\x80"),
        ("\udce9", False, b"\xe9"),
    ],
)
def test_text_becomes_octets(text: str, as_utf8: bool, octets: bytes) -> None:
    assert octets_of(text, as_utf8=as_utf8) == octets


@pytest.mark.parametrize(
    ("method", "url", "target"),
    [
        ("GET", "https://a", b"/"),
        ("GET", "https://a/b?c#d/e", b"/b?c"),
        ("CONNECT", "https://a:443/", b"a:443"),
    ],
)
def test_targets(method: str, url: str, target: bytes) -> None:
    (captured,) = read_har(har(entry(method=method, url=url)))
    assert captured.request is not None
    assert captured.request.target == target


TIMINGS = {
    "blocked": 1000,
    "dns": -1,
    "connect": 500,
    "ssl": 400,
    "send": 0,
    "wait": 2000,
    "receive": 250,
}


@pytest.mark.parametrize(
    ("started", "timings", "with_connecting", "requested", "responded"),
    [
        ("1970-01-01T00:00:10Z", TIMINGS, True, (11.5, 11.5), (13.5, 13.75)),
        ("1970-01-01T01:00:10.0000000+01:00", TIMINGS, False, (10, 10), (12, 12.25)),
        ("1970-01-01T00:00:10", {"send": 1}, False, (10, 10.001), (None, None)),
        ("1970-01-01T00:00:10Z", {"wait": 1}, True, (10, None), (None, None)),
        ("1970-01-01T00:00:10Z", TIMINGS | {"send": True}, False, (10, None), (None, None)),
        ("1970-01-01T00:00:10Z", TIMINGS | {"send": float("inf")}, False, (10, None), (None, None)),
        ("1970-01-01T00:00:10Z", None, True, (10, None), (None, None)),
        ("yesterday", TIMINGS, True, (None, None), (None, None)),
        (10, TIMINGS, True, (None, None), (None, None)),
    ],
)
def test_times(
    started: Any,
    timings: Any,
    with_connecting: bool,
    requested: tuple[float | None, float | None],
    responded: tuple[float | None, float | None],
) -> None:
    made = {"startedDateTime": started, "timings": timings}
    times = times_of(made, with_connecting=with_connecting)
    assert times == (Seconds(*requested), Seconds(*responded))


# Damage


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (3, "it has no request"),
        ({}, "it has no request"),
        ({"request": []}, "it has no request"),
        ({"request": {}}, "it has no response"),
        ({"request": {}, "response": {}}, "the request has no url"),
        (entry(method=None), "the request has no method"),  # type: ignore[arg-type]
        (entry(status="2000"), "the status is none"),
        (entry(status=True), "the status is none"),
        (entry(status=[]), "the status is none"),
        (entry(status=99.5), "the status is none"),
        (entry(("a", 3)), "a field has no name, or no value that is text"),  # type: ignore[arg-type]
        (entry((None, "a")), "a field has no name, or no value that is text"),  # type: ignore[arg-type]
        (entry(("a", "b" * 70_000)), "a field is longer than 65,536 characters"),
        (entry() | {"request": entry()["request"] | {"headers": [1]}}, "a field has no name"),
        (entry() | {"request": entry()["request"] | {"headers": {}}}, "there is no list of fields"),
    ],
)
def test_a_damaged_entry_is_left_out(damaged: Any, reason: str) -> None:
    captured, errors = read(HarReader(), json.dumps(har(entry(), damaged, entry())).encode())
    assert len(captured) == 2
    (error,) = errors
    assert reason in str(error)
    assert captured[0].offset < (error.offset or 0) < captured[1].offset


@pytest.mark.parametrize(
    ("octets", "complete", "reason"),
    [
        (b'{"log": {"entries": [%s, {"request"', 1, "ends within the entry that begins here"),
        (b'{"log": {"entries": [%s', 1, "ends within the entry that begins here"),
        (b'{"log": {"pages": [', 0, "at octet 0: the file ends within what precedes the entries"),
        (b'{"log": {"entries": [%s} ', 1, "this is no JSON: there is no ,"),
        (b'{"log": {"entries": [%s] "a"', 1, "this is no JSON: there is no ,"),
        (b'{"log": {a', 0, "this is no JSON: there is no name of a member"),
        (b'{"log": {"entries": [%s, ]}}', 1, "this is no JSON: there is no value"),
        (b"{}", 0, "it is no HAR: it holds no log with entries"),
        (b'{"schema": "hopguard/1"}', 0, "it is no HAR: it holds no log with entries"),
        (b'{"log": [], "log": {"entries": 3}}', 0, "it is no HAR: it holds no log with entries"),
        (b'{"log": {"entries": [%s]}} {', 1, "something follows the end of the HAR"),
        (b'{"log": {"entries": [%s, {"a": 01}]}}', 1, "the entry that begins here is damaged"),
        (b'{"log": {"creator": {a}, "entries": [%s, {]]}}', 1, "is damaged: it is no JSON"),
    ],
)
def test_what_is_complete_in_a_damaged_file_is_read(
    octets: bytes, complete: int, reason: str
) -> None:
    octets = octets.replace(b"%s", json.dumps(entry()).encode())
    captured, errors = read(HarReader(), octets)
    assert len(captured) == complete
    assert reason in str(errors[0])


def lost_of(document: dict[str, Any]) -> list[str]:
    reader = HarReader()
    read(reader, json.dumps(document).encode())
    return [loss.what for loss in reader.lost]
