"""Which rules need not judge a message, because they found nothing in the like of it.

Most messages resemble others in all that rules look at. So rules that have found nothing run once
more, on witnesses (see there), and the answers to precisely the questions that they asked are
remembered. Rules are functions of what they ask: in another message that gives the same answers,
they find nothing either. So it is with whether messages are plain.

What rules have found is remembered apart from that, by the answers to what those rules asked: what
is at fault varies more than the rest.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from hopguard.events import TELLING, TELLING_KIND
from hopguard.fields import NameKind
from hopguard.index import AnswerIndex, Index, Trigger
from hopguard.message import Message, RawFields, meant_name
from hopguard.plans import Names, Outcome, Plan, at_fault
from hopguard.rule import Finding, Rule
from hopguard.selection import Lines, Selection
from hopguard.witness import Questions

# Peers choose what is remembered. All of it is bounded, and is forgotten when a bound is reached.
_MOST_PLANS = 1024
_MOST_ANSWERS = 4096
_MOST_NAMES = 512
_LONGEST_OUTLINE = 1024
_LONGEST_ANSWERS = 1024
_MOST_FINDINGS = 512


View = tuple[Lines, Names, object]
"""What of a header section matters: the lines whose names belong to an outline, and these names;
also since when it has been known which those are: see `Memo.since`."""


class Memo:
    """Remembers plans, and what they are to be when they are new."""

    def __init__(self, rules: Iterable[Rule], most_views: int) -> None:
        """Begin with the fields that trigger `rules`, and those that tell of connections.

        No more than so many views are kept, with the header sections that are viewed.
        """
        self._most_views = most_views
        self._names: frozenset[bytes] = TELLING.union(*(rule.fields for rule in rules))
        self._kinds: set[NameKind] = {TELLING_KIND}
        self._odd_names = [rule.odd_names for rule in rules if rule.odd_names]
        self._selection = Selection(self._is_of_interest)
        self.select = self._selection.of
        self.since = object()
        """Another one, as soon as other names belong to outlines."""
        self._views: dict[int, tuple[RawFields, View]] = {}
        """By the identity of what is viewed, which is kept with it."""
        self.plans: dict[object, Plan] = {}
        """What to do with messages, by their outlines: see `make_plan`."""
        self._answers = self._findings = 0

    def view(self, fields: RawFields) -> View:
        """Choose the field lines whose names belong to an outline; also return their names.

        An exchange is judged after its request, and there are others meanwhile: the latest header
        sections are kept.
        """
        known = self._views.get(id(fields))
        if known is not None and known[0] is fields:
            return known[1]
        if len(self._views) >= self._most_views:
            self._views.clear()
        lines = self.select(fields)
        view = lines, tuple([name for name, _ in lines]), self.since
        self._views[id(fields)] = fields, view
        return view

    def _is_of_interest(self, name: bytes) -> bool:
        return (
            meant_name(name) in self._names
            or any(kind.includes(name.lower()) for kind in self._kinds)
            or any(is_odd(name) for is_odd in self._odd_names)
        )

    def make_plan(
        self, index: Index | AnswerIndex, trigger: Trigger, names: tuple[Names, ...]
    ) -> Plan:
        """Make the plan for messages of a new outline; `names` are those of each."""
        plan = Plan(index.triggered(trigger, *names), names)
        if sum(map(len, chain(*names))) <= _LONGEST_OUTLINE:
            if len(self.plans) >= _MOST_PLANS:
                self._forget()
            self.plans[index, trigger, names] = plan
        return plan

    def note(self, plan: Plan, answers: object) -> None:
        """Note that messages have given these answers for the first time."""
        if len(repr(answers)) <= _LONGEST_ANSWERS:
            if self._answers >= _MOST_ANSWERS:
                self._forget()
            self._answers += 1
            plan.outcomes[answers] = plan.once

    def remember(
        self,
        plan: Plan,
        outcome: Outcome,
        asked: Sequence[Questions],
        lines: Lines,
        *messages: Message,
    ) -> None:
        """Remember an outcome, which rests on what of each message was `asked`."""
        if any("fields" in questions.facts for questions in asked):
            return
        names = self._names.union(*(questions.names for questions in asked))
        kinds = self._kinds.union(*(questions.kinds for questions in asked))
        if (names, kinds) != (self._names, self._kinds):
            if len(names) + len(kinds) <= _MOST_NAMES:
                self._names, self._kinds = names, kinds
                self._forget()  # the outlines were too coarse
            return
        self._remember(plan, outcome, asked, lines, *messages)

    def remember_findings(
        self,
        plan: Plan,
        findings: Sequence[Finding],
        asked: Sequence[Questions],
        lines: Lines,
        *messages: Message,
    ) -> None:
        """Remember what the calls of `plan` have found, as above; the outlines stay as they are.

        Of a line that is there twice, nobody could tell which one is at fault.
        """
        outcome = Outcome(plan.calls)  # with nothing but these to be called
        if (
            all(
                "fields" not in questions.facts
                and questions.names <= self._names
                and questions.kinds <= self._kinds
                for questions in asked
            )
            and self._findings + len(findings) <= _MOST_FINDINGS
            and all(_is_single(finding, messages) for finding in findings)
        ):
            self._findings += len(findings)
            outcome = Outcome(plan.calls, findings=tuple(findings))
        else:
            asked = []
        self._remember(plan, outcome, asked, lines, *messages)

    def _remember(
        self,
        plan: Plan,
        outcome: Outcome,
        asked: Sequence[Questions],
        lines: Lines,
        *messages: Message,
    ) -> None:
        plan.ask(asked)
        answers = plan.answers(lines, *messages)
        self.note(plan, answers)
        if answers in plan.outcomes:
            plan.outcomes[answers] = outcome

    def _forget(self) -> None:
        self.since = object()
        self._views.clear()
        self._selection.forget()
        self.plans.clear()
        self._answers = self._findings = 0


def _is_single(finding: Finding, messages: Sequence[Message]) -> bool:
    line = finding.line
    if line is None or line.section != "header":
        return True
    return at_fault(finding, messages).fields.count((line.name, line.value)) == 1
