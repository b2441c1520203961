"""One rule at a time: what was sent, why it matters, who breaks on it, and what to do about it."""

from collections.abc import Iterable, Iterator
from typing import Literal

from hopguard.catalogue.document import (
    Block,
    Example,
    Facts,
    Heading,
    Item,
    Paragraph,
    as_markdown,
    as_text,
)
from hopguard.catalogue.facts import (
    UNNAMED,
    VISIBLE,
    profiles_in_words,
    senders,
    variant_in_words,
    variant_names,
    versions_in_words,
)
from hopguard.catalogue.listing import list_rules, name_and_keyword
from hopguard.catalogue.lookup import find_group, find_rule
from hopguard.catalogue.repairs import BLOCKS, repair_in_words
from hopguard.policy import Decision, Policy, Subject
from hopguard.rule import Requirement, Rule

ExplainFormat = Literal["text", "markdown"]

FEW = 2
"""Examples of each sort that are shown if not all are asked for."""

LEGEND = (
    "Lines with > are what the client sends, lines with < what the server sends, lines with * what"
    " the messages do not show; ^^^ is below a line at fault."
)


def explain(
    name: str,
    rules: Iterable[Rule],
    form: ExplainFormat = "text",
    width: int = 80,
    *,
    all_examples: bool = False,
    policy: Policy | None = None,
) -> str:
    """Explain the rule that `name`, `id` or `id/variant`, means; of a group, list the rules.

    With a `policy`, say which action the rule has by it, and which line decides so.

    Raises:
        UnknownNameError: there is no such rule, or it has no such variant.
    """
    rules = tuple(rules)
    group = find_group(name, rules)
    if group:
        return list_rules(group, form, width)
    rule, variant = find_rule(name, rules)
    blocks = document(rule, variant, None if all_examples else FEW, policy)
    return as_text(blocks, width) if form == "text" else as_markdown(blocks)


def document(
    rule: Rule,
    variant: str | None = None,
    limit: int | None = FEW,
    policy: Policy | None = None,
) -> list[Block]:
    """Explain a rule, or one variant of it, with up to `limit` examples of each sort, or all.

    With a `policy`, also say what it does with findings of the rule.
    """
    variants = [variant] if variant is not None else variant_names(rule)
    return [
        Heading(f"{rule.id}/{variant}" if variant else rule.id, 1),
        Paragraph(rule.title),
        *(Paragraph(text) for text in rule.explanation.split("\n\n")),
        Facts([*_facts(rule, variants), *_actions(rule, variants, policy)]),
        Heading("What fix does"),
        Paragraph(repair_in_words(rule, variant)),
        *_block(rule),
        Heading("Examples"),
        Paragraph(LEGEND),
        *_examples(rule, variants, limit),
    ]


def _block(rule: Rule) -> list[Block]:
    """Say what block does about a connection; a message is kept back, whatever the rule."""
    if rule.kind != "connection":
        return []
    return [Heading("What block does"), Paragraph(BLOCKS[rule.block])]


def _facts(rule: Rule, variants: list[str]) -> Iterator[tuple[str, list[Item]]]:
    weights = [f"{name or UNNAMED}: {variant_in_words(rule, name)}" for name in variants]
    yield "Severity", [Item(weight) for weight in weights or [str(rule.severity)]]
    yield "Versions", [Item(versions_in_words(rule.versions))]
    yield "Sender", [Item(" or ".join(senders(rule)))]
    yield "Visible", [Item(VISIBLE[rule.visible])]
    yield "Profiles", [Item(profiles_in_words(rule))]
    yield "Group", [Item(rule.group)]
    others = [
        _item(requirement, f"{name or UNNAMED}: ")
        for name in variants
        if (requirement := rule.variants[name].requirement) is not None
    ]
    yield "Requirement", [_item(rule.requirement), *others]
    if rule.also:
        yield "See also", [_item(requirement) for requirement in rule.also]


def _actions(
    rule: Rule, variants: list[str], policy: Policy | None
) -> Iterator[tuple[str, list[Item]]]:
    """Say what the policy does: once, if it is the same for all variants."""
    if policy is None:
        return
    severities = {name: rule.variants[name].severity for name in variants} or {"": rule.severity}
    rows = {
        name: [
            Item(action_in_words(*prospect))
            for prospect in policy.prospects(Subject(rule.id, name, rule.group, severity))
        ]
        for name, severity in severities.items()
    }
    first, *others = rows.values()
    if all(row == first for row in others):
        yield "Action", first
    else:
        yield from ((f"Action, {name or UNNAMED}", items) for name, items in rows.items())


def action_in_words(filter_: str, decision: Decision) -> str:
    """Say which action is taken on which flows, and why."""
    line = f"by the line {decision.line}" if decision.line is not None else "by hopguard_action"
    flows = f" for flows that match {filter_}" if filter_ else ""
    return f"{decision.action}{flows}, {line}"


def _item(requirement: Requirement, prefix: str = "") -> Item:
    return Item(prefix + name_and_keyword(requirement), requirement.url)


def _examples(rule: Rule, variants: list[str], limit: int | None) -> Iterator[Block]:
    sorts = [
        (f"Violating: {name}" if name else "Violating", rule.violating[name])
        for name in variants or [""]
    ]
    sorts.append(("Conforming", rule.conforming))
    left_out = 0
    for heading, texts in sorts:
        for text in texts[:limit]:
            yield Heading(heading, 3)
            yield Example(text)
        left_out += len(texts[limit:]) if limit is not None else 0
    if left_out:
        yield Paragraph(f"{left_out} more with --all-examples.")
