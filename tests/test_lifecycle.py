"""The judge of connections: what it remembers, and how much."""

import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.checker import Checker
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
    StillOpen,
)
from hopguard.lifecycle import MOST_OPEN, Lifecycle
from hopguard.rule import PROFILES, Evidence, Requirement, connection_rule
from tests.test_connection import EVENTS

EVERYTHING = Checker(PROFILES)


def key(number: int) -> Key:
    """Name a connection."""
    return Key("server", f"{number:08x}-0000-4000-8000-000000000000")


def exchange(number: int, **said: Any) -> list[Event]:
    """Make an exchange as mitmproxy would tell of it."""
    flow = f"{number:08x}-1111-4111-8111-111111111111"
    response = ResponseHead(
        2.0, "HTTP/1.1", 200, flow, timeout=5, delimited=True, server=b"nginx/1.22.1"
    )
    return [
        RequestHead(1.0 + number, "HTTP/1.1", b"GET", flow),
        RequestEnd(1.5 + number),
        response._replace(**said),
        ResponseEnd(2.5 + number),
    ]


def feed(lifecycle: Lifecycle, where: Key, *events: Event) -> list[str]:
    """Name the rules that are broken."""
    return [found.finding.rule for event in events for found in lifecycle.feed(where, event)]


def test_findings_name_connection_and_exchange() -> None:
    """And say the rest as every finding does."""
    lifecycle = Lifecycle(Checker())
    feed(lifecycle, key(1), Opened(0.0, server="a:80"), *exchange(1))
    (judged,) = lifecycle.feed(key(1), Closed(3.6, "server"))
    assert (judged.key, judged.flow) == (key(1), exchange(1)[0].flow)  # type: ignore[union-attr]
    finding = judged.finding
    assert (finding.rule, finding.part, finding.leg, finding.version, finding.line) == (
        "server-closed-without-announcing",
        "connection",
        "server",
        "HTTP/1.1",
        None,
    )


def test_what_is_not_known_is_not_judged() -> None:
    """A connection begins with its opening, or a request; after its end there is nothing."""
    lifecycle = Lifecycle(Checker())
    assert feed(lifecycle, key(1), ResponseEnd(1.0), Closed(2.0, "server")) == []
    assert lifecycle.connection(key(1)) is None
    feed(lifecycle, key(1), *exchange(1))
    assert lifecycle.connection(key(1)) is not None
    feed(lifecycle, key(1), Closed(3.0, "client"))
    assert lifecycle.connection(key(1)) is None


def test_a_number_that_is_used_again_is_another_connection() -> None:
    """Captures may count anew."""
    lifecycle = Lifecycle(Checker())
    feed(lifecycle, key(1), Opened(0.0), *exchange(1), Opened(9.0))
    connection = lifecycle.connection(key(1))
    assert connection is not None
    assert (connection.number, connection.opened) == (0, 9.0)


def test_too_many_open_connections() -> None:
    """The one that was used longest ago is given up, and whoever keeps something is told."""
    lifecycle, forgotten = Lifecycle(Checker(), most_open=3), list[Key]()
    lifecycle.forget = forgotten.append
    for number in range(3):
        feed(lifecycle, key(number), Opened(0.0))
    feed(lifecycle, key(0), *exchange(0))
    feed(lifecycle, key(3), Opened(0.0))
    assert forgotten == [key(1)]
    assert lifecycle.given_up == 1
    assert [connection.key for connection in lifecycle.connections()] == [key(2), key(0), key(3)]
    feed(lifecycle, key(2), Closed(9.0, "client"))
    assert forgotten == [key(1), key(2)]
    assert lifecycle.given_up == 1


def test_too_many_peers() -> None:
    """Whoever is observed chooses how many there are."""
    lifecycle = Lifecycle(Checker(), most_peers=3)
    for number in range(10):
        where, client = Key("client", str(number)), f"192.0.2.{number}:1"
        feed(lifecycle, where, Opened(0.0, client=client), *exchange(number))
        feed(lifecycle, where, Closed(number + 2.6, "client"))
        feed(lifecycle, key(number), Opened(0.0, server=f"a{number}:80"), *exchange(number))
    assert [server.address for server in lifecycle.servers()] == ["a7:80", "a8:80", "a9:80"]
    assert len(lifecycle._clients) == 3


def test_clients_are_told_apart_by_host_and_user_agent() -> None:
    """Their ports change with every connection."""
    lifecycle = Lifecycle(Checker({"rfc9110", "noise"}))
    found = []
    for number in range(5):
        where = Key("client", str(number))
        opened = Opened(0.0, client=f"192.0.2.1:{number}")
        head, *rest = exchange(number)
        assert isinstance(head, RequestHead)
        head = head._replace(agent=7 if number < 4 else 8)
        found += feed(lifecycle, where, opened, head, *rest, Closed(2.6 + number, "client"))
    assert found == ["non-persistent-peer-unannounced"]


ENTRY = 110
"""Octets that an OrderedDict takes for one of many entries, rounded up."""


def parts_of(value: object) -> dict[int, object]:
    """Return a value and all that it consists of, by identity."""
    parts = {id(value): value}
    for part in value if isinstance(value, tuple) else ():
        parts |= parts_of(part)
    return parts


def test_memory() -> None:
    """As many as are followed at most take less than 100 MB."""
    lifecycle = Lifecycle(Checker())
    for number in (1, 2):
        feed(lifecycle, key(number), Opened(0.5 + number, server="192.0.2.7:80"))
        feed(lifecycle, key(number), *exchange(number), *exchange(number + 10))
    one, other = (parts_of(lifecycle.connection(key(number))) for number in (1, 2))
    own = [value for identity, value in one.items() if identity not in other]
    assert len(own) > 5
    assert (sum(map(sys.getsizeof, own)) + ENTRY) * MOST_OPEN < 100e6


@pytest.fixture
def crashing() -> Lifecycle:
    """Make a judge with a rule that has a bug."""

    @connection_rule(
        requirement=Requirement(9112, "9.6"),
        profiles=("rfc9110",),
        versions=frozenset({"HTTP/1.1"}),
        events=(RequestHead,),
        senders=("client",),
        violating=[],
        conforming=[],
    )
    def check(connection: Connection, event: RequestHead) -> Iterator[Evidence]:
        raise RuntimeError(connection.key.connection)

    return Lifecycle(Checker(rules=[check]))


def test_a_bug_in_a_rule(crashing: Lifecycle, caplog: pytest.LogCaptureFixture) -> None:
    """It is told once, and nothing else is lost."""
    with caplog.at_level(logging.ERROR):
        feed(crashing, key(1), *exchange(1), *exchange(2))
    assert len(caplog.records) == 1
    connection = crashing.connection(key(1))
    assert connection is not None
    assert connection.number == 2


@given(st.lists(st.tuples(st.sampled_from([key(1), key(2), Key("client", "c")]), EVENTS)))
def test_no_rule_crashes(happened: list[tuple[Key, Event]]) -> None:
    """Whatever happens, in whatever order."""
    lifecycle = Lifecycle(EVERYTHING, idle_timeout=60.0)
    for where, event in happened:
        lifecycle.feed(where, event)
    assert EVERYTHING._crashed == set()


def test_somebody_looks_twice() -> None:
    """What is late is told once."""
    lifecycle = Lifecycle(Checker())
    events = exchange(1, close=True)
    found = feed(lifecycle, key(1), Opened(0.0), *events, StillOpen(9.0), StillOpen(12.0))
    found += feed(lifecycle, key(1), Closed(20.0, "proxy"))
    assert found == ["close-not-honoured"]
