"""Exchanges after which a connection is as before: by far the most, so they are told in short.

Such an exchange is one of HTTP/1.1, complete, on a connection that goes on, without a promise or a
doubt. On a connection that has no other, no rule finds anything, and nothing has to be followed.
"""

from typing import NamedTuple

from hopguard.captures.capture import Captured, Peer
from hopguard.captures.judging import sane
from hopguard.connection import Connection
from hopguard.events import Event, Key, RequestEnd, RequestHead, ResponseEnd, ResponseHead
from hopguard.message import Leg, Message, Request, Response

AT_ONCE = 1.0
"""Seconds from the opening of a connection to the first request on it, if that was captured. What
comes later may not be the first: captures are filtered."""

_PERSISTING = frozenset({b"keep-alive", b"Keep-Alive"})


class Quiet(NamedTuple):
    """A quiet exchange on one connection. Times are seconds since the epoch."""

    key: Key
    whole: bool
    opened: float | None
    address: str | None
    closed: float | None
    began: float
    complete: float | None
    answered: float | None
    ended: float
    status: int

    def connection(self, number: int) -> Connection:
        """Return its connection as it was before, if this is the exchange of that `number`."""
        client = self.key.leg == "client"
        return Connection(
            self.key,
            self.whole,
            self.opened,
            client=self.address if client else None,
            server=None if client else self.address,
            number=number - 1,
            replied=number - 1,
            answered=number - 1,
        )

    def events(self, method: bytes | None, flow: str | None) -> tuple[Event, ...]:
        """Return the events in full; `method` and `flow` are those of the exchange."""
        client = self.key.leg == "client"
        return (
            RequestHead(self.began, "HTTP/1.1", method or b"", flow, surfaced=client),
            RequestEnd(self.complete),
            ResponseHead(self.answered, "HTTP/1.1", self.status, flow, delimited=True),
            ResponseEnd(self.ended),
        )


def quiet_exchange(captured: Captured) -> tuple[Quiet, ...] | None:
    """Return what `captured` is on its connections of HTTP/1; None if it is not quiet.

    Without such a connection, that is nothing.
    """
    request, response, asked = captured.request, captured.response, captured.asked
    if request is None or response is None or asked is None or not _is_quiet(captured, response):
        return None
    sent, ended = sane(captured.sent), sane(captured.responded.end)
    began, complete = map(sane, captured.requested)
    if ended is None or began is None or complete is None or sent is None:
        return None
    found = []
    if request.version == "HTTP/1.1" and captured.client.id is not None:
        times = (began, complete, ended, ended)
        found.append(_quiet("client", captured, captured.client, captured.client.address, times))
    if asked.version == "HTTP/1.1" and captured.server.id is not None:
        times = (sent, sent, sane(captured.responded.start) or ended, ended)
        found.append(_quiet("server", captured, captured.server, captured.server.name, times))
    return tuple(found)


def _is_quiet(captured: Captured, response: Response) -> bool:
    request = captured.request
    assert request is not None
    return (
        "HTTP/1.0" not in (request.version, response.version)
        and response.status >= 200
        and request.method != b"CONNECT"
        and captured.failure is None
        and captured.fingerprint is None
        and _persists(request)
        and _persists(response)
        and not request.has(b"transfer-encoding")
        and not response.has(b"keep-alive")
        and _is_delimited(request, response)
    )


def _persists(message: Message) -> bool:
    return all(line.value in _PERSISTING for line in message.lines(b"connection"))


def _is_delimited(request: Request, response: Response) -> bool:
    codings = [line.value for line in response.lines(b"transfer-encoding")]
    if codings:
        return codings == [b"chunked"]
    if response.has(b"content-length") or response.status in (204, 304):
        return True
    return response.version != "HTTP/1.1" or request.method == b"HEAD"


def _quiet(
    leg: Leg,
    captured: Captured,
    peer: Peer,
    address: str | None,
    times: tuple[float, float, float, float],
) -> Quiet:
    opened = sane(peer.seconds.start)
    return Quiet(
        Key(leg, peer.id or ""),
        is_first(opened, times[0]),
        opened,
        address,
        sane(peer.seconds.end),
        *times,
        captured.status or 0,
    )


def is_first(opened: float | None, time: float | None) -> bool:
    """Tell whether a request at `time` seems to be the first one after `opened`."""
    return opened is not None and time is not None and time - opened <= AT_ONCE
