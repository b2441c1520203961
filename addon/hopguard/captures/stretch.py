"""Quiet exchanges of a capture, one directly after the other, told as one value.

What they come to on each of their connections is one line for each connection, which takes less
time to make, to send and to take in than each exchange does. Whether those lines are all that
matters, only `hopguard.captures.connections` can tell: it knows what else there is on them. So the
exchanges themselves come along, as octets into which nobody looks unless they are needed.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple

from hopguard.captures.quiet import Pair, Quiet, Side, began_first, began_on, is_first
from hopguard.events import Key

WORTHWHILE = 8
"""Exchanges, at least, of which a stretch is made."""

Placed = tuple[int, Quiet]
"""An exchange, and behind how many records of its batch it comes."""


NOBODY = Side(Key("client", ""), None, None, None)
"""Stands for a connection that there is none of."""


class Share(NamedTuple):
    """What a stretch comes to on one connection. Times are seconds since the epoch."""

    side: Side
    """As each exchange on it tells of it."""
    number: int
    """How many exchanges there are."""
    first: float
    """When the first of them began ..."""
    latest: float
    """... and the last. None began before the one before it."""
    whole: bool
    """Whether the first one seems to be the first on the connection."""
    last: Quiet


class Stretch(NamedTuple):
    """Quiet exchanges, one directly after the other, in the order of their capture.

    No exchange on a connection begins, or comes behind one that begins, when it has ended.
    """

    shares: Sequence[Share]
    """Of each connection, in the order of the last exchange on it."""
    until: float
    """When the exchange began that began last."""
    exchanges: Callable[[], Iterable[Placed]]
    """Gives the exchanges themselves."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pack it: bare tuples are pickled several times as fast as named ones."""
        exchanges = list(self.exchanges())
        pairs = {id(quiet[0]): quiet[0] for _, quiet in exchanges}
        numbers = {identity: number for number, identity in enumerate(pairs)}
        octets = pickle.dumps(
            (
                [position for position, _ in exchanges],
                [numbers[id(quiet[0])] for _, quiet in exchanges],
                [quiet[1:] for _, quiet in exchanges],
            )
        )
        shares = [
            (numbers[id(last[0])], side.key.leg, number, first, latest, whole, last[1:])
            for side, number, first, latest, whole, last in self.shares
        ]
        return _unpack, ([_packed(pair) for pair in pairs.values()], shares, self.until, octets)


def _packed(pair: Pair) -> list[tuple[Any, ...] | None]:
    sides = [side and (*side.key, *side[1:]) for side in pair[:2]]
    return [*sides, pair.addresses]


def _unpack(
    packed: list[Any], shares: list[tuple[Any, ...]], until: float, octets: bytes
) -> Stretch:
    pairs = [Pair(_side(client), _side(server), addresses) for client, server, addresses in packed]
    unpacked = []
    for number, leg, *sums, last in shares:
        pair = pairs[number]
        side = pair.client if leg == "client" else pair.server
        unpacked.append(Share._make((side, *sums, (pair, *last))))
    return Stretch(unpacked, until, partial(_exchanges, pairs, octets))


def _side(packed: tuple[Any, ...] | None) -> Side | None:
    return None if packed is None else Side(Key(*packed[:2]), *packed[2:])


def _exchanges(pairs: Sequence[Pair], octets: bytes) -> Iterator[Placed]:
    """Give the exchanges, as this program itself has packed them."""
    for position, pair, facts in zip(*pickle.loads(octets), strict=True):
        yield position, (pairs[pair], *facts)


class _Sum:
    """What there is on a connection so far."""

    __slots__ = ("began", "differs", "end", "latest", "number", "side")

    def __init__(self, side: Side, place: int) -> None:
        self.side = side
        self.began = self.end = place
        """Which exchanges are the first and the last."""
        self.latest = float("-inf")
        self.number = 0
        self.differs = False
        """Whether it is told of in another way as well."""


def stretch_of(exchanges: Sequence[Placed]) -> Stretch | None:
    """Tell exchanges in short; None if that would leave out something that may matter."""
    quiets = [quiet for _, quiet in exchanges]
    sums = _sums(quiets)
    if sums is None:
        return None
    latest = list(accumulate(map(began_first, quiets), max))
    for one in sums:
        if one.side.closed is not None and one.side.closed <= latest[one.end]:
            return None
    shares = [_share(one, quiets) for one in sums]
    return Stretch(shares, latest[-1], lambda: exchanges)


def _sums(quiets: Sequence[Quiet]) -> list[_Sum] | None:
    """Sum up what there is on each connection, in the order of the last exchange on it.

    None if an exchange begins before one that was there, or if a connection is told of in different
    ways.
    """
    sums: dict[Key, _Sum] = {}
    known: dict[int, tuple[_Sum, _Sum]] = {}
    for place, quiet in enumerate(quiets):
        pair = quiet[0]
        if id(pair) not in known:
            known[id(pair)] = _sum_of(pair.client, place, sums), _sum_of(pair.server, place, sums)
        client, server = known[id(pair)]
        if quiet[1] < client.latest or quiet[3] < server.latest:
            return None
        client.latest, server.latest = quiet[1], quiet[3]
        client.end = server.end = place
        client.number += 1
        server.number += 1
    if any(one.differs for of_pair in known.values() for one in of_pair):
        return None
    return sorted(sums.values(), key=lambda one: (one.end, one.side.key.leg))


def _sum_of(side: Side | None, place: int, sums: dict[Key, _Sum]) -> _Sum:
    if side is None:
        return _Sum(NOBODY, place)
    one = sums.setdefault(side.key, _Sum(side, place))
    one.differs |= one.side != side
    return one


def _share(one: _Sum, quiets: Sequence[Quiet]) -> Share:
    first = began_on(one.side, quiets[one.began])
    whole = is_first(one.side.opened, first)
    return Share(one.side, one.number, first, one.latest, whole, quiets[one.end])
