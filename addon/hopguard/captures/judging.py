"""Captured exchanges judged, as the addon judges live ones."""

from collections.abc import Callable
from typing import NamedTuple

from hopguard.captures.capture import Captured, Peer
from hopguard.checker import Checker
from hopguard.endings import section_leaves_open
from hopguard.message import Request, Response
from hopguard.record import Action, Circumstances, Record, Redaction, identity, make_record
from hopguard.rule import Finding

EARLIEST, LATEST = 631_152_000, 7_258_118_400
"""Seconds since the epoch, at the start of 1990 and of 2200: no other time is believed."""


class Judged(NamedTuple):
    """What was found in an exchange, and what else there is to know of it."""

    records: list[Record]
    plain: bool
    """Whether both messages say nothing of their connections: see `hopguard.plain`."""


def judge(
    captured: Captured,
    checker: Checker,
    redaction: Redaction,
    wanted: Callable[[Finding], bool] | None = None,
) -> Judged:
    """Judge one exchange, and make the records of what `checker` finds, each finding once.

    Those that are not `wanted` are left out.

    They are those that the addon makes of the same exchange on live traffic, but for their time:
    it is that of the message.
    """
    found, plain = _judge(captured, checker)
    if not found:
        return Judged([], plain)
    records: dict[tuple[object, ...], Record] = {}
    for finding, action in found:
        if wanted is not None and not wanted(finding):
            continue
        if not captured.unjudged.isdisjoint((finding.rule, f"{finding.rule}/{finding.variant}")):
            continue
        where = circumstances(captured, finding, action)
        record = make_record(finding, where, redaction)
        records.setdefault(identity(record), record)
    return Judged(list(records.values()), plain)


_Found = list[tuple[Finding, Action]]


def _judge(captured: Captured, checker: Checker) -> tuple[_Found, bool]:
    """Judge in the order of the addon's hooks; also tell whether all is plain."""
    request, response, asked = captured.request, captured.response, captured.asked
    found: _Found = []
    plain = False
    if request is not None:
        findings, plain = checker.judge_request(request)
        if findings:
            refused: Action = "refused" if captured.refused == "request" else "flagged"
            found += [(finding, refused) for finding in findings]
        if request.trailers or not plain:
            plain = False
            found += [(finding, "flagged") for finding in _of_trailers(request, checker)]
    if response is None:
        return found, False
    if asked is None:
        findings, plain_answer = checker.check_message(response), False
    else:
        findings, plain_answer = checker.judge_answer(asked, response)
    if findings:
        refused = "refused" if captured.refused == "response" else "flagged"
        found += [(finding, refused) for finding in findings]
    if plain_answer and not response.trailers:
        return found, plain
    if not _speaks_of_another(captured.method, response):
        found += [(finding, "flagged") for finding in _of_trailers(response, checker)]
    return found, False


def _of_trailers(message: Request | Response, checker: Checker) -> list[Finding]:
    trailers = message.trailers
    if trailers is None or not (trailers or section_leaves_open(message.fields)):
        return []
    return checker.check_trailers(message)


def _speaks_of_another(method: bytes | None, response: Response) -> bool:
    """Tell whether the header section is that of a message that was not sent.

    So is that of an answer to HEAD, and of a 304.
    """
    return not response.trailers and (method == b"HEAD" or response.status == 304)


def circumstances(captured: Captured, finding: Finding, action: Action) -> Circumstances:
    """Return where and when a finding about `captured` was made."""
    answered = finding.part.startswith("response")
    times = captured.responded if answered else captured.requested
    peer: Peer = captured.client if finding.leg == "client" else captured.server
    return Circumstances(
        time=sane(times.start if times.start is not None else captured.requested.start),
        action=action,
        method=captured.method,
        url=captured.url,
        status=captured.status if answered else None,
        flow=captured.flow,
        connection=peer.id,
        client=captured.client.address,
        server=captured.server.address,
    )


def sane(seconds: float | None) -> float | None:
    """Return a time that can be shown beside others: anything may stand in a file."""
    return seconds if seconds is not None and EARLIEST <= seconds < LATEST else None
