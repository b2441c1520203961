"""Dispatch by index: who runs, who does not, and what happens when a rule crashes."""

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard import index
from hopguard.checker import MOST_PER_RULE, Checker
from hopguard.message import EVERY_VERSION, HTTP1, HTTP11, Message, Request, Response
from hopguard.rule import (
    ERROR,
    INFO,
    WARNING,
    Evidence,
    Finding,
    Requirement,
    Rule,
    Variant,
    exchange_rule,
    message_rule,
    request_rule,
    response_rule,
)

SOMEWHERE = Requirement(9110, "7.6.1", "MUST")


def request(*fields: tuple[bytes, bytes], version: str = "HTTP/1.1") -> Request:
    """Make a request."""
    return Request(version=version, fields=fields, leg="client", method=b"GET")  # type: ignore[arg-type]


def response(status: int, *fields: tuple[bytes, bytes], trailers: object = None) -> Response:
    """Make a response."""
    return Response(
        version="HTTP/1.1",
        fields=fields,
        leg="server",
        status=status,
        trailers=trailers,  # type: ignore[arg-type]
    )


@message_rule(
    requirement=SOMEWHERE,
    profiles=("rfc9110",),
    versions=HTTP11,
    fields=(b"x-bad",),
    in_trailers=True,
    violating=[],
    conforming=[],
)
def named(message: Message) -> Iterator[Evidence]:
    """Speak of each X-Bad."""
    for line in [*message.lines(b"x-bad"), *message.trailer_lines(b"x-bad")]:
        yield Evidence(f"{line} is bad.", line)


@response_rule(
    requirement=SOMEWHERE,
    severity=WARNING,
    profiles=("security",),
    versions=EVERY_VERSION,
    statuses=(418,),
    violating=[],
    conforming=[],
)
def by_status(message: Response) -> Iterator[Evidence]:
    """Speak of the teapot."""
    yield Evidence("It is a teapot.", sender="intermediary")


@request_rule(
    requirement=SOMEWHERE,
    profiles=("rfc9110",),
    versions=HTTP1,
    odd_names=lambda name: name.endswith(b" "),
    variants={
        "odd": Variant(INFO, raised_by={"rfc7230": ERROR}, requirement=Requirement(7230, "3.2")),
        "noisy": Variant(WARNING, profiles=("noise",)),
    },
    violating={},
    conforming=[],
)
def odd(message: Request) -> Iterator[Evidence]:
    """Speak twice of an odd name."""
    yield Evidence("It is odd.", variant="odd")
    yield Evidence("It is odd, and so what.", variant="noisy")


@exchange_rule(
    requirement=SOMEWHERE,
    profiles=("rfc9110",),
    silenced_by=("rfc2616",),
    versions=HTTP11,
    fields=(b"x-pair",),
    violating=[],
    conforming=[],
)
def paired(request: Request, response: Response) -> Iterator[Evidence]:
    """Speak of the request, then of the response."""
    yield Evidence("The request is bad.", about=request, severity=WARNING)
    yield Evidence("The response is bad.")


@message_rule(
    requirement=SOMEWHERE,
    profiles=("rfc9110",),
    versions=HTTP1,
    violating=[],
    conforming=[],
)
def always(message: Message) -> Iterator[Evidence]:
    """Run without a trigger, and crash on X-Crash."""
    if message.has(b"x-crash"):
        raise RuntimeError("a bug")
    yield from ()


@request_rule(
    requirement=SOMEWHERE,
    profiles=("rfc9110",),
    versions=frozenset({"HTTP/2"}),
    extended_connect=True,
    violating=[],
    conforming=[],
)
def by_protocol(request: Request) -> Iterator[Evidence]:
    """Speak of each :protocol."""
    yield Evidence("It has a protocol.")


RULES: list[Rule] = [named, by_status, odd, paired, always, by_protocol]


def texts(findings: list[Finding]) -> list[str]:
    """Reduce findings to their sentences."""
    return [finding.text for finding in findings]


def test_a_field_triggers_in_any_letter_case() -> None:
    """The finding is complete: rule, leg, part, version, sender, line."""
    (finding,) = Checker(rules=RULES).check_message(request((b"X-BAD", b"1")))
    assert finding.rule == "test-checker"  # the module's name
    assert finding.text == "X-BAD: 1 is bad."
    assert (finding.severity, finding.sender, finding.leg) == (ERROR, "client", "client")
    assert (finding.part, finding.version, finding.variant) == ("request", "HTTP/1.1", "")
    assert finding.line is not None
    assert finding.line.position == 0


def test_version_direction_and_status_restrict() -> None:
    """A rule runs only where it is declared to."""
    checker = Checker(rules=RULES)
    assert checker.check_message(request((b"x-bad", b""), version="HTTP/2")) == []
    assert texts(checker.check_message(response(418))) == ["It is a teapot."]
    assert checker.check_message(response(200)) == []
    assert checker.check_message(response(418))[0].sender == "intermediary"


def test_a_protocol_triggers() -> None:
    """Only in a request that has one."""
    checker = Checker(rules=RULES)
    message = request(version="HTTP/2")
    assert checker.check_message(message) == []
    assert texts(checker.check_message(replace(message, protocol=b"websocket"))) == [
        "It has a protocol."
    ]


def test_profiles_switch_rules_and_variants() -> None:
    """A rule needs one of its profiles; a variant may need more, or weigh more."""
    odd_one = request((b"Host ", b"h"))
    assert Checker(["security"], RULES).check_message(odd_one) == []
    (info,) = Checker(rules=RULES).check_message(odd_one)
    assert (info.severity, info.requirement.rfc) == (INFO, 7230)
    raised, noisy = Checker(["rfc9110", "rfc7230", "noise"], RULES).check_message(odd_one)
    assert raised.severity == ERROR
    assert (noisy.severity, noisy.requirement) == (WARNING, SOMEWHERE)


def test_a_profile_can_silence() -> None:
    """The exchange rule is off in the view of RFC 2616."""
    exchange = request(), response(200, (b"X-Pair", b""))
    assert Checker(["rfc9110", "rfc2616"], RULES).check_exchange(*exchange) == []
    assert len(Checker(rules=RULES).check_exchange(*exchange)) == 2


def test_an_exchange_rule_can_blame_either_message() -> None:
    """A field in either message triggers it."""
    checker = Checker(rules=RULES)
    blamed = checker.check_exchange(request((b"x-pair", b"")), response(200))
    assert [(finding.part, finding.severity) for finding in blamed] == [
        ("request", WARNING),
        ("response", ERROR),
    ]
    assert checker.check_exchange(request(), response(200)) == []


def test_a_message_rule_can_look_at_the_exchange_too() -> None:
    """Alone it judges each message; what needs both comes with the exchange."""

    def together(request: Request, response: Response) -> Iterator[Evidence]:
        yield Evidence(f"{request.method.decode()} and {response.status} do not fit.")

    @response_rule(
        requirement=SOMEWHERE,
        profiles=("rfc9110",),
        versions=HTTP11,
        statuses=(418,),
        in_exchange=together,
        violating=[],
        conforming=[],
    )
    def alone(message: Response) -> Iterator[Evidence]:
        """Speak of the teapot."""
        yield Evidence("It is a teapot.")

    checker = Checker(rules=[alone])
    assert texts(checker.check_message(response(418))) == ["It is a teapot."]
    assert texts(checker.check_exchange(request(), response(418))) == ["GET and 418 do not fit."]
    assert checker.check_exchange(request(), response(200)) == []


def test_trailers_add_to_the_header() -> None:
    """What the header section shows alone is not found again with the trailer section."""
    checker = Checker(rules=RULES)
    message = response(200, (b"X-Bad", b"1"), trailers=((b"X-Bad", b"2"),))
    assert texts(checker.check_message(message)) == ["X-Bad: 1 is bad."]
    (finding,) = checker.check_trailers(message)
    assert (finding.text, finding.part) == ("X-Bad: 2 is bad.", "response-trailers")
    assert checker.check_trailers(response(200, trailers=())) == []


def test_a_crash_is_logged_once_and_hides_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The others still run."""
    checker = Checker(rules=RULES)
    crashing = request((b"X-Crash", b""), (b"X-Bad", b""))
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert texts(checker.check_message(crashing)) == ["X-Bad: is bad."]
    assert [record.getMessage() for record in caplog.records] == [
        "hopguard: rule test-checker crashed; it misses findings"
    ]


def test_a_flood_of_lines_is_not_a_flood_of_findings() -> None:
    """What is left out is of the same rule and in the same message."""
    flood = request(*((b"X-Bad", b"%d" % number) for number in range(10_000)))
    assert len(Checker(rules=RULES).check_message(flood)) == MOST_PER_RULE


def test_hostile_names_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ever new and very long names are looked at, not remembered for long."""
    monkeypatch.setattr(index, "_NAMES_KEPT", 8)
    checker = Checker(rules=RULES)
    spellings = [b"x-bad", b"X-bad", b"x-Bad", b"x-bAd", b"x-baD", b"X-Bad", b"X-bAd", b"X-baD"]
    for name in (*spellings, *map(bytes.title, spellings), b"x-BAD", b"X-BAD"):
        assert texts(checker.check_message(request((name, b"")))) == [f"{name.decode()}: is bad."]
    checker.check_message(request((b" " * 100_000 + b"x-bad", b"")))
    assert len(checker._requests["HTTP/1.1"]._by_name) <= 8


@given(st.lists(st.sampled_from([b"X-Bad", b"x-bad", b"Host", b"X-Pair", b"Host "])))
def test_the_index_changes_nothing(names: list[bytes]) -> None:
    """With it and without it the findings are the same."""
    message = request(*((name, b"") for name in names))
    checker = Checker(rules=RULES)
    expected = [evidence.text for evidence in named.check(message)]
    expected += ["It is odd."] if b"Host " in names else []
    assert sorted(texts(checker.check_message(message))) == sorted(expected)


@pytest.mark.parametrize(
    ("requirement", "url", "text"),
    [
        (
            Requirement(9110, "7.6.1"),
            "https://www.rfc-editor.org/rfc/rfc9110.html#section-7.6.1",
            "RFC 9110, section 7.6.1",
        ),
        (
            Requirement(9112, "C.2.2"),
            "https://www.rfc-editor.org/rfc/rfc9112.html#appendix-C.2.2",
            "RFC 9112, appendix C.2.2",
        ),
        (
            Requirement(document="Fetch", link="https://fetch.example/"),
            "https://fetch.example/",
            "Fetch",
        ),
    ],
)
def test_requirements_say_where_they_stand(requirement: Requirement, url: str, text: str) -> None:
    """As an address, and as words."""
    assert requirement.url == url
    assert str(requirement) == text


def test_rules_describe_themselves() -> None:
    """Title and explanation come from the docstring, severity from the worst variant."""
    assert named.title == "Speak of each X-Bad."
    assert named.explanation == ""
    assert odd.severity == WARNING
    assert str(odd.severity) == "warning"
    assert named.group == "tests"


def test_octets_before_the_response_trigger() -> None:
    """Only if there are any, and only in the exchange."""

    @exchange_rule(
        requirement=SOMEWHERE,
        profiles=("rfc9110",),
        versions=HTTP11,
        early_octets=True,
        violating=[],
        conforming=[],
    )
    def early(request: Request, response: Response) -> Iterator[Evidence]:
        """Speak of impatience."""
        yield Evidence("The client does not wait.", about=request)

    checker = Checker(rules=[early])
    for octets, expected in ((None, 0), (b"", 0), (b"x", 1)):
        message = replace(request(), early_octets=octets)
        assert len(checker.check_exchange(message, response(200))) == expected
        assert checker.check_message(message) == []
