"""Plain exchanges on steady connections are only counted, and nobody can tell."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.checker import Checker
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
from hopguard.lifecycle import Lifecycle
from hopguard.peer import ServerPast
from hopguard.rule import PROFILES
from hopguard.steady import Passed

KEYS = [Key("client", "c"), Key("server", "s"), Key("server", "t")]
CHECKER = Checker(PROFILES)


VERSIONS = st.sampled_from(["HTTP/1.1"] * 6 + ["HTTP/1.0", "HTTP/2"])
TIMES = st.floats(0, 400)
RARELY = st.sampled_from([False] * 9 + [True])
REQUESTS = st.builds(
    RequestHead,
    TIMES,
    VERSIONS,
    st.sampled_from([b"GET", b"GET", b"POST", b"CONNECT"]),
    st.sampled_from(["f", "g"]),
    close=RARELY,
    keep_alive=RARELY,
    doubt=st.sampled_from([""] * 9 + ["both"]),
    to_proxy=st.sampled_from([None, True, False]),
)
RESPONSES = st.builds(
    ResponseHead,
    TIMES,
    VERSIONS,
    st.sampled_from([200] * 6 + [100, 101, 304, 500]),
    st.sampled_from(["f", "g"]),
    close=RARELY,
    keep_alive=RARELY,
    timeout=st.sampled_from([None] * 8 + [5, 75]),
    most=st.sampled_from([None] * 8 + [1, 100]),
    delimited=st.sampled_from([True, True, False, None]),
    doubt=st.sampled_from([""] * 9 + ["both"]),
    to_connect=RARELY,
    server=st.sampled_from([b"", b"nginx", b"nginx", b"other"]),
    own=RARELY,
)
ENDS = st.builds(ResponseEnd, TIMES)
LINES = st.lists(
    st.sampled_from(
        [
            (b"Connection", b"keep-alive"),
            (b"User-Agent", b"curl/8"),
            (b"Content-Length", b"5"),
            (b"Server", b"nginx"),
            (b"server", b"other"),
            (b"Via", b"1.1 proxy"),
            (b"Accept", b"*/*"),
        ]
    ),
    max_size=3,
)
TO_PROXY = st.sampled_from([None, True, False])
PLAIN = st.builds(
    Passed,
    *(st.sampled_from(["f", "g"]), st.sampled_from([b"GET", b"HEAD"]), st.sampled_from([200, 304])),
    *(LINES, LINES, TIMES, TIMES, TIMES, TIMES, TO_PROXY, TO_PROXY),
)
OTHERS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Opened, TIMES, client=st.just("192.0.2.1:5"), server=st.just("origin:80")),
    REQUESTS,
    RESPONSES,
    ENDS,
    st.builds(RequestEnd, TIMES, st.sampled_from([None, b"mark"])),
    st.builds(Aborted, TIMES, st.sampled_from(["lost", "truncated", "other"])),
    st.builds(Unsolicited, TIMES, st.just(b"HTTP/1.1 408 Request Timeout\r\n")),
    st.builds(StillOpen, TIMES),
    st.builds(Closed, TIMES, st.sampled_from([None, "client", "server", "proxy"])),
)
Step = tuple[Event, ...] | Passed
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KEYS),
        st.one_of(PLAIN, st.tuples(REQUESTS, RESPONSES, ENDS), OTHERS.map(lambda event: (event,))),
    ),
    max_size=25,
)


def told(passed: Passed, key: Key) -> tuple[Event, ...]:
    """Return the events of a plain exchange."""
    return (*passed.heads_on(key.leg), ResponseEnd(passed.ended))


class Counting:
    """Counts plain exchanges for a lifecycle, and tells them when it has to."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        """Begin without any."""
        self.lifecycle = lifecycle
        lifecycle.settle = self._settle
        self._counted: dict[Key, list[Passed]] = {}

    def can_count(self, key: Key, passed: Passed) -> bool:
        """Count an exchange; tell whether that can be done."""
        steady = self.lifecycle.steady(key)
        if steady is None or self.lifecycle.teaches(steady.server, passed.answered):
            return False
        self._counted.setdefault(key, []).append(passed)
        return True

    def _settle(self, key: Key) -> None:
        counted = self._counted.pop(key, [])
        if counted:
            before = counted[-2].ended if len(counted) > 1 else None
            self.lifecycle.count(key, len(counted), before, counted[-1])


def by_key(lifecycle: Lifecycle) -> list[Connection]:
    """List the open connections."""
    return sorted(lifecycle.connections(), key=lambda connection: connection.key)


@settings(max_examples=400)
@given(STEPS, st.integers(1, 7))
def test_counting_changes_nothing(steps: list[tuple[Key, Step]], interval: int) -> None:
    """Neither what is found, nor what is known of connections and servers, whenever one looks."""
    usual, punctual = Lifecycle(CHECKER), Lifecycle(CHECKER)
    counting = Counting(usual)
    for number, (key, step) in enumerate(steps):
        events = told(step, key) if isinstance(step, Passed) else step
        expected = [found for event in events for found in punctual.feed(key, event)]
        if isinstance(step, Passed) and counting.can_count(key, step):
            assert expected == []
        else:
            assert [found for event in events for found in usual.feed(key, event)] == expected
        assert [one in usual for one in KEYS] == [one in punctual for one in KEYS]
        if number % interval == 0:
            assert usual.connection(key) == punctual.connection(key)
    assert by_key(usual) == by_key(punctual)
    assert usual.servers() == punctual.servers()


PASSED = Passed("f", b"GET", 200, [], [(b"Server", b"")], 1.0, 1.0, 1.1, 1.2, False, False)


def test_plain_exchanges_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the property above would say nothing."""
    key, lifecycle = KEYS[1], Lifecycle(CHECKER)
    lifecycle.feed(key, Opened(0.0, server="origin:80"))
    monkeypatch.delattr(Lifecycle, "_take_in")
    counting = Counting(lifecycle)
    for time in (1.2, 1.3, 1.4):
        assert counting.can_count(key, PASSED._replace(ended=time))
    found = lifecycle.connection(key)
    assert found is not None
    assert (found.number, found.answered, found.response_ended) == (3, 3, 1.4)


def test_what_is_in_use_is_not_given_up() -> None:
    """Though nobody has told of it for long."""
    lifecycle = Lifecycle(CHECKER, most_open=2)
    counting, forgotten = Counting(lifecycle), list[Key]()
    lifecycle.forget = forgotten.append
    for key in KEYS[:2]:
        lifecycle.feed(key, Opened(0.0))
    assert counting.can_count(KEYS[0], PASSED)
    lifecycle.feed(KEYS[2], Opened(1.0))
    assert forgotten == [KEYS[1]]
    assert lifecycle.given_up == 1
    assert KEYS[0] in lifecycle


def test_what_is_new_about_a_server_is_told() -> None:
    """Its product; and whether it keeps connections after all."""
    key, origin, lifecycle = KEYS[1], "origin:80", Lifecycle(CHECKER)
    lifecycle.feed(key, Opened(0.0, server=origin))
    assert lifecycle.teaches(origin, [(b"server", b"nginx")])
    for event in told(PASSED._replace(answered=[(b"Server", b"nginx")]), key):
        lifecycle.feed(key, event)
    assert not lifecycle.teaches(origin, [(b"Via", b"x"), (b"SERVER", b"nginx")])
    assert not lifecycle.teaches(origin, [(b"Server", b"")])
    assert not lifecycle.teaches(origin, [])
    assert not lifecycle.teaches(None, [(b"Server", b"other")])
    lifecycle.pasts[origin] = ServerPast(origin, single=1)
    assert lifecycle.teaches(origin, [])


def test_exchanges_in_streams_are_counted() -> None:
    """Many at a time; they may begin a connection, and somebody may look meanwhile."""
    key, lifecycle = Key("client", "c"), Lifecycle(CHECKER)
    for _ in range(3):
        lifecycle.count_streams(key, begun=1)
    lifecycle.count_streams(key, ended=1, time=1.5)
    found = lifecycle.connection(key)
    assert found is not None
    assert (found.number, found.answered, found.outstanding) == (3, 1, 2)
    assert found.response_ended == 1.5
    for time in (2.5, 2.0, None):
        lifecycle.count_streams(key, begun=1, ended=1, time=time)
    lifecycle.count_streams(key, ended=2, time=2.25)
    found = lifecycle.connection(key)
    assert found is not None
    assert (found.outstanding, found.idle(4.0), found.version) == (0, 1.5, None)
    assert lifecycle.feed(key, Closed(5.0, "client")) == []
    assert key not in lifecycle


def test_who_puts_off_is_asked_to_tell_before_anybody_looks() -> None:
    """Whatever is told or asked of a connection."""
    asked: list[Key] = []
    lifecycle = Lifecycle(CHECKER)
    lifecycle.settle = asked.append
    lifecycle.feed(KEYS[0], Opened(0.0))
    lifecycle.connection(KEYS[1])
    list(lifecycle.connections())
    assert asked == [KEYS[0], KEYS[1], KEYS[0]]
