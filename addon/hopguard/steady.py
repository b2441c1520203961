"""Exchanges that are counted: a connection is after them as before, but for their number.

In HTTP/1 these are plain ones (see `plain`) on a connection that has had no other: no rule finds
anything in their events, and nothing is learned of the peers. In HTTP/2 and HTTP/3 they are all
exchanges: there, no rule is about the events of a connection. What is counted is told when somebody
looks at the connection.
"""

from typing import NamedTuple

from hopguard.connection import Connection
from hopguard.events import RequestHead, ResponseHead, request_head, response_head
from hopguard.message import Leg, Request, Response
from hopguard.selection import Lines


class Passed(NamedTuple):
    """A plain exchange of HTTP/1.1 on both of its legs; times are seconds since the epoch."""

    flow: str
    method: bytes
    status: int
    asked: Lines
    """Of the request, all lines that heads depend on, at least ..."""
    answered: Lines
    """... and of the response."""
    began: float | None
    sent: float | None
    """When the request went to the server."""
    responded: float | None
    """When the response began."""
    ended: float | None
    to_proxy: bool | None
    """See `RequestHead`; on the client's leg ..."""
    sent_to_proxy: bool | None
    """... and on that of the server."""

    def heads_on(self, leg: Leg) -> tuple[RequestHead, ResponseHead]:
        """Return what a connection on `leg` remembers of its messages."""
        client = leg == "client"
        request = Request(
            version="HTTP/1.1",
            fields=tuple(self.asked),
            leg=leg,
            method=self.method,
            to_proxy=self.to_proxy if client else self.sent_to_proxy,
        )
        response = Response(
            version="HTTP/1.1", fields=tuple(self.answered), leg=leg, status=self.status
        )
        began, responded = (self.began, self.ended) if client else (self.sent, self.responded)
        return (
            request_head(request, began, flow=self.flow, surfaced=client),
            response_head(request, response, responded, flow=self.flow),
        )


def is_steady(connection: Connection) -> bool:
    """Tell whether nothing that has happened on a connection matters to its next exchange."""
    request, response = connection.request, connection.response
    return not (
        connection.number != connection.answered
        or connection.replied != connection.answered
        or connection.close_asked
        or connection.close_said
        or connection.promise
        or connection.doubt
        or connection.notice
        or connection.tunnel
        or connection.switched
        or connection.failure
        or (request is not None and request.version == "HTTP/1.0")
        or (response is not None and response.version == "HTTP/1.0")
    )


class Run:
    """Plain exchanges on a steady connection, one after the other."""

    __slots__ = ("_before", "_ended_before", "_latest", "_number", "server")

    def __init__(self, before: Connection) -> None:
        """Begin with the connection as it is."""
        self._before = before
        self.server = before.server
        """Address of the server, if that is a peer."""
        self._number = 0
        self._latest: Passed | None = None
        self._ended_before = before.response_ended

    def count(self, passed: Passed) -> None:
        """Count an exchange, which is complete."""
        if self._latest is not None:
            self._ended_before = self._latest.ended
        self._number += 1
        self._latest = passed

    @property
    def connection(self) -> Connection:
        """The connection as it is by now."""
        if self._latest is None:
            return self._before
        request, response = self._latest.heads_on(self._before.key.leg)
        before = self._before.after_exchanges(self._number - 1, self._ended_before)
        return before.after_exchange(request, response, self._latest.ended)


class Streams:
    """Exchanges on a connection of HTTP/2 or HTTP/3, many at a time."""

    __slots__ = ("_before", "_begun", "_ended", "_time")

    def __init__(self, before: Connection) -> None:
        """Begin with the connection as it is."""
        self._before = before
        self._begun = self._ended = 0
        self._time = before.response_ended

    def begin(self) -> None:
        """Count a request."""
        self._begun += 1

    def end(self, time: float | None) -> None:
        """Count the end of an exchange, however it ended."""
        self._ended += 1
        self._time = time

    @property
    def connection(self) -> Connection:
        """The connection as it is by now; nothing is known of its messages."""
        return self._before.after_streams(self._begun, self._ended, self._time)
