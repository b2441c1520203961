"""Repairs one after the other: which are taken, in what order, and what became of the findings."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from hopguard import differences
from hopguard.differences import Place
from hopguard.hazards import hazard
from hopguard.message import Message, Part
from hopguard.rule import Edit, Finding, Severity

MOST_ROUNDS = 4
"""Times that all findings are tried: a repair may become possible by another one."""

MOST_CONSEQUENCES = 4
"""Further faults that one repair may bring to light and mend in the same go."""


class Fault(NamedTuple):
    """What a repair mends at once: all findings of one rule and variant in one section."""

    rule: str
    variant: str
    part: Part


def fault(finding: Finding) -> Fault:
    """Return what `finding` is one finding of."""
    return Fault(finding.rule, finding.variant, finding.part)


class _Taken[M: Message](NamedTuple):
    message: M
    findings: list[Finding]


class Attempts[M: Message]:
    """The repair of one message."""

    def __init__(
        self,
        message: M,
        judge: Callable[[M], list[Finding]],
        edit_for: Callable[[Finding], Edit | None],
    ) -> None:
        """Begin with `message` as it was received."""
        self.message = message
        """As far as it is repaired."""
        self.found = judge(message)
        """What there is to find in it."""
        self._judge = judge
        self._edit_for = edit_for
        self._at_first = {fault(finding) for finding in self.found}
        self._gone: dict[Fault, frozenset[Place]] = {}

    def repair(self, findings: Iterable[Finding]) -> None:
        """Repair what can be repaired of `findings`."""
        wanted = {fault(finding): finding for finding in findings}
        rules = {(finding.rule, finding.part) for finding in wanted.values()}
        for _ in range(MOST_ROUNDS):
            before = self.message
            for finding in [found for key, found in wanted.items() if key not in self._gone]:
                taken = self._try(finding)
                if taken is not None:
                    self._take(taken, fault(finding))
            # A fault may have become another variant of itself: contradicted, then unannounced.
            for finding in self.found:
                if (finding.rule, finding.part) in rules and fault(finding) not in self._at_first:
                    wanted.setdefault(fault(finding), finding)
            if self.message is before:
                return

    def places(self, finding: Finding) -> frozenset[Place] | None:
        """Return the fields by whose edits `finding` is gone; None if it is not.

        One that has only turned into another variant of the same weight is not gone.
        """
        successors = [
            found
            for found in self.found
            if (found.rule, found.part) == (finding.rule, finding.part)
            and (fault(found) not in self._at_first or fault(found) == fault(finding))
        ]
        if any(found.severity >= finding.severity for found in successors):
            return None
        return self._gone.get(fault(finding))

    def _take(self, taken: _Taken[M], mended: Fault) -> None:
        places = differences.changed_places(self.message, taken.message)
        before = {mended, *map(fault, self.found)}
        for gone in before.difference(map(fault, taken.findings)):
            self._gone.setdefault(gone, places)
        self.message, self.found = taken

    def _try(self, finding: Finding) -> _Taken[M] | None:
        """Repair one finding and what comes to light by that; None if that does not work."""
        allowed, edited = _weights(self.found), self.message
        next_one: Finding | None = finding
        for _ in range(1 + MOST_CONSEQUENCES):
            edit = self._edit_for(next_one) if next_one is not None else None
            if next_one is None or edit is None:
                return None
            further = edit(edited, next_one)
            if further == edited:
                return None
            edited, found = further, self._judge(further)
            excess = _weights(found) - allowed
            if not excess:
                mended = fault(finding) not in map(fault, found)
                harmless = not hazard(self.message, edited)
                return _Taken(edited, found) if mended and harmless else None
            worse = {rule for rule, _ in excess}
            further_faults = (one for one in found if one.rule in worse and self._edit_for(one))
            next_one = next(further_faults, None)
        return None


def _weights(findings: Iterable[Finding]) -> Counter[tuple[str, Severity]]:
    """Count for each rule the findings that weigh at least as much as each severity."""
    return Counter(
        (finding.rule, severity)
        for finding in findings
        for severity in Severity
        if finding.severity >= severity
    )
