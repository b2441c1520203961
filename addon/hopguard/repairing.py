"""Messages with findings in, messages without them out."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hopguard import differences
from hopguard.checker import without_text
from hopguard.differences import Place
from hopguard.hazards import hazard
from hopguard.message import Message, Part
from hopguard.record import Redaction
from hopguard.rule import Finding, Rule, Severity

logger = logging.getLogger(__name__)

MOST_ROUNDS = 3
"""Times that all findings are tried: a repair may become possible by another one."""

MOST_CONSEQUENCES = 4
"""Further faults that one repair may bring to light and mend in the same go."""

Judge = Callable[..., list[Finding]]
"""Judges a message of the kind that is repaired; see `Repairer.repair`."""


class Outcome(NamedTuple):
    """What became of one finding."""

    finding: Finding
    fixed: bool
    """Whether it is gone from the message; if not, it falls back to being flagged."""
    edits: tuple[str, ...]
    """What was changed for it, in short printable sentences without secrets; empty if not fixed.
    Several findings may share them."""


@dataclass(frozen=True)
class Repaired[M: Message]:
    """A message after its repair."""

    message: M
    """The message itself if nothing could be repaired, so that `is` tells."""
    outcomes: tuple[Outcome, ...]
    """One for each finding that was to be fixed, in the same order."""
    edits: tuple[str, ...]
    """All that was changed."""


class _Key(NamedTuple):
    """What makes two findings the same fault, wherever their lines have moved."""

    rule: str
    variant: str
    part: Part
    field: bytes


class _Attempt[M: Message](NamedTuple):
    message: M
    findings: list[Finding]


class Repairer:
    """Repairs messages by what the rules declare. Pure but for what it logs."""

    def __init__(self, rules: Iterable[Rule], redaction: Redaction) -> None:
        """Take the repairs of `rules`; what `redaction` hides appears in no sentence."""
        self._edits = {
            (rule.id, variant): edit for rule in rules for variant, edit in rule.edits.items()
        }
        self._redaction = redaction
        self._crashed: set[str] = set()

    def may_fix(self, finding: Finding) -> bool:
        """Tell whether there is a repair for the rule and the variant at all."""
        return (finding.rule, finding.variant) in self._edits

    def repair[M: Message](
        self, message: M, findings: Sequence[Finding], judge: Callable[[M], list[Finding]]
    ) -> Repaired[M]:
        """Repair `message` so that `findings` are gone and nothing else is found instead.

        Args:
            message: a request or a response, as it was received. Where its trailer section is
                known, that is repaired too.
            findings: those of its findings that are to be fixed. Findings about another message
                (the request, if a response is repaired) are left alone.
            judge: lists all that there is to find in a message that takes the place of `message`:
                what `Checker.check_message` says, `check_trailers` where its trailer section is
                known, and for a response `check_exchange` with its request. It is called once and
                then for each repair that is tried, and must not fail.

        A repair is taken if its finding is gone then, no rule has more, or more severe, findings
        than before, and it does nothing that `hazards.hazard` forbids. What comes to light only
        because of a repair (an option that was meant, but not valid, is gone; now its field is
        unlisted) is repaired in the same go, whatever was asked for. Otherwise the message stays
        as it was, and so does the finding.

        Header and trailer section are edited separately: a finding in one never changes the other.
        Call it again with what is left to no effect.
        """
        wanted = {_key(finding): finding for finding in findings if self._concerns(message, finding)}
        if not wanted:
            return Repaired(message, _unfixed(findings), ())
        current, present = message, judge(message)
        touched: dict[_Key, frozenset[Place]] = {}
        for _ in range(MOST_ROUNDS):
            before = current
            for key, finding in wanted.items():
                attempt = None if key in touched else self._try(current, present, finding, judge)
                if attempt is not None:
                    places = differences.changed_places(current, attempt.message)
                    for gone in {key, *map(_key, present)} - set(map(_key, attempt.findings)):
                        touched.setdefault(gone, places)
                    current, present = attempt
            if current is before:
                break
        told = differences.describe(message, current, self._redaction)
        left = set(map(_key, present))
        return Repaired(
            current,
            tuple(_outcome(finding, touched, left, told) for finding in findings),
            tuple(text for texts in told.values() for text in texts),
        )

    def _concerns(self, message: Message, finding: Finding) -> bool:
        return finding.part in (message.part, message.trailer_part) and self.may_fix(finding)

    def _try[M: Message](
        self,
        message: M,
        present: list[Finding],
        finding: Finding,
        judge: Callable[[M], list[Finding]],
    ) -> _Attempt[M] | None:
        """Repair one finding and what comes to light by that; None if that does not work."""
        allowed, edited = _weights(present), message
        next_one: Finding | None = finding
        for _ in range(1 + MOST_CONSEQUENCES):
            further = self._edit(edited, next_one)
            if further is edited:
                return None
            edited, found = further, judge(further)
            excess = _weights(found) - allowed
            if not excess:
                taken = _key(finding) not in map(_key, found) and not hazard(message, edited)
                return _Attempt(edited, found) if taken else None
            worse = {rule for rule, _ in excess}
            next_one = next((f for f in found if f.rule in worse and self.may_fix(f)), None)
        return None

    def _edit[M: Message](self, message: M, finding: Finding | None) -> M:
        if finding is None:
            return message
        try:
            edited = self._edits[finding.rule, finding.variant](message, finding)
        except Exception as error:  # a bug must not stop traffic, nor the other repairs
            if finding.rule not in self._crashed:
                self._crashed.add(finding.rule)
                logger.error(
                    "hopguard: the repair of rule %s crashed; it repairs nothing",
                    finding.rule,
                    exc_info=without_text(error),
                )
            return message
        return message if edited == message else edited


def _key(finding: Finding) -> _Key:
    name = finding.line.name.lower() if finding.line is not None else b""
    return _Key(finding.rule, finding.variant, finding.part, name)


def _weights(findings: Iterable[Finding]) -> Counter[tuple[str, Severity]]:
    """Count for each rule the findings that weigh at least as much as each severity."""
    return Counter(
        (finding.rule, severity)
        for finding in findings
        for severity in Severity
        if finding.severity >= severity
    )


def _unfixed(findings: Iterable[Finding]) -> tuple[Outcome, ...]:
    return tuple(Outcome(finding, fixed=False, edits=()) for finding in findings)


def _outcome(
    finding: Finding,
    touched: dict[_Key, frozenset[Place]],
    left: set[_Key],
    told: "dict[Place, list[str]]",
) -> Outcome:
    key = _key(finding)
    if key not in touched or key in left:
        return Outcome(finding, fixed=False, edits=())
    edits = [text for place, texts in told.items() if place in touched[key] for text in texts]
    return Outcome(finding, fixed=True, edits=tuple(edits))
