"""What the HTML report says of each rule: cut to what one page can hold, in printable text.

Whatever the input, the page stays small: every list ends somewhere and says how many findings it
leaves out, and every value is cut. Nothing here knows of HTML.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

from hopguard.catalogue.facts import versions_in_words
from hopguard.catalogue.listing import name_and_keyword
from hopguard.catalogue.repairs import repair_in_words
from hopguard.record import Record
from hopguard.reports.summary import OTHER_RULES, UNKNOWN, RuleSummary, Summary
from hopguard.rule import Rule
from hopguard.rules import load_rules
from hopguard.text import printable

MOST_RULES = 100
"""More than there are in the catalogue: a foreign log may name any number."""

MOST_VARIANTS = 20
"""Of one rule."""

MOST_PLACES = 1000
"""Pairs of host and path on the whole page."""

MOST_EXAMPLES = 3
"""Of one rule."""

NAME_LIMIT, PATH_LIMIT, URL_LIMIT, TEXT_LIMIT = 100, 160, 200, 320
"""Octets that are shown."""

NO_PATH = "(no path)"
"""Where the target was a host, as in CONNECT, or is unknown."""


def show(value: object, limit: int = TEXT_LIMIT) -> str:
    """Show what came from a record as printable ASCII; None is unknown.

    Records may come from a file that anybody has written, so this does not rely on what hopguard
    itself would have escaped there.
    """
    if value is None:
        return UNKNOWN
    return printable(str(value).encode("utf-8", "surrogatepass"), limit)


@dataclass(frozen=True)
class Row:
    """One line of a table, and one bar of its picture."""

    label: str
    count: int
    colour: str = "bar"
    anchor: str = ""


class Fact(NamedTuple):
    """One thing to know, under its name."""

    name: str
    text: str
    url: str = ""


@dataclass(frozen=True)
class Example:
    """One finding."""

    text: str
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Host:
    """What was found at one host, by path."""

    name: str
    count: int
    paths: Sequence[Row]


@dataclass(frozen=True)
class Section:
    """One rule and what breaks it."""

    name: str
    anchor: str
    severity: str
    count: int
    title: str
    explanation: Sequence[str]
    facts: Sequence[Fact]
    hosts: Sequence[Host]
    others: int
    """Findings at hosts and paths that are not listed."""
    examples: Sequence[Example]


def most[T](counter: Mapping[T, int], number: int) -> list[tuple[T, int]]:
    """Return the most frequent; of those that are equally so, the first by name."""
    return nsmallest(number, counter.items(), lambda item: (-item[1], item[0]))


def make_sections(summary: Summary) -> list[Section]:
    """Tell of each rule what breaks it: the most severe first, then the most frequent."""
    known = {rule.id: rule for rule in load_rules()}
    broken = summary.worst_first()[:MOST_RULES]
    shares = share([len(part.places) for part in broken], MOST_PLACES)
    return [
        _section(part, known.get(part.rule), f"rule-{number}", places)
        for number, (part, places) in enumerate(zip(broken, shares, strict=True), 1)
    ]


def share(wanted: Sequence[int], total: int) -> list[int]:
    """Divide `total` so that none gets more than is wanted, and all others the same."""
    given = [0] * len(wanted)
    left = total
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    for number, position in enumerate(order):
        given[position] = min(wanted[position], left // (len(wanted) - number))
        left -= given[position]
    return given


def _section(part: RuleSummary, rule: Rule | None, anchor: str, places: int) -> Section:
    hosts = _hosts(part, places)
    return Section(
        name=show(part.rule, NAME_LIMIT),
        anchor=anchor,
        severity=part.severity,
        count=part.count,
        title=rule.title if rule else _NO_TITLES.get(part.rule, _UNKNOWN_RULE),
        explanation=rule.explanation.split("\n\n") if rule else (),
        facts=[*(_rule_facts(rule) if rule else ()), *_count_facts(part)],
        hosts=hosts,
        others=part.count - sum(host.count for host in hosts),
        examples=[_example(record) for record in part.examples[:MOST_EXAMPLES]],
    )


_UNKNOWN_RULE = "This version of hopguard has no such rule."
_NO_TITLES = {OTHER_RULES: "The rules beyond those that were told apart."}


def _rule_facts(rule: Rule) -> Iterator[Fact]:
    yield Fact("Requirement", name_and_keyword(rule.requirement), rule.requirement.url)
    for requirement in rule.also:
        yield Fact("See also", name_and_keyword(requirement), requirement.url)
    yield Fact("HTTP versions", versions_in_words(rule.versions))
    yield Fact("What fix does", repair_in_words(rule))


def _count_facts(part: RuleSummary) -> Iterator[Fact]:
    named = [(name, count) for name, count in most(part.variants, MOST_VARIANTS) if name]
    if named:
        words = [f"{show(name, NAME_LIMIT)} ({count:,})" for name, count in named]
        yield Fact("Variants", ", ".join(words))
    if part.first is not None:
        yield Fact("Seen", span(part))


def _hosts(part: RuleSummary, number: int) -> list[Host]:
    grouped: dict[str, list[Row]] = {}
    for (host, path), count in most(part.places, number):
        row = Row(show(path or NO_PATH, PATH_LIMIT), count)
        grouped.setdefault(show(host, NAME_LIMIT), []).append(row)
    hosts = [Host(name, sum(row.count for row in rows), rows) for name, rows in grouped.items()]
    return sorted(hosts, key=lambda host: (-host.count, host.name))


def _example(record: Record) -> Example:
    sender, leg = (show(record[key], NAME_LIMIT) for key in ("sender", "leg"))
    facts = [Fact("From", f"{sender}, on the {leg} leg")]
    if record["field"] is not None:
        line = f"{show(record['field'], NAME_LIMIT)}: {show(record['value'])}"
        facts.insert(0, Fact("Field line", line))
    for name, keys in _SHOWN.items():
        values = [show(record[key], URL_LIMIT) for key in keys if record[key] is not None]
        if values:
            facts.append(Fact(name, " ".join(values)))
    return Example(show(record["message"]), facts)


_SHOWN = {
    "Request": ("method", "url"),
    "Status": ("status",),
    "Part": ("http_version", "part"),
    "Time": ("time",),
    "Action": ("action",),
}
"""What is said of an example, by keys of the record."""


def span(part: RuleSummary | Summary) -> str:
    """Say when the first finding was made, and when the last."""
    first, last = (show(time)[:19].replace("T", " ") for time in (part.first, part.last))
    return f"{first} UTC" if first == last else f"{first} to {last} UTC"
