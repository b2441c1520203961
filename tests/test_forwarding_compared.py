"""The messages of the comparison, forwarded by the pure function alone."""

import pytest

from hopguard.forwarding import NextLeg, forward, obstacle
from hopguard.message import HTTP1, RawFields, Request, Response, Version
from scripts.sidebyside import CASES
from scripts.sidebyside_case import FRAMING, Case, parse
from scripts.sidebyside_exchange import CONNECTION_FIELDS, Seen
from scripts.sidebyside_judge import faults, unsafe

AMBIGUOUS = {
    ("Framing", name)
    for name in ("Transfer-Encoding and Content-Length", "chunked twice", "of HTTP/1.0")
}
"""Framing that mitmproxy refuses before anything is forwarded."""


def raw(case: Case) -> RawFields:
    pairs = [line.encode("latin-1").partition(b":") for line in case.lines]
    host = ((b"Host", b"side.example"),) if case.kind == "request" else ()
    return (*host, *((name, value.strip(b" \t")) for name, _, value in pairs))


def forwarded(case: Case) -> Seen:
    """Be an intermediary before, or behind, an HTTP/1.1 server."""
    message: Request | Response
    asked: Version = case.version
    if case.kind == "request":
        message = Request(version=asked, fields=raw(case), leg="client", method=case.start.encode())
        to = NextLeg(version="HTTP/1.1")
    else:
        start: Version = "HTTP/1.0" if case.start.startswith("HTTP/1.0") else "HTTP/1.1"
        message = Response(version=start, fields=raw(case), leg="server", status=case.status)
        # A server answers in its own version, and has no transfer codings for HTTP/1.0.
        to = NextLeg(version=asked)
    assert obstacle(message, to) == ""
    sent = forward(message, to)
    lines = [(name.decode().lower(), value.decode()) for name, value in sent.fields]
    compared = CONNECTION_FIELDS | {parse(line)[0] for line in case.lines}
    return Seen(
        messages=1,
        status=200,
        version=to.version,
        lines=tuple(line for line in lines if line[0] in compared - FRAMING),
        hosts=1,
        framing=tuple(line for line in lines if line[0] in FRAMING) if to.version in HTTP1 else (),
        body=case.body,
    )


UNAMBIGUOUS = [case for case in CASES if (case.topic, case.name) not in AMBIGUOUS]


@pytest.mark.parametrize(
    "case", UNAMBIGUOUS, ids=[f"{case.kind}: {case.name}" for case in UNAMBIGUOUS]
)
def test_what_is_forwarded_is_what_the_rfc_asks_for(case: Case) -> None:
    seen = forwarded(case)
    assert [fault.says for fault in faults(case, seen)] == []
    assert [fault.says for fault in unsafe(case, seen)] == []
