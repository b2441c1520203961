"""How a message was edited, in short sentences: the only place where they are made."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from hopguard.grammar import NAME_PADDING
from hopguard.message import FieldLine, Message, RawFields, Section
from hopguard.record import Redaction
from hopguard.text import QUOTE_LIMIT, REDACTED, printable

MOST_SENTENCES = 8
"""Sentences about one field of one message, and about one finding; the others are counted."""

Place = tuple[Section, bytes]
"""A section and a field name in lower case, without what parsers are known to strip from it."""

_Lines = dict[Place, list[FieldLine]]


def changed_places(before: Message, after: Message) -> frozenset[Place]:
    """Tell which fields in which section differ between a message and what it was made into."""
    old, new = _by_place(before), _by_place(after)
    return frozenset(
        place
        for place in old.keys() | new.keys()
        if _pairs(old.get(place, ())) != _pairs(new.get(place, ()))
    )


def describe(before: Message, after: Message, redaction: Redaction) -> Mapping[Place, list[str]]:
    """Say for each field that differs what was changed. Secret values are left out."""
    old, new = _by_place(before), _by_place(after)
    return {
        place: limited(_sentences(place[0], old.get(place, []), new.get(place, []), redaction))
        for place in dict.fromkeys([*old, *new])
        if _pairs(old.get(place, ())) != _pairs(new.get(place, ()))
    }


def _by_place(message: Message) -> _Lines:
    places: _Lines = {}
    for line in message.every_line():
        place = (line.section, line.name.lower().strip(NAME_PADDING))
        places.setdefault(place, []).append(line)
    return places


def _pairs(lines: Iterable[FieldLine]) -> RawFields:
    return tuple((line.name, line.value) for line in lines)


def _sentences(
    section: Section, old: list[FieldLine], new: list[FieldLine], redaction: Redaction
) -> Iterator[str]:
    """Pair the lines that are gone with those that have come.

    No edit changes the order, so lines that are in both can be left aside.
    """
    gone, come = _without(old, new), _without(new, old)
    within = " in the trailer section" if section == "trailer" else ""
    shown = [[_shown(line, redaction) for line in lines] for lines in (gone, come)]
    if len(gone) == len(come):
        for one, other in zip(*shown, strict=True):
            yield f"{one} became {other}{within}"
    elif gone and come:
        for one in shown[0]:
            yield f"{one} became part of {' and '.join(shown[1])}{within}"
    else:
        for text in shown[0]:
            yield f"removed {text}{within.replace(' in', ' from')}"
        for text in shown[1]:
            yield f"added {text}{within.replace(' in', ' to')}"


def _without(lines: list[FieldLine], others: list[FieldLine]) -> list[FieldLine]:
    left = Counter(_pairs(others))
    missing = []
    for line in lines:
        if left[line.name, line.value] > 0:
            left[line.name, line.value] -= 1
        else:
            missing.append(line)
    return missing


def _shown(line: FieldLine, redaction: Redaction) -> str:
    if redaction.hides_line(line):
        return f"{printable(line.name, QUOTE_LIMIT)}: {REDACTED}"
    return str(line)


def limited(sentences: Iterable[str]) -> list[str]:
    """Return few sentences: equal ones are counted, and so are those that are too many."""
    counted = Counter(sentences)
    texts = [text if count == 1 else f"{text} ({count} times)" for text, count in counted.items()]
    more = len(texts) - MOST_SENTENCES
    return [*texts[:MOST_SENTENCES], f"and {more} more"] if more > 0 else texts
