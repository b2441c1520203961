"""Plain exchanges on their way through mitmproxy: by far the most, so as little as can be is done.

Such an exchange changes nothing about its connections but how many they have had (see
`hopguard.plain` and `hopguard.steady`). So it is counted when it is over; or it is told after all,
step by step, as soon as anything else happens on one of the two connections, or somebody looks.
"""

from mitmproxy import http

from hopguard.events import IDEMPOTENT, Key
from hopguard.lifecycle import Lifecycle
from hopguard.message import Request, Response
from hopguard.mitm import closing
from hopguard.selection import Lines
from hopguard.steady import Passed


class Passing:
    """One exchange, as far as it has come."""

    __slots__ = (
        "answer",
        "answered",
        "answered_lines",
        "asked",
        "asked_lines",
        "client",
        "flow",
        "server",
    )

    def __init__(self, flow: http.HTTPFlow, client: Key, asked: Request, lines: Lines) -> None:
        """Begin with the head of a request."""
        self.flow = flow
        self.client = client
        self.asked = asked
        self.asked_lines = lines
        self.server: Key | None = None
        """The connection to the server, once the response begins ..."""
        self.answered: tuple[Request, Response] | None = None
        """... the response, and the request on that connection ..."""
        self.answered_lines: Lines = []
        self.answer: http.Response | None = None
        """... and mitmproxy's object for it."""


class PassingExchanges:
    """The plain exchanges that are on their way."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        """Count in `lifecycle`."""
        self._lifecycle = lifecycle
        self._by_connection: dict[str, Passing] = {}
        """By the ids of their connections, on both legs."""

    def begin(self, flow: http.HTTPFlow, request: Request) -> bool:
        """Put off a plain request; tell whether that can be done."""
        client = flow.client_conn.id
        key = Key("client", client)
        if (
            client in self._by_connection
            or request.version != "HTTP/1.1"
            or request.method not in IDEMPOTENT
            or flow.error is not None
            or self._lifecycle.run(key) is None
        ):
            return False
        lines = self._lifecycle.checker.lines(request.fields)
        self._by_connection[client] = Passing(flow, key, request, lines)
        return True

    def answer(self, flow: http.HTTPFlow, request: Request, response: Response) -> bool:
        """Put off the plain response to the request, as it was sent; tell whether that was done."""
        passing = self._by_connection.get(flow.client_conn.id)
        if (
            passing is None
            or passing.flow is not flow
            or request.fields is not passing.asked.fields
            or response.version != "HTTP/1.1"
        ):
            return False
        server = flow.server_conn.id
        key = Key("server", server)
        run, lines = self._lifecycle.run(key), self._lifecycle.checker.lines(response.fields)
        if run is None or self._lifecycle.teaches(run, lines) or server in self._by_connection:
            return False
        passing.server, passing.answer = key, flow.response
        passing.answered, passing.answered_lines = (request, response), lines
        self._by_connection[server] = passing
        return True

    def end(self, flow: http.HTTPFlow) -> Passing | None:
        """Count the exchange, which is complete, and return it; None if it is none of these."""
        passing = self._by_connection.get(flow.client_conn.id)
        if (
            passing is None
            or passing.flow is not flow
            or passing.server is None
            or passing.answered is None
            or not self._persists(passing)
        ):
            return None
        client, server = self._lifecycle.run(passing.client), self._lifecycle.run(passing.server)
        if client is None or server is None:
            return None
        self._remove(passing)
        sent, response = passing.answered
        asked, answered = flow.request.data, passing.flow.response
        assert answered is not None
        passed = Passed(
            *(flow.id, sent.method, response.status, passing.asked_lines, passing.answered_lines),
            *(asked.timestamp_start, closing.sent_time(flow)),
            *(answered.data.timestamp_start, answered.data.timestamp_end),
            *(passing.asked.to_proxy, sent.to_proxy),
        )
        client.count(passed)
        server.count(passed)
        return passing

    def _persists(self, passing: Passing) -> bool:
        """Tell whether mitmproxy keeps both connections: nobody has edited what matters to it."""
        request, response = passing.flow.request.data, passing.flow.response
        if response is None or response is not passing.answer or passing.answered is None:
            return False
        lines = self._lifecycle.checker.lines
        asked, answered = request.headers.fields, response.data.headers.fields
        return (
            request.http_version == response.data.http_version == b"HTTP/1.1"
            and request.trailers is None
            and response.data.trailers is None
            and (asked is passing.asked.fields or lines(asked) == passing.asked_lines)
            and (
                answered is passing.answered[1].fields or lines(answered) == passing.answered_lines
            )
        )

    def take(self, connection: str) -> Passing | None:
        """Give up the exchange on a connection, by its id; return it, if there is one."""
        passing = self._by_connection.get(connection)
        if passing is not None:
            self._remove(passing)
        return passing

    def _remove(self, passing: Passing) -> None:
        self._by_connection.pop(passing.client.connection, None)
        if passing.server is not None:
            self._by_connection.pop(passing.server.connection, None)
