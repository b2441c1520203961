"""Messages with findings in, messages without them out."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hopguard.attempts import Attempts
from hopguard.checker import without_text
from hopguard.differences import describe, limited
from hopguard.message import Message
from hopguard.record import Redaction
from hopguard.rule import Edit, Finding, Rule

logger = logging.getLogger(__name__)


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
    """What was changed altogether."""


class Repairer:
    """Repairs messages by what the rules declare. Pure but for what it logs."""

    def __init__(self, rules: Iterable[Rule], redaction: Redaction) -> None:
        """Take the repairs of `rules`; what `redaction` hides appears in no sentence."""
        self._rules = {rule.id: rule for rule in rules if rule.edits}
        self._redaction = redaction
        self._crashed: set[str] = set()

    def may_fix(self, finding: Finding) -> bool:
        """Tell whether there is a repair for the rule, the variant and the direction at all."""
        rule = self._rules.get(finding.rule)
        return rule is not None and rule.edit_for(finding) is not None

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

        A repair is taken if nothing of that rule and variant is left then, no rule has more, or
        more severe, findings than before, and `hazards.hazard` has nothing against it. What comes
        to light only because of a repair (an option that was meant, but not valid, is gone; now
        its field is unlisted) is repaired in the same go, whatever was asked for. Otherwise the
        message stays as it was, and so does the finding.

        A finding in the header section never changes the trailer section, nor the other way round.
        """
        parts = (message.part, message.trailer_part)
        wanted = [found for found in findings if found.part in parts and self.may_fix(found)]
        if not wanted:
            return Repaired(message, tuple(Outcome(one, False, ()) for one in findings), ())
        attempts = Attempts(message, judge, self._edit_for)
        attempts.repair(wanted)
        told = describe(message, attempts.message, self._redaction)

        def outcome(finding: Finding) -> Outcome:
            places = attempts.places(finding) if finding.part in parts else None
            if places is None:
                return Outcome(finding, False, ())
            edits = (text for place in told if place in places for text in told[place])
            return Outcome(finding, True, tuple(limited(edits)))

        edits = limited(text for texts in told.values() for text in texts)
        return Repaired(attempts.message, tuple(map(outcome, findings)), tuple(edits))

    def _edit_for(self, finding: Finding) -> Edit | None:
        rule = self._rules.get(finding.rule)
        edit = rule.edit_for(finding) if rule is not None else None
        return self._safely(edit, finding.rule) if edit is not None else None

    def _safely(self, edit: Edit, rule: str) -> Edit:
        """Make an edit that does nothing where `edit` crashes: a bug must not stop traffic."""

        def safe[M: Message](message: M, finding: Finding, /) -> M:
            try:
                return edit(message, finding)
            except Exception as error:
                if rule not in self._crashed:
                    self._crashed.add(rule)
                    logger.error(
                        "hopguard: the repair of rule %s crashed; it repairs nothing",
                        rule,
                        exc_info=without_text(error),
                    )
                return message

        return safe
