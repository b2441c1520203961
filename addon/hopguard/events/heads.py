"""From messages to what connections remember of them."""

import hashlib
import zlib

from hopguard import grammar
from hopguard.events.kinds import IDEMPOTENT, RequestHead, ResponseHead
from hopguard.fields import TRANSFER_CODINGS
from hopguard.message import Message, Request, Response

SHORT = 64
"""Octets of a Server field or a method that are kept."""

HASHED = 1 << 20
"""Octets of a body that take part in its fingerprint, besides its length."""

_SHARED = {method: method for method in (*IDEMPOTENT, b"POST", b"PATCH", b"CONNECT", b"LOCK")}
"""So that a hundred thousand connections do not hold as many copies."""


def request_head(
    request: Request, time: float | None, *, flow: str | None = None, surfaced: bool = False
) -> RequestHead:
    """Return what a connection remembers of `request`."""
    return RequestHead(
        time=time,
        version=request.version,
        method=_SHARED.get(request.method, request.method[:SHORT]),
        flow=flow,
        close=b"close" in request.options,
        keep_alive=b"keep-alive" in request.options,
        doubt=_request_doubt(request),
        to_proxy=request.to_proxy,
        forwarded=request.forwarded,
        agent=zlib.crc32(_value(request, b"user-agent")),
        surfaced=surfaced,
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
    promised = b"keep-alive" in response.options
    return ResponseHead(
        time=time,
        version=response.version,
        status=response.status,
        flow=flow,
        close=b"close" in response.options,
        keep_alive=promised,
        timeout=_promise(response, b"timeout") if promised else None,
        most=_promise(response, b"max") if promised else None,
        delimited=_is_delimited(request, response),
        doubt=_version_doubt(response),
        to_connect=request is not None and request.method == b"CONNECT",
        server=_value(response, b"server")[:SHORT],
        own=own,
    )


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


def _request_doubt(request: Request) -> str:
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


def _is_delimited(request: Request | None, response: Response) -> bool | None:
    if response.version in ("HTTP/2", "HTTP/3") or response.never_has_content:
        return True
    if request is None:
        return True if response.has(b"content-length") else None
    if request.method == b"HEAD" or response.status == 304 or response.opens_tunnel(request):
        return True
    if response.has(b"transfer-encoding"):
        codings = response.transfer_codings
        if codings is None or not TRANSFER_CODINGS.issuperset(codings):
            return None
        return codings[-1:] == (b"chunked",)
    return response.has(b"content-length")
