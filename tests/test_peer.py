"""What the connections of one peer have in common."""

from typing import Any

import pytest

from hopguard.connection import Connection
from hopguard.events import (
    Closed,
    Event,
    Key,
    Opened,
    RequestEnd,
    RequestHead,
    ResponseEnd,
    ResponseHead,
)
from hopguard.peer import SAMPLES, ClientPast, ServerPast, learn
from hopguard.tolerances import T_TOGETHER


@pytest.mark.parametrize(
    ("idles", "typical"),
    [
        ((), None),
        ((5.0, 5.0), None),
        ((5.0, 5.1, 5.2), 5.1),
        ((60.0, 61.0, 63.0), 61.0),
        ((5.0, 5.1, 9.0), None),
        ((5.0, 5.1, 5.2, 1.3, 2.2), 5.1),
        ((5.0, 5.1, 5.2, 1.3, 2.2, 3.1), None),
        ((5.0, 5.1, 5.2, 60.0, 60.1, 60.2), None),
        ((1.2, 7.0, 30.0, 3.3), None),
    ],
)
def test_learning(idles: tuple[float, ...], typical: float | None) -> None:
    """Three that agree, and more than half of all: a restart ends connections after any time."""
    learned = learn(idles)
    assert (learned.typical if learned else None) == typical


def test_what_is_learned_is_told_with_its_spread() -> None:
    learned = learn((5.0, 5.1, 5.2, 1.3))
    assert str(learned) == "5.1 s (5.00 to 5.20 s, 3 times)"


def run(past: ServerPast, *events: Event, name: str = "c") -> ServerPast:
    """Learn from what happens on one connection."""
    connection = Connection(Key("server", name))
    for event in events:
        past = past.after(connection, event)
        connection = connection.after(event)
    return past


def exchange(time: float, **said: Any) -> list[Event]:
    """Make an exchange at this time."""
    response = ResponseHead(time, "HTTP/1.1", 200, delimited=True)._replace(**said)
    return [RequestHead(time, "HTTP/1.1", b"GET"), response, ResponseEnd(time)]


def test_idle_closes() -> None:
    """Those of the server are remembered, the latest ones, of one moment a single one."""
    past = ServerPast("a:80")
    past = run(past, Opened(0.0), *exchange(0.0), Closed(5.0, "server"))
    assert past.idles == (5.0,)
    past = run(past, Opened(0.0), *exchange(1.0), Closed(5.0 + T_TOGETHER / 2, "server"))
    past = run(past, Opened(0.0), *exchange(10.0), Closed(14.0, "client"))
    past = run(past, Opened(0.0), *exchange(10.0), Closed(None, "server"))
    past = run(past, Opened(0.0), *exchange(10.0, delimited=None), Closed(20.0, "server"))
    past = run(past, Opened(0.0), *exchange(10.0, close=True), Closed(20.0, "server"))
    assert past.idles == (5.0,)
    for number in range(SAMPLES):
        past = run(past, *exchange(100.0 * number), Closed(100.0 * number + 7, "server"))
    assert past.idles == (7.0,) * SAMPLES


def test_single_exchanges() -> None:
    """A row ends with a connection that is kept, used again, or ended with notice."""
    past = ServerPast("a:80")
    single = [Opened(0.0), *exchange(1.0), Closed(1.1, "server")]
    past = run(run(past, *single), *single)
    assert past.single == 2
    assert run(past, *exchange(1.0), Closed(1.1, "server")).single == 0  # seen from its middle
    assert run(past, Opened(0.0), *exchange(1.0), *exchange(2.0)).single == 0
    assert run(past, Opened(0.0), *exchange(1.0, close=True)).single == 0
    assert run(past, Opened(0.0), *exchange(1.0), Closed(9.0, "server")).single == 0
    assert run(past, Opened(0.0), *exchange(1.0), Closed(1.1, "client")).single == 2


def test_what_it_says() -> None:
    """The latest announcement and product; what the proxy answers is not the server's."""
    past = run(ServerPast("a:80"), *exchange(1.0, timeout=5, server=b"a/1"))
    assert (past.announced, past.product) == (5, b"a/1")
    assert run(past, *exchange(2.0)) is past
    assert run(past, *exchange(2.0, timeout=9, own=True)) is past
    assert run(past, ResponseHead(2.0, "HTTP/1.1", 103, timeout=9)) is past
    assert run(past, *exchange(2.0, server=b"b")).announced == 5


def test_draining_is_over_after_a_while() -> None:
    """And a single close that is announced shows that the server can."""
    past = ServerPast("a:80")
    used = [*exchange(1.0), *exchange(1.0), Closed(1.1, "server")]
    for _ in range(5):
        assert not past.is_draining(1.1)
        past = run(past, *used)
    assert past.is_draining(5.0)
    assert not past.is_draining(50.0)
    assert not past.is_draining(None)
    assert past.recently_ended(50.0) == ()
    assert run(past, *exchange(2.0, close=True)).ended == ()


def test_clients() -> None:
    """What was lost is remembered until its twin has come."""
    lost = Connection(Key("client", "1"))
    past = ClientPast("b:1")
    for event in (
        RequestHead(1.0, "HTTP/1.1", b"POST"),
        RequestEnd(1.0, b"print"),
        Closed(1.5, "server"),
    ):
        past = past.after(lost, event)
        lost = lost.after(event)
    assert past.lost is not None
    assert (past.lost.fingerprint, past.lost.connection, past.lost.time) == (b"print", "1", 1.5)
    assert past.after(lost, RequestEnd(2.0, b"other")) is past
    assert past.after(lost, RequestEnd(2.0, b"print")).lost is None


def test_a_multiplexed_request_is_not_lost_with_its_neighbour() -> None:
    """In HTTP/2 nobody can tell from counts which request was answered."""
    connection = Connection(Key("client", "1")).after(RequestHead(1.0, "HTTP/2", b"POST"))
    connection = connection.after(RequestEnd(1.0, b"print"))
    assert ClientPast().after(connection, Closed(1.5, "server")).lost is None
