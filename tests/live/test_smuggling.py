"""Whatever the action and the forwarding: no message whose framing is ambiguous goes on."""

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.feeding import TO_HTTP1, TO_HTTP2, Bench, bench, feed
from tests.live.malformed import MESSAGES, Fault, Kind, Message
from tests.peers import Http1Client, Http2Client, Request, chunked, message, request_lines
from tests.peers.mitm import Option

pytestmark = pytest.mark.live

SETTINGS: dict[str, dict[str, Option]] = {
    "off": {"hopguard_action": "off"},
    "fix": {"hopguard_action": "fix"},
    "block": {"hopguard_action": "block"},
    "conforming": {"hopguard_forwarding": "conforming"},
    "fix-conforming-streaming": {
        "hopguard_action": "fix",
        "hopguard_forwarding": "conforming",
        "stream_large_bodies": "1",
    },
}


@pytest.fixture(scope="module", params=SETTINGS)
def guarded(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    http2_tls: ssl.SSLContext,
    confdir: Path,
) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("smuggling")
    options = SETTINGS[request.param]
    with bench(folder, http2_tls, confdir, options=options) as started:
        yield started


PLAIN = [one for one in MESSAGES if not one.beside]
BESIDE = [one for one in MESSAGES if one.beside][::19]
"""A fault beside a field that the addon shows; there are many, and all of one make."""

GROUPS = [
    pytest.param([one for one in chosen if one.kind is kind], id=f"{kind}-{name}")
    for kind in Kind
    for name, chosen in (("plain", PLAIN), ("beside", BESIDE))
    if any(one.kind is kind for one in chosen)
]


def modes(one: Message) -> list[int]:
    """Send HTTP/1 messages to HTTP/1, and HTTP/2 requests to both."""
    if one.octets:
        return [TO_HTTP1]
    return [TO_HTTP1, TO_HTTP2] if one.kind is Kind.REQUEST else [TO_HTTP2]


@pytest.mark.parametrize("messages", GROUPS)
def test_nothing_ambiguous_goes_on(guarded: Bench, messages: list[Message]) -> None:
    """What mitmproxy refuses stays refused; whatever arrives is framed, once."""
    streams = "stream_large_bodies" in guarded.mitm.options
    for one in messages:
        for mode in modes(one):
            arrived = len(guarded.http1.requests)
            outcome = feed(guarded, one, mode)
            if one.fault in (Fault.MALFORMED, Fault.CODING):
                cut_off = streams and outcome.ended != "complete"
                assert outcome.refused or cut_off, (one, outcome)
            for request in guarded.http1.requests[arrived:]:
                assert request.complete or streams, request
                assert_framed(request)


def assert_framed(request: Request) -> None:
    """There is one reading of where the request ends."""
    coding, length = request.values("transfer-encoding"), request.values("content-length")
    assert len(coding) + len(length) <= 1, request
    assert all(
        re.fullmatch(rb"(?:(?:gzip|deflate|compress), *)?chunked", one.lower()) for one in coding
    )
    assert all(re.fullmatch(rb"0|[1-9][0-9]*", value) for value in length), request
    assert request.method not in (b"", b"passed-on-body"), request
    head = request.octets.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n")[1:] if line[:1] not in b" \t"]
    assert all(re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", name) for name in names), request


HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "option", [b"Transfer-Encoding", b"Content-Length, close", b"Host", b"transfer-encoding, TE"]
)
@pytest.mark.parametrize("coded", [True, False])
def test_nominations_of_framing_fields(guarded: Bench, option: bytes, coded: bool) -> None:
    """Nobody takes the framing away, neither here nor at the next hop."""
    framing = b"Transfer-Encoding: chunked" if coded else b"Content-Length: %d" % len(HIDDEN)
    octets = message(
        b"POST /nominated HTTP/1.1",
        *(b"Host: localhost", b"Connection: " + option, framing),
        body=chunked(HIDDEN) if coded else HIDDEN,
    )
    arrived = len(guarded.http1.requests)
    with Http1Client(guarded.mitm.address(TO_HTTP1)) as client:
        client.exchange(octets)
    for request in guarded.http1.requests[arrived:]:
        assert (request.path, request.body) == ("/nominated", HIDDEN)
        assert_framed(request)
    assert not any(one.path == "/smuggled" for one in guarded.http1.requests)


@pytest.mark.parametrize("length", [None, b"0", b"1", b"4000"])
def test_content_of_http2_reaches_http1_framed(guarded: Bench, length: bytes | None) -> None:
    """With its length, and not with a wrong one; what follows is another request."""
    fields = [(b"content-length", length)] if length is not None else []
    arrived = len(guarded.http1.requests)
    with Http2Client(guarded.mitm.address(TO_HTTP1)) as client:
        response = client.exchange(request_lines("/h2", *fields, method=b"POST"), HIDDEN)
    assert (response.status == 200) == (length is None)
    requests = guarded.http1.requests[arrived:]
    assert [one.path for one in requests if one.complete] == ["/h2"] * (length is None)
    assert not any(one.path == "/smuggled" for one in guarded.http1.requests)
