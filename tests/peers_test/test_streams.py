"""The clients and origins of HTTP/2 and HTTP/3 with each other, without a proxy."""

import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.peers import (
    Certificates,
    Close,
    Data,
    Fields,
    Flag,
    GoAway,
    Http2Client,
    Http2Origin,
    Http3Client,
    Http3Origin,
    Reset,
    Signal,
    Wait,
    WaitForRequests,
    WaitTimeoutError,
    answer,
    request_lines,
)

AnyOrigin = Http2Origin | Http3Origin
Connect = Callable[[AnyOrigin], Http2Client | Http3Client]

MALFORMED = [
    (b"connection", b"keep-alive, x"),
    (b"Upper-Case", b"1"),
    (b"transfer-encoding", b"chunked"),
    (b"te", b"gzip"),
    (b"crlf", b"a\r\nb: c\0"),
    (b" space ", b" around "),
    (b":path", b"/pseudo-after-regular"),
    (b":unknown", b"1"),
]


@pytest.fixture(params=["HTTP/2", "HTTP/3"])
def origin(
    request: pytest.FixtureRequest, certificates: Certificates, http2_tls: ssl.SSLContext
) -> Iterator[AnyOrigin]:
    made: AnyOrigin = (
        Http2Origin(tls=http2_tls)
        if request.param == "HTTP/2"
        else Http3Origin(certificates=certificates)
    )
    with made as running:
        yield running


@pytest.fixture
def client(origin: AnyOrigin) -> Iterator[Http2Client | Http3Client]:
    kind = Http2Client if isinstance(origin, Http2Origin) else Http3Client
    with kind(origin.address) as connected:
        yield connected


def test_well_formed_messages(origin: AnyOrigin, client: Http2Client | Http3Client) -> None:
    origin.answers["/a"] = [
        Fields([(b":status", b"103"), (b"link", b"</x>")]),
        *answer((b"x-a", b"1"), (b"x-a", b"2"), body=b"d" * 200_000, trailers=((b"sum", b"1"),)),
    ]
    lines = request_lines("/a?q", (b"cookie", b"1"), (b"cookie", b"2"), method=b"POST")
    response = client.exchange(lines, b"b" * 200_000, [(b"t", b"u")])
    assert response.fields == ((b":status", b"200"), (b"x-a", b"1"), (b"x-a", b"2"))
    assert response.values("X-A") == [b"1", b"2"]
    assert response.interim == (((b":status", b"103"), (b"link", b"</x>")),)
    assert (response.status, response.body) == (200, b"d" * 200_000)
    assert (response.trailers, response.complete) == (((b"sum", b"1"),), True)
    (request,) = origin.requests
    assert (request.method, request.target, request.path) == (b"POST", b"/a?q", "/a")
    assert request.fields == tuple(lines)
    assert request.regular_fields == ((b"cookie", b"1"), (b"cookie", b"2"))
    assert (request.body, request.trailers) == (b"b" * 200_000, ((b"t", b"u"),))
    assert request.version == response.version
    assert request.complete


def test_malformed_messages_both_ways(origin: AnyOrigin, client: Http2Client | Http3Client) -> None:
    sent = [(b":method", b"GET"), (b":method", b"POST"), *MALFORMED]
    origin.default = [
        Fields([*MALFORMED, (b":status", b"200"), (b":status", b"x")]),
        Data(b"d" * 10),
        Fields(MALFORMED, end=True),
    ]
    response = client.exchange(sent, b"b", MALFORMED)
    assert response.fields == (*MALFORMED, (b":status", b"200"), (b":status", b"x"))
    assert (response.status, response.trailers) == (200, tuple(MALFORMED))
    assert origin.requests[0].fields == tuple(sent)
    assert origin.requests[0].trailers == tuple(MALFORMED)
    assert client.exchange([(b"only", b"this")]).fields[0] == MALFORMED[0]
    assert not client.closed


def test_streams_are_answered_in_the_scripted_order(
    origin: AnyOrigin, client: Http2Client | Http3Client
) -> None:
    last_answered = Flag("last answered")
    origin.answers["/first"] = [Wait(last_answered), *answer(body=b"1")]
    origin.answers["/bad"] = [WaitForRequests(3), Reset(2)]
    origin.answers["/last"] = [WaitForRequests(3), *answer(body=b"3"), Signal(last_answered)]
    first, bad, last = (client.request(request_lines(path)) for path in ("/first", "/bad", "/last"))
    assert client.response(first).body == b"1"
    assert client.response(last).body == b"3"
    assert client.response(bad).reset == 2
    assert client.response(bad).status is None


def test_the_client_resets_its_stream(origin: AnyOrigin, client: Http2Client | Http3Client) -> None:
    number = client.request(request_lines("/"), b"part", end=False)
    client.send(number, Reset(8))
    (request,) = origin.wait_for_requests(1)
    assert (request.reset, request.complete, request.body) == (8, False, b"part")


@pytest.mark.parametrize("end", [GoAway(0x101), Close()])
def test_the_origin_ends_the_connection(
    origin: AnyOrigin, client: Http2Client | Http3Client, end: GoAway | Close
) -> None:
    origin.answers["/end"] = [WaitForRequests(2), end, Close()]
    origin.answers["/hold"] = []
    hold, last = (client.request(request_lines(path)) for path in ("/hold", "/end"))
    assert not client.response(hold).complete
    assert not client.response(last).complete
    assert (
        client.wait_for_close()
        == {
            (GoAway, "HTTP/2"): 0x101,
            (GoAway, "HTTP/3"): 0x101,
            (Close, "HTTP/2"): None,
            (Close, "HTTP/3"): 0x100,
        }[type(end), client.response(hold).version]
    )
    with pytest.raises(ConnectionError):
        client.send(hold, Data(b"late"))


def test_what_was_not_finished_is_recorded_when_the_client_leaves(origin: AnyOrigin) -> None:
    kind = Http2Client if isinstance(origin, Http2Origin) else Http3Client
    with kind(origin.address) as client:
        client.request(request_lines("/half"), b"ha", end=False)
        finished = client.request(request_lines("/whole"))
        assert client.response(finished).status == 404
    assert origin.wait_for_close().alpn == {"HTTP/2": "h2", "HTTP/3": "h3"}[client.streams.version]
    whole, half = origin.requests
    assert (whole.path, whole.complete) == ("/whole", True)
    assert (half.path, half.complete, half.body) == ("/half", False, b"ha")


def test_a_response_that_does_not_come(origin: AnyOrigin) -> None:
    kind = Http2Client if isinstance(origin, Http2Origin) else Http3Client
    origin.default = answer()[:0]
    with kind(origin.address, timeout=0.5) as client:
        number = client.request(request_lines("/"))
        with pytest.raises(WaitTimeoutError, match=f"a response on stream {number}"):
            client.response(number)


def test_certificates_are_verified_when_asked_for(
    origin: AnyOrigin, certificates: Certificates
) -> None:
    if isinstance(origin, Http3Origin):
        with Http3Client(origin.address, ca=certificates.ca) as client:
            assert client.exchange(request_lines("/")).status == 404
        with pytest.raises(ConnectionError):
            Http3Client(origin.address, ca=certificates.ca, server_name="other").__enter__()
