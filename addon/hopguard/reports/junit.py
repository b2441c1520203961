"""Findings as test results in the XML of JUnit: each rule is a test case, so passes show as well.

The result fits both schemas in use, that of Ant's tasks and that of Jenkins.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TextIO
from xml.etree import ElementTree

from hopguard.catalogue.advice import advice
from hopguard.catalogue.facts import runs
from hopguard.record import Record
from hopguard.reports.summary import RuleSummary, Summary
from hopguard.reports.words import listing, message, number, sentence
from hopguard.rule import DEFAULT_PROFILES, Rule

MOST_PLACES = 20
"""Hosts and paths that a failure lists."""

SUITE = "hopguard"


class JUnitReport:
    """Sums up, and writes at the end."""

    def __init__(self, out: TextIO, rules: Sequence[Rule], checked: Callable[[Rule], bool]) -> None:
        """Write to `out`. Those of `rules` pass that are `checked`, were on, and have no finding.

        A log does not say what was on. It is taken to be what is on by default and can be seen
        in live traffic.
        """
        self._out, self._checked = out, checked
        self._rules = {rule.id: rule for rule in rules}
        self._summary = Summary()

    def add(self, record: Record) -> None:
        """Count a record."""
        self._summary.add(record)

    def finish(self, notes: Sequence[str]) -> Sequence[str]:
        """Write the report; all notes are in it."""
        broken = self._summary.rules
        checked = {
            rule.id: rule
            for rule in self._rules.values()
            if rule.id in broken or (self._checked(rule) and _was_on(rule))
        }
        names = list(dict.fromkeys([*checked, *sorted(broken)]))
        root = ElementTree.Element("testsuites")
        suite = ElementTree.SubElement(root, "testsuite", self._attributes(len(names)))
        ElementTree.SubElement(suite, "properties")
        for name in names:
            _add_case(suite, name, checked.get(name), broken.get(name))
        ElementTree.SubElement(suite, "system-out").text = "\n".join(notes)
        ElementTree.SubElement(suite, "system-err")
        ElementTree.indent(root)
        text = ElementTree.tostring(root, "unicode")
        self._out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')
        return ()

    def _attributes(self, tests: int) -> dict[str, str]:
        last = self._summary.last or datetime.now(UTC).isoformat()
        return {
            "name": SUITE,
            "package": SUITE,
            "id": "0",
            "hostname": "localhost",
            "timestamp": last[:19],
            "tests": str(tests),
            "failures": str(len(self._summary.rules)),
            "errors": "0",
            "skipped": "0",
            "time": "0",
        }


def _was_on(rule: Rule) -> bool:
    return rule.visible != "raw" and runs(rule, DEFAULT_PROFILES)


def _add_case(
    suite: ElementTree.Element, name: str, rule: Rule | None, part: RuleSummary | None
) -> None:
    group = rule.group if rule is not None else "unknown"
    attributes = {"name": name, "classname": f"{SUITE}.{group}", "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if part is None:
        return
    what = f"{number(part.count, 'finding')}; {message(part.examples[0])}"
    attributes = {"type": part.severity, "message": what}
    ElementTree.SubElement(case, "failure", attributes).text = _details(part, rule)


def _details(part: RuleSummary, rule: Rule | None) -> str:
    lines = [f"Example: {sentence(example)}" for example in part.examples]
    if any(part.variants):
        lines.append(f"Variants: {listing(part.variants, MOST_PLACES)}")
    lines += [f"{count:>9,}  {host}{path}" for (host, path), count in _places(part)]
    rest = part.count - sum(count for _, count in _places(part))
    if rest:
        lines.append(f"{rest:>9,}  elsewhere")
    if rule is not None:
        lines += [f"{rule.title} {rule.requirement}.", f"What to do: {advice(rule)}"]
    return "\n".join(lines)


def _places(part: RuleSummary) -> list[tuple[tuple[str, str], int]]:
    return part.places.most_common(MOST_PLACES)
