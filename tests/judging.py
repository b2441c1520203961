"""Judge transcripts: the way every test, and every example, reaches the checker."""

from typing import NamedTuple

from hopguard.checker import Checker
from hopguard.message import Message, Response
from hopguard.rule import Finding
from hopguard.transcript import Mark, Transcript, parse


class Judged(NamedTuple):
    """A finding and the line of the transcript that it points at."""

    finding: Finding
    at: Mark


def judge(text: str, checker: Checker) -> list[Judged]:
    """Judge every message, trailer section and exchange of the transcript `text`.

    Of one about an intermediary, judge what it sent on in the light of what it received.
    """
    transcript = parse(text)
    if transcript.forwarding is not None:
        assert transcript.sent_on is not None
        found = checker.check_forwarding(*transcript.forwarding)
        return [_judged(transcript, finding, transcript.sent_on) for finding in found]
    judged = [
        _judged(transcript, finding, position)
        for position, message in enumerate(transcript.messages)
        for finding in _findings(message, checker)
    ]
    if transcript.exchange is not None:
        judged += [
            _judged(transcript, finding, _position(transcript, finding))
            for finding in checker.check_exchange(*transcript.exchange)
        ]
    return judged


def _findings(message: Message, checker: Checker) -> list[Finding]:
    findings = checker.check_message(message)
    if message.trailers is not None:
        findings += checker.check_trailers(message)
    return findings


def _position(transcript: Transcript, finding: Finding) -> int:
    of_response = finding.part.startswith("response")
    positions = [
        position
        for position, message in enumerate(transcript.messages)
        if isinstance(message, Response) == of_response
    ]
    return positions[-1] if of_response else positions[0]


def _judged(transcript: Transcript, finding: Finding, position: int) -> Judged:
    line = finding.line
    at = Mark(position, None, None) if line is None else Mark(position, line.section, line.position)
    return Judged(finding, at)
