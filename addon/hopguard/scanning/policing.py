"""Which findings a policy lets through. What is past can neither be repaired nor blocked."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from hopguard.captures.flowfile import FlowFileReader, compile_filter
from hopguard.policy import Policy, Subject, parse
from hopguard.rule import Finding, Rule
from hopguard.rules import load_rules

Wanted = Callable[[Finding], bool]
"""Tells whether a finding is to be reported."""


@cache
def policy_of(lines: Sequence[str]) -> Policy:
    """Read the lines of a policy.

    Raises:
        PolicyError: one is wrong.
    """
    return parse(lines, load_rules(), compile_filter)


def all_wanted(policy: Policy) -> bool:
    """Tell whether the policy leaves out nothing."""
    return all(line.action != "off" for line in policy.lines)


def wanted_of(policy: Policy, reader: object) -> Wanted | None:
    """Return what tells whether findings about what `reader` gives now are wanted; None if all are.

    A flow is made only for a finding, and if the policy has a flow filter; of other captures than
    flow files there is none, and lines with a filter do not count.
    """
    if all_wanted(policy):
        return None
    filtered = any(line.matches is not None for line in policy.lines)

    def wanted(finding: Finding) -> bool:
        flow: Any = None
        if filtered and isinstance(reader, FlowFileReader):
            flow = reader.flow()
        return policy.of(finding, flow).action != "off"

    return wanted


def is_off(policy: Policy, rule: Rule) -> bool:
    """Tell whether the policy leaves out all findings of `rule`, whatever the flow."""
    names = rule.variants or [""]
    subjects = [Subject(rule.id, name, rule.group, rule.severity) for name in names]
    return all(policy.decide(subject).action == "off" for subject in subjects)
