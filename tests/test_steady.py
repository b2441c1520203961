"""Plain exchanges on steady connections are taken in at one go, and nobody can tell."""

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
from hopguard.rule import PROFILES

KEYS = [Key("client", "c"), Key("server", "s"), Key("server", "t")]
CHECKER = Checker(PROFILES)


class Punctual(Lifecycle):
    """Takes in every event when it comes."""

    def _put_off(self, key: Key, event: Event) -> bool:
        return False


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
PLAIN = st.tuples(
    st.builds(RequestHead, TIMES, st.just("HTTP/1.1"), st.just(b"GET"), st.just("f")),
    st.builds(
        ResponseHead,
        TIMES,
        st.just("HTTP/1.1"),
        st.just(200),
        st.just("f"),
        delimited=st.just(True),
    ),
    ENDS,
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
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KEYS),
        st.one_of(PLAIN, st.tuples(REQUESTS, RESPONSES, ENDS), OTHERS.map(lambda event: (event,))),
    ),
    max_size=25,
)


@settings(max_examples=400)
@given(STEPS, st.integers(1, 7))
def test_putting_off_changes_nothing(
    steps: list[tuple[Key, tuple[Event, ...]]], interval: int
) -> None:
    """Neither what is found, nor what is known of connections and servers, whenever one looks."""
    usual, punctual = Lifecycle(CHECKER, most_open=2), Punctual(CHECKER, most_open=2)
    events = [(key, event) for key, several in steps for event in several]
    for number, (key, event) in enumerate(events):
        assert usual.feed(key, event) == punctual.feed(key, event)
        for one in KEYS:
            assert (one in usual) == (one in punctual)
            assert usual.request(one) == punctual.request(one)
            assert usual.version(one) == punctual.version(one)
            found, known = usual.response(one), punctual.response(one)
            assert (found and found.flow, found and found.time) == (
                known and known.flow,
                known and known.time,
            )
        if number % interval == 0:
            assert usual.connection(key) == punctual.connection(key)
    assert list(usual.connections()) == list(punctual.connections())
    assert usual.servers() == punctual.servers()
    assert usual.given_up == punctual.given_up


def test_plain_exchanges_are_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the property above would say nothing."""
    key, lifecycle = KEYS[1], Lifecycle(CHECKER)
    lifecycle.feed(key, Opened(0.0, server="origin:80"))
    monkeypatch.delattr(Lifecycle, "_take_in")
    lifecycle.feed(key, RequestHead(1.0, "HTTP/1.1", b"GET", "f"))
    lifecycle.feed(key, ResponseHead(1.1, "HTTP/1.1", 200, "f", delimited=True))
    lifecycle.feed(key, ResponseEnd(1.2))
    found = lifecycle.connection(key)
    assert found is not None
    assert (found.number, found.answered, found.response_ended) == (1, 1, 1.2)


def test_connections_that_somebody_else_has_followed() -> None:
    """What was put off before is part of what somebody else knows."""
    key, lifecycle = KEYS[1], Lifecycle(CHECKER)
    lifecycle.feed(key, Opened(0.0, server="origin:80"))
    known = lifecycle.connection(key)
    assert known is not None
    lifecycle.feed(key, RequestHead(1.0, "HTTP/1.1", b"GET", "f"))
    lifecycle.follow(known)
    assert lifecycle.connection(key) == known


def test_who_looks_sees_what_was_put_off() -> None:
    """It is taken in by then."""
    key, lifecycle = KEYS[1], Lifecycle(CHECKER)
    lifecycle.feed(key, Opened(0.0, server="origin:80"))
    lifecycle.feed(key, RequestHead(1.0, "HTTP/1.1", b"GET", "f"))
    found = lifecycle.connection(key)
    assert found is not None
    assert (found.number, found.outstanding) == (1, 1)
