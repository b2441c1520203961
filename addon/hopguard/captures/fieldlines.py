"""Header and trailer sections in flow files: lists of pairs, most of which come again."""

from hopguard.captures.tnetstrings import LIST, DamageError, Span, is_null, items, pair
from hopguard.message import RawFields

END_OF_LINE = b",]"
"""Of the text that is a value, and of the list that is a field line."""

_LINES_KEPT, _LINE_LIMIT, _START_LIMIT = 2048, 256, 80

_COLONS = 3
"""In what is in front of a value, unless the name holds one."""

_UNKNOWN = (b"", -1)


class FieldLines:
    """Reads sections, and remembers within bounds field lines, and what starts lines.

    A section is split where field lines may end. Each piece tells its length: if one is not what it
    says, a value holds the octets that end lines, and the section is read line by line.

    Of lines that start alike, the first is remembered as a whole: it is likely to come again. Of
    the others, just the value is new, as dates, validators and session ids are.
    """

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._known: dict[bytes, tuple[bytes, bytes]] = {}
        self._starts: dict[bytes, tuple[bytes, int]] = {}
        """The name, and the length of the value, by all that is in front of a value."""

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
        lines = data[start:stop].split(END_OF_LINE)
        end = lines.pop()
        known, starts = self._known, self._starts
        fields = list(map(known.get, lines))
        if None in fields:
            try:
                for position, field in enumerate(fields):
                    if field is None:
                        line = lines[position]
                        value = line.split(b":", 3)[-1]
                        size = len(value)
                        name, length = starts.get(line[: len(line) - size], _UNKNOWN)
                        fields[position] = (name, value) if size == length else self._learn(line)
            except DamageError:
                return tuple(pair(data[item[0] : item[1]]) for item in items(data, start, stop))
        if end:
            raise DamageError("a header section does not end with a field line")
        return tuple(fields)  # type: ignore[arg-type]  # no line is unknown any more

    def _learn(self, line: bytes) -> tuple[bytes, bytes]:
        """Take a field line apart, and remember it, or else how it starts, within bounds.

        Raises:
            DamageError: this is not just one line, because a value holds what ends lines.
        """
        length, _, rest = line.partition(b":")
        if not length.isdigit() or int(length) != len(rest) + 1:
            raise DamageError("a field line has another length")
        found = name, value = pair(rest + END_OF_LINE[:1])
        if len(self._known) >= _LINES_KEPT or len(self._starts) >= _LINES_KEPT:
            self._known.clear()
            self._starts.clear()
        start = line[: len(line) - len(value)]
        if len(start) <= _START_LIMIT and start.count(b":") == _COLONS:
            self._starts[start] = name, len(value)
        if len(line) <= _LINE_LIMIT:
            self._known[line] = found
        return found
