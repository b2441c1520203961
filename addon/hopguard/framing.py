"""The field lines by which messages and connections end, chosen from a section in one pass."""

from hopguard.message import RawFields

FRAMING = frozenset(
    {b"connection", b"content-length", b"keep-alive", b"trailer", b"transfer-encoding"}
)
"""Names in lower case."""

_NAMES_KEPT, _NAME_LIMIT = 4096, 64

Lines = list[tuple[bytes, bytes]]


class Chooser:
    """Chooses lines; it remembers names as they are spelt, within bounds."""

    def __init__(self, names: frozenset[bytes]) -> None:
        """Choose the lines called one of `names` (lower case)."""
        self._names = names
        self._spellings: dict[bytes, bytes] = {}
        """Of names as they are spelt, the name in lower case; empty if it is of no interest."""
        self._latest: tuple[RawFields | None, Lines] = (None, [])
        self._before: tuple[RawFields | None, Lines] = (None, [])

    def choose(self, fields: RawFields) -> Lines:
        """Return the lines of `fields`, in their order, with names in lower case.

        Those of the two latest header sections, a request and its response, are kept.
        """
        latest, before = self._latest, self._before
        if fields is latest[0]:
            return latest[1]
        if fields is before[0]:
            return before[1]
        spellings = self._spellings
        try:
            lines = [(meant, value) for name, value in fields if (meant := spellings[name])]
        except KeyError:
            lines = self._learn(fields)
        self._latest, self._before = (fields, lines), latest
        return lines

    def _learn(self, fields: RawFields) -> Lines:
        known = {name: self._meaning(name) for name, _ in fields}
        if len(self._spellings) + len(known) > _NAMES_KEPT:
            self._spellings.clear()
        short = [name for name in known if len(name) <= _NAME_LIMIT][:_NAMES_KEPT]
        self._spellings.update((name, known[name]) for name in short)
        return [(known[name], value) for name, value in fields if known[name]]

    def _meaning(self, name: bytes) -> bytes:
        lower = name.lower()
        return lower if lower in self._names else b""


framing_lines = Chooser(FRAMING).choose
"""Chooses the lines called one of `FRAMING`."""
