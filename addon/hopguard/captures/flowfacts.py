"""What a record of a flow file tells apart from its messages' fields."""

from typing import NamedTuple

from hopguard.captures.capture import Seconds
from hopguard.captures.flowpeer import Connection
from hopguard.captures.tnetstrings import (
    DICTIONARY,
    LIST,
    DamageError,
    Members,
    Span,
    integer,
    is_true,
    members,
    number,
    octets,
)
from hopguard.events import IDEMPOTENT, fingerprint
from hopguard.message import Request

OLDEST, NEWEST = 4, 21
"""The versions of the flow format that are known: those of mitmproxy 4 to 12."""

LABELS_OF_LATER = (b"HTTP/2.0", b"HTTP/3")
_DEFAULT_PORTS = {b"http": 80, b"https": 443}


def form_of(data: bytes, flow: Members) -> int:
    """Return the version of the format of a flow.

    Raises:
        DamageError: it is not known.
    """
    span = flow.get(b"version")
    if span is not None and data[span[1]] != LIST:
        form = integer(data, span)
        if form is not None and OLDEST <= form <= NEWEST:
            return form
        if form is not None and form > NEWEST:
            raise DamageError(f"its format is {form}, and this hopguard knows none after {NEWEST}")
    raise DamageError("its format is older than mitmproxy 4; save it again with a later mitmproxy")


def replayed(
    data: bytes, flow: Members, request: Members, response: Members | None
) -> bytes | None:
    """Tell which message, if any, did not come from the peer but was replayed by mitmproxy."""
    if is_true(data, request.get(b"is_replay")):  # before format 9
        return b"request"
    if response is not None and is_true(data, response.get(b"is_replay")):
        return b"response"
    return octets(data, flow.get(b"is_replay"))


class FlowError(NamedTuple):
    """The error of a flow."""

    text: str
    time: float | None


def error_of(data: bytes, flow: Members) -> FlowError | None:
    """Return the error of a flow, if it has one."""
    span = flow.get(b"error")
    if span is None or data[span[1]] != DICTIONARY:
        return None
    error = members(data, *span)
    text = octets(data, error.get(b"msg"))
    return FlowError(decoded(text or b""), number(data, error.get(b"timestamp")))


def failed_time(error: FlowError, server: Connection) -> float | None:
    """Return when an exchange failed: when its server connection ended, if that was earlier."""
    times = (error.time, server.peer.seconds.end)
    return min((time for time in times if time is not None), default=None)


def sent_time(requested: Seconds, server: Connection) -> float | None:
    """Return when a request went to the server: when it was complete, or the connection there."""
    if requested.end is None or server.ready is None:
        return None
    return max(requested.end, server.ready)


def seconds_of(data: bytes, message: Members) -> Seconds:
    """Return when a message began and was complete."""
    start = number(data, message.get(b"timestamp_start"))
    return Seconds(start, number(data, message.get(b"timestamp_end")))


class Destination(NamedTuple):
    """Where a request was meant to go, as a flow tells it; empty where it does not."""

    scheme: bytes
    host: bytes
    port: int
    authority: bytes
    """As HTTP/2 and HTTP/3 say it."""


def destination_of(data: bytes, found: Members) -> Destination:
    """Return where the request in `found` was meant to go."""
    later = octets(data, found.get(b"http_version")) in LABELS_OF_LATER
    return Destination(
        octets(data, found.get(b"scheme")) or b"",
        octets(data, found.get(b"host")) or b"",
        integer(data, found.get(b"port")) or 0,
        (octets(data, found.get(b"authority")) if later else None) or b"",
    )


def url_of(to: Destination, request: Request, client: Connection, server: Connection) -> str:
    """Return the URL, as far as it is known: of a request that was refused, Host may be all."""
    if to.host:
        if request.method.upper() == b"CONNECT":
            return f"{decoded(to.host)}:{to.port}"
        return url_at(origin_of(to), request.target)
    named = to.authority or b", ".join(line.value for line in request.lines(b"host"))
    authority_ = decoded(named) if named else server.peer.address or ""
    # A password before the host may hold what would end a host.
    path = decoded(request.target)
    return f"{'https' if client.way.tls else 'http'}://{authority_.rpartition('@')[2]}{path}"


def origin_of(to: Destination) -> str:
    """Return what the URLs of requests begin with that go to a host that is known."""
    usual = _DEFAULT_PORTS.get(to.scheme) == to.port
    authority = to.host if usual else b"%s:%d" % (to.host, to.port)
    return f"{decoded(to.scheme)}://{decoded(authority)}"


def url_at(origin: str, target: bytes) -> str:
    """Return the URL of a request for `target` to a host that is known."""
    return origin if target == b"*" else origin + decoded(target)


def fingerprint_of(request: Request, data: bytes, content: Span | None) -> bytes | None:
    """See `hopguard.events.fingerprint`."""
    if request.method in IDEMPOTENT:
        return None
    return fingerprint(request, octets(data, content))


def decoded(text: bytes) -> str:
    """Return octets as mitmproxy shows them."""
    return text.decode("utf-8", "surrogateescape")
