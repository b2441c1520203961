"""Judge and repair messages, and check what every repair promises."""

from collections.abc import Callable, Iterable

from hopguard.checker import Checker
from hopguard.differences import MOST_SENTENCES
from hopguard.hazards import EDITABLE
from hopguard.message import HTTP1, Message, RawFields, Request, Response
from hopguard.record import Redaction
from hopguard.repairing import Repaired, Repairer
from hopguard.rule import PROFILES, Finding, Severity
from hopguard.rules import load_rules
from hopguard.transcript import parse

RULES = load_rules()
CHECKER = Checker(set(PROFILES) - {"rfc2616"})
"""With all rules on: rfc2616 silences some."""
REPAIRER = Repairer(RULES, Redaction())

Judge = Callable[[Message], list[Finding]]


def judge_for(request: Request | None, checker: Checker = CHECKER) -> Judge:
    """Return what finds all that there is in a message; `request` is what a response answers."""

    def judge(message: Message) -> list[Finding]:
        findings = checker.check_message(message)
        if message.trailers is not None:
            findings += checker.check_trailers(message)
        if request is not None and isinstance(message, Response):
            findings += checker.check_exchange(request, message)
        return findings

    return judge


def messages_of(text: str) -> list[tuple[Message, Request | None]]:
    """Return the messages of an example; the last response with the request that it answers."""
    transcript = parse(text)
    if transcript.exchange is None:
        return [(message, None) for message in transcript.messages]
    request, response = transcript.exchange
    return [(request, None), (response, request)]


def repair_all(
    message: Message, request: Request | None = None, checker: Checker = CHECKER
) -> Repaired[Message]:
    """Repair `message` with all rules on fix, and check what that promises."""
    judge = judge_for(request, checker)
    return repair(message, judge(message), judge)


def repair(message: Message, findings: Iterable[Finding], judge: Judge) -> Repaired[Message]:
    """Repair some `findings` of `message`, and check what that promises."""
    repaired = REPAIRER.repair(message, list(findings), judge)
    before, after = judge(message), judge(repaired.message)
    fixed = [outcome for outcome in repaired.outcomes if outcome.fixed]
    left = {(found.rule, found.variant, found.part) for found in after}
    for finding, _, edits in fixed:
        assert (finding.rule, finding.variant, finding.part) not in left
        assert edits
        assert set(edits) <= set(repaired.edits) or len(repaired.edits) > MOST_SENTENCES
    assert all(not outcome.edits for outcome in repaired.outcomes if not outcome.fixed)
    assert {found.rule for found in after} <= {found.rule for found in before}
    for severity in Severity:
        assert weighty(after, severity) <= weighty(before, severity)
    assert bool(fixed) == (repaired.message is not message) == bool(repaired.edits)
    assert all(edit.isascii() and edit.isprintable() for edit in repaired.edits)
    assert_harmless(message, repaired.message)
    return repaired


def weighty(findings: Iterable[Finding], severity: Severity) -> set[str]:
    """Return the rules that find something of `severity`, or worse."""
    return {finding.rule for finding in findings if finding.severity >= severity}


def assert_harmless(before: Message, after: Message) -> None:
    """Check what must stay, whatever is repaired."""
    assert end_to_end(before, before.fields) == end_to_end(before, after.fields)
    trailers = end_to_end(before, before.trailers or ())
    assert [pair for pair in trailers if pair[0].lower() not in before.forbidden_in_trailers] == [
        pair
        for pair in end_to_end(before, after.trailers or ())
        if pair[0].lower() not in before.forbidden_in_trailers
    ]
    if before.version in HTTP1:
        assert len(after.lines(b"transfer-encoding")) == len(before.lines(b"transfer-encoding"))
        assert (b"close" in before.options) <= (b"close" in after.options)
    if isinstance(before, Response) and before.status == 101:
        assert after is before


def end_to_end(message: Message, pairs: RawFields) -> list[tuple[bytes, bytes]]:
    """Return the field lines that no repair may touch."""
    return [pair for pair in pairs if pair[0].lower().strip(b" \t\x0b\x0c") not in EDITABLE]
