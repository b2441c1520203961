"""Findings as text, for a terminal and for pasting: the worst first, a paragraph for each rule."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from hopguard.catalogue.advice import advice
from hopguard.catalogue.document import wrap
from hopguard.catalogue.listing import name_and_keyword
from hopguard.record import Record
from hopguard.reports.summary import RuleSummary, Summary
from hopguard.reports.words import listing, number, sentence, severities
from hopguard.rule import Rule

MOST_NAMES = 5
"""Hosts, variants and the like that are listed."""

_INDENT = "  "


class TextReport:
    """Sums up, and writes at the end."""

    def __init__(self, out: TextIO, rules: Sequence[Rule], width: int) -> None:
        """Write to `out`, filled to `width` columns, what `rules` say about the findings."""
        self._out, self._width = out, width
        self._rules = {rule.id: rule for rule in rules}
        self._summary = Summary()

    def add(self, record: Record) -> None:
        """Count a record."""
        self._summary.add(record)

    def finish(self, notes: Sequence[str]) -> Sequence[str]:
        """Write the report; all notes are in it."""
        paragraphs = [self._opening(), *map(self._paragraph, self._summary.worst_first())]
        if notes:
            paragraphs.append("\n".join(wrap(f"Note: {note}", self._width) for note in notes))
        self._out.write("\n\n".join(paragraphs) + "\n")
        return ()

    def _opening(self) -> str:
        summary = self._summary
        if not summary.total:
            return "Nothing was found."
        rules = number(len(summary.rules), "rule")
        lines = [
            f"{number(summary.total, 'finding')} by {rules}: {severities(summary.by_severity)}"
        ]
        if summary.first and summary.last:
            lines.append(f"From {_moment(summary.first)} to {_moment(summary.last)}, UTC")
        lines.append(f"Hosts: {listing(summary.by_host, MOST_NAMES)}")
        return "\n".join(wrap(line, self._width) for line in lines)

    def _paragraph(self, part: RuleSummary) -> str:
        times = "once" if part.count == 1 else f"{part.count:,} times"
        lines = [f"{part.severity.upper()} {part.rule}, {times}"]
        lines += [
            wrap(line, self._width, _INDENT, _INDENT * 2)
            for line in _lines(part, self._rules.get(part.rule))
        ]
        return "\n".join(lines)


def _moment(time: str) -> str:
    return time[:19].replace("T", " ")


def _lines(part: RuleSummary, rule: Rule | None) -> Iterator[str]:
    if rule is not None:
        yield f"{rule.title} {name_and_keyword(rule.requirement)}."
    else:
        yield "This version of hopguard does not know the rule."
    if any(part.variants):
        yield f"Variants: {listing(part.variants, MOST_NAMES)}"
    if part.count > 1:  # otherwise the example says it all
        yield f"Sent by: {listing(part.senders, MOST_NAMES)}"
        yield f"Hosts: {listing(part.hosts, MOST_NAMES)}"
    yield f"Example: {sentence(part.examples[0])}"
    if rule is not None:
        yield f"What to do: {advice(rule)}"
        yield f"More: hopguard explain {rule.id}"
