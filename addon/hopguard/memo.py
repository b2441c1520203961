"""Which rules need not judge a message, because they found nothing in the like of it.

Most messages resemble others in all that rules look at. So rules that have found nothing run once
more, on witnesses (see there), and the answers to precisely the questions that they asked are
remembered. Rules are functions of what they ask: in another message that gives the same answers,
they find nothing either. Findings are not remembered.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from hopguard.fields import ENDING, NameKind
from hopguard.index import Call, Index, Trigger
from hopguard.message import Message, RawFields, meant_name
from hopguard.rule import Rule
from hopguard.selection import Lines, Selection
from hopguard.witness import Look, Questions

# Peers choose what is remembered. All of it is bounded, and is forgotten when a bound is reached.
_MOST_PLANS = 1024
_MOST_ANSWERS = 4096
_MOST_NAMES = 512
_LONGEST_OUTLINE = 1024
_LONGEST_ANSWERS = 1024

Names = tuple[bytes, ...]

_NOTHING: tuple[RawFields | None, tuple[Lines, Names]] = (None, ([], ()))


class Plan:
    """What to do with messages of one outline: one message, or the two of an exchange.

    The outline is the names of the fields that rules have ever asked for, and what else triggers
    rules. It determines which rules run. What they ask apart from names is compared.
    """

    def __init__(self, calls: tuple[Call, ...], names: Sequence[Names]) -> None:
        """Begin without questions; `names` are those of each message."""
        self.calls = calls
        self.to_run: dict[object, tuple[Call, ...]] = {}
        """The calls that may find something in messages that give these answers. It is `calls`
        itself where this is not known, because they have been given only once."""
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
            self.to_run.clear()

    def answers(self, lines: Lines, *messages: Message) -> tuple[object, ...]:
        """Ask messages; `lines` are those of the outline, one message after the other."""
        answers = [look(lines[position][1]) for position, look in self._looks]
        answers.append(self._facts[0](messages[0]))
        if len(messages) > 1:
            answers.append(self._facts[1](messages[1]))
        return tuple(answers)


class Memo:
    """Remembers plans, and what they are to be when they are new."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Begin with the fields that trigger `rules`, and those that decide on endings."""
        self._names: frozenset[bytes] = ENDING.union(*(rule.fields for rule in rules))
        self._kinds: set[NameKind] = set()
        self._odd_names = [rule.odd_names for rule in rules if rule.odd_names]
        self._selection = Selection(self._is_of_interest)
        self._latest = self._before = _NOTHING
        self._plans: dict[object, Plan] = {}
        self._endings: dict[Names, list[tuple[int, bytes]]] = {}
        """Where in an outline the lines are that decide on endings, and their names."""
        self._answers = 0

    def view(self, fields: RawFields) -> tuple[Lines, Names]:
        """Choose the field lines whose names belong to an outline; return them and the names.

        An exchange is judged after its messages: the two latest header sections are kept.
        """
        latest, before = self._latest, self._before
        if fields is latest[0]:
            return latest[1]
        if fields is before[0]:
            return before[1]
        lines = self._selection.of(fields)
        view = lines, tuple([name for name, _ in lines])
        self._latest, self._before = (fields, view), latest
        return view

    def endings(self, fields: RawFields) -> Lines:
        """Choose the field lines called `ENDING`; their names are in lower case here."""
        lines, names = self.view(fields)
        places = self._endings.get(names)
        if places is None:
            lower = [(place, name.lower()) for place, name in enumerate(names)]
            places = [(place, name) for place, name in lower if name in ENDING]
            if sum(map(len, names)) <= _LONGEST_OUTLINE:
                if len(self._endings) >= _MOST_PLANS:
                    self._endings.clear()
                self._endings[names] = places
        return [(name, lines[place][1]) for place, name in places]

    def _is_of_interest(self, name: bytes) -> bool:
        return (
            meant_name(name) in self._names
            or any(kind.includes(name.lower()) for kind in self._kinds)
            or any(is_odd(name) for is_odd in self._odd_names)
        )

    def plan(self, index: Index, trigger: Trigger, *names: Names) -> Plan:
        """Return what to do with messages of this outline; `names` are those of each."""
        return self._plans.get((index, trigger, names)) or self._make_plan(index, trigger, names)

    def _make_plan(self, index: Index, trigger: Trigger, names: tuple[Names, ...]) -> Plan:
        every_name = [name for of_one in names for name in of_one]
        plan = Plan(index.triggered(trigger, every_name), names)
        if sum(map(len, every_name)) <= _LONGEST_OUTLINE:
            if len(self._plans) >= _MOST_PLANS:
                self._forget()
            self._plans[index, trigger, names] = plan
        return plan

    def note(self, plan: Plan, answers: object) -> None:
        """Note that messages have given these answers for the first time."""
        if len(repr(answers)) <= _LONGEST_ANSWERS:
            if self._answers >= _MOST_ANSWERS:
                self._forget()
            self._answers += 1
            plan.to_run[answers] = plan.calls

    def remember(
        self,
        plan: Plan,
        silent: Sequence[Call],
        asked: Sequence[Questions],
        lines: Lines,
        *messages: Message,
    ) -> None:
        """Remember that `silent` calls found nothing, which rests on what they `asked` of each."""
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
        self.note(plan, answers)
        if answers in plan.to_run:
            plan.to_run[answers] = tuple([call for call in plan.calls if call not in silent])

    def _forget(self) -> None:
        self._latest = self._before = _NOTHING
        self._selection.forget()
        self._plans.clear()
        self._answers = 0
