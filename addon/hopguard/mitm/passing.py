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
from hopguard.mitm.flows import MULTIPLEXED
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
        "place",
        "server",
    )

    def __init__(
        self, flow: http.HTTPFlow, place: str, client: Key, asked: Request, lines: Lines
    ) -> None:
        """Begin with the head of a request; see `_place`."""
        self.flow = flow
        self.place = place
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


class PassingExchanges:
    """The plain exchanges that are on their way."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        """Count in `lifecycle`."""
        self._lifecycle = lifecycle
        self._known: dict[str, Passing] = {}
        """By the ids of their connections, on both legs; those in streams by that of the flow."""

    def begin(self, flow: http.HTTPFlow, request: Request) -> bool:
        """Put off a plain request; tell whether that can be done."""
        place = _place(flow)
        key = Key("client", flow.client_conn.id)
        if place in self._known or flow.error is not None:
            return False
        if request.version in HTTP1:
            if request.method not in IDEMPOTENT or self._lifecycle.run(key) is None:
                return False
        elif key in self._lifecycle:
            self._lifecycle.streams(key).begin()
        else:
            return False
        _, lines, _ = self._lifecycle.checker.view(request.fields)
        self._known[place] = Passing(flow, place, key, request, lines)
        return True

    def has(self, flow: http.HTTPFlow) -> bool:
        """Tell whether the request of `flow` was put off, and is as it was."""
        passing = self._known.get(_place(flow))
        return (
            passing is not None
            and passing.flow is flow
            and flow.request.data.headers.fields is passing.asked.fields
        )

    def answer(self, flow: http.HTTPFlow, request: Request, response: Response) -> bool:
        """Put off the plain response to the request, as it was sent; tell whether that was done."""
        passing = self._known.get(_place(flow))
        if (
            passing is None
            or passing.flow is not flow
            or request.fields is not passing.asked.fields
            or response.version != passing.asked.version
        ):
            return False
        key = Key("server", flow.server_conn.id)
        _, lines, _ = self._lifecycle.checker.view(response.fields)
        if response.version not in HTTP1:
            if key not in self._lifecycle:
                return False
        else:
            run = self._lifecycle.run(key)
            if run is None or self._lifecycle.teaches(run, lines) or key.connection in self._known:
                return False
            self._known[key.connection] = passing
        passing.server, passing.answer = key, flow.response
        passing.answered, passing.answered_lines = (request, response), lines
        return True

    def end(self, flow: http.HTTPFlow) -> Passing | None:
        """Count the exchange, which is complete, and return it; None if it is none of these."""
        passing = self._known.get(_place(flow))
        if passing is None or passing.flow is not flow or passing.answered is None:
            return None
        if not passing.is_unedited(self._lifecycle.checker.view):
            return None
        if passing.asked.version not in HTTP1:
            assert flow.response is not None
            self._lifecycle.streams(passing.client).end(flow.response.data.timestamp_end)
        elif not self._count(passing):
            return None
        self._remove(passing)
        return passing

    def _count(self, passing: Passing) -> bool:
        """Count an exchange of HTTP/1.1 on both of its connections, if that can be done."""
        assert passing.server is not None
        assert passing.answered is not None
        client, server = self._lifecycle.run(passing.client), self._lifecycle.run(passing.server)
        flow, response = passing.flow, passing.flow.response
        if client is None or server is None or response is None:
            return False
        sent, received = passing.answered
        passed = Passed(
            *(flow.id, sent.method, received.status, passing.asked_lines, passing.answered_lines),
            *(flow.request.data.timestamp_start, closing.sent_time(flow)),
            *(response.data.timestamp_start, response.data.timestamp_end),
            *(passing.asked.to_proxy, sent.to_proxy),
        )
        client.count(passed)
        server.count(passed)
        return True

    def take(self, place: str) -> Passing | None:
        """Give up an exchange; return it, if there is one to be told step by step."""
        passing = self._known.get(place)
        if passing is not None:
            self._remove(passing)
        return passing

    def forget(self, client: Key) -> None:
        """Forget what is on its way for a client."""
        for passing in [one for one in self._known.values() if one.client == client]:
            self._remove(passing)

    def _remove(self, passing: Passing) -> None:
        self._known.pop(passing.place, None)
        if passing.server is not None:
            self._known.pop(passing.server.connection, None)


def _place(flow: http.HTTPFlow) -> str:
    """Return what stands for an exchange among others: in HTTP/1 they come one after the other."""
    return flow.id if flow.request.data.http_version in MULTIPLEXED else flow.client_conn.id
