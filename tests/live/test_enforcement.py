"""off, flag, fix and block through a real mitmdump: the path of a request chooses the action."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.site import Site, started_site
from tests.peers import (
    Certificates,
    Close,
    Data,
    FieldLines,
    Fields,
    Flag,
    Http1Client,
    Http2Client,
    Http3Client,
    Wait,
    answer,
    message,
    request_lines,
)

pytestmark = pytest.mark.live

REGULAR, TO_HTTP1, TO_HTTP2, TO_HTTP3 = range(4)
ACTIONS = ["off", "flag", "fix", "block"]
POLICY = [
    *(f"|~u /{action}/|all|{action}" for action in ACTIONS),
    "|~m CONNECT|connection-empty-list-member|block",
]
FIXED = "fixed", POLICY[2]
BLOCKED = "blocked", POLICY[3]
FIELD = (b"connection", b"keep-alive")


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    certificates: Certificates,
    http2_tls: ssl.SSLContext,
    confdir: Path,
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("enforcement")
    options = {"hopguard_policy": POLICY}
    with started_site(folder, certificates, http2_tls, confdir, options) as started:
        yield started


def acted(site: Site, path: str) -> list[tuple[str, str]]:
    """List what was done about the findings of a flow, and by which line."""
    return [(record["action"], record["policy"]) for record in site.records(path)]


def names(lines: FieldLines) -> list[bytes]:
    return [name.lower() for name, _ in lines]


def test_off_is_silent(site: Site) -> None:
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        assert client.exchange(request_lines("/off/2", FIELD)).status == 200
    assert FIELD in site.http2.requests[-1].fields
    assert acted(site, "/off/2") == []
    lines = site.mitm.output.splitlines()
    assert not [line for line in lines if "hopguard" in line and "/off/2" in line]


def test_flag_observes(site: Site) -> None:
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        assert client.exchange(request_lines("/flag/2", FIELD)).status == 200
    assert FIELD in site.http2.requests[-1].fields
    assert acted(site, "/flag/2") == [("flagged", POLICY[1])]
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        assert client.exchange(request_lines("/other", FIELD)).status == 200
    assert [one["policy"] for one in site.records("/other")] == [None]


@pytest.mark.parametrize("mode", [TO_HTTP1, TO_HTTP2])
def test_fix_request(site: Site, mode: int) -> None:
    path = f"/fix/request-{mode}"
    with Http2Client(site.mitm.address(mode)) as client:
        assert client.exchange(request_lines(path, FIELD, (b"x", b"1"))).status == 200
    request = (site.http1 if mode == TO_HTTP1 else site.http2).requests[-1]
    assert b"connection" not in names(request.fields)
    assert (b"x", b"1") in request.fields
    (record,) = site.records(path)
    assert (record["action"], record["policy"]) == FIXED
    assert record["edits"] == ["removed connection: keep-alive"]
    assert (record["field"], record["value"]) == ("connection", "keep-alive")


def test_fix_response(site: Site) -> None:
    site.http2.answers["/fix/response"] = answer(FIELD, (b"upgrade", b"h2,h2c"), body=b"ok")
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        response = client.exchange(request_lines("/fix/response"))
    assert (response.body, response.regular_fields) == (b"ok", ())
    assert acted(site, "/fix/response") == [FIXED, FIXED]


def test_fix_http3(site: Site) -> None:
    site.http3.answers["/fix/3"] = answer((b"keep-alive", b"timeout=5"), body=b"ok")
    with Http3Client(site.mitm.address(TO_HTTP3), ca=site.mitm.ca) as client:
        response = client.exchange(request_lines("/fix/3", (b"te", b"gzip, trailers")))
    assert response.regular_fields == ()
    assert (b"te", b"trailers") in site.http3.requests[-1].fields
    assert acted(site, "/fix/3") == [FIXED, FIXED]


def test_fix_http1(site: Site) -> None:
    """close is reduced to, not lost: mitmproxy closes by it."""
    site.http1.answers["/fix/1"] = message(
        b"HTTP/1.1 200 OK", b"Connection: keep-alive, close", b"Content-Length: 2", body=b"ok"
    )
    fields = b"Connection: close,,X-Forwarded-For", b"X-Forwarded-For: 192.0.2.1"
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        response = client.exchange(message(b"GET /fix/1 HTTP/1.1", b"Host: x", *fields))
        assert client.wait_for_close() == b""
    assert response.values("connection") == [b"close"]
    request = site.http1.requests[-1]
    assert request.values("connection") == [b"close"]
    assert request.values("x-forwarded-for") == [b"192.0.2.1"]
    assert set(acted(site, "/fix/1")) == {FIXED}
    assert len(site.records("/fix/1")) == 3


def test_fix_credentials_that_end_at_the_proxy(site: Site) -> None:
    """They would go on to the origin; what else other addons have done stays."""
    url = f"{site.http1.url}/fix/credentials".encode()
    line = b"Proxy-Authorization: Basic c2VjcmV0"
    with Http1Client(site.mitm.address(REGULAR)) as client:
        client.exchange(message(b"GET %s HTTP/1.1" % url, b"Host: x", line, b"X: 1"))
    request = site.http1.requests[-1]
    assert (request.values("proxy-authorization"), request.values("x")) == ([], [b"1"])
    assert acted(site, "/fix/credentials") == [FIXED]
    assert "c2VjcmV0" not in site.log.read_text()


def test_fix_falls_back_to_flag(site: Site) -> None:
    """Where there is no safe repair, the record says so."""
    site.http1.answers["/fix/none"] = message(
        b"HTTP/1.1 407 Proxy Authentication Required", b"Content-Length: 0"
    )
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        assert client.exchange(message(b"GET /fix/none HTTP/1.1", b"Host: x")).status == 407
    records = site.records("/fix/none")
    assert {(one["action"], tuple(one["edits"]), one["policy"]) for one in records} == {
        ("flagged", (), POLICY[2])
    }


def test_fix_trailers(site: Site) -> None:
    trailers = ((b"connection", b"close"), (b"x-sum", b"7"))
    site.http2.answers["/fix/trailers"] = answer(body=b"ok", trailers=trailers)
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        lines = request_lines("/fix/trailers", (b"trailer", b"x-sum"), method=b"POST")
        response = client.exchange(lines, b"body", list(trailers))
    assert site.http2.requests[-1].trailers == response.trailers == ((b"x-sum", b"7"),)
    found = [r for r in site.records("/fix/trailers") if r["rule"].startswith("connection-")]
    assert [(r["part"], r["action"]) for r in found] == [
        ("request-trailers", "fixed"),
        ("response-trailers", "fixed"),
    ]


def test_block_request_http1(site: Site) -> None:
    arrived = len(site.http1.requests)
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        octets = message(b"POST /block/1 HTTP/1.1", b"Host: x", b"TE: trailers", body=b"x" * 9)
        response = client.exchange(octets.replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n", 1))
        assert client.wait_for_close() == b""
    assert (response.status, response.values("connection")) == (400, [b"close"])
    assert b"te-without-connection-option" in response.body
    assert b"https://www.rfc-editor.org/rfc/rfc9110.html#section-10.1.4" in response.body
    assert len(site.http1.requests) == arrived
    assert acted(site, "/block/1") == [BLOCKED]


def test_block_request_of_an_old_client(site: Site) -> None:
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        octets = message(b"HEAD /block/0 HTTP/1.0", b"Connection: a,,b")
        response = client.exchange(octets)
        assert client.wait_for_close() == b""
    assert (response.status, response.body) == (400, b"")


@pytest.mark.parametrize("mode", [TO_HTTP1, TO_HTTP2])
def test_block_request_http2(site: Site, mode: int) -> None:
    """The other streams go on."""
    path = f"/block/2-{mode}"
    with Http2Client(site.mitm.address(mode)) as client:
        sibling = client.request(request_lines("/sibling"))
        response = client.exchange(request_lines(path, FIELD, method=b"POST"), b"body")
        assert (response.status, b"connection" in names(response.fields)) == (400, False)
        assert b"connection-field-in-http2" in response.body
        assert client.response(sibling).status == 200
        assert client.exchange(request_lines("/next")).status == 200
    assert acted(site, path) == [BLOCKED]


def test_block_http3(site: Site) -> None:
    site.http3.answers["/block/r"] = answer((b"keep-alive", b"timeout=5"), body=b"secret")
    with Http3Client(site.mitm.address(TO_HTTP3), ca=site.mitm.ca) as client:
        assert client.exchange(request_lines("/block/q", FIELD)).status == 400
        response = client.exchange(request_lines("/block/r"))
        assert (response.status, b"secret" in response.body) == (502, False)
        assert client.exchange(request_lines("/next")).status == 200
    assert acted(site, "/block/q") == acted(site, "/block/r") == [BLOCKED]


def test_block_response_http2(site: Site) -> None:
    """It does not wait for the rest of the content, which is discarded."""
    go_on = Flag()
    fields = Fields([(b":status", b"200"), FIELD])
    site.http2.answers["/block/slow"] = [fields, Wait(go_on), Data(b"secret", end=True)]
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        number = client.request(request_lines("/block/slow"))
        assert client.exchange(request_lines("/sibling")).status == 200
        go_on.set()
        response = client.response(number)
        assert (response.status, b"secret" in response.body) == (502, False)
        assert client.exchange(request_lines("/next")).status == 200
    assert acted(site, "/block/slow") == [BLOCKED]
    assert [record["status"] for record in site.records("/block/slow")] == [200]


def test_block_response_http1(site: Site) -> None:
    site.http1.answers["/block/s1"] = message(
        b"HTTP/1.1 200 OK", b"Keep-Alive: timeout=5", b"Content-Length: 6", body=b"secret"
    )
    for method in (b"GET", b"HEAD"):
        with Http1Client(site.mitm.address(TO_HTTP1)) as client:
            response = client.exchange(message(method + b" /block/s1 HTTP/1.1", b"Host: x"))
            client.wait_for_close()
        assert (response.status, response.values("connection")) == (502, [b"close"])
        assert b"keep-alive-without-connection-option" in response.body or method == b"HEAD"


def test_block_trailers(site: Site) -> None:
    trailers = [(b"connection", b"close")]
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        lines = request_lines("/block/trailers", method=b"POST")
        assert client.exchange(lines, b"body", trailers).status == 400
        site.http2.answers["/block/answer"] = answer(body=b"ok", trailers=tuple(trailers))
        assert client.exchange(request_lines("/block/answer")).status == 502
        assert client.exchange(request_lines("/next")).status == 200


def test_block_connect(site: Site) -> None:
    host = f"{site.http1.address[0]}:{site.http1.address[1]}".encode()
    octets = b"CONNECT %s HTTP/1.1\r\nHost: %s\r\nConnection: a,,b\r\n\r\n" % (host, host)
    smuggled = b"GET http://x/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    with Http1Client(site.mitm.address(REGULAR)) as client:
        response = client.exchange(octets + smuggled)
        assert client.wait_for_close() == b""
    assert (response.status, response.values("connection")) == (400, [b"close"])
    assert b"connection-empty-list-member" in response.body
    assert not [one for one in site.http1.requests if one.path == "/smuggled"]


def test_a_switch_is_blocked(site: Site) -> None:
    site.http1.answers["/block/101"] = [
        message(b"HTTP/1.1 101 Switching Protocols", b"Upgrade: foo", b"Connection: Upgrade"),
        Close(),
    ]
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        assert client.exchange(message(b"GET /block/101 HTTP/1.1", b"Host: x")).status == 502


@pytest.fixture(scope="module")
def streaming(
    tmp_path_factory: pytest.TempPathFactory,
    certificates: Certificates,
    http2_tls: ssl.SSLContext,
    confdir: Path,
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("streaming")
    options = {"hopguard_policy": POLICY, "stream_large_bodies": "10"}
    with started_site(folder, certificates, http2_tls, confdir, options) as started:
        yield started


BODY = b"x" * 1000


def test_fix_what_is_streamed(streaming: Site) -> None:
    lines = request_lines("/fix/stream", FIELD, method=b"POST")
    streaming.http2.answers["/fix/stream"] = answer(
        FIELD, body=BODY, trailers=((b"te", b"x"), (b"x-sum", b"7"))
    )
    with Http2Client(streaming.mitm.address(TO_HTTP2)) as client:
        response = client.exchange(lines, BODY, [(b"keep-alive", b"x"), (b"x-sum", b"7")])
    request = streaming.http2.requests[-1]
    assert (request.body, request.trailers) == (BODY, ((b"x-sum", b"7"),))
    assert (response.body, response.trailers) == (BODY, ((b"x-sum", b"7"),))
    assert b"connection" not in names(request.fields + response.fields)


def test_block_what_would_be_streamed(streaming: Site) -> None:
    """mitmproxy cannot answer what it streams: the stream is reset, its siblings go on."""
    arrived = len(streaming.http2.requests)
    with Http2Client(streaming.mitm.address(TO_HTTP2)) as client:
        for path, length in (("/block/a", [(b"content-length", b"1000")]), ("/block/b", [])):
            lines = request_lines(path, FIELD, *length, method=b"POST")
            assert client.exchange(lines, BODY).reset is not None
        assert len(streaming.http2.requests) == arrived
        short = request_lines("/block/c", FIELD, (b"content-length", b"4"), method=b"POST")
        assert client.exchange(short, b"body").status == 400
        assert client.exchange(request_lines("/block/d", FIELD)).status == 400
        assert client.exchange(request_lines("/next")).status == 200
    assert acted(streaming, "/block/a") == acted(streaming, "/block/b") == [BLOCKED]


def test_block_a_streamed_response(streaming: Site) -> None:
    streaming.http2.answers["/block/s"] = answer(FIELD, body=BODY)
    streaming.http2.answers["/block/t"] = answer(body=BODY, trailers=(FIELD,))
    with Http2Client(streaming.mitm.address(TO_HTTP2)) as client:
        response = client.exchange(request_lines("/block/s"))
        assert (response.status, BODY in response.body) == (502, False)
        # Its octets are out already when its trailer section comes.
        assert client.exchange(request_lines("/block/t")).reset is not None
        assert client.exchange(request_lines("/next")).status == 200


@pytest.mark.parametrize("path", ["/framed", "/fix/framed"])
@pytest.mark.parametrize("size", [5, 1000])
def test_content_is_framed_for_http1(streaming: Site, site: Site, path: str, size: int) -> None:
    """Whatever the action, and whether it is sent while it comes in or at its end."""
    body = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"[:size] + b"x" * (size - 37)
    for place in (streaming, site):
        with Http2Client(place.mitm.address(TO_HTTP1)) as client:
            lines = request_lines(path, method=b"POST")
            assert client.exchange(lines, body).status == 200
            assert client.exchange(request_lines(path)).status == 200
        post, get = place.http1.requests[-2:]
        assert (post.method, post.body, post.complete) == (b"POST", body, True)
        assert len(post.values("content-length") + post.values("transfer-encoding")) == 1
        assert get.values("content-length") == get.values("transfer-encoding") == []
        assert place.records(path) == []
