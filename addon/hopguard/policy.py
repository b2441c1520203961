"""Which action a finding gets, and which line of the policy decided so.

A line is `/flow-filter/rule/action`. Its first character is the separator; the filter may be left
out, and may hold the separator: a line is read from its end. With the separator `/`, what stands
before the action is an id and a variant if the catalogue knows them as such. Later lines win.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_args

from hopguard.catalogue.lookup import UnknownNameError, find_rule, nearest
from hopguard.rule import Finding, Rule, Severity

PolicyAction = Literal["off", "flag", "fix", "block"]
ACTIONS: tuple[PolicyAction, ...] = get_args(PolicyAction)
DEFAULT_ACTION: PolicyAction = "flag"

ALL = "all"
SHAPE = "/flow-filter/rule/action or /rule/action"

Matches = Callable[[Any], object]
"""A compiled flow filter: tells whether a flow matches."""
Compile = Callable[[str], Matches]
"""Compiles a flow filter; raises ValueError if it is none."""

_SEVERITIES = tuple(str(severity) for severity in Severity)


class PolicyError(ValueError):
    """A line of the policy is wrong; the text names it, the part at fault and what is allowed."""


class Subject(NamedTuple):
    """What a policy decides about: what a finding says of its rule."""

    rule: str
    variant: str
    group: str
    severity: Severity


class Decision(NamedTuple):
    """The action of a finding, and the text of the line that decided; None is the default."""

    action: PolicyAction
    line: str | None


@dataclass(frozen=True)
class Line:
    """One line of the policy."""

    text: str
    filter: str
    """Empty if there is none."""
    matches: Matches | None
    """What the filter was compiled to."""
    rule: str
    """An id, a group, a severity or `all` ..."""
    variant: str | None
    """... and a variant, if the line names one."""
    action: PolicyAction

    def covers(self, subject: Subject) -> bool:
        """Tell whether the line is about the rule of `subject`, whatever its filter says."""
        if self.variant is not None:
            return (self.rule, self.variant) == (subject.rule, subject.variant)
        return self.rule in (ALL, subject.rule, subject.group, str(subject.severity))


@dataclass(frozen=True)
class Policy:
    """What happens with findings."""

    default: PolicyAction = DEFAULT_ACTION
    lines: tuple[Line, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    """The group of each rule, by its id."""

    @cached_property
    def only_flags(self) -> bool:
        """Whether all findings are flagged, and nothing else is done."""
        return self.default == "flag" and not self.lines

    @cached_property
    def _by_default(self) -> Decision:
        return Decision(self.default, None)

    def of(self, finding: Finding, flow: object | None = None) -> Decision:
        """Decide about `finding`: see `decide`."""
        if not self.lines:
            return self._by_default
        group = self.groups.get(finding.rule, "")
        return self.decide(Subject(finding.rule, finding.variant, group, finding.severity), flow)

    def decide(self, subject: Subject, flow: object | None = None) -> Decision:
        """Decide about a finding on `flow`; without one, lines that have a filter do not count."""
        for line in reversed(self.lines):
            if line.covers(subject) and (
                line.matches is None or (flow is not None and line.matches(flow))
            ):
                return Decision(line.action, line.text)
        return self._by_default

    def prospects(self, subject: Subject) -> Iterator[tuple[str, Decision]]:
        """List what may be decided: flow filters in the order in which they are tried.

        The last filter is empty: that decision is for all flows that match none of the others.
        """
        for line in reversed(self.lines):
            if line.covers(subject):
                yield line.filter, Decision(line.action, line.text)
                if not line.filter:
                    return
        yield "", self._by_default


def parse_action(text: str) -> PolicyAction:
    """Return the action called `text`.

    Raises:
        PolicyError: there is no such action.
    """
    for action in ACTIONS:
        if text == action:
            return action
    hint = nearest(text, ACTIONS)
    known = f"there are {', '.join(ACTIONS)}"
    raise PolicyError(f"there is no action {text!r}; {f'{hint} - {known}' if hint else known}")


def parse(
    lines: Sequence[str],
    rules: Iterable[Rule],
    compile_filter: Compile,
    default: PolicyAction = DEFAULT_ACTION,
) -> Policy:
    """Read the lines of a policy.

    Raises:
        PolicyError: a line is wrong.
    """
    known = tuple(rules)
    parsed = []
    for number, text in enumerate(lines, 1):
        try:
            parsed.append(_parse_line(text, known, compile_filter))
        except PolicyError as error:
            raise PolicyError(f"line {number}, {text!r}: {error}") from None
    return Policy(default, tuple(parsed), {rule.id: rule.group for rule in known})


def _parse_line(text: str, rules: Sequence[Rule], compile_filter: Compile) -> Line:
    separator, rest = text[:1], text[1:]
    if not separator:
        raise PolicyError(f"it is empty; write {SHAPE}")
    if separator.isalnum():
        raise PolicyError(f"it begins with {separator!r}, which is no separator; write {SHAPE}")
    before, found, action = rest.rpartition(separator)
    if not found:
        raise PolicyError(f"only one part stands behind the separator {separator!r}; write {SHAPE}")
    pattern, rule, variant = _split_rule(before, separator, rules)
    return Line(
        text, pattern, _compiled(pattern, compile_filter), rule, variant, parse_action(action)
    )


def _split_rule(before: str, separator: str, rules: Sequence[Rule]) -> tuple[str, str, str | None]:
    """Split what stands before the action into filter, rule and variant."""
    pattern, filtered, name = before.rpartition(separator)
    first, more, last = pattern.rpartition(separator)
    is_known = name in _wider_names(rules) or any(rule.id == name for rule in rules)
    if separator == "/" and any(
        rule.id == last and (name in rule.variants or not is_known) for rule in rules
    ):
        pattern, filtered, name = first, more, f"{last}/{name}"
    if filtered and not pattern:
        raise PolicyError("its flow filter is empty; leave it out together with its separator")
    rule, variant = _find(name, rules)
    return pattern, rule, variant


def _wider_names(rules: Iterable[Rule]) -> list[str]:
    """List what stands for several rules."""
    return [ALL, *_SEVERITIES, *dict.fromkeys(rule.group for rule in rules)]


def _find(name: str, rules: Sequence[Rule]) -> tuple[str, str | None]:
    if name in _wider_names(rules):
        return name, None
    try:
        rule, variant = find_rule(name, rules)
    except UnknownNameError as error:
        wide = nearest(name, _wider_names(rules))
        hint = f"; {wide}" if wide and "did you mean" not in str(error) else ""
        allowed = f"allowed are an id, id/variant, a group, {', '.join(_SEVERITIES)}, and {ALL}"
        raise PolicyError(f"{error}{hint} ({allowed})") from None
    return rule.id, variant


def _compiled(pattern: str, compile_filter: Compile) -> Matches | None:
    if not pattern:
        return None
    try:
        return compile_filter(pattern)
    except ValueError:
        raise PolicyError(
            f"{pattern!r} is not a flow filter of mitmproxy, such as '~d example.com' or '~q & ~m"
            " POST'"
        ) from None
