"""Repairs that are taken, repairs that are not, and what is said about either."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from hopguard import attempts
from hopguard.editing import remove_fields
from hopguard.message import Message, RawFields
from hopguard.record import Redaction
from hopguard.repairing import Repairer
from hopguard.rule import Edit, Finding
from tests.repairs import CHECKER, REPAIRER, RULES, judge_for, messages_of, repair, repair_all


def repaired(text: str, *rules: str) -> tuple[RawFields, dict[str, tuple[str, ...] | None]]:
    """Repair the last message of an example with `rules` on fix, by default with all.

    Returns its header section and, for each finding that was to be fixed, the edits, or None if it
    is not fixed.
    """
    message, request = messages_of(text)[-1]
    judge = judge_for(request)
    wanted = [one for one in judge(message) if not rules or one.rule in rules]
    done = repair(message, wanted, judge)
    return done.message.fields, {
        f"{one.rule}/{one.variant}".rstrip("/"): edits if fixed else None
        for one, fixed, edits in done.outcomes
    }


def repairer_with(rule: str, edit: Edit) -> Repairer:
    """Return a repairer in which `edit` is the only repair of `rule`."""
    rules = [one for one in RULES if one.id != rule]
    mine = next(one for one in RULES if one.id == rule)
    return Repairer([*rules, replace(mine, edits=dict.fromkeys(mine.edits, edit))], Redaction())


def test_nothing_to_fix() -> None:
    """The message itself comes back, and nobody judges it."""
    message, _ = messages_of("> GET / HTTP/1.1\n> Connection: keep-alive")[0]

    def judge(_: Message) -> list[Finding]:
        raise AssertionError

    done = REPAIRER.repair(message, [], judge)
    assert done.message is message
    assert (done.outcomes, done.edits) == ((), ())


def test_what_has_no_repair_falls_back() -> None:
    """To flag, without edits."""
    text = "> GET / HTTP/1.1\n> Host: a\n> Connection: close, Close"
    fields, outcomes = repaired(text)
    assert fields[1] == (b"Connection", b"close, Close")
    assert outcomes == {"connection-option-duplicated": None}


@pytest.mark.parametrize("length", ["6", "+5", "5,", "5\\x00"])
def test_one_length_of_several_is_not_chosen(length: str) -> None:
    """Equal ones are written once only if that is all there is."""
    equal = "> PUT / HTTP/1.1\n> Host: a\n> Content-Length: 5\n> Content-Length: 5"
    fields, outcomes = repaired(f"{equal}\n> Content-Length: {length}", "content-length-ambiguous")
    assert len(fields) == 4
    assert set(outcomes.values()) == {None}
    fields, _ = repaired(equal)
    assert fields[1:] == ((b"Content-Length", b"5"),)


def test_findings_share_an_edit() -> None:
    """Each of them tells what the line was, and what it is in the end."""
    text = '> GET / HTTP/1.1\n> Host: a\n> Connection: Cookie,, close, "x", Via'
    fields, outcomes = repaired(text)
    assert fields[1] == (b"Connection", b"close")
    edits = ('Connection: Cookie,, close, "x", Via became Connection: close',)
    assert outcomes == dict.fromkeys(
        [
            "connection-strips-credential-field",
            "connection-strips-forwarding-field",
            "connection-empty-list-member",
            "connection-option-not-token",
        ],
        edits,
    )


def test_findings_have_edits_of_their_own() -> None:
    """What was changed for something else is not told."""
    text = "> GET / HTTP/1.1\n> Host: a\n> Connection: Cookie\n> Close: yes"
    fields, outcomes = repaired(text)
    assert fields == ((b"Host", b"a"),)
    assert outcomes == {
        "connection-strips-credential-field": ("removed Connection: Cookie",),
        "reserved-close-field": ("removed Close: yes",),
    }


def test_what_comes_to_light_is_repaired_too() -> None:
    """An option was meant and is not valid: without it, its field is unlisted."""
    text = '> GET / HTTP/1.1\n> Host: a\n> Connection: "TE"\n> TE: trailers'
    fields, outcomes = repaired(text, "connection-option-not-token")
    assert fields == ((b"Host", b"a"),)
    assert outcomes == {
        "connection-option-not-token": ('removed Connection: "TE"', "removed TE: trailers"),
    }


def test_what_comes_to_light_and_has_no_repair_forbids_it() -> None:
    """Here a handshake would lose what it needs."""
    text = '> GET / HTTP/1.1\n> Host: a\n> Connection: "upgrade", "x"\n> Upgrade: foo'
    fields, outcomes = repaired(text, "connection-option-not-token")
    assert fields[1] == (b"Connection", b'"upgrade", "x"')
    assert outcomes == {"connection-option-not-token": None}


def test_a_fault_may_turn_into_another_variant() -> None:
    """Keep-Alive contradicts the end of the body; without it, close is still missing."""
    text = "> GET / HTTP/1.1\n> Host: a\n< HTTP/1.1 200 OK\n< Keep-Alive: timeout=5"
    fields, outcomes = repaired(text)
    assert fields == ((b"Connection", b"close"),)
    assert outcomes["close-delimited-response/contradicted"] == ("removed Keep-Alive: timeout=5",)
    fields, outcomes = repaired(text, "keep-alive-without-connection-option")
    assert fields == ()


def test_one_that_only_turned_into_another_variant_is_not_fixed() -> None:
    """Nobody would understand that."""
    message, request = messages_of(
        "> GET / HTTP/1.1\n> Host: a\n< HTTP/1.1 200 OK\n< Keep-Alive: timeout=5"
    )[-1]
    rules = [one for one in RULES if one.id != "close-delimited-response"]
    judge = judge_for(request)
    done = Repairer(rules, Redaction()).repair(message, judge(message), judge)
    fixed = {outcome.finding.rule: outcome.fixed for outcome in done.outcomes}
    assert fixed["keep-alive-without-connection-option"]
    assert not fixed["close-delimited-response"]


def test_what_goes_with_something_else_is_fixed() -> None:
    """Though it has no repair of its own."""
    text = "> GET / HTTP/1.1\n> Connection: Upgrade\n> Upgrade: h2c"
    _, outcomes = repaired(text)
    assert outcomes["http2-settings-invalid/missing"] == (
        "removed Connection: Upgrade",
        "removed Upgrade: h2c",
    )
    assert outcomes["upgrade-token-obsolete/h2c"] == outcomes["http2-settings-invalid/missing"]


def test_another_variant_is_another_matter() -> None:
    """It may be at flag."""
    message, _ = messages_of(
        "< HTTP/1.1 200 OK\n< Via: 1.1 a\n< Age: 1\n< TE: x\n< Proxy-Authenticate: y"
    )[0]
    judge = judge_for(None)
    via = [one for one in judge(message) if one.variant == "via"]
    done = repair(message, via, judge)
    assert done.message.fields[2:] == ((b"Proxy-Authenticate", b"y"),)


def test_findings_about_the_other_message_stay() -> None:
    """They are not about what is being repaired."""
    request, _ = messages_of("> GET / HTTP/1.1\n> Connection: Cookie\n> Upgrade: websocket")[0]
    response, _ = messages_of("< HTTP/1.1 200 OK\n< TE: x\n< Content-Length: 0")[0]
    judge = judge_for(None)
    foreign = CHECKER.check_message(request)
    done = repair(response, [*foreign, *judge(response)], judge)
    assert [one.fixed for one in done.outcomes] == [False] * len(foreign) + [True]


def test_header_and_trailer_section() -> None:
    """Each of them keeps what is not at fault in it."""
    text = "< HTTP/3 200\n< te: x\n< a: 1\n<\n< te: x\n< b: 2\n< host: c"
    message, _ = messages_of(text)[0]
    done = repair_all(message)
    assert done.message.fields == ((b"a", b"1"),)
    assert done.message.trailers == ((b"b", b"2"),)
    assert done.edits == (
        "removed te: x",
        "removed te: x from the trailer section",
        "removed host: c from the trailer section",
    )


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ('"close"', b"close"),
        ('keep-alive, "close"', b"close"),
        ("close;q=1, x", b"close, x"),
        ('close, "close"', b"close"),
        ('Close, "x"', b"close"),
        ('"x close", keep-alive', b"close"),
        ("enclose y, x", b"x"),
        ("keep-alive close", b"close"),
        ("keep-alive,\\r\\n Close, Age", b"close"),
    ],
)
def test_close_survives(options: str, left: bytes) -> None:
    """Whatever it was hidden in, it is written so that mitmproxy understands it."""
    fields, _ = repaired(f"> GET / HTTP/1.1\n> Host: a\n> Connection: {options}")
    assert fields == ((b"Host", b"a"), (b"Connection", left))


def test_a_repair_that_repairs_nothing_is_not_taken() -> None:
    """Nor is one that edits something else."""
    text = "> GET / HTTP/1.1\n> Host: a\n> TE: x\n> Close: y"

    def remove_te[M: Message](message: M, _: Finding, /) -> M:
        return remove_fields(message, {b"te"})

    message, _ = messages_of(text)[0]
    findings = [one for one in CHECKER.check_message(message) if one.rule == "reserved-close-field"]
    done = repairer_with("reserved-close-field", remove_te).repair(
        message, findings, CHECKER.check_message
    )
    assert done.message is message
    assert [one.fixed for one in done.outcomes] == [False]


@pytest.mark.parametrize("name", [b"Host", b"Connection", b"Transfer-Encoding"])
def test_a_dangerous_repair_is_not_taken(name: bytes) -> None:
    """Even if nothing is left to find."""
    message, _ = messages_of(
        "> GET / HTTP/1.1\n> Host: a\n> Close: y\n> Connection: close\n> Transfer-Encoding: chunked"
    )[0]

    def remove_more[M: Message](message: M, _: Finding, /) -> M:
        gone = (b"Close", name)
        return replace(message, fields=tuple(one for one in message.fields if one[0] not in gone))

    repairer = repairer_with("reserved-close-field", remove_more)
    done = repairer.repair(message, CHECKER.check_message(message), CHECKER.check_message)
    assert done.message is message


def test_consequences_have_an_end() -> None:
    """A repair that brings ever new faults to light is given up."""
    message, _ = messages_of("> GET / HTTP/1.1\n> Close: x")[0]

    def grow[M: Message](message: M, _: Finding, /) -> M:
        return replace(message, fields=(*message.fields, (b"Close", b"x")))

    judged = 0

    def judge(message: Message) -> list[Finding]:
        nonlocal judged
        judged += 1
        return CHECKER.check_message(message)

    done = repairer_with("reserved-close-field", grow).repair(
        message, CHECKER.check_message(message), judge
    )
    assert done.message is message
    assert judged == 2 + attempts.MOST_CONSEQUENCES


def test_rounds_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not done by then stays at flag."""
    monkeypatch.setattr(attempts, "MOST_ROUNDS", 1)
    text = "> GET / HTTP/1.1\n> Host: a\n< HTTP/1.1 200 OK\n< Keep-Alive: timeout=5"
    message, request = messages_of(text)[-1]
    judge = judge_for(request)
    done = REPAIRER.repair(message, judge(message), judge)
    fixed = {outcome.finding.rule: outcome.fixed for outcome in done.outcomes}
    assert fixed["keep-alive-without-connection-option"]


def test_a_crashing_repair_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """By the rule's id, without what may be a secret; the other repairs work."""

    def crash[M: Message](message: M, _: Finding, /) -> M:
        raise ValueError(message.fields)

    message, _ = messages_of("> GET / HTTP/1.1\n> Cookie: secret\n> Close: x\n> TE: x")[0]
    repairer = repairer_with("reserved-close-field", crash)
    for _ in range(2):
        done = repairer.repair(message, CHECKER.check_message(message), CHECKER.check_message)
        assert {one.finding.rule: one.fixed for one in done.outcomes} == {
            "reserved-close-field": False,
            "te-without-connection-option": True,
        }
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "rule reserved-close-field crashed" in caplog.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("> GET / HTTP/1.1\n> Connection: Host", False),
        ("< HTTP/1.1 204 No Content\n< Connection: Host", True),
        ("< HTTP/1.1 204 No Content\n< Content-Length: 0", True),
        ("< HTTP/1.1 204 No Content\n< Transfer-Encoding: chunked", False),
        ("> GET / HTTP/1.1\n> Connection: connection", False),
    ],
)
def test_what_may_be_fixed(text: str, may: bool) -> None:
    """By rule, variant and direction, before anything is tried."""
    message, _ = messages_of(text)[0]
    assert {REPAIRER.may_fix(one) for one in CHECKER.check_message(message)} == {may}


Make = Callable[[int], bytes]


@pytest.mark.parametrize(
    "make",
    [
        lambda number: b"x-a%d" % number,
        lambda number: b'"y%d"' % number,
        lambda number: b"cookie, te, close",
        lambda number: b"",
    ],
)
def test_work_does_not_grow_with_the_lines(make: Make) -> None:
    """A message is judged as often, however many lines it has."""
    counts = set()
    for length in (60, 600):
        judged = 0

        def judge(message: Message) -> list[Finding]:
            nonlocal judged
            judged += 1
            return CHECKER.check_message(message)

        message, _ = messages_of("> GET / HTTP/1.1\n> Host: a")[0]
        lines = tuple((b"Connection", make(number)) for number in range(length))
        message = replace(message, fields=(*message.fields, *lines))
        REPAIRER.repair(message, CHECKER.check_message(message), judge)
        counts.add(judged)
    assert len(counts) == 1
