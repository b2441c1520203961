"""A message as text: its field lines, each classed, and under each what was found about it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hopguard.catalogue.brief import brief
from hopguard.catalogue.document import wrap
from hopguard.classing import FieldClass, classify
from hopguard.message import FieldLine, Message, Response
from hopguard.record import Record, Redaction
from hopguard.reports.words import acted, rule_name, severities
from hopguard.reports.words import message as sentence_of
from hopguard.rule import Requirement, Rule
from hopguard.text import REDACTED, printable

_COLUMN = max(map(len, FieldClass)) + 2
_INDENT = "    "
_BAR = f"{_INDENT}| "

_Placed = list[tuple[Record, FieldLine | None]]
"""Records about the message, each with the field line it is about if that is still there."""


def annotate(
    message: Message,
    records: Sequence[Record],
    redaction: Redaction,
    rules: Iterable[Rule],
    width: int,
) -> str:
    """Show `message` and what was found about it, in lines of printable ASCII.

    Args:
        message: the message, as it is now.
        records: what was found on the exchange and its connection: see `reports.reading`.
        redaction: the fields whose values are not shown.
        rules: where the explanations are.
        width: columns that running text is filled to.
    """
    ours = [record for record in records if _is_about(record, message)]
    lines = message.every_line()
    placed = [(record, _place(record, message, lines)) for record in ours]
    blocks = [
        [_title(message, ours), *_elsewhere(message, records, width)],
        *(_details(record, width) for record, line in placed if line is None),
        *_sections(message, lines, placed, redaction, width),
        _legend(message, lines, width),
        *_explanations(ours, tuple(rules), width),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _is_about(record: Record, message: Message) -> bool:
    return record["part"] in (message.part, message.trailer_part)


def _title(message: Message, records: Sequence[Record]) -> str:
    what = f"Response {message.status}" if isinstance(message, Response) else "Request"
    found = _count(records) if records else "nothing found"
    return f"{what} on the {message.leg} leg, {message.version}: {found}."


def _count(records: Iterable[Record]) -> str:
    return severities(Counter(record["severity"] for record in records))


def _elsewhere(message: Message, records: Iterable[Record], width: int) -> Iterator[str]:
    """Mention what was found, but not about this message: a line for each place."""
    found: dict[str, list[Record]] = {}
    for record in records:
        if not _is_about(record, message):
            place = (record["part"] or "exchange").removesuffix("-trailers")
            found.setdefault(place, []).append(record)
    for place, there in found.items():
        names = ", ".join(dict.fromkeys(map(rule_name, there)))
        yield wrap(f"About the {place}: {_count(there)} ({names}).", width)


def _place(record: Record, message: Message, lines: Iterable[FieldLine]) -> FieldLine | None:
    """Find the line that `record` is about; None if it has none, or it is not there any more.

    It may have moved, when something has edited the message since.
    """
    section = "trailer" if record["part"] == message.trailer_part else "header"
    same = [
        line
        for line in lines
        if (line.section, printable(line.name)) == (section, record["field"])
        and record["value"] in (None, REDACTED, printable(line.value))
    ]
    first = same[0] if same else None
    return next((line for line in same if line.position == record["line"]), first)


def _sections(
    message: Message,
    lines: Sequence[FieldLine],
    placed: _Placed,
    redaction: Redaction,
    width: int,
) -> Iterator[list[str]]:
    """Show the header section, and the trailer section if there is one."""
    for section, heading in (("header", []), ("trailer", ["Trailer section:"])):
        of_section = [line for line in lines if line.section == section]
        shown = [*heading] if of_section else []
        for line in of_section:
            name = printable(line.name)
            value = REDACTED if redaction.hides_line(line) else printable(line.value)
            shown.append(f"{classify(line, message):<{_COLUMN}}{name}: {value}".rstrip())
            for record, place in placed:
                if place == line:
                    shown += _details(record, width)
        yield shown
    if not lines:
        yield ["It has no field lines."]


def _details(record: Record, width: int) -> list[str]:
    """Say what is wrong, who did it, and by which requirement."""
    sender = f"Sent by the {record['sender']}" if record["sender"] else "Sent by an unknown peer"
    action = f"; {record['action']}." if acted(record) else "."
    requirement, url = _requirement(record)
    texts = [sentence_of(record), sender + action, *(record["edits"] or ()), requirement]
    return [
        f"{_INDENT}{record['severity'].upper()} {rule_name(record)}",
        *(wrap(text, width, _BAR) for text in texts if text),
        *([_BAR + url] if url else ()),
    ]


def _requirement(record: Record) -> tuple[str, str]:
    """Return the name of the requirement, with its keyword, and its address; empty if unknown."""
    parts = record["requirement"] or {}
    section, keyword = parts.get("section") or "", parts.get("keyword")
    rfc = parts.get("rfc")
    name = section if rfc is None else str(Requirement(rfc, section))
    shown = f"{name} ({keyword})" if name and keyword else name or keyword or ""
    return shown, parts.get("url") or ""


def _legend(message: Message, lines: Iterable[FieldLine], width: int) -> list[str]:
    classes = {classify(line, message) for line in lines}
    return [wrap(f"{one}: {one.meaning}", width) for one in FieldClass if one in classes]


def _explanations(
    records: Iterable[Record], rules: tuple[Rule, ...], width: int
) -> Iterator[list[str]]:
    """Say once for each rule why it matters and what to change."""
    for name in dict.fromkeys(record["rule"] for record in records):
        text = brief(name, rules, width)
        if text:
            yield [name, "-" * len(name), text, "", f"More: hopguard.explain {name}"]
