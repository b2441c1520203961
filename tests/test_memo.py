"""What is remembered of clean messages changes no verdict, and saves the rules' work."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard import memo, plans, selection
from hopguard.checker import Checker
from hopguard.fields import NameKind
from hopguard.lookup import Known
from hopguard.message import (
    EVERY_VERSION,
    HTTP1,
    FieldLine,
    Message,
    RawFields,
    Request,
    Response,
    Version,
)
from hopguard.rule import DEFAULT_PROFILES, PROFILES, Evidence, Finding, Requirement, message_rule
from hopguard.rules import load_rules
from hopguard.transcript import parse

SOMEWHERE = Requirement(9110, "7.6.1", "MUST")


class Forgetful(Checker):
    """Judges every message by the rules."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._memo.remember = lambda *_: None  # type: ignore[method-assign]


def pairs(checker_arguments: list[dict[str, Any]]) -> list[tuple[Checker, Checker]]:
    """Make checkers that remember beside the same that do not."""
    return [(Checker(**options), Forgetful(**options)) for options in checker_arguments]


BY_PROFILES = pairs(
    [
        {"profiles": DEFAULT_PROFILES},
        {"profiles": PROFILES},
        {"profiles": {"rfc9110", "mdn-current", "noise"}},
    ]
)
"""They keep what they remember from one example of a property to the next: so they can err."""

EXAMPLES = [
    parse(text)
    for rule in load_rules()
    for text in (*rule.conforming, *(one for texts in rule.violating.values() for one in texts))
]
MESSAGES = [message for transcript in EXAMPLES for message in transcript.messages]
REQUESTS = [message for message in MESSAGES if isinstance(message, Request)]
RESPONSES = [message for message in MESSAGES if isinstance(message, Response)]
LINES = sorted(
    {line for message in MESSAGES for line in (*message.fields, *(message.trailers or ()))}
)
USUAL = [
    (b"Connection", b"keep-alive"),
    (b"connection", b"close"),
    (b"Content-Length", b"0"),
    (b"Content-Length", b"17"),
    (b"Content-Length ", b"17"),
    (b"Keep-Alive", b"timeout=5, max=99"),
    (b"Transfer-Encoding", b"chunked"),
    (b"TE", b"trailers"),
    (b"Via", b"1.1 proxy"),
    (b"X-Forwarded-For", b"192.0.2.1"),
    (b"Sec-Fetch-Mode", b"cors"),
    (b"Age", b"7"),
    (b"Accept", b"*/*"),
]

lines = st.sampled_from(LINES) | st.sampled_from(USUAL)
maybe = st.sampled_from([None, True, False])


@st.composite
def edits(draw: st.DrawFn, message: Message) -> RawFields:
    """Leave out, repeat, replace and add field lines, as little as possible."""
    fields = list(message.fields)
    for _ in range(draw(st.integers(0, 3))):
        position = draw(st.integers(0, len(fields)))
        fields[position : position + draw(st.integers(0, 1))] = draw(st.lists(lines, max_size=2))
    return tuple(fields)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Draw a request that resembles one of the examples."""
    message = draw(st.sampled_from(REQUESTS))
    return replace(
        message,
        fields=draw(edits(message)),
        version=draw(st.sampled_from([message.version, *sorted(EVERY_VERSION)])),
        method=draw(st.sampled_from([message.method, b"GET", b"HEAD", b"CONNECT"])),
        tls=draw(maybe),
        to_proxy=draw(maybe),
        trailers=draw(st.sampled_from([message.trailers, None, ()])),
        early_octets=draw(st.sampled_from([message.early_octets, None, b"GET / HTTP/1.1\r\n"])),
    )


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """Draw a response that resembles one of the examples."""
    message = draw(st.sampled_from(RESPONSES))
    return replace(
        message,
        fields=draw(edits(message)),
        version=draw(st.sampled_from([message.version, *sorted(EVERY_VERSION)])),
        status=draw(st.sampled_from([message.status, 101, 200, 204, 304, 407, 426])),
        tls=draw(maybe),
        direct=draw(maybe),
        trailers=draw(st.sampled_from([message.trailers, None, ()])),
    )


def judged(checker: Checker, request: Request, response: Response) -> list[list[Finding]]:
    """Judge all that can be judged of an exchange."""
    return [
        checker.check_message(request),
        checker.check_message(response),
        checker.check_exchange(request, response),
        checker.check_trailers(request),
        checker.check_trailers(response),
        list(checker.judge_answer(request, response).findings),
    ]


@settings(max_examples=300, deadline=None)
@given(requests(), responses())
def test_memory_changes_no_verdict(request: Request, response: Response) -> None:
    """Whatever was judged before, with whichever rules."""
    for remembering, forgetful in BY_PROFILES:
        expected = judged(forgetful, request, response)
        for _ in range(6):
            assert judged(remembering, request, response) == expected


@settings(max_examples=300, deadline=None)
@given(requests(), responses(), st.data())
def test_what_is_looked_up_is_as_judged(
    request: Request, response: Response, data: st.DataObject
) -> None:
    """Whatever was there before, of which nothing but the fields and the target is another."""
    other = replace(request, fields=data.draw(edits(request)), target=b"/other")
    back = replace(response, fields=data.draw(edits(response)))
    remembering, forgetful = BY_PROFILES[1]
    lookup = remembering.lookup
    like, answer_like = replace(request, fields=()), replace(response, fields=())
    for _ in range(6):
        for asked in (request, other):
            remembering.judge_request(asked)
            for answered in (response, back):
                remembering.judge_answer(asked, answered)
    before = answered_before = None
    for asked in (request, other, request):
        known = lookup.request(asked.fields, like, before)
        if known is not None:
            assert (list(known[1]), True) == forgetful.judge_request(asked)
            before = known
        view = remembering.view(asked.fields)
        for answered in (response, back, response):
            known = lookup.answer(
                asked.fields, view, like, answered.fields, answer_like, answered_before
            )
            if known is not None:
                assert (list(known[1]), True) == forgetful.judge_answer(asked, answered)
                answered_before = known
        answered_before = None  # it was an answer to another request


@pytest.mark.parametrize("wrongly_asked", [[], [(b"Proxy-Connection", b"close")]])
@pytest.mark.parametrize("wrongly_answered", [[], [(b"Proxy-Connection", b"keep-alive")]])
def test_usual_messages_are_known(
    wrongly_asked: list[tuple[bytes, bytes]], wrongly_answered: list[tuple[bytes, bytes]]
) -> None:
    """Else the property above would say nothing. What is forgotten is no longer relied on."""
    checker = Checker()
    lookup = checker.lookup
    length, other = (b"Content-Length", b"5"), (b"X-Other", b"1")
    asked_fields = ((b"Host", b"h"), *wrongly_asked)
    request = Request(
        version="HTTP/1.1", method=b"GET", leg="client", fields=asked_fields, to_proxy=False
    )
    response = Response(
        version="HTTP/1.1", status=200, leg="server", fields=(length, *wrongly_answered)
    )
    fields = response.fields
    like, answer_like = replace(request, fields=()), replace(response, fields=())
    assert lookup.request(asked_fields, like, None) is None
    for _ in range(6):
        asked_for = checker.judge_request(request)
        answered = checker.judge_answer(request, response)
    known = lookup.request(asked_fields, like, None)
    assert known is not None
    assert list(known[1]) == list(asked_for.findings)
    assert len(known[1]) == len(wrongly_asked)
    assert lookup.request(asked_fields, like, known) is known
    assert lookup.request((*asked_fields, other), like, known) is known
    moved = (other, *asked_fields)
    assert lookup.request(moved, like, known) is (None if wrongly_asked else known)
    assert (lookup.request(moved, like, None) is None) is bool(wrongly_asked)
    view, _ = known

    def look_up(fields: RawFields, before: Known | None) -> Known | None:
        return lookup.answer(asked_fields, view, like, fields, answer_like, before)

    back = look_up(fields, None)
    assert back is not None
    assert list(back[1]) == list(answered.findings)
    assert len(back[1]) == len(wrongly_answered)
    assert look_up(fields, back) is back
    assert look_up((other, *fields), back) is (None if wrongly_answered else back)
    assert look_up(((b"Connection", b"close"), length), back) is None
    checker._memo._forget()
    assert lookup.request(asked_fields, like, known) is None
    assert look_up(fields, back) is None


SPELLINGS: dict[bytes, list[tuple[bytes, bytes]]] = {}
for _line in (*LINES, *USUAL):
    SPELLINGS.setdefault(_line[0].lower().strip(), []).append(_line)


def neighbours[M: Message](message: M) -> Iterator[M]:
    """Change one thing about a message, in every way but for lines: in a few."""
    fields = message.fields
    yield from [message] * 6  # until all is remembered
    yield replace(message, fields=((b"X-Unknown", b""), *fields))
    for number, (name, _) in enumerate(fields):
        like_it = SPELLINGS[name.lower().strip()]
        for others in (
            (),
            (fields[number],) * 2,
            *[(line,) for line in like_it[:: 1 + len(like_it) // 3]],
        ):
            yield replace(message, fields=(*fields[:number], *others, *fields[number + 1 :]))
    for extra in USUAL:
        yield replace(message, fields=(*fields, extra))
    for flag in (True, False, None):
        yield replace(message, tls=flag)
        if isinstance(message, Request):
            yield replace(message, to_proxy=flag)
            yield replace(message, protocol_enabled=flag)
        if isinstance(message, Response):
            yield replace(message, direct=flag)
    if isinstance(message, Request):
        for method in (b"GET", b"HEAD", b"CONNECT"):
            yield replace(message, method=method)
        yield replace(message, target=b"http://www.example/")
    if isinstance(message, Response):
        for status in (101, 103, 200, 204, 304, 407, 426):
            yield replace(message, status=status)


@pytest.mark.parametrize("version", sorted(EVERY_VERSION))
def test_neighbours_of_examples_are_judged_alike(version: Version) -> None:
    """Messages that differ in one thing only: whoever forgets to compare it is found out."""
    remembering, forgetful = BY_PROFILES[1]
    for message in [message for message in MESSAGES if message.version == version]:
        for one in neighbours(message):
            assert remembering.check_message(one) == forgetful.check_message(one)
            if one.trailers is not None:
                assert remembering.check_trailers(one) == forgetful.check_trailers(one)
    for request, response in [one.exchange for one in EXAMPLES if one.exchange]:
        for changed in neighbours(response) if response.version == version else ():
            expected = forgetful.check_exchange(request, changed)
            assert remembering.check_exchange(request, changed) == expected
        for asked in neighbours(request) if response.version == version else ():
            expected = forgetful.check_exchange(asked, response)
            assert remembering.check_exchange(asked, response) == expected


def request(*fields: tuple[bytes, bytes], target: bytes = b"/", tls: bool = True) -> Request:
    """Make a request."""
    return Request(
        version="HTTP/1.1", fields=fields, leg="client", method=b"GET", target=target, tls=tls
    )


class Looking:
    """A rule that is triggered by X-Watched, finds what it is told to, and counts its looks."""

    def __init__(self, find: Callable[[Message], Iterable[FieldLine | None]]) -> None:
        self.runs = 0

        @message_rule(
            requirement=SOMEWHERE,
            profiles=("rfc9110",),
            versions=HTTP1,
            fields=(b"x-watched",),
            violating=[],
            conforming=[],
        )
        def check(message: Message) -> Iterator[Evidence]:
            """Find."""
            self.runs += 1
            for line in find(message):
                yield Evidence("It is seen.", line)

        self.checker = Checker(rules=[check])


class Counting(Looking):
    """A rule that finds something, no line, in messages of which `look` is true."""

    def __init__(self, look: Any) -> None:
        super().__init__(lambda message: [None] if look(message) else [])

    def judge(self, message: Message) -> bool:
        """Tell whether the message was judged by the rule, not by what is remembered."""
        before = self.runs
        self.checker.check_message(message)
        return self.runs > before


WATCHED = (b"X-Watched", b"1")


def settled(look: Any, *messages: Message) -> Counting:
    """Judge messages until no more is to be learnt."""
    counting = Counting(look)
    for _ in range(8):
        for message in messages:
            counting.judge(message)
    return counting


def test_the_like_of_a_clean_message_runs_no_rule() -> None:
    """Fields that no rule asks for may differ, and so may values at which none looks."""
    counting = settled(lambda message: message.has(b"x-other"), request(WATCHED))
    assert not counting.judge(request(WATCHED))
    assert not counting.judge(request((b"Host", b"x"), (b"X-Watched", b"2"), (b"Date", b"y")))
    assert counting.judge(request(WATCHED, (b"X-Other", b"")))
    assert counting.judge(request(WATCHED, WATCHED))
    assert counting.judge(request((b"x-watched", b"1")))


@pytest.mark.parametrize(
    ("look", "same", "other"),
    [
        (
            lambda message: bool(message.lines(b"x-length")[1:]),
            request(WATCHED, (b"X-Length", b"7")),
            request(WATCHED, (b"X-Length", b"8")),
        ),
        (
            lambda message: not message.is_number(b"x-length"),
            request(WATCHED, (b"X-Length", b"7")),
            request(WATCHED, (b"X-Length", b"7a")),
        ),
        (lambda message: not message.tls, request(WATCHED), request(WATCHED, tls=False)),
        (
            lambda message: message.target == b"/bad",
            request(WATCHED, target=b"/good"),
            request(WATCHED, target=b"/other"),
        ),
        (
            lambda message: bool(message.misspelt(b"x-bad")),
            request(WATCHED),
            request(WATCHED, (b"X-Bad ", b"")),
        ),
        (lambda message: message.forwarded, request(WATCHED), request(WATCHED, (b"Via", b"x"))),
        (
            lambda message: bool(message.options & {b"bad"}),
            request(WATCHED, (b"Connection", b"good")),
            request(WATCHED, (b"Connection", b"also-good")),
        ),
    ],
)
def test_what_a_rule_asks_is_compared(look: Any, same: Request, other: Request) -> None:
    """A value, whether it is a number, a fact, the name of a field, or a kind of name."""
    counting = settled(look, same)
    assert not counting.judge(same)
    assert counting.judge(other)


def test_numbers_are_all_the_same_to_a_rule_that_wants_one() -> None:
    """A length does not make a message unlike others."""
    counting = settled(
        lambda message: not message.is_number(b"x-length"), request(WATCHED, (b"X-Length", b"7"))
    )
    assert not counting.judge(request(WATCHED, (b"X-Length", b"123456")))
    both = settled(
        lambda message: not (message.is_number(b"x-length") and message.lines(b"x-length")),
        request(WATCHED, (b"X-Length", b"7")),
    )
    assert both.judge(request(WATCHED, (b"X-Length", b"123456")))


@pytest.mark.parametrize(
    "look",
    [
        lambda message: message.fields == (),
        lambda message: replace(message, trailers=()).trailers is None,
        lambda message: len(message.every_line()) > 3,
    ],
)
def test_who_asks_for_everything_sees_everything(look: Any) -> None:
    """Then nothing is remembered."""
    assert settled(look, request(WATCHED)).judge(request(WATCHED))


def test_a_witness_is_of_the_same_kind() -> None:
    """Rules tell requests and responses apart; a copy is an ordinary message."""
    seen: list[type] = []

    def look(message: Message) -> bool:
        seen.append(type(replace(message, tls=None)))
        return not isinstance(message, Request)

    settled(look, request(WATCHED))
    assert set(seen) == {Request}


@pytest.mark.parametrize(
    "look",
    [
        lambda message: not message.lines(b"x-watched"),
        lambda message: message.has(message.lines(b"x-watched")[-1].value),
        lambda message: message.has_any(
            NameKind(frozenset(line.value for line in message.lines(b"x-watched")), b"x-bad-")
        ),
    ],
    ids=["values", "names", "kinds"],
)
def test_memory_is_bounded(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ever new names, values, orders and questions do not fill it; it begins again."""
    monkeypatch.setattr(selection, "_MOST_SPELLINGS", 32)
    for bound, value in (("PLANS", 8), ("ANSWERS", 16), ("NAMES", 20)):
        monkeypatch.setattr(memo, f"_MOST_{bound}", value)
    floods = [
        [request((b"Y-%d" % number, b"")) for number in range(100)],
        [request((b"X-Watched", b"%d" % number)) for number in range(100)],
        [request(*[(b"X-Watched", b"")] * number) for number in range(100)],
    ]
    counting = Counting(look)
    kept = counting.checker._memo
    for flood in floods:
        for message in flood:
            counting.judge(message)
        assert len(kept._selection._spellings) <= 32
        assert len(kept.plans) <= 8
        assert len(kept._names) + len(kept._kinds) <= 20
        assert sum(outcomes_in(plan) for plan in kept.plans.values()) <= 16


def outcomes_in(plan: plans.Plan) -> int:
    """Count them."""
    known = plan.outcomes.values()
    return len(known) + sum(outcomes_in(one.loud) for one in known if one.loud is not None)


def test_nothing_long_is_remembered() -> None:
    """Neither a name nor a value, nor many lines."""
    counting = Counting(lambda message: not message.lines(b"x-watched"))
    long = b"x" * 100_000
    for message in (
        request((b"X-Watched", long)),
        request(*[WATCHED] * 10_000),
        request(WATCHED, (long, b"")),
    ):
        for _ in range(8):
            counting.judge(message)
    assert counting.judge(request((b"X-Watched", long)))
    assert counting.judge(request(*[WATCHED] * 10_000))
    assert not counting.judge(request(WATCHED, (long, b"")))
    kept = counting.checker._memo
    assert len(repr(list(kept.plans))) + len(repr(list(kept._selection._spellings))) < 10_000


def test_who_finds_something_is_asked_alone() -> None:
    """Where the message differs in what is at fault, the other rules need not look again."""
    finder = Counting(lambda message: message.lines(b"x-watched"))
    other = Counting(lambda message: False)
    checker = Checker(rules=[*finder.checker.rules, *other.checker.rules])
    for number in range(8):
        message = request((b"X-Watched", b"%d" % number))
        assert len(checker.check_message(message)) == 1
    assert 8 <= finder.runs <= 9  # once on a witness
    assert other.runs < 8


class Finder(Looking):
    """A rule that finds field lines."""

    def places(self, *fields: tuple[bytes, bytes]) -> list[int]:
        """Judge a message; return where the lines are that are at fault."""
        found = self.checker.check_message(request(*fields))
        return [one.line.position for one in found if one.line is not None]

    def runs_for(self, *fields: tuple[bytes, bytes]) -> bool:
        """Tell whether such a message, when it has been seen often, is judged by the rule."""
        for _ in range(8):
            self.places(*fields)
        before = self.runs
        self.places(*fields)
        return self.runs > before


def test_what_is_found_again_is_remembered() -> None:
    """With its place: a line that stands elsewhere is looked for anew."""
    finder = Finder(lambda message: message.lines(b"x-watched"))
    other = (b"X-Other", b"")
    assert not finder.runs_for(WATCHED, other)
    assert finder.places(WATCHED, other) == [0]
    before = finder.runs
    assert finder.places(other, WATCHED) == [1]
    assert finder.places(WATCHED) == [0]
    assert finder.runs == before + 1
    assert finder.places((b"X-Watched", b"2"), other) == [0]
    assert finder.runs == before + 2


def test_a_place_that_is_not_there_is_no_place() -> None:
    """The message may be shorter than the one before."""
    finder = Finder(lambda message: message.lines(b"x-watched"))
    assert not finder.runs_for((b"X-Other", b""), WATCHED)
    assert finder.places(WATCHED) == [0]


@pytest.mark.parametrize(
    "find",
    [
        lambda message: message.every_line(),
        lambda message: message.lines(b"x-watched") if not message.has(b"x-unheard-of") else [],
        lambda message: (
            message.lines(b"x-watched")
            if not message.has_any(NameKind(frozenset(), b"x-unheard-"))
            else []
        ),
    ],
    ids=["everything", "names", "kinds"],
)
def test_who_asks_for_more_than_outlines_hold_is_asked_again(find: Any) -> None:
    """For the sake of findings, outlines do not become finer."""
    finder = Finder(find)
    assert finder.runs_for(WATCHED)
    assert finder.places(WATCHED) == [0]


def test_equal_lines_are_told_apart() -> None:
    """Which of them is at fault is for the rule to say."""
    finder = Finder(lambda message: message.lines(b"x-watched")[1:])
    assert finder.runs_for(WATCHED, WATCHED)
    assert finder.places(WATCHED, (b"X-Other", b""), WATCHED) == [2]


def test_findings_without_a_line_are_remembered() -> None:
    """Such as those about a status code."""
    finder = Finder(lambda message: [None])
    assert not finder.runs_for(WATCHED)
    assert finder.places(WATCHED) == []


def test_few_findings_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those beyond, the rules are asked every time."""
    monkeypatch.setattr(memo, "_MOST_FINDINGS", 2)
    finder = Finder(lambda message: message.lines(b"x-watched"))
    values = [(b"X-Watched", b"%d" % number) for number in range(6)]
    assert [finder.runs_for(line) for line in values].count(False) == 2
    assert [finder.places(line) for line in values] == [[0]] * 6


def test_the_first_of_its_kind_costs_no_second_look() -> None:
    """Messages that are all different are judged once each."""
    counting = settled(lambda message: not message.lines(b"x-watched"), request(WATCHED))
    counting.runs = 0
    for number in range(100, 200):
        counting.judge(request((b"X-Watched", b"%d" % number)))
    assert counting.runs == 100


def test_connections_share_what_they_begin_with() -> None:
    """And what is shared is bounded: peers choose it."""
    checker = Checker()

    def look_up(agent: bytes) -> Known:
        """Look up a request of a client with that name."""
        fields = ((b"Host", b"h"), (b"User-Agent", agent))
        request = Request(
            version="HTTP/1.1", method=b"GET", leg="client", fields=fields, to_proxy=False
        )
        for _ in range(3):
            checker.judge_request(request)
        known = checker.lookup.request(fields, replace(request, fields=()), None)
        assert known is not None
        return known

    assert look_up(b"x") is look_up(b"x")
    assert look_up(b"x") is not look_up(b"y")
    assert look_up(b"x" * 2000) == look_up(b"x" * 2000)
    assert look_up(b"x" * 2000) is not look_up(b"x" * 2000)
    for number in range(2000):
        look_up(b"%d" % number)
    assert len(checker.lookup._shared) < 1000
