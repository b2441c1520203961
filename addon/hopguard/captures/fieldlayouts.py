"""Header sections that resemble others: as long, and different in some values alone.

To requests of one browser for one host, and to the responses, that happens often. Such a section is
not split into lines: it is compared with what is the same in all of them, and the values are taken
from where they are. The lengths of all values, which stand before them, are the same.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from struct import Struct

from hopguard.captures.fieldlines import FieldLines
from hopguard.captures.tnetstrings import DamageError, Span
from hopguard.message import RawFields

_LAYOUTS_KEPT, _SECTION_LIMIT, _LEAST_LINES, _MOST_LINES = 512, 4096, 2, 64
"""How many layouts are remembered, and of which sections: their octets and lines."""

_PRICE, _CREDIT, _OTHERS = 4, 1024, 8
"""To learn a layout takes as long as is saved by recognising a few sections, so what was saved has
to pay for it; to begin with there is some credit, and a little for other sections."""


class FieldLayout:
    """Where the values are in which sections differ, and what is the same in all of them."""

    def __init__(self, section: bytes, fields: RawFields, places: Sequence[int] = ()) -> None:
        """Take the layout of one section.

        Args:
            section: its octets.
            fields: what it says.
            places: of the lines that differ, in order.
        """
        same, values, begin = "", "", 0
        ends = _ends(fields) if places else []
        for place in places:
            size = len(fields[place][1])
            before = ends[place] - size - begin
            same += f"{before}s{size}x"
            values += f"{before}x{size}s"
            begin = ends[place]
        self._find_same = Struct(f"{same}{len(section) - begin}s").unpack_from
        self._find_values = Struct(values).unpack_from
        self._same = self._find_same(section)
        self._fields = fields
        self._places = places
        self._names = [fields[place][0] for place in places]
        differing = {place: len(fields) + number for number, place in enumerate(places)}
        self._in_order: Callable[[list[tuple[bytes, bytes]]], RawFields] = itemgetter(
            *[differing.get(place, place) for place in range(len(fields))]
        )

    def read(self, data: bytes, start: int) -> RawFields | None:
        """Read the section in `data` at `start`, which is as long; None if it has another."""
        if self._find_same(data, start) != self._same:
            return None
        if not self._places:
            return self._fields
        # `strict` takes twice as long
        lines = zip(self._names, self._find_values(data, start))  # noqa: B905
        return self._in_order([*self._fields, *lines])

    def with_section(self, section: bytes, fields: RawFields) -> "FieldLayout":
        """Return the layout of a `section` that is as long, says `fields`, and has another layout.

        It is that of both if just values differ.
        """
        places = set(self._places)
        if [(name, len(value)) for name, value in fields] == self._outline():
            lines = enumerate(zip(fields, self._fields, strict=True))
            places.update(place for place, (one, other) in lines if one != other)
            if _ends(fields)[-1] == len(section) - 2:  # else a length is written in an unusual way
                return FieldLayout(section, fields, sorted(places))
        return FieldLayout(section, fields)

    def _outline(self) -> list[tuple[bytes, int]]:
        return [(name, len(value)) for name, value in self._fields]


class FieldLayouts:
    """Reads header sections, and remembers layouts within bounds."""

    def __init__(self, lines: FieldLines) -> None:
        """Begin with no layout; other sections are read by `lines`."""
        self._lines = lines
        self._known: dict[tuple[bytes, int], FieldLayout] = {}
        self._recognised = self._others = self._learnt = 0

    def read(self, data: bytes, span: Span, like: bytes) -> RawFields:
        """Read the section in `data` at `span`, which may resemble others with the same `like`.

        Raises:
            DamageError: it is damaged, or null.
        """
        start, stop = span
        key = like, stop - start
        layout = self._known.get(key)
        if layout is not None:
            fields = layout.read(data, start)
            if fields is not None:
                self._recognised += 1
                return fields
        fields = self._lines.read(data, span)
        if fields is None:
            raise DamageError("a message has no header section")
        self._others += 1
        if stop - start <= _SECTION_LIMIT and _LEAST_LINES <= len(fields) <= _MOST_LINES:
            saved = _CREDIT + self._recognised + self._others // _OTHERS
            if self._learnt * _PRICE < saved:
                self._learn(key, data[start:stop], fields)
        return fields

    def _learn(self, key: tuple[bytes, int], section: bytes, fields: RawFields) -> None:
        self._learnt += 1
        layout = self._known.get(key)
        if layout is not None:
            self._known[key] = layout.with_section(section, fields)
            return
        if len(self._known) >= _LAYOUTS_KEPT:
            self._known.clear()
        self._known[key] = FieldLayout(section, fields)


def _ends(fields: RawFields) -> list[int]:
    """Tell where the values end in a section of these `fields`.

    A line is the tagged netstring of a list that holds those of a name and a value.
    """
    ends, end = [], 0
    for line in fields:
        size = 0
        for text in line:
            size += len(str(len(text))) + len(text) + 2
        end += len(str(size)) + size + 2
        ends.append(end - 2)
    return ends
