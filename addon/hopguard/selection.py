"""The few field lines of a header section that something depends on, picked in one pass."""

from collections.abc import Callable, Iterable

Lines = list[tuple[bytes, bytes]]

# Peers choose the names that are remembered: what is remembered is bounded.
_MOST_LINES = 128
_MOST_SPELLINGS = 4096
_LONGEST_NAME = 64


class Selection:
    """Picks field lines by their names; remembers names as they are spelt."""

    def __init__(self, is_wanted: Callable[[bytes], bool]) -> None:
        """Pick the lines of whose names, as they are spelt, `is_wanted` is true."""
        self._is_wanted = is_wanted
        self._spellings: dict[bytes, bool] = {}

    def of(self, fields: Iterable[tuple[bytes, bytes]]) -> Lines:
        """List the wanted lines of `fields`, in order."""
        spellings = self._spellings
        try:
            return [line for line in fields if spellings[line[0]]]
        except KeyError:
            return self._learn(fields)

    def _learn(self, fields: Iterable[tuple[bytes, bytes]]) -> Lines:
        known = {name: self._is_wanted(name) for name, _ in fields}
        if len(known) <= _MOST_LINES:
            if len(self._spellings) > _MOST_SPELLINGS:
                self._spellings.clear()
            short = [name for name in known if len(name) <= _LONGEST_NAME]
            self._spellings.update((name, known[name]) for name in short)
        return [line for line in fields if known[line[0]]]

    def forget(self) -> None:
        """Forget all names: what is wanted has changed."""
        self._spellings.clear()
