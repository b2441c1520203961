"""The kinds of events."""

from typing import Literal, NamedTuple

from hopguard.message import Leg, Version

ClosedBy = Literal["client", "server", "proxy"]
"""Who ended a connection: one of its two ends, or the proxy that observes it."""

Failure = Literal["lost", "truncated", "other"]
"""Why an exchange has no whole response: the server ended the connection before the first octet of
it, or in the midst of its content; or something else, such as a client that went away."""

IDEMPOTENT = frozenset(
    b"GET HEAD PUT DELETE OPTIONS TRACE COPY MOVE MKCOL MKCALENDAR LINK UNLINK PROPFIND PROPPATCH "
    b"REPORT SEARCH QUERY ACL BIND UNBIND REBIND CHECKIN CHECKOUT UNCHECKOUT UNLOCK UPDATE LABEL "
    b"MERGE MKACTIVITY MKWORKSPACE ORDERPATCH VERSION-CONTROL BASELINE-CONTROL PRI".split()
)
"""Methods that may be repeated (the IANA registry of methods); of an unknown one nobody knows."""


class Key(NamedTuple):
    """Which connection: on which leg, and its id there."""

    leg: Leg
    connection: str


class Opened(NamedTuple):
    """The connection begins. One that begins with anything else is seen from its middle."""

    time: float | None = None
    client: str | None = None
    """Address of the client, if that is a peer and not the proxy."""
    server: str | None = None
    """Address of the server, if that is a peer and not the proxy."""
    passive: bool = False
    """Whether it was recorded from outside: neither end is the proxy that observes it."""
    whole: bool = True
    """Whether all that happens on it from now on is told; else only when it began is known."""


class RequestHead(NamedTuple):
    """A request begins to arrive, or to be sent."""

    time: float | None
    version: Version
    method: bytes
    flow: str | None = None
    """Id of the exchange, for whoever reports."""
    close: bool = False
    keep_alive: bool = False
    doubt: str = ""
    """What makes its framing doubtful, in words; empty where nothing does."""
    to_proxy: bool | None = None
    forwarded: bool = False
    """Whether a field shows that an intermediary has forwarded it."""
    agent: int = 0
    """Stands for the User-Agent."""
    surfaced: bool = False
    """Whether it may have arrived earlier: whoever observes sees it only after the response before
    it."""

    @property
    def idempotent(self) -> bool:
        """Whether it may be repeated without harm."""
        return self.method in IDEMPOTENT


class RequestEnd(NamedTuple):
    """A request is complete."""

    time: float | None
    fingerprint: bytes | None = None
    """Stands for method, target and body. None for one that may be repeated, or that cannot be
    told from another one."""


class ResponseHead(NamedTuple):
    """The header section of a response, which may be an interim one."""

    time: float | None
    version: Version
    status: int
    flow: str | None = None
    close: bool = False
    keep_alive: bool = False
    timeout: int | None = None
    """Seconds that Keep-Alive promises, if the option keep-alive came with it ..."""
    most: int | None = None
    """... and the number of further requests that it allows."""
    delimited: bool | None = None
    """Whether its end shows without the end of the connection."""
    doubt: str = ""
    to_connect: bool = False
    server: bytes = b""
    """The Server field."""
    own: bool = False
    """Whether the proxy that observes, or an addon in it, has made the response."""

    @property
    def final(self) -> bool:
        """Whether it is the final response; a 101 is the last one in HTTP."""
        return self.status >= 200 or self.status == 101


class ResponseEnd(NamedTuple):
    """A final response is complete."""

    time: float | None


class Aborted(NamedTuple):
    """An exchange ends without a whole response."""

    time: float | None
    how: Failure = "other"


class Unsolicited(NamedTuple):
    """Octets from the server while no request is outstanding."""

    time: float | None
    octets: bytes
    """The first of them are enough."""


class StillOpen(NamedTuple):
    """Nothing has happened, but the time has come to look."""

    time: float | None


class Closed(NamedTuple):
    """The connection ends, or the first of its two directions does."""

    time: float | None
    by: ClosedBy | None = None


Event = (
    Opened
    | RequestHead
    | RequestEnd
    | ResponseHead
    | ResponseEnd
    | Aborted
    | Unsolicited
    | StillOpen
    | Closed
)
