"""Messages that mitmproxy refuses, some that it only looks as if it should, and what they are.

Every message names its fault. `PATH` stands for a path of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.peers.messages import FieldLines

PATH = b"/PATH"
MARK = b"passed-on"
"""In a field, and in the body, of every message: whoever receives it has received the message."""

BODY = b"passed-on-body"
LENGTH = b"%d" % len(BODY)
Line = tuple[bytes, bytes]


class Kind(StrEnum):
    """Which part of an exchange the fault is in."""

    HTTP1_REQUEST = "http1-request"
    HTTP1_RESPONSE = "http1-response"
    REQUEST = "http2-request"
    RESPONSE = "http2-response"
    REQUEST_TRAILERS = "http2-request-trailers"
    RESPONSE_TRAILERS = "http2-response-trailers"


class Fault(StrEnum):
    """What a bare mitmproxy does about the message, and why."""

    MALFORMED = "refused: malformed"
    FIELD = "refused: a connection-specific field is there"
    CODING = "refused: transfer-encoding is there"
    TOLERATED = "accepted, whatever the standards say"


@dataclass(frozen=True)
class Message:
    """A message with a fault."""

    kind: Kind
    name: str
    fault: Fault
    lines: FieldLines = ()
    """The section with the fault, pseudo-header fields included (HTTP/2)."""
    octets: bytes = b""
    """The whole message (HTTP/1)."""
    body: bytes = b""
    """The body besides (HTTP/2)."""
    beside: str = ""
    """What has been put beside the fault."""

    @property
    def id(self) -> str:
        """Name it in the output of tests."""
        return f"{self.kind}-{self.name}" + (f"-{self.beside}" if self.beside else "")

    def __str__(self) -> str:
        return self.id

    @property
    def path(self) -> str:
        """The path of its own."""
        return f"/{self.id}"

    @property
    def sent_lines(self) -> FieldLines:
        """The section, with the path in place."""
        own = self.path.encode()
        return tuple((name, value.replace(PATH, own)) for name, value in self.lines)

    @property
    def sent_octets(self) -> bytes:
        """The octets, with the path in place."""
        return self.octets.replace(PATH, self.path.encode())


# HTTP/1

_CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
_CODED = b"Transfer-Encoding: chunked"
_COUNTED = b"Content-Length: " + LENGTH

# name: field lines, body
_Http1 = dict[str, tuple[list[bytes], bytes]]

_FRAMING: _Http1 = {
    "transfer-encoding-with-content-length": ([_CODED, _COUNTED], _CHUNKED),
    "content-length-before-transfer-encoding": ([_COUNTED, _CODED], _CHUNKED),
    "content-length-twice-same": ([_COUNTED, _COUNTED], BODY),
    "content-length-twice-different": ([_COUNTED, b"Content-Length: 1"], BODY),
    "content-length-plus": ([b"Content-Length: +14"], BODY),
    "content-length-minus": ([b"Content-Length: -14"], BODY),
    "content-length-hexadecimal": ([b"Content-Length: 0xe"], BODY),
    "content-length-list": ([b"Content-Length: 14, 14"], BODY),
    "content-length-empty": ([b"Content-Length:"], b""),
    "content-length-leading-zero": ([b"Content-Length: 014"], BODY),
    "content-length-inner-space": ([b"Content-Length: 1 4"], BODY),
    "content-length-folded": ([b"Content-Length: 1", b" 4"], BODY),
    "transfer-coding-unknown": ([b"Transfer-Encoding: foo"], _CHUNKED),
    "transfer-coding-xchunked": ([b"Transfer-Encoding: xchunked"], _CHUNKED),
    "transfer-coding-vertical-tab": ([b"Transfer-Encoding: a\x0bchunked"], _CHUNKED),
    "transfer-coding-quoted": ([b'Transfer-Encoding: "chunked"'], _CHUNKED),
    "transfer-coding-parameter": ([b"Transfer-Encoding: chunked;q=1"], _CHUNKED),
    "transfer-coding-kelvin-sign": ([b"Transfer-Encoding: chun\xe2\x84\xaaed"], _CHUNKED),
    "transfer-coding-empty": ([b"Transfer-Encoding:"], b""),
    "transfer-coding-empty-member": ([b"Transfer-Encoding: ,chunked"], _CHUNKED),
    "transfer-coding-repeated": ([b"Transfer-Encoding: chunked, chunked"], _CHUNKED),
    "transfer-coding-misplaced": ([b"Transfer-Encoding: chunked, gzip"], _CHUNKED),
    "transfer-coding-identity-chunked": ([b"Transfer-Encoding: identity, chunked"], _CHUNKED),
    "transfer-coding-folded": ([b"Transfer-Encoding: gzip,", b" foo"], _CHUNKED),
    "transfer-encoding-twice": ([_CODED, _CODED], _CHUNKED),
    "transfer-encoding-twice-different": ([_CODED, b"Transfer-Encoding: gzip"], _CHUNKED),
    "transfer-encoding-space-before-colon": ([b"Transfer-Encoding : chunked"], _CHUNKED),
    "content-length-space-before-colon": ([b"Content-Length : 14"], BODY),
    "chunk-size-invalid": ([_CODED], b"xyz\r\n\r\n0\r\n\r\n"),
}

_NAMES: _Http1 = {
    "space-before-colon": ([b"X-Space : 1"], b""),
    "space-in-name": ([b"X Space: 1"], b""),
    "empty-name": ([b": 1"], b""),
    "no-colon": ([b"X-No-Colon"], b""),
    "control-in-name": ([b"X-\x01: 1"], b""),
    "nul-in-name": ([b"X-\x00: 1"], b""),
    "carriage-return-in-name": ([b"X-\rY: 1"], b""),
    "non-ascii-name": ([b"X-\xc3\xa9: 1"], b""),
    "parenthesis-in-name": ([b"X(1): 1"], b""),
}

_TOLERATED: _Http1 = {
    "obs-fold": ([b"X-Fold: 1", b" 2"], b""),
    "nul-in-value": ([b"X-Nul: a\x00b"], b""),
    "control-in-value": ([b"X-Control: a\x01b"], b""),
    "carriage-return-in-value": ([b"X-Return: a\rb"], b""),
    "non-ascii-value": ([b"X-Latin: \xe9"], b""),
    "transfer-coding-upper-case": ([b"Transfer-Encoding: CHUNKED"], _CHUNKED),
    "transfer-coding-gzip-chunked": ([b"Transfer-Encoding: gzip, chunked"], _CHUNKED),
    "connection-not-a-token": ([b"Connection: a b, @"], b""),
    "connection-names-framing": ([b"Connection: content-length"], b""),
}

_GET = b"GET " + PATH + b" HTTP/1.1"
_POST = b"POST " + PATH + b" HTTP/1.1"
_HOST = b"Host: localhost"
_MARKED = b"X-Mark: " + MARK

# name: start line, field lines, body
_Starts = dict[str, tuple[bytes, list[bytes], bytes]]

_REFUSED_REQUESTS: _Starts = {
    "transfer-encoding-in-1.0": (b"POST " + PATH + b" HTTP/1.0", [_HOST, _CODED], _CHUNKED),
    "transfer-coding-gzip-alone": (_POST, [_HOST, b"Transfer-Encoding: gzip"], BODY),
    "transfer-coding-identity": (_POST, [_HOST, b"Transfer-Encoding: identity"], BODY),
    "first-line-folded": (_GET, [b" X-Fold: 1", _HOST], b""),
    "version-of-http2": (b"GET " + PATH + b" HTTP/2", [_HOST], b""),
    "version-of-two-digits": (b"GET " + PATH + b" HTTP/1.10", [_HOST], b""),
    "version-in-lower-case": (b"GET " + PATH + b" http/1.1", [_HOST], b""),
    "version-missing": (b"GET " + PATH, [_HOST], b""),
    "space-in-target": (b"GET " + PATH + b" x HTTP/1.1", [_HOST], b""),
    "scheme-unknown": (b"GET ftp://localhost" + PATH + b" HTTP/1.1", [_HOST], b""),
    "connect-to-an-origin": (b"CONNECT localhost:443 HTTP/1.1", [_HOST], b""),
}

_OK = b"HTTP/1.1 200 OK"

_REFUSED_RESPONSES: _Starts = {
    "transfer-encoding-in-1.0": (b"HTTP/1.0 200 OK", [_CODED], _CHUNKED),
    "transfer-encoding-in-204": (b"HTTP/1.1 204 No Content", [_CODED], b""),
    "transfer-encoding-in-101": (b"HTTP/1.1 101 Switching", [_CODED, b"Upgrade: x"], b""),
    "first-line-folded": (_OK, [b" X-Fold: 1", b"Content-Length: 0"], b""),
    "version-of-two-digits": (b"HTTP/1.10 200 OK", [b"Content-Length: 0"], b""),
    "version-in-lower-case": (b"http/1.1 200 OK", [b"Content-Length: 0"], b""),
    "status-not-a-number": (b"HTTP/1.1 2xx OK", [b"Content-Length: 0"], b""),
    "status-missing": (b"HTTP/1.1", [b"Content-Length: 0"], b""),
}

_TOLERATED_RESPONSES: _Starts = {
    "transfer-coding-gzip-alone": (_OK, [b"Transfer-Encoding: gzip"], BODY),
    "transfer-coding-identity": (_OK, [b"Transfer-Encoding: identity"], BODY),
    "close-delimited": (_OK, [], BODY),
}


def _http1_messages() -> Iterator[Message]:
    for table, fault in (
        (_FRAMING, Fault.MALFORMED),
        (_NAMES, Fault.MALFORMED),
        (_TOLERATED, Fault.TOLERATED),
    ):
        for name, (fields, body) in table.items():
            start = _POST if body else _GET
            yield _http1(Kind.HTTP1_REQUEST, name, fault, start, [_HOST, *fields], body)
            framed = fields if table is _FRAMING or body else [*fields, b"Content-Length: 0"]
            yield _http1(Kind.HTTP1_RESPONSE, name, fault, _OK, framed, body)
    for kind, starts, fault in (
        (Kind.HTTP1_REQUEST, _REFUSED_REQUESTS, Fault.MALFORMED),
        (Kind.HTTP1_RESPONSE, _REFUSED_RESPONSES, Fault.MALFORMED),
        (Kind.HTTP1_RESPONSE, _TOLERATED_RESPONSES, Fault.TOLERATED),
    ):
        for name, (start, fields, body) in starts.items():
            yield _http1(kind, name, fault, start, fields, body)


def _http1(
    kind: Kind, name: str, fault: Fault, start: bytes, fields: list[bytes], body: bytes
) -> Message:
    lines = [start, *fields, _MARKED]
    octets = b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body
    return Message(kind, name, fault, octets=octets)


# HTTP/2

_METHOD, _SCHEME = (b":method", b"POST"), (b":scheme", b"https")
_AUTHORITY, _TARGET = (b":authority", b"localhost"), (b":path", PATH)
_REQUEST = (_METHOD, _SCHEME, _AUTHORITY, _TARGET)
_STATUS = (b":status", b"200")

_MALFORMED_LINES: dict[str, tuple[Line, ...]] = {
    "upper-case-name": ((b"X-Upper", b"1"),),
    "space-in-name": ((b"x y", b"1"),),
    "carriage-return-in-name": ((b"x\ry", b"1"),),
    "line-feed-in-name": ((b"x: 1\ny", b"1"),),
    "nul-in-name": ((b"x\0y", b"1"),),
    "delete-in-name": ((b"x\x7f", b"1"),),
    "colon-in-name": ((b"x:y", b"1"),),
    "non-ascii-name": ((b"x-\xc3\xa9", b"1"),),
    "empty-name": ((b"", b"1"),),
    "carriage-return-in-value": ((b"x", b"a\rb"),),
    "line-feed-in-value": ((b"x", b"a\nb"),),
    "line-break-in-value": ((b"x", b"a\r\nx-injected: 1"),),
    "nul-in-value": ((b"x", b"a\0b"),),
    "space-before-value": ((b"x", b" a"),),
    "space-after-value": ((b"x", b"a "),),
    "tab-before-value": ((b"x", b"\ta"),),
    "tab-after-value": ((b"x", b"a\t"),),
    "value-of-a-space": ((b"x", b" "),),
    "pseudo-after-regular": ((b"x", b"1"), (b":path", b"/other")),
    "pseudo-unknown": ((b":custom", b"1"),),
}
"""What no section may hold."""

_MALFORMED_HEADERS: dict[str, tuple[Line, ...]] = {
    "parenthesis-in-name": ((b"x(1)", b"1"),),
    "content-length-twice-same": ((b"content-length", LENGTH), (b"content-length", LENGTH)),
    "content-length-twice-different": ((b"content-length", LENGTH), (b"content-length", b"1")),
    "content-length-plus": ((b"content-length", b"+" + LENGTH),),
    "content-length-underscore": ((b"content-length", b"1_4"),),
    "content-length-hexadecimal": ((b"content-length", b"0xe"),),
    "content-length-list": ((b"content-length", b"14, 14"),),
    "content-length-empty": ((b"content-length", b""),),
    "content-length-too-small": ((b"content-length", b"1"),),
    "content-length-too-large": ((b"content-length", b"1000"),),
}
"""What no header section may hold; mitmproxy looks at trailer sections less closely."""

_MALFORMED_REQUESTS: dict[str, tuple[Line, ...]] = {
    "method-twice": (*_REQUEST, (b":method", b"POST")),
    "scheme-twice": (*_REQUEST, (b":scheme", b"https")),
    "authority-twice": (*_REQUEST, (b":authority", b"localhost")),
    "path-twice": (*_REQUEST, (b":path", b"/other")),
    "method-missing": (_SCHEME, _AUTHORITY, _TARGET),
    "scheme-missing": (_METHOD, _AUTHORITY, _TARGET),
    "path-missing": (_METHOD, _SCHEME, _AUTHORITY),
    "path-empty": (_METHOD, _SCHEME, _AUTHORITY, (b":path", b"")),
    "all-pseudo-missing": ((b"host", b"localhost"),),
    "regular-first": ((b"x", b"1"), *_REQUEST),
    "status-in-request": (*_REQUEST, (b":status", b"200")),
    "protocol-without-connect": (*_REQUEST, (b":protocol", b"websocket")),
    "pseudo-in-upper-case": (_METHOD, _SCHEME, _AUTHORITY, (b":Path", PATH)),
    "host-other-than-authority": (*_REQUEST, (b"host", b"other.example")),
    "host-empty": (*_REQUEST, (b"host", b"")),
    "neither-host-nor-authority": (_METHOD, _SCHEME, _TARGET),
    "authority-invalid": (_METHOD, _SCHEME, (b":authority", b"local host"), _TARGET),
    "line-break-in-path": (_METHOD, _SCHEME, _AUTHORITY, (b":path", b"/ HTTP/1.1\r\nx: " + PATH)),
    "line-break-in-method": ((b":method", b"GET / HTTP/1.1\r\n"), _SCHEME, _AUTHORITY, _TARGET),
    "space-around-path": (_METHOD, _SCHEME, _AUTHORITY, (b":path", b" " + PATH)),
    "nul-in-authority": (_METHOD, _SCHEME, (b":authority", b"local\0host"), _TARGET),
    "scheme-unknown": (_METHOD, (b":scheme", b"ftp"), _AUTHORITY, _TARGET),
    "connect-to-an-origin": ((b":method", b"CONNECT"), _SCHEME, _AUTHORITY, _TARGET),
    "connect-with-authority-alone": ((b":method", b"CONNECT"), _AUTHORITY),
}

_MALFORMED_RESPONSES: dict[str, tuple[Line, ...]] = {
    "status-twice": (_STATUS, _STATUS),
    "status-twice-interim-and-final": ((b":status", b"103"), _STATUS),
    "status-twice-final-and-interim": (_STATUS, (b":status", b"103")),
    "status-missing": (),
    "status-not-a-number": ((b":status", b"2xx"),),
    "status-empty": ((b":status", b""),),
    "line-break-in-status": ((b":status", b"200\r\n"),),
    "regular-first": ((b"x", b"1"), _STATUS),
    "path-in-response": (_STATUS, (b":path", b"/")),
    "status-in-upper-case": ((b":Status", b"200"),),
}

_MALFORMED_TRAILERS: dict[str, tuple[Line, ...]] = {
    "path-in-trailers": ((b":path", b"/other"),),
    "status-in-trailers": ((b":status", b"200"),),
    "method-after-regular": ((b"x", b"1"), (b":method", b"GET")),
}

_TOLERATED_REQUESTS: dict[str, tuple[Line, ...]] = {
    "te-trailers": (*_REQUEST, (b"te", b"trailers")),
    "host-like-authority": (*_REQUEST, (b"host", b"localhost")),
    "host-without-authority": (_METHOD, _SCHEME, _TARGET, (b"host", b"localhost")),
    "authority-last": (_METHOD, _SCHEME, _TARGET, _AUTHORITY),
    "empty-value": (*_REQUEST, (b"x", b"")),
    "control-in-value": (*_REQUEST, (b"x", b"a\x01b")),
}

_CONNECTION_FIELDS: dict[str, tuple[Line, ...]] = {
    "connection-keep-alive": ((b"connection", b"keep-alive"),),
    "connection-close": ((b"connection", b"close"),),
    "connection-empty": ((b"connection", b""),),
    "connection-twice": ((b"connection", b"keep-alive"), (b"connection", b"x")),
    "keep-alive": ((b"keep-alive", b"timeout=5"),),
    "proxy-connection": ((b"proxy-connection", b"keep-alive"),),
    "upgrade": ((b"upgrade", b"foo/2"),),
    "te-gzip": ((b"te", b"gzip"),),
    "te-empty": ((b"te", b""),),
    "te-trailers-and-more": ((b"te", b"trailers, deflate"),),
    "all-of-them": (
        (b"connection", b"keep-alive, upgrade"),
        (b"keep-alive", b"timeout=5"),
        (b"proxy-connection", b"keep-alive"),
        (b"upgrade", b"foo/2"),
        (b"te", b"gzip"),
    ),
}

_CODINGS: dict[str, tuple[Line, ...]] = {
    "transfer-encoding-chunked": ((b"transfer-encoding", b"chunked"),),
    "transfer-encoding-identity": ((b"transfer-encoding", b"identity"),),
    "transfer-encoding-trailers": ((b"transfer-encoding", b"trailers"),),
    "transfer-encoding-empty": ((b"transfer-encoding", b""),),
    "transfer-encoding-twice": ((b"transfer-encoding", b"gzip"), (b"transfer-encoding", b"x")),
    "transfer-encoding-nominated": (
        (b"connection", b"transfer-encoding"),
        (b"transfer-encoding", b"chunked"),
        (b"te", b"gzip"),
    ),
}

_COMBINED_LINES: dict[str, tuple[Line, ...]] = {
    "line-break-in-connection": ((b"connection", b"a\r\nx-injected: 1"),),
    "line-feed-in-keep-alive": ((b"keep-alive", b"a\nb"),),
    "nul-in-upgrade": ((b"upgrade", b"a\0b"),),
    "space-around-te": ((b"te", b" gzip "),),
    "space-after-te-trailers": ((b"te", b"trailers "),),
    "tab-after-proxy-connection": ((b"proxy-connection", b"close\t"),),
    "line-break-in-transfer-encoding": ((b"transfer-encoding", b"chunked\r\nx-injected: 1"),),
    "space-before-transfer-encoding": ((b"transfer-encoding", b" chunked"),),
    "connection-in-upper-case": ((b"Connection", b"close"),),
    "connection-in-both-cases": ((b"connection", b"close"), (b"CONNECTION", b"close")),
    "transfer-encoding-in-upper-case": ((b"Transfer-Encoding", b"chunked"),),
    "space-after-connection-name": ((b"connection ", b"close"),),
    "colon-after-te-name": ((b"te:", b"gzip"),),
    "upgrade-twice-and-pseudo": ((b"upgrade", b"a"), (b"upgrade", b"b"), (b":path", b"/other")),
    "pseudo-like-connection": ((b":connection", b"close"),),
}
"""Connection-specific fields that are malformed themselves."""

_BESIDE: dict[str, tuple[Line, ...]] = {
    "with-connection": ((b"connection", b"keep-alive"),),
    "with-te": ((b"te", b"gzip"),),
    "with-transfer-encoding": ((b"transfer-encoding", b"chunked"),),
}
"""Fields whose presence must excuse nothing."""

_START: dict[Kind, tuple[Line, ...]] = {
    Kind.REQUEST: _REQUEST,
    Kind.RESPONSE: (_STATUS,),
    Kind.REQUEST_TRAILERS: (),
    Kind.RESPONSE_TRAILERS: (),
}
_OWN = {
    Kind.REQUEST: _MALFORMED_REQUESTS,
    Kind.RESPONSE: _MALFORMED_RESPONSES,
    Kind.REQUEST_TRAILERS: _MALFORMED_TRAILERS,
    Kind.RESPONSE_TRAILERS: _MALFORMED_TRAILERS,
}
_MARK_LINE = (b"x-mark", MARK)


def _http2_messages() -> Iterator[Message]:
    for kind, start in _START.items():
        tables = [(_MALFORMED_LINES, Fault.MALFORMED), (_COMBINED_LINES, Fault.MALFORMED)]
        if start:
            tables.append((_MALFORMED_HEADERS, Fault.MALFORMED))
        for table, fault in [*tables, (_CONNECTION_FIELDS, Fault.FIELD), (_CODINGS, Fault.CODING)]:
            for name, lines in table.items():
                yield _http2(kind, name, fault, (*start, *lines))
        for name, lines in _OWN[kind].items():
            yield _http2(kind, name, Fault.MALFORMED, lines)
    for name, lines in _TOLERATED_REQUESTS.items():
        yield _http2(Kind.REQUEST, name, Fault.TOLERATED, lines)


def _http2(kind: Kind, name: str, fault: Fault, lines: tuple[Line, ...]) -> Message:
    return Message(kind, name, fault, lines=(*lines, _MARK_LINE), body=BODY)


def _combined(plain: Message) -> Iterator[Message]:
    """Put connection-specific fields beside a fault, now after it and now before it."""
    regular = next(at for at, (name, _) in enumerate(plain.lines) if not name.startswith(b":"))
    for beside, lines in _BESIDE.items():
        at = regular if beside == "with-te" else len(plain.lines)
        joined = (*plain.lines[:at], *lines, *plain.lines[at:])
        yield replace(plain, beside=beside, lines=joined)


def _combined_http1(plain: Message) -> Message:
    """Put Connection and TE behind the last field line."""
    beside = b"Connection: keep-alive, te\r\nTE: gzip\r\n"
    octets = plain.octets.replace(_MARKED + b"\r\n", _MARKED + b"\r\n" + beside)
    return replace(plain, beside="with-connection", octets=octets)


HTTP1 = list(_http1_messages())
HTTP1_COMBINED = [_combined_http1(plain) for plain in HTTP1]
HTTP2 = list(_http2_messages())
_FAULTY = [plain for plain in HTTP2 if plain.fault is Fault.MALFORMED]
HTTP2_COMBINED = [combined for plain in _FAULTY for combined in _combined(plain)]
MESSAGES = [*HTTP1, *HTTP1_COMBINED, *HTTP2, *HTTP2_COMBINED]
