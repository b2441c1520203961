"""What is remembered of clean messages, so that the like of them need not be judged again.

Most messages resemble others in all that rules look at. So when rules have found nothing, they run
once more, on witnesses (see there), and the answers to precisely the questions that they asked are
remembered. Rules are functions of what they ask: another message that gives the same answers is
clean, too. Findings are not remembered.
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from hopguard.index import Call, Index, Trigger
from hopguard.message import Message, RawFields, meant_name
from hopguard.rule import Rule
from hopguard.witness import Look, Questions

# Peers choose what is remembered. All of it is bounded, and is forgotten when a bound is reached.
_MOST_LINES = 128
_MOST_SPELLINGS = 4096
_MOST_PLANS = 1024
_MOST_ANSWERS = 4096
_MOST_NAMES = 512
_LONGEST_NAME = 64
_LONGEST_OUTLINE = 1024
_LONGEST_ANSWERS = 1024

Lines = list[tuple[bytes, bytes]]


class Plan:
    """What to do with messages of one outline: one message, or the two of an exchange.

    The outline is the names of the fields that rules have ever asked for, and what else triggers
    rules. It determines which rules run. What they ask apart from names is compared.
    """

    def __init__(self, calls: tuple[Call, ...], names: Sequence[Sequence[bytes]]) -> None:
        """Begin without questions; `names` are those in the one and the other message."""
        self.calls = calls
        self.clean: set[object] = set()
        """What clean messages have answered."""
        self._names = names
        self._questions = [Questions() for _ in names]
        self._prepare()

    def _prepare(self) -> None:
        self._facts = [attrgetter(*sorted(questions.facts)) for questions in self._questions]
        looks: list[Look | None] = [
            questions.looks.get(meant_name(name))
            for names, questions in zip(self._names, self._questions, strict=True)
            for name in names
        ]
        self._looks = [(position, look) for position, look in enumerate(looks) if look]

    def ask(self, questions: Sequence[Questions]) -> None:
        """Ask these from now on, too."""
        if any(list(map(Questions.add, self._questions, questions))):
            self._prepare()
            self.clean.clear()

    def answers(self, lines: Lines, *messages: Message) -> tuple[object, ...]:
        """Ask messages; `lines` are those of the outline, one message after the other."""
        answers = [look(lines[position][1]) for position, look in self._looks]
        answers.append(self._facts[0](messages[0]))
        if len(messages) > 1:
            answers.append(self._facts[1](messages[1]))
        return tuple(answers)


class Memo:
    """Remembers clean messages."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Begin with the fields that trigger `rules`."""
        self._names = {name for rule in rules for name in rule.fields}
        self._kinds: set[Callable[[bytes], bool]] = set()
        self._odd_names = [rule.odd_names for rule in rules if rule.odd_names]
        self._spellings: dict[bytes, bool] = {}
        """Whether names are of interest, as they are spelt."""
        self._plans: dict[object, Plan] = {}
        self._answers = 0

    def lines(self, fields: RawFields) -> Lines:
        """Choose the field lines whose names belong to an outline."""
        spellings = self._spellings
        try:
            return [line for line in fields if spellings[line[0]]]
        except KeyError:
            known = {name: self._is_of_interest(name) for name, _ in fields}
        if len(known) <= _MOST_LINES:
            if len(spellings) > _MOST_SPELLINGS:
                spellings.clear()
            spellings.update((name, known[name]) for name in known if len(name) <= _LONGEST_NAME)
        return [line for line in fields if known[line[0]]]

    def _is_of_interest(self, name: bytes) -> bool:
        return (
            meant_name(name) in self._names
            or any(kind(name.lower()) for kind in self._kinds)
            or any(is_odd(name) for is_odd in self._odd_names)
        )

    def plan(self, index: Index, trigger: Trigger, lines: Lines, of_first: int) -> Plan:
        """Return what to do with messages that have these `lines`, so many of them the first."""
        outline = (index, trigger, of_first, *[name for name, _ in lines])
        return self._plans.get(outline) or self._make_plan(index, trigger, lines, of_first)

    def _make_plan(self, index: Index, trigger: Trigger, lines: Lines, of_first: int) -> Plan:
        names = [name for name, _ in lines]
        plan = Plan(index.triggered(trigger, names), (names[:of_first], names[of_first:]))
        if sum(map(len, names)) <= _LONGEST_OUTLINE:
            if len(self._plans) >= _MOST_PLANS:
                self._forget()
            self._plans[index, trigger, of_first, *names] = plan
        return plan

    def remember(
        self, plan: Plan, asked: Sequence[Questions], lines: Lines, *messages: Message
    ) -> None:
        """Remember that `messages` are clean, which rests on what was `asked` of each."""
        if any("fields" in questions.facts for questions in asked):
            return
        names = self._names.union(*(questions.names for questions in asked))
        kinds = self._kinds.union(*(questions.kinds for questions in asked))
        if (names, kinds) != (self._names, self._kinds):
            if len(names) + len(kinds) <= _MOST_NAMES:
                self._names, self._kinds = names, kinds
                self._forget()  # the outlines were too coarse
            return
        plan.ask(asked)
        answers = plan.answers(lines, *messages)
        if len(repr(answers)) > _LONGEST_ANSWERS:
            return
        if self._answers >= _MOST_ANSWERS:
            self._forget()
        plan.clean.add(answers)
        self._answers += 1

    def _forget(self) -> None:
        self._spellings.clear()
        self._plans.clear()
        self._answers = 0
