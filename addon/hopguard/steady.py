"""Exchanges that need but be counted: a connection is after them as before, but for their number.

They are plain ones (see `plain`) of HTTP/1.1, on a connection that has had no other: no rule finds
anything in their events, and nothing is learned of the peers.
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
