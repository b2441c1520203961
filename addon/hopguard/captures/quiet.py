"""Exchanges after which a connection is as before: by far the most, so they are told in short.

Such an exchange is one of HTTP/1.1, complete, on a connection that goes on, without a promise or a
doubt. On a connection that has no other, no rule finds anything, and nothing has to be followed.
"""

from functools import lru_cache
from typing import NamedTuple

from hopguard.captures.capture import Captured, Peer
from hopguard.captures.judging import EARLIEST, LATEST, sane
from hopguard.connection import Connection
from hopguard.events import Event, Key, RequestEnd, RequestHead, ResponseEnd, ResponseHead
from hopguard.message import Leg

AT_ONCE = 1.0
"""Seconds from the opening of a connection to the first request on it, if that was captured. What
comes later may not be the first: captures are filtered."""

_PAIRS_KEPT = 512


class Side(NamedTuple):
    """A connection, as exchanges on it tell of it. Times are seconds since the epoch."""

    key: Key
    opened: float | None
    address: str | None
    closed: float | None

    def connection(self, number: int, *, whole: bool) -> Connection:
        """Return it as it was before the exchange of that `number`, if all were quiet.

        `whole` tells whether the first of them was the first on the connection.
        """
        client = self.key.leg == "client"
        return Connection(
            self.key,
            whole,
            self.opened,
            client=self.address if client else None,
            server=None if client else self.address,
            number=number - 1,
            replied=number - 1,
            answered=number - 1,
        )


class Pair(NamedTuple):
    """The two connections of an exchange, the same object for all exchanges on them."""

    client: Side | None
    server: Side | None
    addresses: tuple[str | None, str | None]
    """Of the client and of the server."""


Quiet = tuple[Pair, float, float, float, float, float, int, bytes | None, str | None, str | None]
"""A quiet exchange on its connections: when the request began, was complete, and went to the
server; when the response began and was complete; the status, the method, the id of the flow, and
the URL. It is a bare tuple, because there is one for each exchange."""


def began_on(side: Side, quiet: Quiet) -> float:
    """Return when a quiet exchange began on one of its connections."""
    return quiet[1] if side.key.leg == "client" else quiet[3]


def began_first(quiet: Quiet) -> float:
    """Return when a quiet exchange began on the first of its connections."""
    return quiet[1] if quiet[0].client is not None else quiet[3]


def events_on(side: Side, quiet: Quiet) -> tuple[Event, ...]:
    """Return the events of a quiet exchange on one of its connections in full."""
    _, began, complete, sent, answered, ended, status, method, flow, _ = quiet
    client = side.key.leg == "client"
    if client:
        answered = ended
    else:
        began = complete = sent
    return (
        RequestHead(began, "HTTP/1.1", method or b"", flow, surfaced=client),
        RequestEnd(complete),
        ResponseHead(answered, "HTTP/1.1", status, flow, delimited=True),
        ResponseEnd(ended),
    )


def quiet_exchange(captured: Captured) -> Quiet | None:
    """Return what `captured`, whose messages are there and plain, is on connections of HTTP/1.

    None if it is not quiet.
    """
    request, asked = captured.request, captured.asked
    assert request is not None
    assert asked is not None
    began, complete = captured.requested
    answered, ended = captured.responded
    sent = captured.sent
    if (
        began is None
        or complete is None
        or sent is None
        or ended is None
        or not EARLIEST <= began < LATEST
        or not EARLIEST <= complete < LATEST
        or not EARLIEST <= sent < LATEST
        or not EARLIEST <= ended < LATEST
        or captured.failure is not None
        or captured.fingerprint is not None
    ):
        return None
    pair = _pair(
        captured.client,
        captured.server,
        request.version == "HTTP/1.1",
        asked.version == "HTTP/1.1",
    )
    return (
        *(pair, began, complete, sent, sane(answered) or ended, ended),
        *(captured.status or 0, captured.method, captured.flow, captured.url),
    )


@lru_cache(_PAIRS_KEPT)
def _pair(client: Peer, server: Peer, client_counts: bool, server_counts: bool) -> Pair:
    """Make it, unless it is known; versions but HTTP/1.1 do not count."""
    return Pair(
        _side("client", client, client.address) if client_counts else None,
        _side("server", server, server.name) if server_counts else None,
        (client.address, server.address),
    )


def _side(leg: Leg, peer: Peer, address: str | None) -> Side | None:
    if peer.id is None:
        return None
    return Side(Key(leg, peer.id), sane(peer.seconds.start), address, sane(peer.seconds.end))


def is_first(opened: float | None, time: float | None) -> bool:
    """Tell whether a request at `time` seems to be the first one after `opened`."""
    return opened is not None and time is not None and time - opened <= AT_ONCE
