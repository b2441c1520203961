"""What the connections of one client, or of one server, have in common: frozen, of bounded size.

Rules that look beyond one connection get these as they were before the event.
"""

from typing import NamedTuple, Self

from hopguard.connection import Connection
from hopguard.events import Closed, Event, RequestEnd, ResponseHead
from hopguard.message import HTTP1
from hopguard.tolerances import (
    DRAINING,
    SAME_IDLE,
    SAME_IDLE_SHARE,
    T_DRAINING,
    T_FAST,
    T_TOGETHER,
    N,
)

SAMPLES = 16
"""Idle closes of a server that are remembered."""


class IdleTimeout(NamedTuple):
    """After how many seconds a server closes idle connections, as observed."""

    typical: float
    low: float
    high: float
    times: int
    """Number of the observations that agree."""

    def __str__(self) -> str:
        """Return it with its spread."""
        return f"{self.typical:.1f} s ({self.spread}, {self.times} times)"

    @property
    def spread(self) -> str:
        """The least and the most that was observed, in words."""
        return f"{self.low:.2f} to {self.high:.2f} s"


def learn(idles: tuple[float, ...]) -> IdleTimeout | None:
    """Return the timeout that `idles`, in seconds, agree on; None if too few do.

    A restart ends connections after any time. So the majority has to agree, and who disagrees does
    not count.
    """
    if len(idles) < N:
        return None
    from statistics import median  # large, and seldom there is something to agree on

    middle = median(idles)
    tolerance = max(SAME_IDLE, SAME_IDLE_SHARE * middle)
    agreed = sorted(idle for idle in idles if abs(idle - middle) <= tolerance)
    if len(agreed) < N or 2 * len(agreed) <= len(idles):
        return None
    return IdleTimeout(median(agreed), agreed[0], agreed[-1], len(agreed))


class ServerPast(NamedTuple):
    """What is known of a server."""

    address: str = ""
    product: bytes = b""
    """Its Server field."""
    announced: int | None = None
    """Seconds that its latest Keep-Alive promised."""
    single: int = 0
    """Connections in a row that it ended at once after one exchange, without saying so."""
    idles: tuple[float, ...] = ()
    """Seconds after which it has closed idle connections, the latest ones."""
    sampled: float | None = None
    """When the latest of them was closed."""
    ended: tuple[float, ...] = ()
    """When it ended connections in use without a word, the latest ones."""
    drained: float | None = None
    """When so many of them were ended in a short time last."""

    @property
    def idle_timeout(self) -> IdleTimeout | None:
        """Its real idle timeout, as far as observed."""
        return learn(self.idles)

    def after(self, connection: Connection, event: Event) -> Self:
        """Return what is known after `event` on one of its connections, as it was before."""
        if isinstance(event, ResponseHead) and event.final and not event.own:
            return self._after_response(connection, event)
        if isinstance(event, Closed):
            return self._after_close(connection, event)
        return self

    def _after_response(self, connection: Connection, event: ResponseHead) -> Self:
        fresh = (
            (self.single and (connection.number > 1 or event.close))
            or (self.ended and event.close)
            or (event.server and event.server != self.product)
            or event.timeout not in (None, self.announced)
        )
        if not fresh:
            return self
        return self._replace(
            product=event.server or self.product,
            announced=self.announced if event.timeout is None else event.timeout,
            single=0 if connection.number > 1 or event.close else self.single,
            ended=() if event.close else self.ended,
        )

    def _after_close(self, connection: Connection, event: Closed) -> Self:
        if event.by != "server" or connection.notice or connection.closing:
            return self
        past = self
        if ended_in_use(connection, event) and event.time is not None:
            past = past._ended_at(event.time)
        idle = connection.idle(event.time)
        if idle is None or event.time is None or not connection.persists:
            return past
        if idle > T_FAST:
            return past._replace(single=0)._idle_for(idle, event.time)
        return past._replace(single=past.single + 1 if is_single(connection) else 0)

    def _idle_for(self, idle: float, time: float) -> Self:
        if self.sampled is not None and abs(time - self.sampled) < T_TOGETHER:
            return self
        return self._replace(idles=(*self.idles, idle)[-SAMPLES:], sampled=time)

    def _ended_at(self, time: float) -> Self:
        ended = (*self.recently_ended(time), time)[-DRAINING:]
        return self._replace(ended=ended, drained=time if len(ended) == DRAINING else self.drained)

    def recently_ended(self, time: float) -> tuple[float, ...]:
        """Return those of the connections in use that it has ended just before `time`."""
        return tuple(one for one in self.ended if time - one <= T_DRAINING)

    def is_draining(self, time: float | None) -> bool:
        """Tell whether it has just ended many connections in use."""
        return None not in (time, self.drained) and (time or 0) - (self.drained or 0) <= T_DRAINING


def is_single(connection: Connection) -> bool:
    """Tell whether a connection that ends now has had one exchange, and that was all."""
    return (
        connection.whole
        and connection.number == connection.answered == 1
        and connection.version == "HTTP/1.1"
    )


def ended_in_use(connection: Connection, event: Closed) -> bool:
    """Tell whether the server ends, without a word, a connection on which traffic went on."""
    if event.by != "server" or connection.answered == 0 or connection.closing or connection.notice:
        return False
    if connection.failure == "lost":
        idle = connection.idle_before
    else:
        idle = connection.idle(event.time) if connection.persists else None
    return connection.number > 1 and idle is not None and idle <= T_FAST


class Lost(NamedTuple):
    """A request that got no answer because its connection ended."""

    fingerprint: bytes
    connection: str
    time: float


class ClientPast(NamedTuple):
    """What is known of a client: of one host, and one User-Agent."""

    address: str = ""
    single: int = 0
    """Connections in a row that it ended at once after one exchange, without saying so."""
    lost: Lost | None = None
    """The latest one of those whose connection ended before any answer."""
    pipeline_failed: float | None = None
    """When a connection with several unanswered requests ended last."""

    def after(self, connection: Connection, event: Event) -> Self:
        """Return what is known after `event` on one of its connections, as it was before."""
        if isinstance(event, RequestEnd) and self.lost is not None:
            twin = event.fingerprint == self.lost.fingerprint
            return self._replace(lost=None) if twin else self
        return self._after_close(connection, event) if isinstance(event, Closed) else self

    def _after_close(self, connection: Connection, event: Closed) -> Self:
        if connection.version not in HTTP1:
            return self
        past = self
        if event.time is not None and (event.by == "server" or connection.failure == "lost"):
            if connection.fingerprint is not None and connection.replied < connection.number:
                name = connection.key.connection
                past = past._replace(lost=Lost(connection.fingerprint, name, event.time))
            if connection.outstanding > 1:
                past = past._replace(pipeline_failed=event.time)
        if connection.number > 1 or connection.closing:
            return past._replace(single=0)
        idle = connection.idle(event.time)
        if event.by == "client" and idle is not None and idle <= T_FAST and is_single(connection):
            return past._replace(single=past.single + 1 if connection.persists else past.single)
        return past


class Peers(NamedTuple):
    """Both ends of a connection, as far as they are peers and not the proxy that observes."""

    client: ClientPast
    server: ServerPast
    assumed_idle: float | None = None
    """Seconds for which whoever stands in front of the server keeps idle connections."""
