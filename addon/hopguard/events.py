"""What happens on a connection, as small plain values that can be pickled and put in order.

A `Key` says on which connection; times are seconds since the epoch, as in the messages. None is
unknown, and unknown is not absent: a rule that needs an unknown fact stays silent. Octets of
messages are not kept, only what connections live and die by.
"""

import hashlib
import zlib
from typing import Literal, NamedTuple

from hopguard import grammar
from hopguard.fields import TRANSFER_CODINGS
from hopguard.message import Leg, Message, Request, Response, Version

ClosedBy = Literal["client", "server", "proxy"]
"""Who ended a connection: one of its two ends, or the proxy that observes it."""

Failure = Literal["lost", "truncated", "other"]
"""Why an exchange has no whole response: the server ended the connection before the first octet of
it, or in the midst of its content; or something else, such as a client that went away."""

SHORT = 64
"""Octets of a Server field or a method that are kept."""

HASHED = 1 << 20
"""Octets of a body that take part in its fingerprint, besides its length."""

IDEMPOTENT = frozenset(
    b"GET HEAD PUT DELETE OPTIONS TRACE COPY MOVE MKCOL MKCALENDAR LINK UNLINK PROPFIND PROPPATCH "
    b"REPORT SEARCH QUERY ACL BIND UNBIND REBIND CHECKIN CHECKOUT UNCHECKOUT UNLOCK UPDATE LABEL "
    b"MERGE MKACTIVITY MKWORKSPACE ORDERPATCH VERSION-CONTROL BASELINE-CONTROL PRI".split()
)
"""Methods that may be repeated (the IANA registry of methods); of an unknown one nobody knows."""

_SHARED = {method: method for method in (*IDEMPOTENT, b"POST", b"PATCH", b"CONNECT", b"LOCK")}
"""So that a hundred thousand connections do not hold as many copies."""


class Key(NamedTuple):
    """Which connection: on which leg, and its id there."""

    leg: Leg
    connection: str


class Opened(NamedTuple):
    """The connection begins. One that begins with anything else is seen from its middle."""

    time: float | None = None
    client: str | None = None
    """Address of the client, if that is a peer and not the proxy."""
    server: str | None = None
    """Address of the server, if that is a peer and not the proxy."""
    passive: bool = False
    """Whether it was recorded from outside: neither end is the proxy that observes it."""
    whole: bool = True
    """Whether all that happens on it from now on is told; else only when it began is known."""


class RequestHead(NamedTuple):
    """A request begins to arrive, or to be sent."""

    time: float | None
    version: Version
    method: bytes
    flow: str | None = None
    """Id of the exchange, for whoever reports."""
    close: bool = False
    keep_alive: bool = False
    doubt: str = ""
    """What makes its framing doubtful, in words; empty where nothing does."""
    to_proxy: bool | None = None
    forwarded: bool = False
    """Whether a field shows that an intermediary has forwarded it."""
    agent: int = 0
    """Stands for the User-Agent."""
    surfaced: bool = False
    """Whether it may have arrived earlier: whoever observes sees it only after the response before
    it."""

    @property
    def idempotent(self) -> bool:
        """Whether it may be repeated without harm."""
        return self.method in IDEMPOTENT


class RequestEnd(NamedTuple):
    """A request is complete."""

    time: float | None
    fingerprint: bytes | None = None
    """Stands for method, target and body. None for one that may be repeated, or that cannot be
    told from another one."""


class ResponseHead(NamedTuple):
    """The header section of a response, which may be an interim one."""

    time: float | None
    version: Version
    status: int
    flow: str | None = None
    close: bool = False
    keep_alive: bool = False
    timeout: int | None = None
    """Seconds that Keep-Alive promises, if the option keep-alive came with it ..."""
    most: int | None = None
    """... and the number of further requests that it allows."""
    delimited: bool | None = None
    """Whether its end shows without the end of the connection."""
    doubt: str = ""
    to_connect: bool = False
    server: bytes = b""
    """The Server field."""
    own: bool = False
    """Whether the proxy that observes, or an addon in it, has made the response."""

    @property
    def final(self) -> bool:
        """Whether it is the final response; a 101 is the last one in HTTP."""
        return self.status >= 200 or self.status == 101


class ResponseEnd(NamedTuple):
    """A final response is complete."""

    time: float | None


class Aborted(NamedTuple):
    """An exchange ends without a whole response."""

    time: float | None
    how: Failure = "other"


class Unsolicited(NamedTuple):
    """Octets from the server while no request is outstanding."""

    time: float | None
    octets: bytes
    """The first of them are enough."""


class StillOpen(NamedTuple):
    """Nothing has happened, but the time has come to look."""

    time: float | None


class Closed(NamedTuple):
    """The connection ends, or the first of its two directions does."""

    time: float | None
    by: ClosedBy | None = None


Event = (
    Opened
    | RequestHead
    | RequestEnd
    | ResponseHead
    | ResponseEnd
    | Aborted
    | Unsolicited
    | StillOpen
    | Closed
)


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
