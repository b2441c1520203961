"""Tagged netstrings, taken apart only as far as somebody wants them.

Each value is its length in decimal digits, a colon, that many octets, and one octet for its type;
what is inside a list or dictionary is such values again. So whatever is not wanted is skipped by
its length, without a look inside.
"""

import re

TEXTS, NUMBERS, NULL, BOOLEAN, LIST, DICTIONARY = b",;", b"#^", 0x7E, 0x21, 0x5D, 0x7D
"""Octets that stand for types."""

PREFIX, PREFIX_LIMIT = re.compile(rb"(\d{1,12}):"), 13
MEMBER, MEMBER_LIMIT = re.compile(rb"\d{1,2}:(\w{1,64})[;,](\d{1,12}):"), 81
"""How a value, and a member of a dictionary, begin, and in how many octets at most."""


class DamageError(ValueError):
    """These are no tagged netstrings, or not such as are expected; the text is half a sentence."""


Span = tuple[int, int]
"""Where the octets of a value start and stop; its type is where they stop."""

Members = dict[bytes, Span]


def members(data: bytes, start: int, stop: int) -> Members:
    """Find the members of the dictionary whose octets are data[start:stop], by their names.

    Raises:
        DamageError: it is no dictionary with simple names.
    """
    found: Members = {}
    match = MEMBER.match
    while start < stop:
        prefix = match(data, start, stop)
        if prefix is None:
            raise DamageError("a member of a dictionary does not begin as it should")
        name, length = prefix.groups()
        start = prefix.end()
        end = start + int(length)
        if end >= stop:
            raise DamageError("a value is longer than what it is part of")
        found[name] = (start, end)
        start = end + 1
    return found


def items(data: bytes, start: int, stop: int) -> list[Span]:
    """Find the items of the list whose octets are data[start:stop].

    Raises:
        DamageError: it is no list.
    """
    found = []
    while start < stop:
        prefix = PREFIX.match(data, start, stop)
        if prefix is None:
            raise DamageError("an item of a list does not begin as it should")
        start = prefix.end()
        end = start + int(prefix[1])
        if end >= stop:
            raise DamageError("a value is longer than what it is part of")
        found.append((start, end))
        start = end + 1
    return found


def octets(data: bytes, span: Span | None) -> bytes | None:
    """Return the octets of a text; None if it is null or missing.

    Raises:
        DamageError: it is of another type.
    """
    if span is None:
        return None
    start, stop = span
    kind = data[stop]
    if kind in TEXTS:
        return data[start:stop]
    if kind == NULL:
        return None
    raise DamageError("a value is not the text that it should be")


def number(data: bytes, span: Span | None) -> float | None:
    """Return a number; None if it is null or missing.

    Raises:
        DamageError: it is of another type.
    """
    if span is None:
        return None
    start, stop = span
    kind = data[stop]
    if kind == NULL:
        return None
    try:  # `suppress` would take longer than all of this
        if kind in NUMBERS:
            return float(data[start:stop])
    except ValueError:
        pass
    raise DamageError("a value is not the number that it should be")


def integer(data: bytes, span: Span | None) -> int | None:
    """Return a whole number; None if it is null or missing.

    Raises:
        DamageError: it is of another type.
    """
    if span is None:
        return None
    start, stop = span
    if data[stop] == NULL:
        return None
    try:
        if data[stop] in NUMBERS:
            return int(data[start:stop])
    except ValueError:
        pass
    raise DamageError("a value is not the whole number that it should be")


def is_true(data: bytes, span: Span | None) -> bool:
    """Tell whether a value is the Boolean true."""
    return span is not None and data[span[0] : span[1] + 1] == b"true!"


def is_null(data: bytes, span: Span | None) -> bool:
    """Tell whether a value is null or missing."""
    return span is None or data[span[1]] == NULL


def pair(line: bytes) -> tuple[bytes, bytes]:
    """Return the two texts of which the list `line` consists.

    Raises:
        DamageError: it does not.
    """
    try:
        colon = line.index(b":")
        middle = colon + 1 + int(line[:colon])
        colon_after = line.index(b":", middle)
        first, second = line[colon + 1 : middle], line[colon_after + 1 : -1]
        length = int(line[middle + 1 : colon_after])
        if length == len(second) and line[middle] in TEXTS and line[-1] in TEXTS:
            return first, second
    except (ValueError, IndexError):
        pass
    raise DamageError("a field line is no pair of texts")
