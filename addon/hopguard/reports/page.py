"""What the HTML report says of all findings together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hopguard.reports.sections import MOST_EXAMPLES, NAME_LIMIT, Row, Section, most, show, span
from hopguard.reports.summary import Summary

MOST_ROWS = 50
"""Of one table."""

MOST_NOTES = 30
"""A log that is broken in every line has a note on each."""


@dataclass(frozen=True)
class Breakdown:
    """How the findings spread over the rules, the hosts, or the like; the most frequent first."""

    name: str
    rows: Sequence[Row]
    others: int
    """Findings that belong to none of `rows`."""


def breakdowns(summary: Summary, sections: Sequence[Section]) -> list[Breakdown]:
    """Tell how the findings spread over rules, hosts, versions and senders."""
    rules = [Row(part.name, part.count, part.severity, part.anchor) for part in sections]
    rows = {
        "Rule": sorted(rules, key=lambda row: (-row.count, row.label)),
        "Host": _rows(summary.by_host),
        "Version": _rows(summary.by_version),
        "Sender": _rows(summary.by_sender),
    }
    return [
        Breakdown(name, shown, summary.total - sum(row.count for row in shown))
        for name, shown in rows.items()
    ]


def _rows(counter: Mapping[str, int]) -> list[Row]:
    return [Row(show(name, NAME_LIMIT), number) for name, number in most(counter, MOST_ROWS)]


def made_from(
    summary: Summary, sections: Sequence[Section], notes: Sequence[str] = ()
) -> Iterator[str]:
    """Say what the report was made from, and what it leaves out."""
    yield _found(summary)
    yield from (show(note) for note in notes[:MOST_NOTES])
    if len(notes) > MOST_NOTES:
        yield f"There are {len(notes) - MOST_NOTES:,} further notes."
    if summary.total:
        yield from _left_out(summary, sections)


def _found(summary: Summary) -> str:
    if not summary.total:
        return "There was no finding."
    when = f", made {span(summary)}" if summary.first is not None else ""
    return f"{_findings(summary.total)}{when}."


def _left_out(summary: Summary, sections: Sequence[Section]) -> Iterator[str]:
    left_out = sum(section.others for section in sections)
    if left_out:
        yield (
            "To stay small, the report lists the most frequent hosts and paths of each rule;"
            f" {_findings(left_out)} elsewhere are only in the totals. Where there are too many"
            " hosts or paths to keep them apart, the rare ones may be among these in part."
        )
    if len(summary.rules) > len(sections):
        rest = len(summary.rules) - len(sections)
        yield f"{rest:,} further rules were broken; their findings are only in the totals."
    yield (
        f"Of each rule, at most {MOST_EXAMPLES} findings are shown as examples; the violation log"
        r" has all. What is not printable ASCII is shown as \xNN, long values are cut with a mark,"
        " and values of secret fields do not even reach the log."
    )


def _findings(number: int) -> str:
    return f"{number:,} finding{'' if number == 1 else 's'}"
