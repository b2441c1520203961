"""One connection's history: frozen, and of the same size after ten exchanges as after a million.

Whoever adds to it: nothing that grows with the number of events, and nothing that a rule concludes.
"""

from sys import intern
from typing import Any, NamedTuple, Self

from hopguard.events import (
    Aborted,
    Closed,
    ClosedBy,
    Event,
    Failure,
    Key,
    Opened,
    RequestEnd,
    RequestHead,
    ResponseEnd,
    ResponseHead,
    StillOpen,
    Unsolicited,
)
from hopguard.message import HTTP1, Sender, Version


class Doubt(NamedTuple):
    """A message whose framing nobody can be sure of."""

    number: int
    """Of its exchange on the connection."""
    by_client: bool
    why: str


class Connection(NamedTuple):
    """What is known of a connection; `after` an event there is a new one."""

    key: Key
    whole: bool = False
    """Whether it is known from its beginning."""
    opened: float | None = None
    client: str | None = None
    server: str | None = None
    passive: bool = False
    """See `Opened`."""
    number: int = 0
    """Requests so far ..."""
    replied: int = 0
    """... how many of them have the head of their final response ..."""
    answered: int = 0
    """... and how many the whole of it."""
    request: RequestHead | None = None
    """The latest one ..."""
    fingerprint: bytes | None = None
    """... and what tells it from others, if it must not be repeated."""
    response: ResponseHead | None = None
    """The latest final one."""
    response_ended: float | None = None
    """None while it has not, and where it is unknown when."""
    idle_before: float | None = None
    """Seconds between the latest request and the end of the response before it."""
    close_asked: int = 0
    """Number of the first request with the option close; 0 if there was none."""
    close_said: int = 0
    """Number of the first exchange whose response has the option close."""
    promise: ResponseHead | None = None
    """The latest response with Keep-Alive ..."""
    promised: int = 0
    """... and the number of its exchange."""
    doubt: Doubt | None = None
    """The first one."""
    notice: bool = False
    """Whether the server has said by itself that it gives up the connection."""
    tunnel: bool = False
    """Whether CONNECT has made a tunnel of it: what is counted here goes through that."""
    switched: bool = False
    """Whether HTTP has ended by an upgrade."""
    failure: Failure | None = None
    """How the latest exchange ended if it has no whole response."""
    looked: float | None = None
    """When somebody has looked at it last, without anything having happened."""
    closed: float | None = None
    over: bool = False
    """Whether it is closed, at whatever time ..."""
    closed_by: ClosedBy | None = None
    """... by whom, if that is known."""

    @property
    def version(self) -> Version | None:
        """The version of the latest message."""
        latest = self.response if self.outstanding == 0 and self.response else self.request
        return latest.version if latest is not None else None

    @property
    def outstanding(self) -> int:
        """How many requests have no whole response yet."""
        return self.number - self.answered

    @property
    def client_is_peer(self) -> bool:
        """Whether its requests are the client's own, and not what the proxy makes of them."""
        return self.passive or self.key.leg == "client"

    @property
    def server_is_peer(self) -> bool:
        """Whether its responses are the server's own, and not what the proxy makes of them."""
        return self.passive or self.key.leg == "server"

    @property
    def requester(self) -> Sender:
        """Who sends the requests; on the server's leg, that is the proxy."""
        return "client" if self.client_is_peer else "intermediary"

    @property
    def closing(self) -> int:
        """Number of the exchange after which the connection was to end; 0 if nobody said so."""
        said = [number for number in (self.close_asked, self.close_said) if number]
        return min(said, default=0)

    @property
    def persists(self) -> bool | None:
        """Whether its messages leave it open for another exchange (RFC 9112, section 9.3)."""
        request, response = self.request, self.response
        if self.closing or self.switched or request is None or response is None:
            return False
        if not {request.version, response.version} <= HTTP1:
            return None
        if "HTTP/1.0" in (request.version, response.version) and not response.keep_alive:
            return False
        if request.version == "HTTP/1.0" and not request.keep_alive:
            return False
        return response.delimited

    def idle(self, time: float | None) -> float | None:
        """Return for how many seconds nothing was outstanding at `time`; None if unknown."""
        if time is None or self.response_ended is None or self.outstanding or not self.answered:
            return None
        return max(0.0, time - self.response_ended)

    def after(self, event: Event) -> Self:
        """Return the connection as it is after `event`."""
        if isinstance(event, RequestHead):
            return self._after_request(event)
        if isinstance(event, ResponseHead):
            return self._after_response(event) if event.final else self
        if isinstance(event, ResponseEnd):
            answered = min(self.answered + 1, self.replied)
            return self._with(answered=answered, response_ended=event.time)
        if isinstance(event, Opened):
            return self._with(
                whole=event.whole,
                opened=event.time,
                client=event.client,
                server=None if event.server is None else intern(event.server),  # many share it
                passive=event.passive,
            )
        return self._with(**self._changes(event))

    def after_exchange(
        self, request: RequestHead, response: ResponseHead, ended: float | None
    ) -> Self:
        """Return the connection as it is after the three events of an exchange: see `steady`."""
        number = self.number + 1
        return self._with(
            number=number,
            replied=number,
            answered=number,
            request=request,
            fingerprint=None,
            idle_before=self.idle(request.time),
            response=_without_server(response),
            response_ended=ended,
        )

    def after_exchanges(self, number: int, ended: float | None) -> Self:
        """Return the connection as it is after so many such exchanges; the last one `ended` then.

        Of their messages nothing is known: another exchange follows.
        """
        number += self.number
        return self._with(number=number, replied=number, answered=number, response_ended=ended)

    def after_streams(self, begun: int, ended: int, time: float | None) -> Self:
        """Return the connection after exchanges of HTTP/2 or HTTP/3.

        So many have `begun`, and so many `ended`, the last of them at `time`.
        """
        answered = self.answered + ended
        return self._with(
            number=self.number + begun, replied=answered, answered=answered, response_ended=time
        )

    def _with(self, **changes: Any) -> Self:
        """Do what `_replace` does, in half the time: this happens several times in an exchange."""
        values: list[Any] = list(self)
        for name, value in changes.items():
            values[_PLACES[name]] = value
        return tuple.__new__(type(self), values)

    def _changes(self, event: Event) -> dict[str, Any]:
        match event:
            case RequestEnd():
                return {"fingerprint": event.fingerprint}
            case Aborted():
                return {"failure": event.how}
            case Unsolicited():
                return {"notice": True}
            case StillOpen():
                return {"looked": event.time}
        assert isinstance(event, Closed)
        return {"closed": event.time, "over": True, "closed_by": event.by}

    @property
    def replying(self) -> int:
        """Number of the exchange that the next response belongs to."""
        return min(self.replied + 1, self.number)

    def _after_request(self, event: RequestHead) -> Self:
        number = self.number + 1
        return self._with(
            number=number,
            request=event,
            fingerprint=None,
            idle_before=self.idle(event.time),
            close_asked=self.close_asked or (number if event.close else 0),
            doubt=self.doubt or (Doubt(number, True, event.doubt) if event.doubt else None),
            failure=None,
        )

    def _after_response(self, event: ResponseHead) -> Self:
        if event.to_connect and event.status < 300:
            return self._emptied(tunnel=True)
        number = self.replying
        event = _without_server(event)
        if event.own:
            return self._with(replied=number, response=event, response_ended=None)
        promises = event.timeout is not None or event.most is not None
        return self._with(
            replied=number,
            response=event,
            response_ended=None,
            close_said=self.close_said or (number if event.close else 0),
            promise=event if promises else self.promise,
            promised=number if promises else self.promised,
            doubt=self.doubt or (Doubt(number, False, event.doubt) if event.doubt else None),
            switched=event.status == 101,
        )

    def _emptied(self, *, tunnel: bool) -> Self:
        return type(self)(
            self.key, self.whole, self.opened, self.client, self.server, self.passive
        )._with(tunnel=tunnel)


def _without_server(event: ResponseHead) -> ResponseHead:
    """Leave out what is kept with what is known of the server."""
    return ResponseHead(*event[:-2], b"", event.own) if event.server else event


_PLACES = {name: place for place, name in enumerate(Connection._fields)}
