"""Plain exchanges on their way, the connections on which they pass, and what remains of them."""

import weakref
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, cast

from mitmproxy import http

from hopguard.events import Key
from hopguard.lifecycle import Lifecycle
from hopguard.lookup import Known
from hopguard.memo import View
from hopguard.message import Message, RawFields, Request, Response, Version
from hopguard.mitm.closing import later
from hopguard.mitm.following import Address, Latest, Told
from hopguard.mitm.legs import Destination
from hopguard.peer import ServerPast
from hopguard.steady import Passed

_MOST_LIKE = 32
"""Methods on a connection: peers choose them."""


class Way:
    """A connection on which plain exchanges pass, and nothing else happens."""

    __slots__ = (
        *("address", "alone", "answer_like", "asked", "before", "begun", "ended", "ends_matter"),
        *("key", "known", "label", "latest", "left", "like", "number", "passing", "past"),
        *("ready", "requests", "responses", "server", "servers", "time"),
    )

    def __init__(self, key: Key, label: bytes, server: str | None, *, alone: bool) -> None:
        """Begin without an exchange.

        Args:
            key: the connection.
            label: the version, as mitmproxy's messages have it.
            server: what the server is known by, if it is to one.
            alone: whether only one exchange at a time can be on it.
        """
        self.key = key
        self.label = label
        self.server = server
        self.alone = alone
        self.address: Address = None
        """Of the peer."""
        self.ready: float | None = None
        """Since when requests can be sent to a server."""
        self.servers: dict[Destination, Version] | None = None
        """Where requests of HTTP/2 go to, as far as it is known."""
        self.left = False
        """Whether something else has happened there since: nothing may be counted here any more."""
        self.requests: dict[bytes, Request] = {}
        """One that was received from it, or sent on it, of each method. But for their fields and
        targets, all others are like it."""
        self.responses: dict[int, Response] = {}
        """One that was received from it, of each status."""
        self.like: Request | None = None
        """The one like which the latest request was that passed here ..."""
        self.known: Known | None = None
        """... what was known of it; or of the response, on a connection to a server ..."""
        self.ends_matter = False
        """... and whether the end of that request may have mattered; ..."""
        self.asked: View | None = None
        """... there, the view of the request ..."""
        self.answer_like: Response | None = None
        """... the one like which the response was ..."""
        self.past: ServerPast | None = None
        """... and what was known of the server then: it has taught nothing new."""
        self.number = self.begun = self.ended = 0
        """Exchanges that were counted, if each is alone; and where many are at a time."""
        self.passing: Passing | None = None
        """The one that is on its way alone ..."""
        self.latest: tuple[object, ...] = ()
        """... what an `Over` of the one before that holds, if there is one ..."""
        self.before: float | None = None
        """... and when the one before that ended."""
        self.time: float | None = None
        """When the latest of those that were counted ended."""

    def request_like(self, request: Request) -> Request:
        """Return the request like which `request` is."""
        like = self.requests.get(request.method)
        if like is None:
            if len(self.requests) >= _MOST_LIKE:
                self.requests.clear()
            like = self.requests[request.method] = _one_like(
                replace(request, fields=(), target=b"/")
            )
        return like

    def response_like(self, response: Response) -> Response:
        """Return the response like which `response` is."""
        like = self.responses.get(response.status)
        if like is None:
            like = self.responses[response.status] = _one_like(replace(response, fields=()))
        return like

    def tell(self, lifecycle: Lifecycle) -> "Over | None":
        """Tell `lifecycle` what was counted; return the latest exchange that is over alone."""
        over = Over._make(self.latest) if self.latest else None
        if over is not None:
            lifecycle.count(self.key, self.number, self.before, over.passed)
        if self.begun or self.ended:
            lifecycle.count_streams(self.key, begun=self.begun, ended=self.ended, time=self.time)
        return over


def _one_like[M: Message](message: M) -> M:
    """Return the same message for all that are equal: many connections share it."""
    return cast(M, _LIKE(message))


_LIKE = lru_cache(1024)(lambda message: message)


class Over(NamedTuple):
    """What remains of an exchange of HTTP/1.1 that is over: of few, anything is asked."""

    reference: weakref.ref[http.HTTPFlow]
    flow: str
    """See `RequestHead.flow`."""
    request: Request
    """Messages like its own, as received ..."""
    sent: Request
    """... and as sent ..."""
    response: Response
    asked: View
    answered: View
    began: float | None
    """Times: see `Passed`; ..."""
    asked_for: float | None
    """... when the request was complete, or just began if it is streamed ..."""
    ready: float | None
    """... and the connection there ..."""
    responded: float | None
    ended: float | None
    host: str
    """Where it went: see `Told`."""
    port: int
    scheme: bytes
    authority: bytes
    path: bytes
    client_address: Address
    server_address: Address

    @property
    def passed(self) -> Passed:
        """What is counted of it."""
        return Passed(
            *(self.flow, self.sent.method, self.response.status),
            *(self.asked[0], self.answered[0]),
            *(self.began, later(self.asked_for, self.ready), self.responded, self.ended),
            *(self.request.to_proxy, self.sent.to_proxy),
        )

    @property
    def latest(self) -> Latest:
        """What reports need of it."""
        told = Told(
            *(self.host, self.port, self.sent.method, self.scheme, self.authority, self.path),
            *(self.client_address, self.server_address),
        )
        return Latest(self.reference(), told)


class Passing:
    """One exchange, as far as it has come: messages like its own, and the views of their fields."""

    __slots__ = (
        *("answer", "answered", "answered_fields", "asked", "asked_fields", "flow"),
        *("passes", "request", "response", "sent", "server", "way"),
    )

    def __init__(
        self,
        flow: http.HTTPFlow,
        way: Way,
        request: Request,
        fields: RawFields,
        asked: View,
        passes: bool,
    ) -> None:
        """Begin with the head of a request, as it is received.

        Args:
            flow: the exchange.
            way: the connection.
            request: one that it is like.
            fields: its header section ...
            asked: ... and the view of that.
            passes: whether nothing can come of the end of the request.
        """
        self.flow = flow
        self.way = way
        self.request = request
        self.asked = asked
        self.asked_fields = fields
        self.passes = passes
        self.answer: http.Response | None = None
        """mitmproxy's object for the response; the rest is known as soon as that is here."""
        if way.alone:
            way.passing = self
        else:
            way.begun += 1

    def begin_answer(
        self, answer: http.Response, server: Way, sent: Request, response: Response, answered: View
    ) -> None:
        """Go on with the head of the response, and the request as it was sent."""
        self.answer = answer
        self.answered_fields: RawFields = answer.data.headers.fields
        self.server = server
        self.sent = sent
        self.response = response
        self.answered = answered
        if server.alone:
            server.passing = self


def with_lines[M: Message](like: M, view: View) -> M:
    """Return a message like that, with the lines of the view."""
    lines, _, _ = view
    return replace(like, fields=tuple(lines))
