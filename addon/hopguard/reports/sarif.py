"""Findings as SARIF 2.1.0, for code scanning and other tools that gather results.

A result stands for all findings with one fingerprint. GitHub refuses a whole file for one flaw, so
each result has a message and one location, which is a relative URI, and its rule is described.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from hopguard import __version__
from hopguard.catalogue.advice import advice
from hopguard.catalogue.explanation import explain
from hopguard.record import Record
from hopguard.reports.fingerprint import Fingerprint, fingerprint
from hopguard.reports.places import place_of, relative_uri
from hopguard.reports.reading import SEVERITIES
from hopguard.reports.words import message, number
from hopguard.rule import Rule

MOST_RESULTS = 5_000
"""GitHub shows no more of one run."""

TEXT_LIMIT = 1_000
"""Characters of a text; GitHub takes 1024 of a description."""

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEM_SEVERITIES = {"error": "error", "warning": "warning", "info": "recommendation"}
_KEPT = (
    *("rule", "variant", "severity", "message", "sender", "leg", "part", "http_version", "field"),
    *("value", "action", "method", "url", "status", "server"),
)


@dataclass
class _Group:
    """Findings with one fingerprint."""

    example: Record
    """The first one's most important keys."""
    count: int = 0
    severity: str = SEVERITIES[-1]
    """The worst."""

    def add(self, severity: str) -> None:
        self.count += 1
        self.severity = min(self.severity, severity, key=SEVERITIES.index)

    @property
    def rank(self) -> tuple[int, int]:
        """Return what sorts the worst and the most frequent first."""
        return SEVERITIES.index(self.severity), -self.count


class SarifReport:
    """Groups the findings, and writes at the end."""

    def __init__(self, out: TextIO, rules: Sequence[Rule]) -> None:
        """Write to `out`; `rules` tell what the findings mean."""
        self._out = out
        self._rules = {rule.id: rule for rule in rules}
        self._groups: dict[Fingerprint, _Group] = {}
        self._left_out = 0

    def add(self, record: Record) -> None:
        """Count a record."""
        key = fingerprint(record)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = _Group({name: _cut(record[name]) for name in _KEPT})
        group.add(record["severity"])
        if len(self._groups) > 2 * MOST_RESULTS:
            self._prune()

    def _prune(self) -> None:
        """Keep the worst and the most frequent."""
        ordered = sorted(self._groups.items(), key=lambda item: item[1].rank)
        self._groups = dict(ordered[:MOST_RESULTS])
        self._left_out += sum(group.count for _, group in ordered[MOST_RESULTS:])

    def finish(self, notes: Sequence[str]) -> Sequence[str]:
        """Write the report; all notes are in it."""
        self._prune()
        if self._left_out:
            rest = number(self._left_out, "finding")
            most = f"{MOST_RESULTS:,} worst and most frequent results"
            notes = [*notes, f"{rest} beyond the {most} left out"]
        names = sorted({key.rule for key in self._groups})
        driver = {
            "name": "hopguard",
            "version": __version__,
            "semanticVersion": __version__,
            "rules": [self._descriptor(name) for name in names],
        }
        run = {
            "tool": {"driver": driver},
            "invocations": [_invocation(notes)],
            "results": [
                _result(key, group, names.index(key.rule)) for key, group in self._groups.items()
            ],
        }
        json.dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, self._out, indent=1)
        self._out.write("\n")
        return ()

    def _descriptor(self, name: str) -> dict[str, Any]:
        rule = self._rules.get(name)
        if rule is None:
            text = "This version of hopguard does not know the rule."
            return {"id": name, "shortDescription": {"text": text}}
        severity = str(rule.severity)
        return {
            "id": name,
            "name": "".join(part.capitalize() for part in name.split("-")),
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": _first_paragraph(rule)},
            "help": {
                "text": f"{_first_paragraph(rule)}\n\nWhat to do: {advice(rule)}",
                "markdown": explain(name, self._rules.values(), "markdown"),
            },
            "helpUri": rule.requirement.url,
            "defaultConfiguration": {"level": LEVELS[severity]},
            "properties": {
                "tags": ["http", rule.group],
                "precision": "high",
                "problem.severity": _PROBLEM_SEVERITIES[severity],
            },
        }


def _first_paragraph(rule: Rule) -> str:
    return str(_cut(" ".join(rule.explanation.partition("\n\n")[0].split())))


def _cut(value: object) -> object:
    """Shorten what is a text, if need be."""
    if not isinstance(value, str) or len(value) <= TEXT_LIMIT:
        return value
    return f"{value[: TEXT_LIMIT - 3]}..."


def _invocation(notes: Iterable[str]) -> dict[str, Any]:
    said = [{"level": "note", "message": {"text": note}} for note in notes]
    return {"executionSuccessful": True, "toolExecutionNotifications": said}


def _result(key: Fingerprint, group: _Group, index: int) -> dict[str, Any]:
    example = group.example
    times = "" if group.count == 1 else f" ({group.count:,} times)"
    location = {
        "artifactLocation": {"uri": relative_uri(place_of(example))},
        "region": {"startLine": 1},
    }
    facts = {name: example[name] for name in _KEPT if example[name] is not None}
    return {
        "ruleId": key.rule,
        "ruleIndex": index,
        "level": LEVELS[group.severity],
        "message": {"text": message(example) + times},
        "locations": [{"physicalLocation": location}],
        # The first is the name that GitHub looks for, the second our own.
        "partialFingerprints": {"primaryLocationLineHash": key.digest, "hopguard/v1": key.digest},
        "occurrenceCount": group.count,
        "properties": {name: facts[name] for name in facts if name not in ("rule", "message")},
    }
