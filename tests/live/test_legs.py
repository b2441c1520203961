"""Every pair of legs, both directions: what is sent is judged by its own version."""

import os
import stat

import pytest

from tests.live.site import Site
from tests.peers import (
    Http1Client,
    Http2Client,
    Http3Client,
    answer,
    client_context,
    message,
    request_lines,
)

pytestmark = pytest.mark.live

H2_FIELD, H3_FIELD = "connection-field-in-http2", "connection-field-in-http3"
PROXY_CONNECTION = "proxy-connection-field"


def test_1_to_1(site: Site) -> None:
    site.http1.answers["/1-1"] = message(
        b"HTTP/1.1 200 OK", b"Keep-Alive: timeout=5", b"Content-Length: 0"
    )
    with Http1Client(site.mitm.address(1)) as client:
        client.exchange(
            b"GET /1-1 HTTP/1.1\r\nHost: x\r\nConnection: close, X-Forwarded-For\r\n\r\n"
        )
    assert site.found("/1-1") == [
        ("connection-strips-forwarding-field", "request", "HTTP/1.1"),
        ("keep-alive-without-connection-option", "response", "HTTP/1.1"),
        ("response-missing-close-echo", "response", "HTTP/1.1"),
    ]


def test_1_0_to_1(site: Site) -> None:
    site.http1.answers["/1.0-1"] = message(
        b"HTTP/1.0 200 OK", b"Proxy-Connection: keep-alive", b"Content-Length: 0"
    )
    with Http1Client(site.mitm.address(1)) as client:
        client.exchange(b'GET /1.0-1 HTTP/1.0\r\nConnection: "close"\r\n\r\n')
    assert site.found("/1.0-1") == [
        ("connection-option-not-token", "request", "HTTP/1.0"),
        (PROXY_CONNECTION, "response", "HTTP/1.0"),
    ]


def test_2_to_1(site: Site) -> None:
    site.http1.answers["/2-1"] = message(
        b"HTTP/1.1 200 OK", b"Proxy-Connection: keep-alive", b"Content-Length: 0"
    )
    with Http2Client(site.mitm.address(1)) as client:
        assert client.exchange(request_lines("/2-1", (b"te", b"gzip"))).status == 200
    assert site.found("/2-1") == [
        ("te-not-trailers-in-http2-or-http3", "request", "HTTP/2"),
        (PROXY_CONNECTION, "response", "HTTP/1.1"),
    ]


def test_1_to_2(site: Site) -> None:
    site.http2.answers["/1-2"] = answer((b"upgrade", b"h2,h2c"), body=b"ok")
    with Http1Client(site.mitm.address(2), tls=client_context(["http/1.1", "h2"])) as client:
        response = client.exchange(
            b"GET /1-2 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive,,close\r\n\r\n"
        )
    assert response.body == b"ok"
    assert site.http2.requests[-1].version == "HTTP/2"
    assert site.found("/1-2") == [
        ("close-with-keep-alive", "request", "HTTP/1.1"),
        ("connection-empty-list-member", "request", "HTTP/1.1"),
        (H2_FIELD, "response", "HTTP/2"),
    ]


def test_2_to_2(site: Site) -> None:
    site.http2.answers["/2-2"] = answer((b"connection", b"keep-alive"), body=b"ok")
    with Http2Client(site.mitm.address(2)) as client:
        lines = request_lines("/2-2", (b"x", b"1"), (b"proxy-connection", b"close"))
        assert client.exchange(lines).body == b"ok"
    assert site.found("/2-2") == [
        (H2_FIELD, "request", "HTTP/2"),
        (H2_FIELD, "response", "HTTP/2"),
    ]
    request, response = site.records("/2-2")
    assert (request["field"], request["value"], request["line"]) == ("proxy-connection", "close", 1)
    assert (request["leg"], request["sender"], request["status"]) == ("client", "client", None)
    assert (response["leg"], response["sender"], response["status"]) == ("server", "server", 200)
    assert request["flow"] == response["flow"]
    assert request["connection"] != response["connection"]
    assert request["client"].startswith("127.0.0.1:")
    assert response["server"] == f"127.0.0.1:{site.http2.port}"


def test_2_to_1_with_a_switch_that_nobody_can_follow(site: Site) -> None:
    site.http1.answers["/2-101"] = message(
        b"HTTP/1.1 101 Switching Protocols", b"Connection: Upgrade", b"Upgrade: foo"
    )
    with Http2Client(site.mitm.address(1)) as client:
        sibling = client.request(request_lines("/sibling"))
        assert client.exchange(request_lines("/2-101", (b"upgrade", b"foo"))).status == 502
        assert client.response(sibling).status == 200
        assert client.exchange(request_lines("/next")).status == 200
    assert (H2_FIELD, "request", "HTTP/2") in site.found("/2-101")


def test_2_to_2_trailers(site: Site) -> None:
    site.http2.answers["/2-2t"] = answer(body=b"ok", trailers=((b"keep-alive", b"timeout=5"),))
    with Http2Client(site.mitm.address(2)) as client:
        lines, trailers = request_lines("/2-2t", method=b"POST"), [(b"connection", b"close")]
        assert client.exchange(lines, b"body", trailers).status == 200
    assert site.found("/2-2t") == [
        ("connection-field-in-trailers", "request-trailers", "HTTP/2"),
        ("connection-field-in-trailers", "response-trailers", "HTTP/2"),
    ]


def test_2_to_2_through_a_tunnel(site: Site) -> None:
    site.http2.answers["/2-2c"] = answer((b"keep-alive", b"timeout=5"))
    with Http2Client(site.http2.address, proxy=site.mitm.address(0)) as client:
        client.exchange(request_lines("/2-2c", (b"upgrade", b"websocket")))
    assert site.found("/2-2c") == [
        (H2_FIELD, "request", "HTTP/2"),
        (H2_FIELD, "response", "HTTP/2"),
    ]


def test_3_to_3(site: Site) -> None:
    site.http3.answers["/3-3"] = answer((b"keep-alive", b"timeout=5"), body=b"ok")
    with Http3Client(site.mitm.address(3), ca=site.mitm.ca) as client:
        lines = request_lines("/3-3", (b"connection", b"keep-alive"), (b"te", b"gzip"))
        assert client.exchange(lines, b"body", [(b"upgrade", b"h2c")]).body == b"ok"
    assert sorted(site.found("/3-3")) == [
        (H3_FIELD, "request", "HTTP/3"),
        (H3_FIELD, "response", "HTTP/3"),
        ("connection-field-in-trailers", "request-trailers", "HTTP/3"),
        ("te-not-trailers-in-http2-or-http3", "request", "HTTP/3"),
    ]


def test_whom_proxy_connection_is_addressed_to(site: Site) -> None:
    line = b"Proxy-Connection: keep-alive"
    with Http1Client(site.mitm.address(0)) as client:
        url = f"{site.http1.url}/to-proxy".encode()
        client.exchange(message(b"GET %s HTTP/1.1" % url, b"Host: x", line))
    with Http1Client(site.http1.address, proxy=site.mitm.address(0)) as client:
        client.exchange(message(b"GET /in-tunnel HTTP/1.1", b"Host: x", line))
    with Http1Client(site.mitm.address(1)) as client:
        client.exchange(message(b"GET /reverse HTTP/1.1", b"Host: x", line))
    found = [
        (record["variant"], record["severity"])
        for path in ("/to-proxy", "/in-tunnel", "/reverse")
        for record in site.records(path)
    ]
    assert found == [("to-proxy", "info"), ("beyond-proxy", "warning"), ("beyond-proxy", "warning")]


def test_proxy_credentials_that_go_on_to_the_origin(site: Site) -> None:
    with Http1Client(site.mitm.address(0)) as client:
        url = f"{site.http1.url}/credentials".encode()
        client.exchange(
            message(b"GET %s HTTP/1.1" % url, b"Host: x", b"Proxy-Authorization: Basic c2VjcmV0")
        )
    assert site.http1.requests[-1].values("proxy-authorization") == [b"Basic c2VjcmV0"]
    (record,) = site.records("/credentials")
    assert (record["rule"], record["sender"]) == ("proxy-authorization-beyond-proxy", "proxy")
    assert "c2VjcmV0" not in site.log.read_text()


def test_a_connect_request_is_judged(site: Site) -> None:
    host = f"{site.http1.address[0]}:{site.http1.address[1]}".encode()
    with Http1Client(site.mitm.address(0)) as client:
        client.send(
            b"CONNECT %s HTTP/1.1\r\nHost: %s\r\nConnection: te\x0bx\r\n\r\n" % (host, host)
        )
        assert client.response(b"CONNECT").status == 200
    records = [record for record in site.records("") if record["method"] == "CONNECT"]
    assert [(record["rule"], record["variant"]) for record in records] == [
        ("connection-field-illegal-octets", "control")
    ]
    assert records[0]["value"] == r"te\x0bx"


def test_the_log_is_private_and_lines_are_told(site: Site) -> None:
    with Http2Client(site.mitm.address(2)) as client:
        client.exchange(request_lines("/told?secret=1", (b"connection", b"x\x1b[31m")))
    line = site.mitm.wait_for_line(rf"hopguard: error {H2_FIELD}: .*GET https://\S+/told$")[0]
    assert r"connection: x\x1b[31m" in line
    assert "secret" not in site.log.read_text()
    assert stat.S_IMODE(os.stat(site.log).st_mode) == 0o600  # noqa: PTH116
