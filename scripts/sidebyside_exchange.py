"""Send the cases through one product, and record what arrives at the far side."""

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.sidebyside_case import FRAMING, Case, Line, parse
from tests.peers import (
    FieldLines,
    Http1Client,
    Http1Origin,
    Http2Client,
    MalformedMessageError,
    PeerClosedError,
    Request,
    Response,
    WaitTimeoutError,
    message,
    request_lines,
)
from tests.peers.messages import Message
from tests.peers.script import Answer, Close
from tests.peers.waiting import Address

OK = message(b"HTTP/1.1 200 OK", b"Content-Length: 2", body=b"ok")

CONNECTION_FIELDS = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "http2-settings"}
)
"""Compared in every case, whether or not they are in what was sent."""


@dataclass(frozen=True)
class Seen:
    """What came of a case."""

    messages: int = 0
    """How many arrived."""
    status: int | None = None
    """What the client got."""
    version: str = ""
    lines: tuple[Line, ...] = ()
    """The field lines under comparison, in order."""
    hosts: int = 0
    """How many lines of Host, or of :authority."""
    framing: tuple[Line, ...] = ()
    body: bytes = b""

    @property
    def arrived(self) -> bool:
        """Whether something did."""
        return self.messages > 0

    def options(self) -> list[str]:
        """List the members of Connection in lower case."""
        members = ",".join(value for name, value in self.lines if name == "connection")
        return [one.strip().lower() for one in members.split(",") if one.strip()]

    def values(self, name: str) -> list[str]:
        """List what arrived under this name."""
        return [value for found, value in self.lines if found == name]


def answers(cases: Sequence[Case]) -> dict[str, Answer]:
    """Tell an origin how to answer to the paths of the responses."""
    return {
        path_of(number, case): [_response(case), *([Close()] if case.closes else [])]
        for number, case in enumerate(cases)
        if case.kind == "response"
    }


def path_of(number: int, case: Case) -> str:
    """Give each case a path of its own, by which it is recognised at the origin."""
    return f"/{case.kind}-{number}"


def _octets(lines: Sequence[str]) -> list[bytes]:
    return [line.encode("latin-1") for line in lines]


def _response(case: Case) -> bytes:
    return message(*_octets([case.start, *case.lines]), body=case.sends)


def exchange(
    number: int, case: Case, origin: Http1Origin, address: Address, address_of_tls: Address
) -> Seen:
    """Send a case on connections of its own."""
    path = path_of(number, case)
    sent = case.lines if case.kind == "request" else case.asks
    before = len(origin.requests)
    response: Response | None = None
    try:
        if case.version == "HTTP/2":
            lines = [(name.encode(), value.encode()) for name, value in map(parse, sent)]
            with Http2Client(address_of_tls) as client:
                response = client.exchange(request_lines(path, *lines))
        else:
            start = f"{case.method} {path} {case.version}"
            lines_of_one = _octets([start, "Host: side.example", *sent])
            body = case.sends if case.kind == "request" else b""
            with Http1Client(address) as one:
                response = one.exchange(message(*lines_of_one, body=body))
    except (PeerClosedError, MalformedMessageError, WaitTimeoutError):
        pass
    if case.kind == "request":
        return _of_request(case, origin.requests[before:], response)
    return _of_response(case, response)


def _of_request(case: Case, requests: Sequence[Request], response: Response | None) -> Seen:
    status = response.status if response else None
    if not requests:
        return Seen(status=status)
    return _seen(case, requests[0], len(requests), status)


def _of_response(case: Case, response: Response | None) -> Seen:
    if response is None or response.status is None:
        return Seen()
    forwarded = response.status == case.status
    return _seen(case, response, int(forwarded), response.status)


def _seen(case: Case, arrived: Message, messages: int, status: int | None) -> Seen:
    compared = CONNECTION_FIELDS | {name for name, _ in map(parse, case.lines)}
    lines = _decoded(arrived.fields)
    return Seen(
        messages=messages,
        status=status,
        version=arrived.version,
        lines=tuple(line for line in lines if line[0] in compared - FRAMING),
        hosts=sum(name in ("host", ":authority") for name, _ in lines),
        framing=tuple(line for line in lines if line[0] in FRAMING),
        body=arrived.body,
    )


def _decoded(fields: FieldLines) -> list[Line]:
    return [
        (name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t"))
        for name, value in fields
    ]
