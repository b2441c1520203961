"""Plain exchanges that are put off: nobody is told of them until they are over, or it matters.

Such an exchange changes nothing about its connections but how many they have had (see
`hopguard.plain` and `hopguard.steady`). So it is counted when it is over; or it is told after all,
step by step, as soon as anything else happens on one of the two connections, or somebody looks.
"""

from mitmproxy import http

from hopguard.events import IDEMPOTENT, SHORT, Key
from hopguard.lifecycle import Lifecycle
from hopguard.message import HTTP1, Message, Request, Response
from hopguard.mitm import closing
from hopguard.mitm.following import server_address
from hopguard.mitm.legs import NextLegs
from hopguard.mitm.ways import Passing, Way


class PutOffExchanges:
    """The plain exchanges that are on their way."""

    def __init__(self, lifecycle: Lifecycle, legs: NextLegs) -> None:
        """Count in `lifecycle`; `legs` are those that requests go to."""
        self.checker = lifecycle.checker
        """May be replaced at any time."""
        self._lifecycle = lifecycle
        self._legs = legs
        self._known: dict[str, Passing] = {}
        """By the ids of their flows."""
        self._ways: dict[str, Way] = {}
        """By the ids of connections. As soon as anything else happens there, a way is left."""

    def begin(self, flow: http.HTTPFlow, request: Request) -> bool:
        """Take in the head of a plain request; tell whether that can be done."""
        if flow.error is not None or not flow.request.data.host or len(request.method) > SHORT:
            return False
        client = flow.client_conn
        way = self._ways.get(client.id)
        if way is None:
            way = self._find_way(Key("client", client.id), flow.request, request)
            if way is not None:
                way.address = client.peername
        if way is None or (
            way.alone and (way.passing is not None or request.method not in IDEMPOTENT)
        ):
            return False
        if request.version == "HTTP/2" and way.servers is None:
            way.servers = self._legs.versions(client)
        asked = self.checker.view(request.fields)
        like = way.request_like(request)
        self._known[flow.id] = Passing(flow, way, like, request.fields, asked, False)
        return True

    def has(self, flow: http.HTTPFlow) -> bool:
        """Tell whether the request of `flow` was taken in, and is as it was."""
        passing = self._known.get(flow.id)
        return passing is not None and flow.request.data.headers.fields is passing.asked_fields

    def answer(self, flow: http.HTTPFlow, request: Request, response: Response) -> bool:
        """Take in the head of a plain response to the request, as it was sent; tell the same."""
        passing, answer = self._known.get(flow.id), flow.response
        if (
            passing is None
            or answer is None
            or request.fields is not passing.asked_fields
            or response.version != passing.request.version
        ):
            return False
        way = self._ways.get(flow.server_conn.id)
        if way is None:
            server = flow.server_conn
            way = self._find_way(Key("server", server.id), answer, response)
            if way is not None:
                way.address, way.ready = server_address(server), closing.ready_time(server)
        answered = self.checker.view(response.fields)
        if (
            way is None
            or way.passing is not None
            or self._lifecycle.teaches(way.server, answered[0])
        ):
            return False
        sent, like = way.request_like(request), way.response_like(response)
        passing.begin_answer(answer, way, sent, like, answered)
        return True

    def _find_way(self, key: Key, message: http.Message, known: Message) -> Way | None:
        """Begin the way on a connection, if nothing has happened that matters."""
        alone = known.version in HTTP1
        steady = self._lifecycle.steady(key) if alone else None
        if steady is None and (alone or key not in self._lifecycle):
            return None
        server = steady.server if steady is not None else None
        way = self._ways[key.connection] = Way(key, message.data.http_version, server, alone=alone)
        return way

    def leave(self, connection: str) -> Way | None:
        """Leave the way on a connection, and return it, with the exchange that is on it alone.

        What can be counted there later begins anew.
        """
        way = self._ways.pop(connection, None)
        if way is not None:
            way.left = True
            passing = way.passing
            if passing is not None:
                self._remove(passing)
                way.passing = passing
        return way

    def give_up(self, flow: http.HTTPFlow) -> None:
        """Give up an exchange in a stream, which has been counted as begun."""
        passing = self._known.get(flow.id)
        if passing is not None and not passing.way.alone:
            self._remove(passing)

    def forget(self, key: Key) -> None:
        """Forget a connection, with what is on its way for a client, or from a server."""
        self._ways.pop(key.connection, None)
        for passing in list(self._known.values()):
            if passing.way.key == key:
                self._remove(passing)
            elif passing.answer is not None and passing.server.key == key:
                passing.answer = None

    def _remove(self, passing: Passing) -> None:
        del self._known[passing.flow.id]
        passing.way.passing = None
        if passing.answer is not None:
            passing.server.passing = None
