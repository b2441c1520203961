"""Exchanges that are counted: a connection is after them as before, but for their number.

In HTTP/1 these are plain ones (see `plain`) on a connection that has had no other: no rule finds
anything in their events, and nothing is learned of the peers. In HTTP/2 and HTTP/3 they are all
exchanges: there, no rule is about the events of a connection. What is counted is told when somebody
looks at the connection.
"""

from hopguard.connection import Connection
from hopguard.events import Answered, Asked
from hopguard.peer import ServerPast


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


def teaches(answered: Answered, server: ServerPast) -> bool:
    """Tell whether a plain response says something new of `server`."""
    return bool(server.single) or answered.server not in (b"", server.product)


class Run:
    """Plain exchanges on a steady connection, one after the other."""

    __slots__ = ("_before", "_ended", "_ended_before", "_latest", "_number", "answered", "asked")

    def __init__(self, before: Connection) -> None:
        """Begin with the connection as it is."""
        self._before = before
        self._number = 0
        self._latest: tuple[Asked, Answered] | None = None
        self._ended = self._ended_before = before.response_ended
        self.asked: Asked | None = None
        """The request that has no whole response yet ..."""
        self.answered: Answered | None = None
        """... and what there is of the response."""

    @property
    def server(self) -> str | None:
        """Address of the server, if that is a peer."""
        return self._before.server

    def end(self, time: float | None) -> None:
        """Count the exchange, which is complete."""
        assert self.asked is not None
        assert self.answered is not None
        self._number += 1
        self._latest = self.asked, self.answered
        self._ended_before, self._ended = self._ended, time
        self.asked = self.answered = None

    @property
    def connection(self) -> Connection:
        """The connection as it is by now."""
        connection = self._before
        if self._latest is not None:
            asked, answered = self._latest
            connection = connection.after_exchanges(self._number - 1, self._ended_before)
            connection = connection.after_exchange(asked.head, answered.head, self._ended)
        if self.asked is not None:
            connection = connection.after(self.asked.head)
        return connection if self.answered is None else connection.after(self.answered.head)


class Streams:
    """Exchanges on a connection of HTTP/2 or HTTP/3, many at a time."""

    __slots__ = ("_asked", "_before", "_ended", "_number", "_time")

    def __init__(self, before: Connection) -> None:
        """Begin with the connection as it is."""
        self._before = before
        self._number = self._ended = 0
        self._asked: Asked | None = None
        self._time = before.response_ended

    def ask(self, asked: Asked) -> None:
        """Count a request."""
        self._number += 1
        self._asked = asked

    def end(self, time: float | None) -> None:
        """Count the end of an exchange, however it ended."""
        self._ended += 1
        self._time = time

    @property
    def connection(self) -> Connection:
        """The connection as it is by now; of its messages, only the latest request is known."""
        request = self._asked.head if self._asked is not None else self._before.request
        return self._before.with_streams(self._number, self._ended, request, self._time)
