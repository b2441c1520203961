"""The peers through a bare mitmdump, for every pair of versions that it can connect."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.peers import (
    Certificates,
    Http1Client,
    Http1Origin,
    Http2Client,
    Http2Origin,
    Http3Client,
    Http3Origin,
    Mitm,
    WaitForRequests,
    answer,
    chunked,
    client_context,
    message,
    request_lines,
)

pytestmark = pytest.mark.live

OK = message(b"HTTP/1.1 200 OK", b"X-Seen: 1", b"Content-Length: 2", body=b"ok")
OK_STREAM = answer((b"x-seen", b"1"), body=b"ok")


class Setup(NamedTuple):
    mitm: Mitm
    plain: Http1Origin
    tls: Http1Origin
    http2: Http2Origin
    http3: Http3Origin


@pytest.fixture(scope="module")
def setup(
    certificates: Certificates,
    http1_tls: ssl.SSLContext,
    http2_tls: ssl.SSLContext,
    confdir: Path,
) -> Iterator[Setup]:
    with ExitStack() as stack:
        plain = stack.enter_context(Http1Origin(default=OK))
        tls = stack.enter_context(Http1Origin(default=OK, tls=http1_tls))
        http2 = stack.enter_context(Http2Origin(default=OK_STREAM, tls=http2_tls))
        http3 = stack.enter_context(Http3Origin(default=OK_STREAM, certificates=certificates))
        origins = (plain, tls, http2, http3)
        mitm = Mitm("regular", *(f"reverse:{one.url}" for one in origins), confdir=confdir)
        yield Setup(stack.enter_context(mitm), *origins)


def test_1_to_1_reverse(setup: Setup) -> None:
    with Http1Client(setup.mitm.address(1)) as client:
        for _ in range(2):
            response = client.exchange(b"GET /1-1 HTTP/1.1\r\nHost: x\r\nConnection: x\r\n\r\n")
            assert (response.status, response.values("x-seen")) == (200, [b"1"])
    assert setup.plain.requests[-1].values("connection") == [b"x"]


def test_1_to_1_reverse_tls(setup: Setup) -> None:
    tls = client_context(["http/1.1"], setup.mitm.ca)
    with Http1Client(setup.mitm.address(2), tls=tls) as client:
        assert client.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    assert setup.tls.connections[-1].alpn == "http/1.1"


def test_1_to_1_regular(setup: Setup) -> None:
    with Http1Client(setup.mitm.address(0)) as client:
        request = message(b"GET %s/abs HTTP/1.1" % setup.plain.url.encode(), b"Host: x")
        assert client.exchange(request).status == 200
    with Http1Client(setup.plain.address, proxy=setup.mitm.address(0)) as client:
        assert client.exchange(b"GET /connect HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    tls = client_context(["http/1.1"], setup.mitm.ca)
    with Http1Client(setup.tls.address, proxy=setup.mitm.address(0), tls=tls) as client:
        assert client.exchange(b"GET /tls HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    assert [one.path for one in setup.plain.requests[-2:]] == ["/abs", "/connect"]
    assert setup.tls.requests[-1].path == "/tls"


def test_2_to_1_reverse(setup: Setup) -> None:
    with Http2Client(setup.mitm.address(1)) as client:
        lines = request_lines("/2-1", (b"content-length", b"4"), method=b"POST")
        response = client.exchange(lines, b"body")
    assert (response.version, response.status) == ("HTTP/2", 200)
    request = setup.plain.requests[-1]
    assert (request.version, request.path, request.body) == ("HTTP/1.1", "/2-1", b"body")


def test_2_to_1_leaves_a_body_of_unknown_length_unframed(setup: Setup) -> None:
    smuggled = b"GET /smuggled HTTP/1.1\r\n\r\n"
    with Http2Client(setup.mitm.address(1)) as client:
        client.exchange(request_lines("/unframed", method=b"POST"), smuggled)
    connection = setup.plain.wait_for_close(setup.plain.requests[-1].connection)
    assert connection.received.startswith(b"POST /unframed HTTP/1.1\r\n")
    assert connection.received.endswith(b"\r\n\r\n" + smuggled)
    assert b"ontent-" not in connection.received


def test_2_to_2_reverse(setup: Setup) -> None:
    with Http2Client(setup.mitm.address(3), tls=client_context(["h2"], setup.mitm.ca)) as client:
        response = client.exchange(request_lines("/2-2"), b"body", [(b"t", b"u")])
    assert (response.status, response.values("x-seen")) == (200, [b"1"])
    request = setup.http2.requests[-1]
    assert (request.path, request.body, request.trailers) == ("/2-2", b"body", ((b"t", b"u"),))


def test_2_to_2_regular(setup: Setup) -> None:
    with Http2Client(setup.http2.address, proxy=setup.mitm.address(0)) as client:
        assert client.exchange(request_lines("/regular")).status == 200
    assert setup.http2.requests[-1].path == "/regular"


def test_3_to_3_reverse(setup: Setup) -> None:
    with Http3Client(setup.mitm.address(4), ca=setup.mitm.ca) as client:
        lines = request_lines("/3-3", (b"connection", b"keep-alive"), (b"te", b"gzip"))
        response = client.exchange(lines, b"body", [(b"t", b"u")])
    assert (response.status, response.values("x-seen")) == (200, [b"1"])
    request = setup.http3.requests[-1]
    assert request.values("connection") == [b"keep-alive"]
    assert (request.body, request.trailers) == (b"body", ((b"t", b"u"),))


def test_3_to_3_in_an_https_mode(setup: Setup, confdir: Path) -> None:
    url = setup.http3.url.replace("http3", "https")
    with Mitm(f"reverse:{url}", confdir=confdir) as mitm, Http3Client(mitm.address()) as client:
        assert client.exchange(request_lines("/")).status == 200


def test_1_to_2_reverse(setup: Setup, confdir: Path) -> None:
    # mitmproxy offers the server what the client offered, and connects to it after it has chosen
    # the client's first: the origin may then choose another.
    options = {"connection_strategy": "lazy"}
    tls = client_context(["http/1.1", "h2"])
    with (
        Mitm(f"reverse:{setup.http2.url}", options=options, confdir=confdir) as mitm,
        Http1Client(mitm.address(), tls=tls) as client,
    ):
        response = client.exchange(b"GET /1-2 HTTP/1.1\r\nHost: x\r\nConnection: x\r\n\r\n")
        assert (client.alpn, response.status, response.body) == ("http/1.1", 200, b"ok")
    assert (setup.http2.requests[-1].path, setup.http2.requests[-1].version) == ("/1-2", "HTTP/2")


def test_a_violation_by_the_client_ends_its_siblings(setup: Setup) -> None:
    setup.http2.answers["/hold"] = []
    before = len(setup.http2.requests)
    with Http2Client(setup.mitm.address(3)) as client:
        sibling = client.request(request_lines("/hold"))
        setup.http2.wait_for_requests(before + 1)
        bad = client.request(request_lines("/bad", (b"connection", b"close")))
        assert client.wait_for_close() == 1
        assert b"Connection-specific header field" in client.goaway_reason
        assert not client.response(sibling).complete
        assert not client.response(bad).complete


def test_a_violation_by_the_origin_fails_its_siblings(setup: Setup) -> None:
    before = len(setup.http2.requests)
    setup.http2.answers["/sibling"] = []
    setup.http2.answers["/bad"] = [WaitForRequests(before + 2), *answer((b"upgrade", b"x"))]
    with Http2Client(setup.mitm.address(3)) as client:
        sibling, bad = (client.request(request_lines(path)) for path in ("/sibling", "/bad"))
        assert client.response(bad).status == 502
        assert client.response(sibling).status == 502
        assert not client.closed


def test_malformed_http1_is_refused(setup: Setup) -> None:
    setup.plain.answers["/bad"] = message(
        b"HTTP/1.1 200 OK", b"Content-Length: 5", b"Transfer-Encoding: chunked", body=chunked(b"a")
    )
    with Http1Client(setup.mitm.address(1)) as client:
        assert client.exchange(b"GET /bad HTTP/1.1\r\nHost: x\r\n\r\n").status == 502
    before = len(setup.plain.requests)
    with Http1Client(setup.mitm.address(1)) as client:
        request = message(b"GET / HTTP/1.1", b"Host: x", b"Content-Length: 1", b"Content-Length: 2")
        assert client.exchange(request).status == 400
    assert len(setup.plain.requests) == before
