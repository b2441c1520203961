"""mitmproxy's flows in the standards' words."""

import pytest
from mitmproxy import http

from hopguard.mitm import flows
from tests.mitm.building import add_response, live_flow, server


@pytest.mark.parametrize(
    ("label", "spoken"),
    [
        ("HTTP/0.9", "HTTP/1.0"),
        ("HTTP/1.0", "HTTP/1.0"),
        ("HTTP/1.1", "HTTP/1.1"),
        ("HTTP/1.2", "HTTP/1.1"),
        ("HTTP/2.0", "HTTP/2"),
        ("HTTP/3", "HTTP/3"),
    ],
)
def test_versions(label: str, spoken: str) -> None:
    """Each message has its own."""
    flow = live_flow(version=label)
    add_response(flow)
    assert flows.request_of(flow, in_tunnel=False).version == spoken
    assert flows.response_of(flow).version == spoken


@pytest.mark.parametrize("label", ["HTTP/2.0", "HTTP/3.0"])
def test_an_http1_message_may_claim_to_be_anything(label: str) -> None:
    """A start line does not make it HTTP/2: Connection is legal in it."""
    flow = live_flow(version="HTTP/1.1")
    flow.request.data.http_version = label.encode()
    assert flows.request_of(flow, in_tunnel=False).version == "HTTP/1.1"
    flow.client_conn.alpn = b"http/1.1"
    assert flows.request_of(flow, in_tunnel=False).version == "HTTP/1.1"


@pytest.mark.parametrize(("label", "spoken"), [("HTTP/2.0", "HTTP/2"), ("HTTP/3", "HTTP/3")])
def test_a_saved_flow_without_alpn_has_only_its_label(label: str, spoken: str) -> None:
    """Such as one that was imported from a HAR."""
    flow = live_flow(version="HTTP/1.1")
    flow.live = False
    flow.request.data.http_version = label.encode()
    assert flows.request_of(flow, in_tunnel=False).version == spoken


def test_field_lines_stay_as_they_are() -> None:
    """Octets, order, letter case, position."""
    fields = ((b"Host", b"h"), (b"CONNECTION", b"a\r\n b"), (b"connection", b"\xff"))
    flow = live_flow(*fields)
    request = flows.request_of(flow, in_tunnel=False)
    assert request.fields == fields
    assert request.trailers is None
    assert (request.leg, request.tls, request.method) == ("client", False, b"GET")


def test_trailers_are_unknown_until_the_message_is_complete() -> None:
    """Then there are some, or there are none."""
    flow = live_flow()
    add_response(flow)
    assert flows.response_of(flow, complete=True).trailers == ()
    assert flow.response is not None
    flow.response.trailers = http.Headers([(b"Close", b"1")])
    assert flows.response_of(flow).trailers is None
    assert flows.response_of(flow, complete=True).trailers == ((b"Close", b"1"),)
    flow.request.trailers = http.Headers([(b"x", b"1")])
    assert flows.request_of(flow, in_tunnel=False, complete=True).trailers == ((b"x", b"1"),)


@pytest.mark.parametrize(
    ("mode", "in_tunnel", "to_proxy"),
    [
        ("regular", False, True),
        ("regular", True, False),
        ("upstream:http://p.example", False, True),
        ("reverse:http://o.example", False, False),
        ("transparent", False, False),
        ("socks5", False, False),
    ],
)
def test_whom_a_request_is_addressed_to(mode: str, in_tunnel: bool, to_proxy: bool) -> None:
    """The mode and the tunnel decide."""
    flow = live_flow(mode=mode)
    assert flows.request_of(flow, in_tunnel=in_tunnel).to_proxy is to_proxy


def test_a_saved_flow_may_not_know_whom_it_was_addressed_to() -> None:
    """Clear text through a regular proxy may have come through a tunnel or not."""
    flow = live_flow(mode="regular")
    flow.live = False
    assert flows.request_of(flow, in_tunnel=False).to_proxy is None
    flow.client_conn.tls = True
    flow.request.scheme = "https"
    assert flows.request_of(flow, in_tunnel=False).to_proxy is False
    flow.request.method = "CONNECT"
    assert flows.request_of(flow, in_tunnel=False).to_proxy is True


def test_a_response_knows_whether_another_proxy_is_in_the_path() -> None:
    """By the server connection."""
    flow = live_flow()
    add_response(flow, status=407)
    assert flows.response_of(flow).direct is True
    flow.server_conn.via = ("http", ("p.example", 3128))
    assert flows.response_of(flow).direct is False


@pytest.mark.parametrize(
    ("from_client", "from_server", "sent"),
    [
        ("HTTP/1.0", "HTTP/1.1", "HTTP/1.0"),
        ("HTTP/1.1", "HTTP/1.1", "HTTP/1.1"),
        ("HTTP/2.0", "HTTP/1.1", "HTTP/1.1"),
        ("HTTP/1.1", "HTTP/2.0", "HTTP/2"),
        ("HTTP/2.0", "HTTP/2.0", "HTTP/2"),
        ("HTTP/3", "HTTP/3", "HTTP/3"),
    ],
)
def test_the_request_that_a_response_answers(from_client: str, from_server: str, sent: str) -> None:
    """It has the version of the server's leg, not of the client's."""
    flow = live_flow(version=from_client)
    flow.server_conn = server(from_server)
    add_response(flow, version=from_server)
    request = flows.sent_request(flow, flows.response_of(flow))
    assert (request.version, request.leg, request.to_proxy) == (sent, "server", False)


def test_what_mitmproxy_made_itself_is_known() -> None:
    """It is complete when its head is seen."""
    flow = live_flow()
    assert not flows.is_own(add_response(flow))
    assert flows.is_own(http.Response.make(502))


def test_urls_of_requests_that_mitmproxy_refuses() -> None:
    """They have not been sent anywhere yet."""
    flow = live_flow((b"Host", b"demo.example"))
    assert flows.url_of(flow) == flow.request.url == "http://address:22/path"
    flow.request.data.host = ""
    assert flows.url_of(flow) == "http://demo.example/path"
    del flow.request.headers["host"]
    flow.client_conn.tls = True
    assert flows.url_of(flow) == "https://origin.example:443/path"
    flow.server_conn = type(flow.server_conn)(address=None)
    assert flows.url_of(flow) == "https:///path"


def test_addresses() -> None:
    """Of the client, and of the server as far as it is known."""
    flow = live_flow()
    assert flows.client_address(flow) == "192.0.2.1:50000"
    assert flows.server_address(flow) == "origin.example:443"
    flow.server_conn.peername = ("2001:db8::1", 443)
    assert flows.server_address(flow) == "[2001:db8::1]:443"
    flow.server_conn = type(flow.server_conn)(address=None)
    assert flows.server_address(flow) is None
