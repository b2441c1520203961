"""Header sections that resemble others: as long, and different in some values alone."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from struct import Struct

from hopguard.message import RawFields

_SECTION_LIMIT, _LEAST_LINES, _MOST_LINES = 4096, 2, 64
"""Octets and lines of a section whose layout is worth to be remembered."""


class FieldLayout:
    """Where the values are in which sections differ, and what is the same in all of them."""

    def __init__(self, section: bytes, fields: RawFields, places: Sequence[int]) -> None:
        """Take the layout of one section.

        Args:
            section: its octets.
            fields: what it says.
            places: of the lines that differ, in order.
        """
        ends = _ends(fields)
        same, values, begin = "", "", 0
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
            *[differing.get(n, n) for n in range(len(fields))]
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

    def differing(self, fields: RawFields) -> list[int]:
        """Tell which lines differ if a section with these `fields`, which is as long, is added.

        None does if it has other names, or values of other lengths.
        """
        if len(fields) != len(self._fields):
            return []
        places = set(self._places)
        for place, (one, other) in enumerate(zip(fields, self._fields, strict=True)):
            if one != other:
                if one[0] != other[0] or len(one[1]) != len(other[1]):
                    return []
                places.add(place)
        return sorted(places)


def learn_layout(
    section: bytes, fields: RawFields, before: FieldLayout | None
) -> FieldLayout | None:
    """Return the layout of a `section`, which says `fields`; None if it is not to be remembered.

    It has the one `before` if it differs from that in values alone.
    """
    if len(section) > _SECTION_LIMIT or not _LEAST_LINES <= len(fields) <= _MOST_LINES:
        return None
    places = before.differing(fields) if before is not None else []
    if places and _ends(fields)[-1:] != [len(section) - 2]:  # lengths are not written as usual
        return None
    return FieldLayout(section, fields, places)


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
