"""Judge transcripts: the way every test, and every example, reaches the checker."""

from collections.abc import Iterator
from typing import NamedTuple

from hopguard.checker import Checker
from hopguard.lifecycle import Lifecycle
from hopguard.message import Message, Response
from hopguard.rule import Finding
from hopguard.transcript import Mark, Transcript, parse


class Judged(NamedTuple):
    """A finding and the line of the transcript that it points at."""

    finding: Finding
    at: Mark


def judge(text: str, checker: Checker) -> list[Judged]:
    """Judge every message, trailer section, exchange and connection of the transcript `text`."""
    transcript = parse(text)
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
    return judged + list(judge_connections(transcript, checker))


def judge_connections(transcript: Transcript, checker: Checker) -> Iterator[Judged]:
    """Judge what happens on the connections of `transcript`, if it says anything of them."""
    lifecycle = Lifecycle(checker, idle_timeout=transcript.in_front)
    for position, step in enumerate(transcript.steps):
        place = Mark(step.message, None, position if step.message is None else None)
        for key, event in step.events:
            for found in lifecycle.feed(key, event):
                yield Judged(found.finding, place)


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
