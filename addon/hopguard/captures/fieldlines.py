"""Header and trailer sections in flow files: lists of pairs, most of which come again."""

from hopguard.captures.tnetstrings import LIST, DamageError, Span, is_null, items, pair
from hopguard.message import RawFields

END_OF_LINE = b",]"
"""Of the text that is a value, and of the list that is a field line."""

_LINES_KEPT, _LINE_LIMIT = 8192, 256


class FieldLines:
    """Reads sections, and remembers field lines within bounds.

    A section is split where field lines may end. Each piece tells its length: if one is not what it
    says, a value holds the octets that end lines, and the section is read line by line.
    """

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._known: dict[bytes, tuple[bytes, bytes]] = {}

    def read(self, data: bytes, span: Span | None) -> RawFields | None:
        """Read the section in `data` at `span`; None if it is null or missing.

        Raises:
            DamageError: it is damaged.
        """
        if span is None or is_null(data, span):
            return None
        start, stop = span
        if data[stop] != LIST:
            raise DamageError("a header section is no list")
        known = self._known
        lines = data[start:stop].split(END_OF_LINE)
        end = lines.pop()
        fields = tuple(map(known.get, lines))
        if None in fields:
            try:
                fields = tuple([known.get(line) or self._learn(line) for line in lines])
            except DamageError:
                return tuple(pair(data[item[0] : item[1]]) for item in items(data, start, stop))
        if end:
            raise DamageError("a header section does not end with a field line")
        return fields  # type: ignore[return-value]  # no line is unknown any more

    def _learn(self, line: bytes) -> tuple[bytes, bytes]:
        """Take a field line apart, and remember it within bounds.

        Raises:
            DamageError: this is not just one line, because a value holds what ends lines.
        """
        length, _, rest = line.partition(b":")
        if not length.isdigit() or int(length) != len(rest) + 1:
            raise DamageError("a field line has another length")
        found = pair(rest + END_OF_LINE[:1])
        if len(line) <= _LINE_LIMIT:
            if len(self._known) >= _LINES_KEPT:
                self._known.clear()
            self._known[line] = found
        return found
