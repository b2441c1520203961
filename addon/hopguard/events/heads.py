"""From messages to what connections remember of them."""

import hashlib
import zlib
from functools import lru_cache

from hopguard import grammar
from hopguard.events.kinds import IDEMPOTENT, RequestHead, ResponseHead
from hopguard.fields import FORWARDING_EVIDENCE, TRANSFER_CODINGS
from hopguard.message import Message, RawFields, Request, Response, Version
from hopguard.selection import Selection

SHORT = 64
"""Octets of a Server field or a method that are kept."""

HASHED = 1 << 20
"""Octets of a body that take part in its fingerprint, besides its length."""

TELLING = frozenset(
    b"connection keep-alive transfer-encoding content-length user-agent server".split()
)
"""Names, in lower case, of the fields from which connections learn something ..."""

TELLING_KIND = FORWARDING_EVIDENCE
"""... and a kind of such names. Heads depend on no others."""

_TELLING = Selection(lambda name: name.lower() in TELLING or TELLING_KIND.includes(name.lower()))
"""Picks them. What they say is remembered: much the same comes over and over."""

_MOST, _LONGEST = 256, 1024
"""Heads that are remembered, and octets of each: peers choose them."""

_SHARED = {method: method for method in (*IDEMPOTENT, b"POST", b"PATCH", b"CONNECT", b"LOCK")}
"""So that a hundred thousand connections do not hold as many copies."""


def request_head(
    request: Request, time: float | None, *, flow: str | None = None, surfaced: bool = False
) -> RequestHead:
    """Return what a connection remembers of `request`."""
    lines = _lines_of(request)
    known = (_asked if _is_short(lines) else _asked.__wrapped__)(lines, request.version)
    method = _SHARED.get(request.method, request.method[:SHORT])
    return RequestHead(
        *(time, request.version, method, flow),
        *(known.close, known.keep_alive, known.doubt, request.to_proxy),
        *(known.forwarded, known.agent, surfaced),
    )


@lru_cache(_MOST)
def _asked(lines: RawFields, version: Version) -> RequestHead:
    """Return what the lines of a request that tell something say, and nothing else."""
    request = Request(version=version, fields=lines, leg="client", method=b"")
    return RequestHead(
        time=None,
        version=version,
        method=b"",
        close=b"close" in request.options,
        keep_alive=b"keep-alive" in request.options,
        doubt=doubt_about(request),
        forwarded=request.forwarded,
        agent=zlib.crc32(_value(request, b"user-agent")),
    )


def response_head(
    request: Request | None,
    response: Response,
    time: float | None,
    *,
    flow: str | None = None,
    own: bool = False,
) -> ResponseHead:
    """Return what a connection remembers of `response`, which answers `request`, if that is known.

    `own` is for one that no server has sent.
    """
    method = request.method if request is not None else None
    if method not in _DECISIVE:
        method = b""
    lines = _lines_of(response)
    look = _answered if _is_short(lines) else _answered.__wrapped__
    known = look(lines, response.version, response.status, method)
    return ResponseHead(time, response.version, response.status, flow, *known[4:-1], own)


_DECISIVE = (b"HEAD", b"CONNECT", None)
"""Methods that have a say in where a response ends; None is unknown."""


@lru_cache(_MOST)
def _answered(
    lines: RawFields, version: Version, status: int, method: bytes | None
) -> ResponseHead:
    """Return what the lines of a response that tell something say, and nothing else."""
    response = Response(version=version, fields=lines, leg="server", status=status)
    promised = b"keep-alive" in response.options
    return ResponseHead(
        time=None,
        version=version,
        status=status,
        close=b"close" in response.options,
        keep_alive=promised,
        timeout=_promise(response, b"timeout") if promised else None,
        most=_promise(response, b"max") if promised else None,
        delimited=is_delimited(method, response),
        doubt=_version_doubt(response),
        to_connect=method == b"CONNECT",
        server=_value(response, b"server")[:SHORT],
    )


def _lines_of(message: Message) -> RawFields:
    """List the lines of a message that tell something; of Content-Length, that it is there."""
    return tuple(
        [
            (name, b"" if name.lower() == b"content-length" else value)
            for name, value in _TELLING.of(message.fields)
        ]
    )


def _is_short(lines: RawFields) -> bool:
    return sum([len(name) + len(value) for name, value in lines]) <= _LONGEST


def fingerprint(request: Request, body: bytes | None) -> bytes | None:
    """Return what tells a request that must not be repeated from others; None for all others.

    A request with Idempotency-Key is made to be repeated. Without its `body` nobody knows.
    """
    if request.method in IDEMPOTENT or request.has(b"idempotency-key") or body is None:
        return None
    hashed = hashlib.blake2b(digest_size=12)
    for part in (request.method, request.target, _value(request, b"host"), body[:HASHED]):
        hashed.update(b"%d:" % len(part))
        hashed.update(part)
    hashed.update(b"%d" % len(body))
    return hashed.digest()


def _value(message: Message, name: bytes) -> bytes:
    lines = message.lines(name)
    return lines[0].value if lines else b""


def _promise(response: Response, name: bytes) -> int | None:
    """Return the number that Keep-Alive gives for `name`; None if there is no valid single one."""
    found = {
        value.strip(grammar.OWS).strip(b'"')
        for member in response.members(b"keep-alive")
        for parameter, equals, value in (member.value.partition(b"="),)
        if equals and parameter.rstrip(grammar.OWS).lower() == name
    }
    value = found.pop() if len(found) == 1 else b""
    return int(value) if value.isdigit() and len(value) <= len("999999999") else None


def doubt_about(request: Request) -> str:
    """Say in words what makes the framing of `request` doubtful; empty where nothing does."""
    if request.version in ("HTTP/2", "HTTP/3"):
        return ""
    if request.has(b"transfer-encoding") and request.has(b"content-length"):
        return "Transfer-Encoding and Content-Length together"
    if request.version == "HTTP/1.1" and request.has(b"transfer-encoding"):
        codings = request.transfer_codings
        if codings is not None and codings[-1:] != (b"chunked",):
            return "Transfer-Encoding without chunked at its end"
    return _version_doubt(request)


def _version_doubt(message: Message) -> str:
    if message.version == "HTTP/1.0" and message.has(b"transfer-encoding"):
        return "Transfer-Encoding in HTTP/1.0"
    return ""


def is_delimited(method: bytes | None, response: Response) -> bool | None:
    """Tell whether the end of `response` shows without the end of its connection.

    `method` is that of the request; None is unknown.
    """
    if response.version in ("HTTP/2", "HTTP/3") or response.never_has_content:
        return True
    if method is None:
        return True if response.has(b"content-length") else None
    tunnel = method == b"CONNECT" and 200 <= response.status < 300
    if method == b"HEAD" or response.status == 304 or tunnel:
        return True
    if response.has(b"transfer-encoding"):
        codings = response.transfer_codings
        if codings is None or not TRANSFER_CODINGS.issuperset(codings):
            return None
        return codings[-1:] == (b"chunked",)
    return response.has(b"content-length")
