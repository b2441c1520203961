r"""What `*` lines of an example can say of its connections: the part of the notation about time.

    * opened
    > GET /1 HTTP/1.1
    < HTTP/1.1 200 OK
    < Content-Length: 0
    * 5 s later
    *! server closes
    * a new connection

Every message takes no time at all, unless `* the response is cut off` stands behind it; nothing
begins before the example does. The lines are:

- `opened`, `a new connection`: a connection begins. Without one, it is seen from the middle.
- `5 s later`, `20 ms later`: time goes on. `at an unknown time`: from here on no times are known.
- `server closes`, `client closes`, `proxy closes`, `somebody closes`: the connection ends. If the
  server or somebody does so while a request is unanswered, that is lost.
- `the response is cut off`: its connection ends in the midst of it.
- `the exchange fails`: for another reason.
- `still open`: nothing has happened, but somebody looks.
- `unsolicited: HTTP/1.1 408 ...\r\n`: octets from the server, while no request is outstanding.
- `client leg`, `server leg`: the proxy that observes is the other end. Otherwise neither is.
- `answered by the proxy`: the responses that follow are its own.
- `in front: 60 s`: how long whoever is in front of the server keeps idle connections.
- `every body: 7`: the requests that follow have a body of these octets.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from hopguard.events import (
    Aborted,
    Closed,
    ClosedBy,
    Event,
    Key,
    Opened,
    RequestEnd,
    ResponseEnd,
    StillOpen,
    Unsolicited,
    fingerprint,
    request_head,
    response_head,
)
from hopguard.message import Leg, Message, Request, Response

CLIENT, SERVER = "198.51.100.7:50000", "192.0.2.1:80"
"""Addresses of the peers in every example."""

_LATER = re.compile(r"([0-9]+(?:\.[0-9]+)?) (ms|s) later")
_CLOSES = re.compile(r"(client|server|proxy|somebody) closes")
_LEG = re.compile(r"(client|server) leg")
_IN_FRONT = re.compile(r"in front: ([0-9]+) s")
_OCTETS = re.compile(r"(unsolicited|every body): (.*)", re.DOTALL)
_PLAIN = frozenset(
    {
        "opened",
        "a new connection",
        "at an unknown time",
        "the response is cut off",
        "the exchange fails",
        "still open",
        "answered by the proxy",
    }
)


def is_happening(text: str) -> bool:
    """Tell whether a `*` line is about connections."""
    return text in _PLAIN or any(
        pattern.fullmatch(text) for pattern in (_LATER, _CLOSES, _LEG, _IN_FRONT, _OCTETS)
    )


class Step(NamedTuple):
    """A line about connections, or a message: what it makes happen."""

    marked: bool
    events: tuple[tuple[Key, Event], ...]
    message: int | None
    """Position of the message in the transcript."""


@dataclass
class Story:
    """Turns messages and lines about connections into events."""

    unescape: Callable[[bytes], bytes]
    steps: list[Step] = field(default_factory=list)
    in_front: float | None = None
    """Seconds for which whoever is in front keeps idle connections."""
    _time: float | None = 0.0
    _number: int = 1
    _leg: Leg | None = None
    _own: bool = False
    _body: bytes = b""
    _unanswered: list[Request] = field(default_factory=list)
    _response_open: bool = False

    def say(self, text: str, *, marked: bool) -> None:
        """Take in a line for which `is_happening` is true."""
        self.steps.append(Step(marked, tuple(self._keyed(self._events_of(text))), None))

    def hear(self, message: Message, position: int, *, marked: bool, cut_off: bool) -> None:
        """Take in a message; of a response that is `cut_off`, the end does not come."""
        events: list[Event]
        if isinstance(message, Request):
            self._unanswered.append(message)
            head = request_head(message, self._time, flow=f"{self._number}.{position}")
            events = [head, RequestEnd(self._time, fingerprint(message, self._body))]
        else:
            assert isinstance(message, Response)
            final = message.status >= 200 or message.status == 101
            request = self._unanswered[0] if self._unanswered else None
            if final and request is not None:
                del self._unanswered[0]
            events = [response_head(request, message, self._time, own=self._own)]
            if final and not cut_off:
                events.append(ResponseEnd(self._time))
        self.steps.append(Step(marked, tuple(self._keyed(events)), position))

    def _keyed(self, events: Iterable[Event]) -> Iterable[tuple[Key, Event]]:
        key = Key(self._leg or "server", f"connection {self._number}")
        return [(key, event) for event in events]

    def _events_of(self, text: str) -> list[Event]:
        if found := _LATER.fullmatch(text):
            factor = 0.001 if found[2] == "ms" else 1.0
            self._time = None if self._time is None else self._time + float(found[1]) * factor
        elif found := _IN_FRONT.fullmatch(text):
            self.in_front = float(found[1])
        elif found := _LEG.fullmatch(text):
            self._leg = "client" if found[1] == "client" else "server"
        elif found := _OCTETS.fullmatch(text):
            octets = self.unescape(found[2].encode())
            if found[1] == "unsolicited":
                return [Unsolicited(self._time, octets)]
            self._body = octets
        elif found := _CLOSES.fullmatch(text):
            return self._close(found[1])
        else:
            return self._plain(text)
        return []

    def _plain(self, text: str) -> list[Event]:
        match text:
            case "opened" | "a new connection":
                self._number += text != "opened"
                self._unanswered.clear()
                return [self._opened()]
            case "at an unknown time":
                self._time = None
            case "answered by the proxy":
                self._own = True
            case "the response is cut off":
                return [Aborted(self._time, "truncated"), Closed(self._time, "server")]
            case "the exchange fails":
                return [Aborted(self._time)]
            case _:
                return [StillOpen(self._time)]
        return []

    def _opened(self) -> Opened:
        return Opened(
            self._time,
            client=None if self._leg == "server" else CLIENT,
            server=None if self._leg == "client" else SERVER,
            passive=self._leg is None,
        )

    def _close(self, who: str) -> list[Event]:
        by: ClosedBy | None = "client" if who == "client" else "proxy" if who == "proxy" else None
        by = "server" if who == "server" else by
        lost = by in ("server", None) and bool(self._unanswered)
        closed: list[Event] = [Closed(self._time, by)]
        return [Aborted(self._time, "lost"), *closed] if lost else closed
