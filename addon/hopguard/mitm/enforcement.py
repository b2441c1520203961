"""What the policy does to one message: which findings it silences, repairs, or blocks for."""

import logging
from collections.abc import Callable, Container, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mitmproxy import http

from hopguard.checker import without_text
from hopguard.message import Message, Part
from hopguard.policy import Decision, Policy
from hopguard.record import Action, Redaction
from hopguard.rule import Finding, Rule
from hopguard.rules import load_rules

if TYPE_CHECKING:
    from hopguard.repairing import Repairer

logger = logging.getLogger(__name__)


class Handled(NamedTuple):
    """A finding, and what is done about it."""

    finding: Finding
    action: Action
    edits: tuple[str, ...] = ()
    policy: str | None = None
    """The line that decided; None is the default action."""


class Plan[M: Message](NamedTuple):
    """What is to be done with a message."""

    message: M
    """What is to take its place; the message itself if nothing is repaired."""
    handled: tuple[Handled, ...]
    blocked_by: Finding | None = None
    """The finding for which the message must not go on, the worst of them, if there is one."""


class Enforcement:
    """Applies the policy. It decides; it touches no flow."""

    def __init__(self, rules: Iterable[Rule] | None = None) -> None:
        """Begin with the default policy; `rules` have the repairs (by default, all of them)."""
        self._rules = tuple(load_rules() if rules is None else rules)
        self.policy = Policy()
        self._redaction = Redaction()
        self._repairer: Repairer | None = None

    def redact(self, redaction: Redaction) -> None:
        """Hide what `redaction` says in the sentences about edits from now on."""
        self._redaction, self._repairer = redaction, None

    def observe(
        self, flow: http.HTTPFlow | None, findings: Iterable[Finding], action: Action
    ) -> list[Handled]:
        """Leave out what is off; the rest cannot be acted on, or `action` has been done already."""
        if self.policy.only_flags:
            return [Handled(finding, action) for finding in findings]
        return [
            Handled(finding, action, policy=decision.line)
            for finding, decision in self.decided(flow, findings)
        ]

    def plan[M: Message](
        self,
        flow: http.HTTPFlow,
        message: M,
        findings: Sequence[Finding],
        judge: Callable[[M], list[Finding]],
        parts: Container[Part],
    ) -> Plan[M]:
        """Plan what happens with `message`, which is on its way, for its `findings`.

        `judge` is as in `Repairer.repair`; only findings about `parts` can still be repaired.
        """
        decided = self.decided(flow, findings)
        blocking = [finding for finding, decision in decided if decision.action == "block"]
        if blocking:
            handled = [
                Handled(finding, _when_blocked(decision), policy=decision.line)
                for finding, decision in decided
            ]
            worst = max(blocking, key=lambda finding: finding.severity)
            return Plan(message, tuple(handled), worst)
        fixing = [
            finding
            for finding, decision in decided
            if decision.action == "fix" and finding.part in parts
        ]
        repaired, edits = self.repair(message, fixing, judge)
        handled = [
            Handled(finding, "fixed", edits[finding], decision.line)
            if edits and finding in edits
            else Handled(finding, "flagged", policy=decision.line)
            for finding, decision in decided
        ]
        return Plan(repaired, tuple(handled))

    def repair[M: Message](
        self, message: M, findings: Sequence[Finding], judge: Callable[[M], list[Finding]]
    ) -> tuple[M, dict[Finding, tuple[str, ...]]]:
        """Repair a message; also say for each finding that is gone by what edits."""
        if not findings:
            return message, {}
        try:
            repaired = self._ready_repairer().repair(message, findings, judge)
        except Exception as error:  # a bug must not stop traffic
            logger.error("hopguard: a repair crashed", exc_info=without_text(error))
            return message, {}
        return repaired.message, {
            outcome.finding: outcome.edits for outcome in repaired.outcomes if outcome.fixed
        }

    def _ready_repairer(self) -> "Repairer":
        if self._repairer is None:
            from hopguard.repairing import Repairer  # by default nothing is repaired

            self._repairer = Repairer(self._rules, self._redaction)
        return self._repairer

    def decided(
        self, flow: http.HTTPFlow | None, findings: Iterable[Finding]
    ) -> list[tuple[Finding, Decision]]:
        """Ask the policy about each of `findings`, and leave out what is off."""
        decide = self.policy.of
        return [
            (finding, decision)
            for finding in findings
            if (decision := decide(finding, flow)).action != "off"
        ]


def _when_blocked(decision: Decision) -> Action:
    """Tell what happens to a finding on a message that does not go on."""
    return "flagged" if decision.action == "flag" else "blocked"
