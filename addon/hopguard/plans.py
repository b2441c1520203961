"""What to do with messages that resemble each other in what they have: see `hopguard.memo`."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from hopguard.index import Call
from hopguard.message import Message, RawFields, meant_name
from hopguard.rule import Finding
from hopguard.selection import Lines
from hopguard.witness import NUMBER, WHOLE, Look, Questions

Names = tuple[bytes, ...]


class Outcome(NamedTuple):
    """What is known of messages that give the same answers."""

    calls: tuple[Call, ...]
    """Those that may find something."""
    plain: bool = False
    """See `hopguard.plain`; False also where nobody wants to know."""
    loud: "Plan | None" = None
    """For these calls alone, if there are any."""
    findings: tuple[Finding, ...] = ()
    """What they find, if that is remembered."""

    def is_found_in(self, *sections: RawFields) -> bool:
        """Tell whether there are findings, and they are those of messages with these sections.

        The messages must give the same answers.
        """
        return bool(self.findings) and are_in(self.findings, *sections)


CLEAN = Outcome(())
"""The outcome of messages in which no rule finds anything ..."""

PLAIN = Outcome((), plain=True)
"""... and that are plain as well: by far the most."""


def at_fault[T](finding: Finding, both: Sequence[T]) -> T:
    """Return what a finding is about, that of the request or of the response of an exchange."""
    return both[0 if finding.part.startswith("request") else -1]


def are_in(findings: Iterable[Finding], *sections: RawFields) -> bool:
    """Tell whether messages with these header sections have the field lines at fault, in place.

    If they give the same answers as those that had the findings, they have these, too.
    """
    for finding in findings:
        line = finding.line
        if line is not None and line.section == "header":
            fields, place = at_fault(finding, sections), line.position
            if place >= len(fields) or fields[place] != (line.name, line.value):
                return False
    return True


class Plan:
    """What to do with messages of one outline: one message, or the two of an exchange.

    The outline is the names of the fields that rules have ever asked for, and what else triggers
    rules. It determines which rules run. What they ask apart from names is compared.
    """

    def __init__(self, calls: tuple[Call, ...], names: Sequence[Names]) -> None:
        """Begin without questions; `names` are those of each message."""
        self.calls = calls
        self.names = names
        self.once = Outcome(calls)
        """The outcome, itself, where nothing is known: the answers have been given only once."""
        self.outcomes: dict[object, Outcome] = {}
        """By the answers of messages."""
        self._questions = [Questions() for _ in names]
        self._prepare()

    def _prepare(self) -> None:
        self._facts = [attrgetter(*sorted(questions.facts)) for questions in self._questions]
        looks: list[Look | None] = [
            questions.looks.get(meant_name(name))
            for names, questions in zip(self.names, self._questions, strict=True)
            for name in names
        ]
        self._wholes = [place for place, look in enumerate(looks) if look is WHOLE]
        self._numbers = [place for place, look in enumerate(looks) if look is NUMBER]
        self._of_targets = any("target" in questions.facts for questions in self._questions)

    def ask(self, questions: Sequence[Questions]) -> None:
        """Ask these from now on, too."""
        if any(list(map(Questions.add, self._questions, questions))):
            self._prepare()
            self.outcomes.clear()

    def answers(self, lines: Lines, *messages: Message) -> tuple[object, ...]:
        """Ask messages; `lines` are those of the outline, one message after the other."""
        answers: list[object] = [lines[place][1] for place in self._wholes]
        for place in self._numbers:
            answers.append(lines[place][1].isdigit())
        answers.append(self._facts[0](messages[0]))
        if len(messages) > 1:
            answers.append(self._facts[1](messages[1]))
        return tuple(answers)

    def outcome_of(self, lines: Lines, *messages: Message) -> Outcome | None:
        """Return what is known of messages that are like these, but for their targets."""
        return None if self._of_targets else self.outcomes.get(self.answers(lines, *messages))
