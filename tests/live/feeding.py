"""Feeding one message to a mitmproxy between a client and an origin, and looking at both ends."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.live.malformed import MARK, Kind, Message
from tests.peers import (
    Close,
    Data,
    FieldLines,
    Fields,
    Http1Client,
    Http1Origin,
    Http2Client,
    Http2Origin,
    MalformedMessageError,
    Mitm,
    PeerClosedError,
    Request,
    Response,
    Step,
    answer,
    message,
    request_lines,
)
from tests.peers.mitm import Option
from tests.records import read_log

ADDON = Path(__file__).parents[2] / "addon" / "hopguard_addon.py"

OK = message(b"HTTP/1.1 200 OK", b"Content-Length: 2", body=b"ok")
OK_STREAM = answer(body=b"ok")

TO_HTTP1, TO_HTTP2, REGULAR = range(3)
"""The modes."""


@dataclass
class Bench:
    """A mitmproxy in reverse mode, before an origin of each version, and in regular mode."""

    mitm: Mitm
    http1: Http1Origin
    http2: Http2Origin
    log: Path

    def records(self) -> list[dict[str, Any]]:
        """Read the violation log."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@contextmanager
def bench(
    folder: Path,
    tls: ssl.SSLContext,
    confdir: Path,
    *,
    addon: bool = True,
    options: Mapping[str, Option] | None = None,
) -> Iterator[Bench]:
    """Set up a mitmdump, bare or with the addon, and its origins."""
    log = folder / "violations.jsonl"
    ours = {"hopguard_log": str(log)} if addon else {}
    with (
        Http1Origin(default=OK) as http1,
        Http2Origin(default=OK_STREAM, tls=tls) as http2,
        Mitm(
            *(f"reverse:{http1.url}", f"reverse:{http2.url}", "regular"),
            scripts=[ADDON] if addon else [],
            options={**ours, **(options or {})},
            confdir=confdir,
        ) as mitm,
    ):
        yield Bench(mitm, http1, http2, log)
        if addon:
            read_log(log)


@dataclass(frozen=True)
class Outcome:
    """What one message came to. Octets are compared with the origin's port taken out of them."""

    status: int | None
    """Of the response that the client got; None without one."""
    ended: str
    """How the exchange ended for the client: `complete`, `reset`, `closed`."""
    arrived: tuple[object, ...]
    """What the origin received."""
    passed: bool
    """Whether the other side received what the message is marked with."""
    received: bytes
    """All that the client received."""

    @property
    def refused(self) -> bool:
        """Whether nothing of the message reached the other side, and the sender knows."""
        success = self.status is not None and self.status < 400
        return not self.passed and not success

    def like(self, other: "Outcome") -> bool:
        """Whether nobody could tell the one from the other."""
        return (self.status, self.ended, self.arrived, self.passed) == (
            *(other.status, other.ended, other.arrived),
            other.passed,
        )


def feed(bench: Bench, malformed: Message, mode: int) -> Outcome:
    """Send the message, on connections of its own, through `mode`."""
    to_http2 = mode == TO_HTTP2 or (mode == REGULAR and not malformed.octets)
    origin: Http1Origin | Http2Origin = bench.http2 if to_http2 else bench.http1
    requests, connections = len(origin.requests), len(origin.connections)
    if malformed.octets:
        status, ended, received = _exchange_http1(bench, malformed, mode)
    else:
        status, ended, received = _exchange_http2(bench, malformed, mode)
    # A connection to the origin is made for each client, and ends with it: nothing comes later.
    if mode != REGULAR:
        origin.wait_for_close(connections)
    for number in range(connections, len(origin.connections)):
        origin.wait_for_close(number)
    arrived = origin.requests[requests:]
    if malformed.kind in (Kind.HTTP1_RESPONSE, Kind.RESPONSE, Kind.RESPONSE_TRAILERS):
        passed = MARK in received
    else:
        passed = bool(arrived)
    seen = tuple(_comparable(request, origin.port) for request in arrived)
    return Outcome(status, ended, seen, passed, received)


class _Client(Http2Client):
    """Takes GOAWAY for the end: in a tunnel, mitmproxy sometimes forgets to close after it."""

    def response(self, number: int) -> Response:
        streams = self.streams
        stream = streams.stream(number)
        over = streams.changes.until(lambda: stream.over or streams.closed or bool(streams.goaway))
        self._background.run(over, f"a response on stream {number}", self.timeout)
        return stream.response(streams.version)


def _comparable(request: Request, port: int) -> object:
    own, neutral = b":%d" % port, b":port"
    if request.octets:
        return request.octets.replace(own, neutral)
    fields = tuple((name, value.replace(own, neutral)) for name, value in request.fields)
    return fields, request.body, request.trailers, request.complete


def _exchange_http1(bench: Bench, malformed: Message, mode: int) -> tuple[int | None, str, bytes]:
    octets = malformed.sent_octets
    if malformed.kind is Kind.HTTP1_RESPONSE:
        bench.http1.answers[malformed.path] = [octets, Close()]
        octets = message(b"GET %s HTTP/1.1" % malformed.path.encode(), b"Host: localhost")
    if mode == REGULAR:
        octets = octets.replace(b" /", b" %s/" % bench.http1.url.encode(), 1)
    status, ended = None, "complete"
    with Http1Client(bench.mitm.address(mode)) as client:
        try:
            response = client.exchange(octets)
            status, ended = response.status, "complete" if response.complete else "closed"
        except (PeerClosedError, MalformedMessageError) as error:
            ended = type(error).__name__
        return status, ended, client.received


def _exchange_http2(bench: Bench, malformed: Message, mode: int) -> tuple[int | None, str, bytes]:
    path, lines, own = malformed.path, request_lines(malformed.path), malformed.sent_lines
    body, trailers = b"", cast(FieldLines, ())
    match malformed.kind:
        case Kind.REQUEST:
            lines, body = list(own), malformed.body
        case Kind.REQUEST_TRAILERS:
            body, trailers = malformed.body, own
        case Kind.RESPONSE:
            bench.http2.answers[path] = [Fields(own), Data(malformed.body, end=True)]
        case _:
            fields: list[Step] = [Fields([(b":status", b"200")]), Data(malformed.body)]
            bench.http2.answers[path] = [*fields, Fields(own, end=True)]
    proxy = bench.mitm.address(REGULAR) if mode == REGULAR else None
    address = bench.http2.address if mode == REGULAR else bench.mitm.address(mode)
    with _Client(address, proxy=proxy) as client:
        response = client.exchange(lines, body, trailers)
    sections = [*response.interim, response.fields, response.trailers]
    received = b"\n".join(b": ".join(line) for section in sections for line in section)
    ended = "complete" if response.complete else "reset" if response.reset is not None else "closed"
    return response.status, ended, received + b"\n" + response.body
