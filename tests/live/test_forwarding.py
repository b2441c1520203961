"""Conforming forwarding through a real mitmdump, between all pairs of versions."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.site import ADDON, Site, started_site
from tests.peers import (
    Certificates,
    Close,
    FieldLines,
    Http1Client,
    Http2Client,
    Http3Client,
    Mitm,
    answer,
    chunked,
    client_context,
    message,
    request_lines,
)

pytestmark = pytest.mark.live

REGULAR, TO_HTTP1, TO_HTTP2, TO_HTTP3 = range(4)
OWN = {b"host", b"content-length"}


@pytest.fixture(scope="module", params=["lazy", "eager"])
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    certificates: Certificates,
    http2_tls: ssl.SSLContext,
    confdir: Path,
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("forwarding")
    options = {"hopguard_forwarding": "conforming", "connection_strategy": request.param}
    with started_site(folder, certificates, http2_tls, confdir, options) as started:
        yield started


def sent(lines: FieldLines) -> list[bytes]:
    """Show field lines in order, without those that tests do not care for."""
    return [
        name.lower() + b": " + value
        for name, value in lines
        if name.lower() not in OWN and not name.startswith(b":")
    ]


REQUEST = (
    b"Connection: X-Hop, keep-alive, TE, X-Forwarded-For",
    b"X-Hop: 1",
    b"Accept: */*",
    b"X-Forwarded-For: 192.0.2.1",
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"TE: gzip, trailers",
    b"HTTP2-Settings: AAMAAABk",
    b"X-Last: 1",
)
KEPT = [b"accept: */*", b"x-forwarded-for: 192.0.2.1", b"x-last: 1"]


def test_request_1_to_1(site: Site) -> None:
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        for _ in range(2):
            client.exchange(message(b"GET /r11 HTTP/1.1", b"Host: x", *REQUEST))
    first, second = site.http1.requests[-2:]
    accept, address, last = KEPT
    expected = [b"connection: TE", accept, address, b"te: trailers", last]
    assert sent(first.fields) == sent(second.fields) == expected
    assert first.connection == second.connection


def test_request_1_to_2(site: Site) -> None:
    if site.mitm.options["connection_strategy"] == "eager":
        pytest.skip("then client and server speak the same version")
    tls = client_context(["http/1.1", "h2"])
    with Http1Client(site.mitm.address(TO_HTTP2), tls=tls) as client:
        client.exchange(message(b"GET /r12 HTTP/1.1", b"Host: x", *REQUEST))
    request = site.http2.requests[-1]
    accept, address, last = KEPT
    assert request.version == "HTTP/2"
    assert sent(request.fields) == [accept, address, b"te: trailers", last]


def test_request_2_to_1(site: Site) -> None:
    lines = request_lines("/r21", (b"accept", b"*/*"), (b"te", b"trailers"), (b"x-hop", b"1"))
    lines += [(b"connection", b"x-hop"), (b"keep-alive", b"timeout=5")]
    with Http2Client(site.mitm.address(TO_HTTP1)) as client:
        assert client.exchange(lines).status == 200
    expected = [b"accept: */*", b"te: trailers", b"x-hop: 1", b"connection: close, TE"]
    assert sent(site.http1.requests[-1].fields) == expected


@pytest.mark.parametrize("proxied", [False, True])
def test_request_2_to_2(site: Site, proxied: bool) -> None:
    lines = request_lines("/r22", (b"te", b"gzip, trailers"), (b"x-hop", b"1"))
    lines += [(b"connection", b"x-hop"), (b"upgrade", b"websocket"), (b"http2-settings", b"AA")]
    proxy = site.mitm.address(REGULAR) if proxied else None
    address = site.http2.address if proxied else site.mitm.address(TO_HTTP2)
    with Http2Client(address, proxy=proxy) as client:
        for _ in range(2):
            assert client.exchange(lines).status == 200
            assert sent(site.http2.requests[-1].fields) == [b"te: trailers", b"x-hop: 1"]


def test_request_3_to_3(site: Site) -> None:
    lines = request_lines("/r33", (b"te", b"trailers"), (b"proxy-connection", b"keep-alive"))
    with Http3Client(site.mitm.address(TO_HTTP3), ca=site.mitm.ca) as client:
        assert client.exchange(lines).status == 200
    assert sent(site.http3.requests[-1].fields) == [b"te: trailers"]


RESPONSE = (
    b"Connection: X-Hop, keep-alive, Set-Cookie",
    b"X-Hop: 1",
    b"Server: test",
    b"Set-Cookie: a=b",
    b"Keep-Alive: timeout=5, max=9",
    b"Upgrade: h2,h2c",
    b"Proxy-Connection: keep-alive",
    b"X-Last: 1",
)
ANSWER = [b"server: test", b"set-cookie: a=b", b"x-last: 1"]


def test_response_1_to_1(site: Site) -> None:
    site.http1.answers["/s11"] = message(b"HTTP/1.1 200 OK", *RESPONSE, b"Content-Length: 0")
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        for _ in range(2):
            response = client.exchange(message(b"GET /s11 HTTP/1.1", b"Host: x"))
            assert sent(response.fields) == ANSWER
    first, second = site.http1.requests[-2:]
    assert first.connection == second.connection


def test_response_1_to_2(site: Site) -> None:
    site.http1.answers["/s12"] = message(b"HTTP/1.1 200 OK", *RESPONSE, b"Content-Length: 0")
    with Http2Client(site.mitm.address(TO_HTTP1)) as client:
        assert sent(client.exchange(request_lines("/s12")).fields) == ANSWER


def test_response_2_to_2(site: Site) -> None:
    fields = (b"server", b"test"), (b"connection", b"server"), (b"keep-alive", b"timeout=5")
    site.http2.answers["/s22"] = answer(*fields, body=b"ok")
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        assert sent(client.exchange(request_lines("/s22")).fields) == [b"server: test"]


def test_response_2_to_1(site: Site) -> None:
    """It is told its length, so that the connection can stay open."""
    if site.mitm.options["connection_strategy"] == "eager":
        pytest.skip("then client and server speak the same version")
    trailers = ((b"x-sum", b"7"),)
    site.http2.answers["/s21"] = answer((b"te", b"trailers"), body=b"ok", trailers=trailers)
    tls = client_context(["http/1.1", "h2"])
    with Http1Client(site.mitm.address(TO_HTTP2), tls=tls) as client:
        for _ in range(2):
            response = client.exchange(message(b"GET /s21 HTTP/1.1", b"Host: x"))
            assert (response.values("content-length"), response.body) == ([b"2"], b"ok")
            assert sent(response.fields) == []


def test_response_3_to_3(site: Site) -> None:
    site.http3.answers["/s33"] = answer((b"keep-alive", b"timeout=5"), (b"x", b"1"), body=b"ok")
    with Http3Client(site.mitm.address(TO_HTTP3), ca=site.mitm.ca) as client:
        response = client.exchange(request_lines("/s33"))
    assert (sent(response.fields), response.body) == ([b"x: 1"], b"ok")


@pytest.mark.parametrize("option", [b"close", b"Close", b"close, X-Hop", b'"close"'])
def test_a_client_that_closes(site: Site, option: bytes) -> None:
    """Both legs are told: mitmproxy closes them both."""
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        response = client.exchange(
            message(b"GET /c HTTP/1.1", b"Host: x", b"Connection: " + option)
        )
        assert client.wait_for_close() == b""
    assert response.values("connection") == [b"close"]
    assert site.http1.requests[-1].values("connection") == [b"close"]


@pytest.mark.parametrize("option", [b"close", b"Close, keep-alive"])
@pytest.mark.parametrize("size", [2, 300_000])
def test_only_the_server_closes(site: Site, option: bytes, size: int) -> None:
    """The client's connection stays, whether the response comes in one piece or in several."""
    length, body = b"Content-Length: %d" % size, b"x" * size
    head = message(b"HTTP/1.1 200 OK", b"Connection: " + option, length)
    site.http1.answers["/sc"] = [head, body] if size > 2 else [head + body]
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        for _ in range(3):
            response = client.exchange(message(b"GET /sc HTTP/1.1", b"Host: x"))
            assert (response.status, response.values("connection")) == (200, [])
            assert response.body == body
    connections = {one.connection for one in site.http1.requests[-3:]}
    assert len(connections) == 3
    # To the client, nobody has said close.
    assert "request-after-close" not in {rule for rule, _, _ in site.found("/sc")}


def test_a_server_that_ends_its_response_by_closing(site: Site) -> None:
    """That ends the client's connection, too, and is announced."""
    octets = message(b"HTTP/1.1 200 OK", b"Server: old", body=b"until the end")
    site.http1.answers["/ce"] = [octets, Close()]
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        response = client.exchange(message(b"GET /ce HTTP/1.1", b"Host: x"))
    assert response.values("connection") == [b"close"]
    assert response.body == b"until the end"


def test_an_old_client_that_keeps_its_connection(site: Site) -> None:
    """As with a server; its response is not in chunks, which it could not read."""
    site.http1.answers["/k"] = message(
        b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", body=chunked(b"ok")
    )
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        for _ in range(2):
            response = client.exchange(message(b"GET /k HTTP/1.0", b"Connection: Keep-Alive"))
            assert response.values("connection") == [b"keep-alive"]
            assert (response.values("content-length"), response.body) == ([b"2"], b"ok")
            assert response.values("transfer-encoding") == []
    first, second = site.http1.requests[-2:]
    assert first.connection == second.connection
    assert first.values("connection") == [b"keep-alive"]


def test_an_old_client_of_a_proxy(site: Site) -> None:
    """Its keep-alive may be from beyond another proxy, so the connection ends."""
    url = f"{site.http1.url}/old".encode()
    for fields in ([b"Connection: keep-alive"], []):
        with Http1Client(site.mitm.address(REGULAR)) as client:
            response = client.exchange(message(b"GET %s HTTP/1.0" % url, b"Host: x", *fields))
            assert client.wait_for_close() == b""
        assert response.values("connection") == [b"close"]
        assert site.http1.requests[-1].values("connection") == []


def test_an_old_server(site: Site) -> None:
    """One that keeps its connection, and one that does not."""
    length = b"Content-Length: 2"
    site.http1.answers["/os"] = message(b"HTTP/1.0 200 OK", length, body=b"ok")
    keeping = message(b"HTTP/1.0 200 OK", b"Connection: keep-alive", length, body=b"ok")
    site.http1.answers["/osk"] = keeping
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        for path in (b"/os", b"/osk"):
            response = client.exchange(message(b"GET %s HTTP/1.1" % path, b"Host: x"))
            assert (response.values("connection"), response.body) == ([b"keep-alive"], b"ok")


@pytest.mark.parametrize("protocol", [b"websocket", b"foo/2, h2c", b"WebSocket"])
def test_an_upgrade_goes_through(site: Site, protocol: bytes) -> None:
    switched = (b"Connection: Upgrade", b"Upgrade: " + protocol.partition(b",")[0])
    site.http1.answers["/u"] = message(b"HTTP/1.1 101 Switching Protocols", *switched)
    handshake = (
        b"Connection: keep-alive, Upgrade",
        b"Upgrade: " + protocol,
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        b"Sec-WebSocket-Version: 13",
    )
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        response = client.exchange(message(b"GET /u HTTP/1.1", b"Host: x", *handshake))
    assert response.status == 101
    assert response.values("connection") == [b"Upgrade"]
    assert response.values("upgrade") == [protocol.partition(b",")[0]]
    # What comes after the switch may look like a request, too.
    request = [one for one in site.http1.requests if one.path == "/u"][-1]
    assert request.values("upgrade") == [protocol.partition(b",")[0]]
    assert request.values("connection") == [b"Upgrade"]
    assert len(request.values("sec-websocket-key")) == 1


def test_no_upgrade_to_h2c(site: Site) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        client.exchange(message(b"GET /h2c HTTP/1.1", b"Host: x", *offer))
    assert sent(site.http1.requests[-1].fields) == []


def test_credentials_for_the_proxy(site: Site) -> None:
    """They end at the proxy, but for one that mitmproxy is not."""
    line = b"Proxy-Authorization: Basic c2VjcmV0"
    url = f"{site.http1.url}/pa".encode()
    with Http1Client(site.mitm.address(REGULAR)) as client:
        client.exchange(message(b"GET %s HTTP/1.1" % url, b"Host: x", line))
    assert sent(site.http1.requests[-1].fields) == []
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        client.exchange(message(b"GET /pa HTTP/1.1", b"Host: x", line))
    assert sent(site.http1.requests[-1].fields) == [line.replace(b"Proxy-A", b"proxy-a")]


def test_trailers(site: Site) -> None:
    """HTTP/1 gets none, which mitmproxy could not send; in HTTP/2 only what may be there."""
    trailers = [(b"x-sum", b"7"), (b"connection", b"close"), (b"te", b"x")]
    lines = request_lines("/t", method=b"POST")
    site.http2.answers["/t"] = answer(body=b"ok", trailers=tuple(trailers))
    with Http2Client(site.mitm.address(TO_HTTP1)) as client:
        assert client.exchange(lines, b"body", trailers).status == 200
    assert site.http1.requests[-1].body == b"body"
    with Http2Client(site.mitm.address(TO_HTTP2)) as client:
        response = client.exchange(lines, b"body", trailers)
    assert site.http2.requests[-1].trailers == response.trailers == ((b"x-sum", b"7"),)


def test_a_transfer_coding_cannot_be_carried_over(site: Site) -> None:
    """The client would take compressed octets for the content itself."""
    coded = message(b"HTTP/1.1 200 OK", b"Transfer-Encoding: gzip, chunked", body=chunked(b"\x1f"))
    site.http1.answers["/gz"] = coded
    with Http2Client(site.mitm.address(TO_HTTP1)) as client:
        response = client.exchange(request_lines("/gz"))
        assert (response.status, b"\x1f" in response.body) == (502, False)
        assert client.exchange(request_lines("/next")).status == 200
    with Http1Client(site.mitm.address(TO_HTTP1)) as client:
        assert client.exchange(message(b"GET /gz HTTP/1.1", b"Host: x")).status == 200


def test_what_was_received_is_what_is_judged(site: Site) -> None:
    """Neither what is taken away nor what is added makes or hides a finding."""
    lines = request_lines("/j", (b"te", b"gzip, trailers"), (b"keep-alive", b"timeout=5"))
    with Http2Client(site.mitm.address(TO_HTTP1)) as client:
        client.exchange(lines, b"body", [(b"x-sum", b"7")])
    assert site.found("/j") == [
        ("connection-field-in-http2", "request", "HTTP/2"),
        ("te-not-trailers-in-http2-or-http3", "request", "HTTP/2"),
        ("trailer-announcement-mismatch", "request-trailers", "HTTP/2"),
        ("response-missing-close-echo", "response", "HTTP/1.1"),
    ]
    assert {record["action"] for record in site.records("/j")} == {"flagged"}


def test_a_refused_tunnel(site: Site) -> None:
    with Http1Client(site.mitm.address(REGULAR)) as client:
        octets = b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"
        if site.mitm.options["connection_strategy"] == "lazy":
            pytest.skip("nothing is refused before something is sent")
        response = client.exchange(octets + b"GET http://x/smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (response.status, response.values("connection")) == (502, [b"close"])
        assert client.wait_for_close() == b""


def test_proxies_that_ask_for_credentials(
    tmp_path: Path, certificates: Certificates, http2_tls: ssl.SSLContext, confdir: Path
) -> None:
    """mitmproxy's own credentials end there, those for the next proxy are its own business."""
    options = {"hopguard_forwarding": "conforming", "proxyauth": "user:password"}
    basic = b"Proxy-Authorization: Basic dXNlcjpwYXNzd29yZA=="
    with started_site(tmp_path, certificates, http2_tls, confdir, options) as site:
        url = f"{site.http1.url}/auth".encode()
        with Http1Client(site.mitm.address(REGULAR)) as client:
            refused = client.exchange(message(b"GET %s HTTP/1.1" % url, b"Host: x"))
            assert (refused.status, len(refused.values("proxy-authenticate"))) == (407, 1)
            response = client.exchange(message(b"GET %s HTTP/1.1" % url, b"Host: x", basic))
            assert response.status == 200
        assert sent(site.http1.requests[-1].fields) == []
        host = b"%s:%d" % (site.http1.address[0].encode(), site.http1.address[1])
        with Http1Client(site.mitm.address(REGULAR)) as client:
            refused = client.exchange(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (host, host))
            assert (refused.status, refused.values("connection")) == (407, [b"close"])
            assert client.wait_for_close() == b""


def test_an_upstream_proxy(site: Site, confdir: Path) -> None:
    """It gets the credentials, and mitmproxy's own Connection field."""
    line = b"Proxy-Authorization: Basic c2VjcmV0"
    url = b"http://origin.example/up"
    mode, options = f"upstream:{site.http1.url}", {"hopguard_forwarding": "conforming"}
    hop = b"Connection: X-Hop, Proxy-Authorization", b"X-Hop: 1"
    with (
        Mitm(mode, scripts=[ADDON], options=options, confdir=confdir) as mitm,
        Http1Client(mitm.address()) as client,
    ):
        client.exchange(message(b"GET %s HTTP/1.1" % url, b"Host: x", line))
        kept = site.http1.requests[-1]
        client.exchange(message(b"GET %s HTTP/1.1" % url, b"Host: x", line, *hop))
    assert kept.values("proxy-authorization") == [b"Basic c2VjcmV0"]
    assert sent(site.http1.requests[-1].fields) == []


def test_nothing_is_found_about_connections(site: Site) -> None:
    """What mitmproxy said to one side is held against that side alone."""
    records = [json.loads(line) for line in site.log.read_text().splitlines()]
    assert records
    assert [one for one in records if one["part"] == "connection"] == []
