"""Plain exchanges on their way through mitmproxy: by far the most, so as little as can be is done.

Such an exchange changes nothing about its connections but how many they have had (see
`hopguard.plain` and `hopguard.steady`). So it is counted when it is over; or it is told after all,
step by step, as soon as anything else happens on one of the two connections, or somebody looks.
"""

from collections.abc import Callable

from mitmproxy import http

from hopguard.events import IDEMPOTENT, Key
from hopguard.lifecycle import Lifecycle
from hopguard.memo import View
from hopguard.message import HTTP1, RawFields, Request, Response
from hopguard.mitm import closing
from hopguard.selection import Lines
from hopguard.steady import Passed, Run


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
        "runs",
        "server",
    )

    def __init__(
        self, flow: http.HTTPFlow, client: Key, run: Run | None, asked: Request, lines: Lines
    ) -> None:
        """Begin with the head of a request; `run` counts on the connection, if that is HTTP/1."""
        self.flow = flow
        self.client = client
        self.runs = [run] if run is not None else []
        self.asked = asked
        self.asked_lines = lines
        self.server: Key | None = None
        """The connection to the server, once the response begins ..."""
        self.answered: tuple[Request, Response] | None = None
        """... the response, and the request on that connection ..."""
        self.answered_lines: Lines = []
        self.answer: http.Response | None = None
        """... and mitmproxy's object for it."""

    def is_unedited(self, view: Callable[[RawFields], View]) -> bool:
        """Tell whether what goes on says all that matters as it came.

        `view` chooses from a header section what matters.
        """
        request, response = self.flow.request.data, self.flow.response
        if self.answered is None or response is None or response is not self.answer:
            return False
        data, (_, received) = response.data, self.answered
        asked, answered = request.headers.fields, data.headers.fields
        return (
            request.http_version == data.http_version
            and request.trailers is None
            and data.trailers is None
            and (asked is self.asked.fields or view(asked)[1] == self.asked_lines)
            and (answered is received.fields or view(answered)[1] == self.answered_lines)
        )

    @property
    def passed(self) -> Passed:
        """What there is to count on connections of HTTP/1.1 when it is complete."""
        flow, answer = self.flow, self.answer
        assert self.answered is not None
        assert answer is not None
        sent, received = self.answered
        return Passed(
            *(flow.id, sent.method, received.status, self.asked_lines, self.answered_lines),
            *(flow.request.data.timestamp_start, closing.sent_time(flow)),
            *(answer.data.timestamp_start, answer.data.timestamp_end),
            *(self.asked.to_proxy, sent.to_proxy),
        )


class PassingExchanges:
    """The plain exchanges that are on their way."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        """Count in `lifecycle`."""
        self._lifecycle = lifecycle
        self._known: dict[str, Passing] = {}
        """By the ids of their flows."""
        self._alone: dict[str, Passing] = {}
        """Those of HTTP/1, by the ids of their connections on both legs."""

    def begin(self, flow: http.HTTPFlow, request: Request) -> bool:
        """Put off a plain request; tell whether that can be done."""
        if flow.error is not None:
            return False
        connection, run = flow.client_conn.id, None
        key = Key("client", connection)
        if request.version in HTTP1:
            run = self._lifecycle.run(key)
            if run is None or connection in self._alone or request.method not in IDEMPOTENT:
                return False
        elif key in self._lifecycle:
            self._lifecycle.streams(key).begin()
        else:
            return False
        _, lines, _ = self._lifecycle.checker.view(request.fields)
        passing = self._known[flow.id] = Passing(flow, key, run, request, lines)
        if run is not None:
            self._alone[connection] = passing
        return True

    def has(self, flow: http.HTTPFlow) -> bool:
        """Tell whether the request of `flow` was put off, and is as it was."""
        passing = self._known.get(flow.id)
        return passing is not None and flow.request.data.headers.fields is passing.asked.fields

    def answer(self, flow: http.HTTPFlow, request: Request, response: Response) -> bool:
        """Put off the plain response to the request, as it was sent; tell whether that was done."""
        passing = self._known.get(flow.id)
        if (
            passing is None
            or request.fields is not passing.asked.fields
            or response.version != passing.asked.version
        ):
            return False
        connection = flow.server_conn.id
        key = Key("server", connection)
        _, lines, _ = self._lifecycle.checker.view(response.fields)
        if passing.runs:
            run = self._lifecycle.run(key)
            if run is None or self._lifecycle.teaches(run, lines) or connection in self._alone:
                return False
            passing.runs.append(run)
            self._alone[connection] = passing
        elif key not in self._lifecycle:
            return False
        passing.server, passing.answer = key, flow.response
        passing.answered, passing.answered_lines = (request, response), lines
        return True

    def end(self, flow: http.HTTPFlow) -> Passing | None:
        """Count the exchange, which is complete, and return it; None if it is none of these."""
        passing = self._known.get(flow.id)
        if passing is None or not passing.is_unedited(self._lifecycle.checker.view):
            return None
        if passing.runs:
            passed = passing.passed
            for run in passing.runs:
                run.count(passed)
        elif flow.response is not None:
            self._lifecycle.streams(passing.client).end(flow.response.data.timestamp_end)
        self._remove(passing)
        return passing

    def take(self, connection: str) -> Passing | None:
        """Give up the exchange on a connection of HTTP/1; return it, if there is one."""
        passing = self._alone.get(connection)
        if passing is not None:
            self._remove(passing)
        return passing

    def give_up(self, flow: http.HTTPFlow) -> None:
        """Give up an exchange in a stream, which has been counted as begun."""
        passing = self._known.get(flow.id)
        if passing is not None and not passing.runs:
            self._remove(passing)

    def forget(self, client: Key) -> None:
        """Forget what is on its way for a client."""
        for passing in [one for one in self._known.values() if one.client == client]:
            self._remove(passing)

    def _remove(self, passing: Passing) -> None:
        del self._known[passing.flow.id]
        if passing.runs:
            del self._alone[passing.client.connection]
            if passing.server is not None:
                del self._alone[passing.server.connection]
