"""Header and trailer sections in flow files: lists of pairs, most of which come again."""

from hopguard.captures.tnetstrings import LIST, DamageError, Span, is_null, items, pair
from hopguard.message import RawFields

END_OF_LINE = b",]"
"""Of the text that is a value, and of the list that is a field line."""

_LINES_KEPT, _LINE_LIMIT = 512, 256
_STARTS_KEPT, _START_LIMIT = 4096, 80

_UNKNOWN = (b"", -1)


class FieldLines:
    """Reads sections, and remembers within bounds field lines, and what starts lines.

    A section is split where field lines may end. Each piece tells its length: if one is not what it
    says, a value holds the octets that end lines, and the section is read line by line.
    """

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._known: dict[bytes, tuple[bytes, bytes]] = {}
        self._starts: dict[bytes, tuple[bytes, int]] = {}
        """Names and lengths of values, by what is in front of a value, lengths and all: dates,
        validators and session ids differ from line to line, but seldom in their length."""

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
            if len(known) >= _LINES_KEPT:
                known.clear()
            try:
                for position, field in enumerate(fields):
                    if field is None:
                        line = lines[position]
                        value = line.split(b":", 3)[-1]
                        size = len(value)
                        name, length = starts.get(line[: len(line) - size], _UNKNOWN)
                        found = (name, value) if size == length else self._take_apart(line)
                        fields[position] = found
                        if position < _LINES_KEPT and len(line) <= _LINE_LIMIT:
                            known[line] = found
            except DamageError:
                return tuple(pair(data[item[0] : item[1]]) for item in items(data, start, stop))
        if end:
            raise DamageError("a header section does not end with a field line")
        return tuple(fields)  # type: ignore[arg-type]  # no line is unknown any more

    def _take_apart(self, line: bytes) -> tuple[bytes, bytes]:
        """Take a field line apart, and remember how it starts.

        Raises:
            DamageError: this is not just one line, because a value holds what ends lines.
        """
        length, _, rest = line.partition(b":")
        if not length.isdigit() or int(length) != len(rest) + 1:
            raise DamageError("a field line has another length")
        name, value = pair(rest + END_OF_LINE[:1])
        size = len(line) - len(value)
        start = line[:size]
        if size <= _START_LIMIT and start.count(b":") == 3:
            if len(self._starts) >= _STARTS_KEPT:
                self._starts.clear()
            self._starts[start] = name, len(value)
        return name, value
