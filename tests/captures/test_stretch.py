"""Quiet exchanges told as one: nothing is different from telling each."""

import pickle
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.captures import calm, ends, stretch
from hopguard.captures.connections import Connections
from hopguard.captures.lifespan import Exchange, Span
from hopguard.captures.quiet import Pair, Quiet, Side
from hopguard.captures.stretch import Placed, Stretch, stretch_of
from hopguard.checker import Checker
from hopguard.events import (
    Aborted,
    Event,
    Key,
    Opened,
    RequestEnd,
    RequestHead,
    ResponseEnd,
    ResponseHead,
)
from hopguard.message import Leg
from hopguard.record import Record, Redaction

T0 = 1_790_000_000.0
CHECKER = Checker()

Told = Exchange | Quiet


def side(leg: Leg, name: str, closed: float | None = None, address: str = "a") -> Side:
    """Make one side of a pair, opened at the beginning."""
    return Side(Key(leg, name), T0, address, closed)


@cache
def pair(client: Side | None, server: Side | None, _: int) -> Pair:
    """Make a pair; mostly, but not always, the same one for the same sides."""
    return Pair(client, server, ("client", "server"))


def quiet(
    client: Side | None, server: Side | None, at: float, sent: float = 0.0, flow: str = "x"
) -> Quiet:
    """Make a quiet exchange; on the server's leg, it begins later by `sent`."""
    began = T0 + at
    return (
        *(pair(client, server, int(at) % 2), began, began, began + sent, began + 1, began + 1),
        *(200, b"GET", flow, f"http://x/{flow}"),
    )


def telling(key: Key, at: float, closed: float | None, *, close: bool, lost: bool) -> Exchange:
    """Make an exchange from which rules find something on what follows, or went before."""
    began, surfaced = T0 + at, key.leg == "client"
    events: list[Event] = [
        RequestHead(began, "HTTP/1.1", b"GET", "told", surfaced=surfaced),
        RequestEnd(began),
    ]
    if lost:
        events.append(Aborted(began + 0.01, "lost"))
    else:
        events.append(ResponseHead(began, "HTTP/1.1", 200, "told", close=close, delimited=True))
        events.append(ResponseEnd(began))
    span = Span(key, Opened(T0, server="s", whole=True), closed, tuple(events))
    return Exchange((span,), "told", b"GET", "http://x/told", "client", "server")


STEPS = st.sampled_from([0.0, 0.5, 0.5, 1.0, 1.0, 4.0])


@st.composite
def told(draw: st.DrawFn) -> list[Told]:
    """Make what a capture might say on a few connections: mostly quiet.

    Each of the other things is in some captures only, so that they are met alone as well.
    """
    backwards, ending, changing, loud, alone, shared = (draw(st.booleans()) for _ in range(6))
    at, found = 1.0, list[Told]()
    names = st.sampled_from("1234567"[: draw(st.integers(1, 7))])
    any_end = st.sampled_from([None, T0 + 4, T0 + 8, T0 + 8, T0 + 30])
    ends_of = {key: draw(any_end) if ending else None for key in range(1, 8)}
    for number in range(draw(st.integers(0, 20))):
        at += -3.0 if backwards and draw(st.integers(0, 9)) == 0 else draw(STEPS)
        name = draw(names)
        other = draw(names) if shared else name
        closed = draw(any_end) if changing and draw(st.booleans()) else ends_of[int(name)]
        kind = draw(st.integers(0, 9))
        if loud and kind in (0, 1):
            key = Key("server", other)
            found.append(telling(key, at, closed, close=kind == 0, lost=kind == 1))
            continue
        client = None if alone and kind == 2 else side("client", name, closed)
        server = None if alone and kind == 3 else side("server", other, ends_of[int(other)])
        sent = draw(st.sampled_from([0.0, 0.0, 0.1, 3.0]))
        found.append(quiet(client, server, at, sent, f"{number}"))
    return found


def in_short(batch: Iterable[Told]) -> list[Placed | tuple[int, Exchange] | Stretch]:
    """Make stretches of what is between those that are not quiet, and send all of it."""
    entries: list[Any] = []
    open_: list[Placed] = []
    for one in [*batch, None]:
        if one is not None and not isinstance(one, Exchange):
            open_.append((0, one))
            continue
        whole = stretch_of(open_) if open_ else None
        entries += open_ if whole is None else [whole]
        open_ = []
        if one is not None:
            entries.append((0, one))
    sent: list[Placed | tuple[int, Exchange] | Stretch] = pickle.loads(pickle.dumps(entries))
    return sent


def state(judge: Connections) -> tuple[object, ...]:
    """Return all that is remembered, where their order counts in order."""
    return (
        list(judge._calm._known.items()),
        judge._started,
        judge._latest,
        judge._ends._ends,
        sorted(judge._ends._queue),
        list(judge._lifecycle.connections()),
    )


@settings(max_examples=400)
@given(
    told(),
    st.sets(st.integers(0, 20), max_size=4),
    st.sampled_from([100, 100, 100, 2, 4, 7]),
    st.sampled_from([100, 100, 100, 2, 4]),
)
def test_nothing_is_different(
    exchanges: list[Told], cuts: set[int], most_known: int, most_ends: int
) -> None:
    """Neither what is found, nor its order, nor what is known afterwards, wherever batches end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calm, "MOST", most_known)
        patch.setattr(ends, "MOST", most_ends)
        one, other = (Connections(CHECKER, Redaction()) for _ in range(2))
        starts = sorted({0, *(cut for cut in cuts if cut < len(exchanges)), len(exchanges)})
        for start, stop in pairwise(starts):
            batch = exchanges[start:stop]
            expected = [record for exchange in batch for record in one.feed(exchange)]
            assert fed(other, in_short(batch)) == expected
            assert state(other) == state(one)
        assert list(other.finish()) == list(one.finish())


def fed(judge: Connections, entries: Iterable[Any]) -> list[Record]:
    """Take in stretches, and feed exchanges and what cannot be taken in."""
    records: list[Record] = []
    for entry in entries:
        if isinstance(entry, Stretch):
            if judge.take(entry):
                continue
            singles: Sequence[Any] = list(entry.exchanges())
        else:
            singles = [entry]
        for _, exchange in singles:
            records += judge.feed(exchange)
    return records


@given(told(), st.integers(0, 3))
def test_it_holds_the_exchanges(exchanges: list[Told], records: int) -> None:
    """Also when it has been sent."""
    placed: list[Placed] = [
        (number * records, one)
        for number, one in enumerate(exchanges)
        if not isinstance(one, Exchange)
    ]
    whole = stretch_of(placed) if placed else None
    if whole is not None:
        sent: Stretch = pickle.loads(pickle.dumps(whole))
        assert list(whole.exchanges()) == list(sent.exchanges()) == placed
        assert (sent.shares, sent.until) == (whole.shares, whole.until)


C, S = side("client", "c"), side("server", "s")


def taken(exchanges: Sequence[Quiet], *before: Told) -> bool:
    """Tell whether exchanges are taken in as a whole behind others."""
    judge = Connections(CHECKER, Redaction())
    for one in before:
        list(judge.feed(one))
    whole = stretch_of([(0, one) for one in exchanges])
    return whole is not None and judge.take(whole)


def test_the_usual() -> None:
    """Any number of exchanges on any number of connections is a line for each of these."""
    exchanges = [quiet(C, side("server", f"{n % 3}"), n) for n in range(1, 20)]
    whole = stretch_of([(0, one) for one in exchanges])
    assert whole is not None
    assert [(share.side.key.connection, share.number) for share in whole.shares] == [
        ("2", 6),
        ("0", 6),
        ("c", 19),
        ("1", 7),
    ]
    assert taken(exchanges)
    assert taken(exchanges, quiet(C, S, 0.5))


def test_what_is_not_told_in_short() -> None:
    """Exchanges out of order; connections of which different things are told, or that are over."""
    assert stretch_of([(0, quiet(C, S, 2)), (0, quiet(C, S, 1))]) is None
    other = side("server", "s", address="other")
    assert stretch_of([(0, quiet(C, S, 1)), (0, quiet(C, other, 2))]) is None
    closed = side("server", "s", T0 + 5)
    assert stretch_of([(0, quiet(C, closed, 1)), (0, quiet(C, closed, 6))]) is None


def test_what_is_not_taken_in() -> None:
    """A connection that is followed, that came later, that ends meanwhile, or differently."""
    exchanges = [quiet(C, S, 10), quiet(C, S, 11)]
    followed = telling(S.key, 1, None, close=False, lost=False)
    assert not taken(exchanges, followed)
    assert not taken(exchanges, quiet(C, S, 12))
    ends_meanwhile = telling(Key("server", "other"), 1, T0 + 10.5, close=True, lost=False)
    assert not taken(exchanges, ends_meanwhile)
    assert not taken(exchanges, quiet(C, side("server", "s", T0 + 10.5), 1))
    assert taken(exchanges, quiet(C, side("server", "other", T0 + 10.5), 1))


def test_what_there_is_no_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be given up for it must be nothing of it."""
    exchanges = [quiet(None, side("server", name), at) for at, name in enumerate("abc", 10)]
    before = [quiet(None, side("server", name), at) for at, name in enumerate("xyza")]
    monkeypatch.setattr(calm, "MOST", 4)
    assert taken(exchanges, *before)
    assert not taken(exchanges, *before[::-1])
    ending = quiet(None, side("server", "z", T0 + 99), 11)
    assert taken([*exchanges[:2], ending])
    assert not taken([*exchanges, ending], *before)
    monkeypatch.setattr(calm, "MOST", 2)
    assert not taken(exchanges)
    monkeypatch.setattr(calm, "MOST", 100)
    assert taken(exchanges)
    monkeypatch.setattr(ends, "MOST", 2)
    assert not taken(exchanges)


def test_ends() -> None:
    """The first that is told of a connection counts, and nothing of one that is forgotten."""
    known = ends.Ends()
    known.add(C.key, 5)
    known.add(C.key, 3)
    known.forget(C.key)
    known.add(C.key, 4)
    known.add(S.key, 6)
    assert (known.next, len(known)) == (4, 3)
    assert known.due(5) == {C.key: 4}
    assert list(known.pop(5)) == [(4, C.key)]
    assert list(known.pop(float("inf"))) == [(6, S.key)]
    assert known.next == float("inf")


def test_few_are_not_worth_it() -> None:
    """There must be more exchanges than connections, at least."""
    assert stretch.WORTHWHILE > 2
