"""Messages in, findings out: which rules look at a message, and what they find."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, product
from typing import NamedTuple

from hopguard.connection import Connection
from hopguard.events import Event, RequestHead
from hopguard.index import (
    NO_TRIGGER,
    AnswerIndex,
    Call,
    Index,
    Trigger,
    answer_trigger,
    not_asked,
    request_trigger,
    response_trigger,
)
from hopguard.lookup import Lookup
from hopguard.memo import Memo
from hopguard.message import EVERY_VERSION, Message, Part, Request, Response, Version
from hopguard.peer import Peers
from hopguard.plain import answers_plainly, asks_plainly
from hopguard.plans import CLEAN, PLAIN, Names, Outcome, Plan
from hopguard.rule import DEFAULT_PROFILES, Evidence, Finding, Rule
from hopguard.rules import load_rules
from hopguard.selection import Lines
from hopguard.witness import Questions, witness

logger = logging.getLogger(__name__)

MOST_PER_RULE = 50
"""Findings of one rule in one message: ten thousand equal lines must not flood every log."""


class Judgement(NamedTuple):
    """What is found in a message, and what else there is to know of it."""

    findings: Sequence[Finding]
    plain: bool
    """Whether it says nothing of its connection but that it goes on: see `plain`."""


_CLEAN = {plain: Judgement((), plain) for plain in (True, False)}


class Checker:
    """Judges messages by the rules of the profiles that are on.

    The triggers of the rules make an index: a message without an interesting field, name or
    status runs no rule, however many rules there are. A message that resembles a clean one in all
    that rules have asked about is clean.
    """

    def __init__(
        self,
        profiles: Iterable[str] = DEFAULT_PROFILES,
        rules: Iterable[Rule] | None = None,
        *,
        at_a_time: int = 32,
    ) -> None:
        """Build the index of those `rules` (by default, all) that the `profiles` switch on.

        It is faster if it knows how many exchanges are judged `at_a_time`. Of as many, the header
        sections are kept in mind.
        """
        self.profiles = frozenset(profiles)
        self.rules = tuple(
            rule
            for rule in (load_rules() if rules is None else rules)
            if not self.profiles.isdisjoint(rule.profiles)
            and self.profiles.isdisjoint(rule.silenced_by)
        )
        self._crashed: set[str] = set()
        self._memo = Memo(self.rules, 2 * at_a_time)
        self.view, self.select = self._memo.view, self._memo.select
        """Choose the few lines of a header section on which anything depends: see there."""
        self._requests = {
            version: self._index(Request, version, is_plain=asks_plainly) for version in _V
        }
        self._responses = {version: self._index(Response, version) for version in _V}
        self._trailers: dict[tuple[Part, Version], Index] = {
            (of.part, version): self._index(of, version, trailers=True)
            for of in (Request, Response)
            for version in _V
        }
        self._exchanges = {version: Index(self._of_exchanges(version)) for version in _V}
        self._answers = {
            version: AnswerIndex(
                self._responses[version], self._exchanges[version], answers_plainly
            )
            for version in _V
        }
        self.lookup = Lookup(self._memo, self._requests, self._answers)
        self._connections: dict[type[Event], dict[Version, list[Rule]]] = {}
        for rule in self.rules:
            for event, version in product(rule.events, rule.versions):
                self._connections.setdefault(event, {}).setdefault(version, []).append(rule)

    def _index(
        self,
        of: type[Message],
        version: Version,
        *,
        trailers: bool = False,
        is_plain: Callable[[Request], bool] = not_asked,
    ) -> Index:
        calls = [
            Call(rule, rule.check)
            for rule in self.rules
            if rule.kind == "message" and of.part in rule.directions and version in rule.versions
        ]
        if trailers:
            return Index([call for call in calls if call.rule.in_trailers], always=True)
        return Index(calls, of_heads=True, is_plain=is_plain)

    def _of_exchanges(self, version: Version) -> Iterator[Call]:
        for rule in self.rules:
            look = rule.check if rule.kind == "exchange" else rule.in_exchange
            if look and "response" in rule.directions and version in rule.versions:
                yield Call(rule, look)

    def judge_request(self, request: Request) -> Judgement:
        """Judge the header section of `request`; its trailer section is taken as unknown."""
        lines, names, _ = self.view(request.fields)
        index = self._requests[request.version]
        return self._check(index, request_trigger(request), (names,), lines, request)

    def judge_answer(self, request: Request, response: Response) -> Judgement:
        """Judge the header section of `response`, also in the light of `request`.

        `response` answers `request` on the same leg. Trailer sections are taken as unknown.
        """
        return self._check_both(self._answers[response.version], request, response)

    def check_message(self, message: Message) -> list[Finding]:
        """Judge the header section of `message`; its trailer section is taken as unknown."""
        if isinstance(message, Request):
            return list(self.judge_request(message).findings)
        assert isinstance(message, Response)
        lines, names, _ = self.view(message.fields)
        index, trigger = self._responses[message.version], response_trigger(message.status)
        return list(self._check(index, trigger, (names,), lines, message).findings)

    def check_trailers(self, message: Message) -> list[Finding]:
        """Judge what the trailer section of `message`, which may be empty, adds to its header."""
        index = self._trailers[message.part, message.version]
        lines, names, _ = self.view(message.fields)
        findings = self._check(index, NO_TRIGGER, (names,), lines, message).findings
        if not findings:
            return []
        head = message.head
        before, _ = self._judge(index.calls, head, head)
        known = set(before)
        return [finding for finding in findings if finding not in known]

    def check_exchange(self, request: Request, response: Response) -> list[Finding]:
        """Judge `response` in the light of the `request` that it answers, on the same leg."""
        index = self._exchanges[response.version]
        return list(self._check_both(index, request, response).findings)

    def check_forwarding(self, received: Message, sent: Message) -> list[Finding]:
        """Judge what an intermediary has `sent` on in the place of what it had `received`."""
        calls = [
            Call(rule, rule.check)
            for rule in self.rules
            if rule.kind == "forwarding" and sent.version in rule.versions
        ]
        return self._judge(calls, sent, received, sent)[0]

    def check_event(
        self, connection: Connection, event: Event, peers: Callable[[], Peers]
    ) -> list[Finding]:
        """Judge `event` on `connection`, which is as it was before; after a 101, nothing is.

        `peers` is called if a rule asks for what is known of their other connections.
        """
        by_version = self._connections.get(type(event))
        if by_version is None or connection.switched:
            return []
        version = event.version if isinstance(event, RequestHead) else connection.version
        if version is None:
            return []
        calls = [
            Call(rule, partial(_with_peers, rule, peers) if rule.with_peers else rule.check)
            for rule in by_version.get(version, ())
            if rule.concerns is None or rule.concerns(connection, event)
        ]
        return self._judge(calls, connection, connection, event)[0] if calls else []

    def _check_both(
        self, index: Index | AnswerIndex, request: Request, response: Response
    ) -> Judgement:
        asked, names_asked, _ = self.view(request.fields)
        answered, names_answered, _ = self.view(response.fields)
        trigger = answer_trigger(request, response)
        names = names_asked, names_answered
        return self._check(index, trigger, names, asked + answered, request, response)

    def _check(
        self,
        index: Index | AnswerIndex,
        trigger: Trigger,
        names: tuple[Names, ...],
        lines: Lines,
        *messages: Message,
    ) -> Judgement:
        """Let those rules judge `messages` that may find something.

        Their outline is `trigger` and the `names` of each; `lines` are those that bear the names.
        """
        plan = self._memo.plans.get((index, trigger, names)) or self._memo.make_plan(
            index, trigger, names
        )
        answers = plan.answers(lines, *messages)
        known = plan.outcomes.get(answers)
        if known is PLAIN or known is CLEAN:
            return _CLEAN[known.plain]
        judged = (*messages[:-1], messages[-1].head) if index.of_heads else messages
        if known is not None and known.loud is not None:
            return Judgement(self._find(known.loud, lines, *judged), known.plain)
        findings, silent = self._judge(plan.calls, judged[-1], *judged)
        if known is None:
            self._memo.note(plan, answers)
            plain = index.is_plain(*judged)
        else:
            asked, witnesses = _witnesses(judged)
            self._judge(silent, witnesses[-1], *witnesses)
            plain = index.is_plain(*witnesses)
            loud = tuple(call for call in plan.calls if call not in silent)
            outcome = PLAIN if plain else CLEAN
            if loud:
                outcome = Outcome(loud, plain, Plan(loud, plan.names))
            self._memo.remember(plan, outcome, asked, lines, *messages)
        return Judgement(findings, plain)

    def _find(self, plan: Plan, lines: Lines, *messages: Message) -> Sequence[Finding]:
        """Return what those rules find in `messages` that have found something in their like."""
        answers = plan.answers(lines, *messages)
        known = plan.outcomes.get(answers)
        if known is not None and known.is_found_in(*[message.fields for message in messages]):
            return known.findings
        if known is None:
            self._memo.note(plan, answers)
        elif known is plan.once:
            asked, witnesses = _witnesses(messages)
            findings, _ = self._judge(plan.calls, witnesses[-1], *witnesses)
            self._memo.remember_findings(plan, findings, asked, lines, *messages)
        return self._judge(plan.calls, messages[-1], *messages)[0]

    def _judge(
        self,
        calls: Iterable[Call],
        about: Message | Connection,
        *subject: Message | Connection | Event,
    ) -> tuple[list[Finding], list[Call]]:
        """Return what `calls` find in `subject`, by default `about` it, and who finds nothing."""
        findings: list[Finding] = []
        silent: list[Call] = []
        for call in calls:
            before = len(findings)
            try:
                findings += self._findings(call, about, *subject)
            except Exception as error:  # a bug must not hide the other rules, nor stop traffic
                if call.rule.id not in self._crashed:
                    self._crashed.add(call.rule.id)
                    logger.error(
                        "hopguard: rule %s crashed; it misses findings",
                        call.rule.id,
                        exc_info=without_text(error),
                    )
            if len(findings) == before:
                silent.append(call)
        return findings, silent

    def _findings(
        self,
        call: Call,
        about: Message | Connection,
        *subject: Message | Connection | Event,
    ) -> list[Finding]:
        rule, look = call
        return [
            rule.finding(evidence, about, self.profiles)
            for evidence in islice(look(*subject), MOST_PER_RULE)
            if rule.runs_variant(evidence.variant, self.profiles)
        ]


def _witnesses(messages: Sequence[Message]) -> tuple[list[Questions], list[Message]]:
    """Return messages like these that note what they are asked, and their notes."""
    asked = [Questions() for _ in messages]
    return asked, list(map(witness, messages, asked))


def _with_peers(
    rule: Rule, peers: Callable[[], Peers], connection: Connection, event: Event
) -> Iterator[Evidence]:
    return rule.check(peers(), connection, event)


def without_text(error: Exception) -> Exception:
    """Return what tells where `error` came from, but not its text, which may quote a secret."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)


_V = sorted(EVERY_VERSION)
