"""What can be said of a rule besides its text, as plain data and in words that fit into a table."""

import importlib
from collections.abc import Iterable, Mapping
from typing import TypedDict

from hopguard.checker import Checker
from hopguard.message import EVERY_VERSION, HTTP1, Version
from hopguard.rule import DEFAULT_PROFILES, PROFILES, Requirement, Rule, Visibility

VISIBLE: Mapping[Visibility, str] = {
    "hooks": "on live traffic",
    "refused": "on live traffic, in messages that mitmproxy refuses",
    "rejected": "on live traffic, unless hopguard_see_rejected is off",
    "raw": "only in captures that hold the raw octets",
}
"""Where the evidence of a rule can be seen, in words."""

UNNAMED = "otherwise"
"""What stands for a variant without a name, which a finding reports by the rule's id alone."""


class RequirementData(TypedDict):
    """A requirement as plain data."""

    name: str
    rfc: int | None
    section: str | None
    keyword: str | None
    url: str


class VariantData(TypedDict):
    """A variant as plain data."""

    name: str | None
    severity: str
    raised_by: dict[str, str]
    """Profiles in which it weighs more, and how much."""
    profiles: list[str]
    """It runs if one of them is on; empty: whenever the rule does."""
    default: bool
    requirement: RequirementData | None
    """Where it breaks another one than the rule's."""


class RuleData(TypedDict):
    """A rule as plain data: keys keep their names, and further ones may follow."""

    id: str
    group: str
    title: str
    severity: str
    """That of the most severe variant."""
    variants: list[VariantData]
    profiles: list[str]
    """The rule runs if one of them is on ..."""
    silenced_by: list[str]
    """... and none of these."""
    default: bool
    """Whether it runs when no profile is chosen."""
    versions: list[str]
    senders: list[str]
    visible: str
    """See `hopguard.rule.Visibility`."""
    requirement: RequirementData
    repair: str | None
    """What the action `fix` does; null where there is no safe repair."""


def as_data(rule: Rule) -> RuleData:
    """Return what there is to say of `rule`, but for its explanation and its examples."""
    return {
        "id": rule.id,
        "group": rule.group,
        "title": rule.title,
        "severity": str(rule.severity),
        "variants": [_variant_data(rule, name) for name in rule.variants],
        "profiles": in_order(rule.profiles),
        "silenced_by": in_order(rule.silenced_by),
        "default": runs(rule, DEFAULT_PROFILES),
        "versions": sorted(rule.versions),
        "senders": senders(rule),
        "visible": rule.visible,
        "requirement": _requirement_data(rule.requirement),
        "repair": rule.repair or None,
    }


def _variant_data(rule: Rule, name: str) -> VariantData:
    variant = rule.variants[name]
    other = variant.requirement
    return {
        "name": name or None,
        "severity": str(variant.severity),
        "raised_by": {profile: str(variant.raised_by[profile]) for profile in variant.raised_by},
        "profiles": in_order(variant.profiles),
        "default": runs(rule, DEFAULT_PROFILES, name),
        "requirement": _requirement_data(other) if other is not None else None,
    }


def _requirement_data(requirement: Requirement) -> RequirementData:
    return {
        "name": str(requirement),
        "rfc": requirement.rfc,
        "section": requirement.section or None,
        "keyword": requirement.keyword or None,
        "url": requirement.url,
    }


def in_order(profiles: Iterable[str]) -> list[str]:
    """Sort `profiles` as they are documented: those that are on by default come first."""
    return sorted(profiles, key=PROFILES.index)


def runs(rule: Rule, profiles: Iterable[str], variant: str | None = None) -> bool:
    """Tell whether `rule`, and the variant if one is named, is on under `profiles`."""
    checker = Checker(profiles, [rule])
    names = rule.variants or [""] if variant is None else [variant]
    return bool(checker.rules) and any(rule.runs_variant(name, checker.profiles) for name in names)


def senders(rule: Rule) -> list[str]:
    """List the peers whose message is at fault.

    An intermediary that shows itself in the message is named in the finding instead. Rules about
    connections say it themselves. Rules on exchanges say nothing of it; the marked lines of their
    examples do.
    """
    if rule.senders:
        return list(rule.senders)
    if rule.kind == "exchange":
        texts = [text for examples in rule.violating.values() for text in examples]
        signs = {line.strip()[:2] for text in texts for line in text.splitlines()}
        at_fault = {"client": ">!" in signs, "server": "<!" in signs}
    else:
        at_fault = {
            "client": "request" in rule.directions,
            "server": "response" in rule.directions,
        }
    return [sender for sender, guilty in at_fault.items() if guilty]


def group_title(rule: Rule) -> str:
    """Return the title of the rule's group, without a full stop."""
    package = importlib.import_module(rule.check.__module__.rpartition(".")[0])
    return (package.__doc__ or rule.group).partition("\n")[0].rstrip(".")


def versions_in_words(versions: frozenset[Version]) -> str:
    """Say which versions of HTTP are meant, as briefly as possible."""
    if versions == EVERY_VERSION:
        return "all"
    if versions >= HTTP1:
        return ", ".join(["HTTP/1.x", *sorted(versions - HTTP1)])
    return ", ".join(sorted(versions))


def profiles_in_words(rule: Rule) -> str:
    """Say in which profiles `rule` runs, and whether it does so by default."""
    silent = f"; silent with {', '.join(in_order(rule.silenced_by))}" if rule.silenced_by else ""
    off = "" if runs(rule, DEFAULT_PROFILES) else "; off by default"
    return ", ".join(in_order(rule.profiles)) + silent + off


def variant_names(rule: Rule) -> list[str]:
    """List the names of the variants, the empty one last."""
    return sorted(rule.variants, key=lambda name: not name)


def variant_in_words(rule: Rule, name: str) -> str:
    """Say how much a variant weighs, and when."""
    variant = rule.variants[name]
    words = [str(variant.severity)]
    words += [f"{weight} with {profile}" for profile, weight in variant.raised_by.items()]
    if variant.profiles and not runs(rule, DEFAULT_PROFILES, name):
        words.append(f"only with {' or '.join(in_order(variant.profiles))}")
    return ", ".join(words)


def severities_in_words(rule: Rule) -> str:
    """Name the severities of a rule and its variants, the highest first."""
    found = {rule.severity, *(variant.severity for variant in rule.variants.values())}
    return ", ".join(str(severity) for severity in sorted(found, reverse=True))
