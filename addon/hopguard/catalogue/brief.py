"""A rule in two paragraphs: why it matters and what to change, for beside a message."""

from collections.abc import Iterable

from hopguard.catalogue.advice import advice
from hopguard.catalogue.document import wrap
from hopguard.catalogue.lookup import UnknownNameError, find_rule
from hopguard.rule import Rule


def brief(name: str, rules: Iterable[Rule], width: int) -> str:
    """Say why the rule called `name` matters and what to change; empty if there is no such rule."""
    try:
        rule, variant = find_rule(name, rules)
    except UnknownNameError:
        return ""
    why = " ".join(rule.explanation.partition("\n\n")[0].split())
    change = advice(rule)
    parts = {
        "Why": why if why != change else "",
        "What to change": change,
        "Safe repair": rule.repair if variant is None or variant in rule.edits else "",
    }
    return "\n\n".join(wrap(f"{label}: {text}", width) for label, text in parts.items() if text)
