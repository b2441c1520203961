"""When connections end: what is known of it, and has not come yet."""

import heapq
from collections.abc import Iterator

from hopguard.events import Key

MOST = 50_000
"""Ends that are remembered; the earliest of those beyond is not told."""


class Ends:
    """Remembers when connections end."""

    def __init__(self) -> None:
        """Know of none."""
        self._queue: list[tuple[float, Key]] = []
        """A heap: the next one is first. Some are void."""
        self._ends: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def next(self) -> float:
        """When, at the earliest, the next one comes, in seconds since the epoch."""
        return self._queue[0][0] if self._queue else float("inf")

    def add(self, key: Key, time: float | None) -> None:
        """Remember when a connection ends, if `time` tells, and unless that is known."""
        if time is None or key in self._ends:
            return
        self._ends[key] = time
        heapq.heappush(self._queue, (time, key))
        if len(self._queue) > MOST:
            heapq.heappop(self._queue)

    def forget(self, key: Key) -> None:
        """Forget a connection."""
        self._ends.pop(key, None)

    def pop(self, until: float) -> Iterator[tuple[float, Key]]:
        """Give those that have come at the time `until`, and no more of each than that."""
        while self._queue and self.next <= until:
            end, key = heapq.heappop(self._queue)
            if self._ends.get(key) == end:
                yield end, key

    def due(self, until: float) -> dict[Key, float]:
        """List those that will have come at the time `until`."""
        found = []
        while self._queue and self.next <= until:
            found.append(heapq.heappop(self._queue))
        for entry in found:
            heapq.heappush(self._queue, entry)
        return {key: end for end, key in found if self._ends.get(key) == end}
