"""Plain exchanges on steady connections are only counted, and nobody can tell."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.checker import Checker
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


@settings(max_examples=400)
@given(STEPS, st.integers(1, 7))
def test_counting_changes_nothing(steps: list[tuple[Key, Step]], interval: int) -> None:
    """Neither what is found, nor what is known of connections and servers, whenever one looks."""
    usual, punctual = Lifecycle(CHECKER, most_open=2), Lifecycle(CHECKER, most_open=2)
    for number, (key, step) in enumerate(steps):
        events = told(step, key) if isinstance(step, Passed) else step
        expected = [found for event in events for found in punctual.feed(key, event)]
        run = usual.run(key) if isinstance(step, Passed) else None
        if run is not None and isinstance(step, Passed) and not usual.teaches(run, step.answered):
            run.count(step)
            assert expected == []
        else:
            assert [found for event in events for found in usual.feed(key, event)] == expected
        assert [one in usual for one in KEYS] == [one in punctual for one in KEYS]
        if number % interval == 0:
            assert usual.connection(key) == punctual.connection(key)
    assert list(usual.connections()) == list(punctual.connections())
    assert usual.servers() == punctual.servers()
    assert usual.given_up == punctual.given_up


PASSED = Passed("f", b"GET", 200, [], [(b"Server", b"")], 1.0, 1.0, 1.1, 1.2, False, False)


def test_plain_exchanges_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the property above would say nothing."""
    key, lifecycle = KEYS[1], Lifecycle(CHECKER)
    lifecycle.feed(key, Opened(0.0, server="origin:80"))
    monkeypatch.delattr(Lifecycle, "_take_in")
    run = lifecycle.run(key)
    assert run is not None
    assert not lifecycle.teaches(run, PASSED.answered)
    for _ in range(3):
        run.count(PASSED)
    found = lifecycle.connection(key)
    assert found is not None
    assert (found.number, found.answered, found.response_ended) == (3, 3, 1.2)


def test_what_is_new_about_a_server_is_told() -> None:
    """Its product; and whether it keeps connections after all."""
    key, lifecycle = KEYS[1], Lifecycle(CHECKER)
    lifecycle.feed(key, Opened(0.0, server="origin:80"))
    run = lifecycle.run(key)
    assert run is not None
    assert lifecycle.teaches(run, [(b"server", b"nginx")])
    for event in told(PASSED._replace(answered=[(b"Server", b"nginx")]), key):
        lifecycle.feed(key, event)
    run = lifecycle.run(key)
    assert run is not None
    assert not lifecycle.teaches(run, [(b"Via", b"x"), (b"SERVER", b"nginx")])
    assert not lifecycle.teaches(run, [])
    lifecycle._servers["origin:80"] = ServerPast("origin:80", single=1)
    assert lifecycle.teaches(run, [])


def test_connections_that_somebody_else_has_followed() -> None:
    """What was counted before is part of what somebody else knows."""
    key, lifecycle = KEYS[1], Lifecycle(CHECKER)
    lifecycle.feed(key, Opened(0.0, server="origin:80"))
    known, run = lifecycle.connection(key), lifecycle.run(key)
    assert known is not None
    assert run is not None
    run.count(PASSED)
    lifecycle.follow(known)
    assert lifecycle.connection(key) == known


def test_exchanges_in_streams_are_counted() -> None:
    """Many at a time; they may begin a connection, and somebody may look meanwhile."""
    key, lifecycle = Key("client", "c"), Lifecycle(CHECKER)
    for _ in range(3):
        lifecycle.streams(key).begin()
    lifecycle.streams(key).end(1.5)
    found = lifecycle.connection(key)
    assert found is not None
    assert (found.number, found.answered, found.outstanding) == (3, 1, 2)
    assert found.response_ended == 1.5
    for time in (2.0, 2.5):
        lifecycle.streams(key).end(time)
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
