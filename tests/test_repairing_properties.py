"""What every repair promises, on messages that nobody has thought of."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.message import EVERY_VERSION, HTTP1, Message, RawFields, Request, Response, Version
from tests.repairs import judge_for, repair, repair_all

SECRET = b"c2VjcmV0"

VALUES: dict[bytes, list[bytes]] = {
    b"Connection": [
        b"",
        b"close",
        b"Close",
        b"keep-alive",
        b"Keep-Alive, close",
        b"Upgrade",
        b"upgrade, HTTP2-Settings",
        b"TE",
        b"TE, close",
        b"te, , keep-alive",
        b",",
        b'"close"',
        b'"te"',
        b"keep-alive close",
        b"close;q=1",
        b"keep-alive,\r\n close",
        b"close\r\nX: y",
        b"X-Forwarded-For, Cache-Control",
        b"Authorization, close",
        b"Transfer-Encoding",
        b"Content-Length",
        b"Host",
        b"X-Hop",
        b"User-Agent",
        b"Proxy-Connection",
        b"connection",
        b"trailer",
        b"keep-alive, keep-alive",
    ],
    b"Keep-Alive": [b"timeout=5", b"timeout=5, max=100", b"", b"300", b"timeout=5,\r\n max=7"],
    b"Proxy-Connection": [b"keep-alive", b"close", b""],
    b"TE": [b"trailers", b"gzip", b"trailers, chunked", b"", b",", b'gzip;q="', b"trailers;q=1"],
    b"Transfer-Encoding": [
        b"chunked",
        b"gzip, chunked",
        b"gzip",
        b"chunked, chunked",
        b",chunked",
        b"identity",
        b"\r\n chunked",
        b"chunked\0",
        b"",
    ],
    b"Content-Length": [b"5", b"05", b"5, 5", b"5, 6", b"0", b"+5", b"5\r\n ", b"5,"],
    b"Upgrade": [
        b"websocket",
        b"h2c",
        b"h2,h2c",
        b"websocket, h2c",
        b"TLS/1.2",
        b"websocket; v=13",
        b"TLS/1.2,,h2c",
        b"",
        b"h2c\r\n , foo",
    ],
    b"HTTP2-Settings": [b"AAMAAABkAAQAAP__", b"???", b""],
    b"Trailer": [b"X-Sum", b"Transfer-Encoding", b"X-Sum, Host, close", b";bad", b""],
    b"Close": [b"yes", b""],
    b"Via": [b"1.1 proxy"],
    b"Age": [b"7"],
    b"Host": [b"www.example"],
    b"X-Hop": [b"1"],
    b"C-Man": [b'"http://www.example/"'],
    b"Expect": [b"100-continue", b"100-continue\r\n "],
    b"User-Agent": [b"a/1", b"a/2"],
    b"Cookie": [SECRET],
    b"Authorization": [SECRET],
    b"Proxy-Authorization": [b"Basic " + SECRET],
    b"Proxy-Authenticate": [b"Basic " + SECRET],
    b"Sec-WebSocket-Key": [b"dGhlIHNhbXBsZSBub25jZQ=="],
    b"Sec-WebSocket-Version": [b"13"],
    b"Content-Type": [b"text/event-stream", b"application/grpc"],
    b"Sec-Fetch-Mode": [b"cors"],
    b"Connection ": [b"close", b"keep-alive"],
    b"Keep-Alive\t": [b"timeout=5"],
    b"Transfer-Encoding ": [b"chunked"],
    b"Transfer_Encoding": [b"chunked"],
    b"xxxxxxxxxx": [b"close"],
}
NAMES = sorted(VALUES)

pairs = st.sampled_from(NAMES).flatmap(
    lambda name: st.tuples(
        st.sampled_from([name, name.lower(), name.upper()]), st.sampled_from(VALUES[name])
    )
)
odd_pairs = st.tuples(
    st.sampled_from(NAMES),
    st.lists(
        st.sampled_from(
            [b"close", b"te", b"upgrade", b",", b" ", b"\t", b'"', b"\r\n ", b"\0", b"x"]
        ),
        max_size=5,
    ).map(b"".join),
)
options = st.tuples(st.just(b"Connection"), st.sampled_from(VALUES[b"Connection"]))
sections = st.lists(st.one_of(pairs, pairs, options, odd_pairs), max_size=8).map(tuple)
versions: st.SearchStrategy[Version] = st.sampled_from(
    ["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2", "HTTP/3"]
)
maybe = st.sampled_from([None, True, False])


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request with fields of connection management, common and hostile."""
    version = draw(versions)
    return Request(
        version=version,
        fields=draw(sections),
        leg="client",
        trailers=draw(st.none() | sections),
        tls=draw(maybe),
        method=draw(st.sampled_from([b"GET", b"POST", b"CONNECT"])),
        protocol=draw(st.sampled_from([None, None, b"websocket"]))
        if version not in HTTP1
        else None,
        to_proxy=draw(maybe),
    )


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """A response, likewise."""
    return Response(
        version=draw(versions),
        fields=draw(sections),
        leg="server",
        trailers=draw(st.none() | sections),
        status=draw(st.sampled_from([200, 200, 101, 103, 204, 304, 407, 408, 426])),
        direct=draw(maybe),
    )


@given(requests())
def test_requests(request: Request) -> None:
    """What is reported as fixed is gone, nothing new has come, and what must stay has stayed."""
    _check(request, None)


@given(responses(), st.none() | requests())
def test_responses(response: Response, request: Request | None) -> None:
    """Also in the light of what they answer."""
    _check(response, request)


def _check(message: Message, request: Request | None) -> None:
    repaired = repair_all(message, request)
    assert all(SECRET.decode() not in edit for edit in repaired.edits)
    assert repair_all(repaired.message, request).message is repaired.message
    assert _names(repaired.message.fields) <= _names(message.fields) | {b"connection"}


def _names(fields: RawFields) -> set[bytes]:
    return {name.lower().strip(b" \t") for name, _ in fields}


@given(st.one_of(requests(), responses()), st.randoms())
def test_some_on_fix(message: Message, random: Random) -> None:
    """Whatever else is left at flag."""
    judge = judge_for(None)
    repair(message, [one for one in judge(message) if random.random() < 0.5], judge)


@settings(max_examples=20)
@given(pairs, st.sampled_from(sorted(EVERY_VERSION)), st.booleans())
def test_many_equal_lines(pair: tuple[bytes, bytes], version: Version, of_request: bool) -> None:
    """They are repaired as one is."""
    message: Message = (
        Request(version=version, fields=(pair,) * 300, leg="client", method=b"GET")
        if of_request
        else Response(version=version, fields=(pair,) * 300, leg="server", status=200)
    )
    repaired = repair_all(message)
    assert len(repaired.edits) < 30
