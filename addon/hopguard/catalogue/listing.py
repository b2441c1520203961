"""Many rules at a time: in a terminal, as JSON, and as the tables of the README."""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from hopguard.catalogue.document import escape, link, wrap
from hopguard.catalogue.facts import (
    UNNAMED,
    VISIBLE,
    as_data,
    group_title,
    profiles_in_words,
    runs,
    senders,
    severities_in_words,
    variant_in_words,
    variant_names,
    versions_in_words,
)
from hopguard.catalogue.repairs import fixable
from hopguard.rule import DEFAULT_PROFILES, Requirement, Rule

ListFormat = Literal["text", "json", "markdown"]

_INDENT = " " * 9
"""Of what follows the severity, the longest of which is `warning`."""


def list_rules(rules: Sequence[Rule], form: ListFormat = "text", width: int = 80) -> str:
    """List `rules`, which are sorted by their group, in one of the formats."""
    if form == "json":
        return json.dumps([as_data(rule) for rule in rules], indent=2)
    if form == "markdown":
        return "\n\n".join(_table(group) for group in _groups(rules))
    return "\n\n".join(_section(group, width) for group in _groups(rules))


def _groups(rules: Sequence[Rule]) -> list[list[Rule]]:
    return [list(group) for _, group in groupby(rules, lambda rule: rule.group)]


def _section(rules: Sequence[Rule], width: int) -> str:
    heading = f"{group_title(rules[0])} ({rules[0].group})"
    return "\n\n".join([heading, *(_entry(rule, width) for rule in rules)])


def _entry(rule: Rule, width: int) -> str:
    facts = [
        versions_in_words(rule.versions).replace("all", "all versions"),
        f"from {' or '.join(senders(rule))}",
        VISIBLE[rule.visible],
        f"fix: {fixable(rule)}",
    ]
    lines = [
        rule.title,
        "; ".join(facts),
        f"profiles: {profiles_in_words(rule)}",
        f"variants: {_variants(rule)}",
        name_and_keyword(rule.requirement),
        rule.requirement.url,
    ]
    shown = [wrap(line, width, _INDENT) for line in lines if line != "variants: "]
    return "\n".join([f"{rule.severity!s:<9}{rule.id}", *shown])


def _variants(rule: Rule) -> str:
    """Name the variants and what they weigh; empty if there are none."""
    return ", ".join(
        f"{name or UNNAMED} ({variant_in_words(rule, name)})" for name in variant_names(rule)
    )


def name_and_keyword(requirement: Requirement) -> str:
    """Say where a requirement stands and how strong it is."""
    return f"{requirement} ({requirement.keyword})" if requirement.keyword else str(requirement)


def _table(rules: Sequence[Rule]) -> str:
    rows = [
        f"### {escape(group_title(rules[0]))}",
        "",
        "| rule | severity | versions | sender | fix | what is wrong |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for rule in rules:
        cells = [
            f"`{rule.id}`",
            severities_in_words(rule),
            versions_in_words(rule.versions),
            ", ".join(senders(rule)),
            fixable(rule),
            _remarks(rule),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _remarks(rule: Rule) -> str:
    """Say what is wrong by which requirement, and what is out of the ordinary about the rule."""
    source = link(str(rule.requirement), rule.requirement.url)
    remarks = [f"{escape(rule.title)} {source}."]
    if not runs(rule, DEFAULT_PROFILES):
        remarks.append(f"Profile {profiles_in_words(rule)}.")
    if rule.visible != "hooks":
        seen = VISIBLE[rule.visible]
        remarks.append(f"{escape(seen[0].upper() + seen[1:])}.")
    return " ".join(remarks)
