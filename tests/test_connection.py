"""A connection's history: what follows from what, and that it does not grow."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.connection import Connection
from hopguard.events import (
    Aborted,
    Closed,
    Event,
    Key,
    Opened,
    RequestEnd,
    RequestHead,
    ResponseEnd,
    ResponseHead,
    StillOpen,
    Unsolicited,
)
from hopguard.history import nth, promise, seconds, sends, story
from hopguard.transcript import parse

KEY = Key("server", "c")


def after(*events: Event) -> Connection:
    """Return a connection after these events."""
    connection = Connection(KEY)
    for event in events:
        connection = connection.after(event)
    return connection


def told(text: str) -> Connection:
    """Return the connection of an example."""
    return after(*(event for step in parse(text).steps for _, event in step.events))


def exchange(number: int) -> list[Event]:
    """Make one exchange."""
    return [
        RequestHead(float(number), "HTTP/1.1", b"GET", flow=f"flow {number:08}"),
        RequestEnd(float(number)),
        ResponseHead(number + 0.25, "HTTP/1.1", 200, timeout=5, delimited=True),
        ResponseEnd(number + 0.5),
    ]


def size(value: object) -> int:
    """Count the octets of a value, and those of what it consists of."""
    parts = value if isinstance(value, tuple) else ()
    return sys.getsizeof(value) + sum(map(size, parts))


def test_size_does_not_depend_on_the_number_of_exchanges() -> None:
    """Nor can it: nothing in it can hold more than it does."""
    few = after(*(event for number in range(1_000, 1_010) for event in exchange(number)))
    many = after(*(event for number in range(1_000, 11_000) for event in exchange(number)))
    assert many.number == many.answered == 10_000
    assert size(many) == size(few)
    parts: list[object] = [*many]
    for part in parts:
        assert not isinstance(part, list | dict | set)
        parts += part if isinstance(part, tuple) else ()


TIMES = st.none() | st.floats(0, 1e9)
EVENTS = st.one_of(
    st.builds(Opened, TIMES, st.none() | st.just("c:1"), st.none() | st.just("s:1"), st.booleans()),
    st.builds(
        RequestHead,
        TIMES,
        st.sampled_from(["HTTP/1.0", "HTTP/1.1", "HTTP/2"]),
        st.sampled_from([b"GET", b"POST", b"CONNECT"]),
        close=st.booleans(),
        keep_alive=st.booleans(),
        doubt=st.sampled_from(["", "a doubt"]),
    ),
    st.builds(RequestEnd, TIMES, st.none() | st.binary()),
    st.builds(
        ResponseHead,
        TIMES,
        st.sampled_from(["HTTP/1.0", "HTTP/1.1", "HTTP/2"]),
        st.integers(100, 599),
        close=st.booleans(),
        keep_alive=st.booleans(),
        timeout=st.none() | st.integers(0, 100),
        most=st.none() | st.integers(0, 100),
        delimited=st.none() | st.booleans(),
        doubt=st.sampled_from(["", "a doubt"]),
        to_connect=st.booleans(),
        own=st.booleans(),
    ),
    st.builds(ResponseEnd, TIMES),
    st.builds(Aborted, TIMES, st.sampled_from(["lost", "truncated", "other"])),
    st.builds(Unsolicited, TIMES, st.binary()),
    st.builds(StillOpen, TIMES),
    st.builds(Closed, TIMES, st.sampled_from(["client", "server", "proxy", None])),
)


@given(st.lists(EVENTS, max_size=30))
def test_whatever_happens(events: list[Event]) -> None:
    """Nothing raises, and the counts agree with each other."""
    connection = Connection(KEY)
    for event in events:
        connection = connection.after(event)
        assert 0 <= connection.answered <= connection.replied <= connection.number
        assert connection.closing <= connection.number
        assert connection.persists in (True, False, None)
        idle = connection.idle(5.0)
        assert idle is None or idle >= 0
        assert story(connection, 5.0)


def test_pipelining() -> None:
    """Responses belong to requests in their order."""
    one, two = exchange(1), exchange(2)
    connection = after(one[0], one[1], two[0], two[1])
    assert (connection.outstanding, connection.replying) == (2, 1)
    connection = connection.after(one[2])
    assert (connection.outstanding, connection.replying, connection.replied) == (2, 2, 1)
    connection = connection.after(one[3])
    assert (connection.outstanding, connection.idle(9.0)) == (1, None)
    assert connection.after(two[2]).after(two[3]).idle(9.0) == 6.5


@pytest.mark.parametrize(
    ("request_says", "response_says", "persists"),
    [
        ("HTTP/1.1", "HTTP/1.1 200\n< Content-Length: 0", True),
        ("HTTP/1.1", "HTTP/1.1 200", False),
        ("HTTP/1.1", "HTTP/1.1 200\n< Transfer-Encoding: frob", None),
        ("HTTP/1.1\n> Connection: Close", "HTTP/1.1 200\n< Content-Length: 0", False),
        ("HTTP/1.1", "HTTP/1.1 200\n< Connection: close\n< Content-Length: 0", False),
        ("HTTP/1.0", "HTTP/1.0 200\n< Content-Length: 0", False),
        ("HTTP/1.0\n> Connection: keep-alive", "HTTP/1.0 200\n< Content-Length: 0", False),
        (
            "HTTP/1.0\n> Connection: keep-alive",
            "HTTP/1.1 200\n< Connection: keep-alive\n< Content-Length: 0",
            True,
        ),
        ("HTTP/1.0", "HTTP/1.1 200\n< Connection: keep-alive\n< Content-Length: 0", False),
        ("HTTP/2", "HTTP/2 200", None),
        ("HTTP/1.1", "HTTP/1.1 101", False),
    ],
)
def test_persistence(request_says: str, response_says: str, persists: bool | None) -> None:
    """By the versions, the options and the framing of both messages."""
    assert told(f"* opened\n> GET / {request_says}\n< {response_says}\n").persists is persists


def test_interim_responses_answer_nothing() -> None:
    connection = told("* opened\n> GET / HTTP/1.1\n< HTTP/1.1 103 Early Hints\n")
    assert (connection.outstanding, connection.response) == (1, None)
    assert connection.persists is False


def test_a_tunnel_is_counted_anew() -> None:
    """What CONNECT was about is over; the connection is still known from its beginning."""
    connection = told("* opened\n> CONNECT a:1 HTTP/1.1\n< HTTP/1.1 200 OK\n")
    assert (connection.tunnel, connection.number, connection.whole) == (True, 0, True)
    assert connection.after(exchange(1)[0]).number == 1


def test_a_refused_connect_is_an_exchange() -> None:
    connection = told("* opened\n> CONNECT a:1 HTTP/1.1\n< HTTP/1.1 403\n< Content-Length: 0\n")
    assert (connection.tunnel, connection.answered) == (False, 1)


def test_responses_of_the_proxy_say_nothing_about_the_server() -> None:
    connection = told(
        """
        * client leg
        * opened
        * answered by the proxy
        > GET / HTTP/1.1
        < HTTP/1.1 200 OK
        < Connection: close, keep-alive
        < Keep-Alive: timeout=5
        """
    )
    assert (connection.answered, connection.close_said, connection.promise) == (1, 0, None)


def test_the_server_gives_notice() -> None:
    """By octets that nobody asked for."""
    assert after(*exchange(1), Unsolicited(5.0, b"HTTP/1.1 408")).notice


def test_how_it_ends() -> None:
    """Who closed, and when; None is unknown."""
    connection = after(*exchange(1), Closed(5.0, "server"))
    assert (connection.over, connection.closed, connection.closed_by) == (True, 5.0, "server")
    assert after(Closed(None)).closed_by is None


def test_whose_messages_they_are() -> None:
    """On a leg of the proxy, one end is the proxy itself."""
    client, server = Connection(Key("client", "c")), Connection(Key("server", "c"))
    passive = server.after(Opened(passive=True))
    assert [c.client_is_peer for c in (client, server, passive)] == [True, False, True]
    assert [c.server_is_peer for c in (client, server, passive)] == [False, True, True]
    assert [c.requester for c in (client, server, passive)] == ["client", "intermediary", "client"]
    assert sends(server) == "The proxy sends request 1 since it is observed"
    assert server.after(Opened(1.0)).whole
    assert not server.after(Opened(1.0, whole=False)).whole
    assert sends(passive) == "The client sends request 1"


def test_history_in_words() -> None:
    """Exchanges, idle time, promise; less where less is known."""
    connection = after(Opened(0.0), *exchange(1))
    assert story(connection, 4.0) == (
        "after 1 exchange, idle for 2.5 s, promised: Keep-Alive: timeout=5"
    )
    assert story(Connection(KEY), None) == "after at least 0 exchanges, nothing promised"
    assert nth(connection) == "request 1"
    assert nth(after(*exchange(1)), 7) == "request 7 since it is observed"
    assert promise(Connection(KEY)) == ""
    assert [seconds(0.0204), seconds(0.9996), seconds(75), seconds(600)] == [
        "20 ms",
        "1.0 s",
        "75.0 s",
        "10 min",
    ]
