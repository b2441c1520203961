"""Connections on which all has been quiet: what is known of them, without following them."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import NamedTuple

from hopguard.captures.quiet import Quiet, Side
from hopguard.events import Key

MOST = 20_000
"""Connections that are known; of those beyond, the one that was used least recently is given up."""


class Past(NamedTuple):
    """What there was on a connection."""

    number: int
    """How many exchanges ..."""
    whole: bool
    """... whether the first of them is known ..."""
    side: Side
    last: Quiet
    """... and the last one."""


class Calm:
    """Knows connections, in the order of their last use."""

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[Key, Past] = {}

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._known)

    def add(self, key: Key, past: Past) -> None:
        """Add exchanges on a connection; if there were none before, it is a new one."""
        before = self._known.pop(key, None)
        if before is not None:
            past = Past(before.number + past.number, before.whole, past.side, past.last)
        self._known[key] = past

    def pop(self, key: Key) -> Past | None:
        """Forget a connection, and return what was known of it."""
        return self._known.pop(key, None)

    def beyond(self, keys: Collection[Key] = ()) -> list[Key]:
        """List those that must be given up if there is something on the connections `keys`.

        There are no more `keys` than may be known.
        """
        excess = len(self._known) + sum(key not in self._known for key in keys) - MOST
        return list(islice(self._known, max(0, excess)))
