"""Exchanges put together at random, through conforming forwarding: what it says is what it does."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.site import ADDON
from tests.peers import (
    Close,
    Http1Client,
    Http1Origin,
    Mitm,
    Response,
    Step,
    chunked,
    message,
)

pytestmark = pytest.mark.live

OPTIONS = (
    *("close", "Close", "keep-alive", "KEEP-ALIVE", "te", "Upgrade", "HTTP2-Settings", "trailer"),
    *("X-Hop", "X-Forwarded-For", "host", "Transfer-Encoding", "content-length", "", '"a"'),
)
FIELDS = (
    *("X-Hop: 1", "X-End: 2", "TE: trailers", "TE: gzip", "TE: trailers, deflate;q=0.5"),
    *("Keep-Alive: timeout=60", "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic dTpw"),
    *("Upgrade: websocket", "Upgrade: h2c", "Upgrade: foo/1", "HTTP2-Settings: AAMAAABk"),
    *("X-Forwarded-For: 203.0.113.7", "Trailer: X-Sum", "Close: 1", "Via: 1.1 x"),
)
VERSIONS = ("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0")
EXCHANGES = 50
FOLLOWING = message(b"HTTP/1.1 200 OK", b"Content-Length: 2", body=b"ok")


@dataclass(frozen=True)
class Exchange:
    """A request, a response, and their contents."""

    method: str
    version: str
    request: bytes
    sent: bytes
    response: bytes
    answered: bytes
    closes: bool
    """Whether the origin does, after its response."""


def header(dice: random.Random, framing: Sequence[str]) -> list[bytes]:
    lines = [*framing, *dice.sample(FIELDS, dice.randint(0, 4))]
    for _ in range(dice.choice([0, 1, 1, 1, 2])):
        name = dice.choice(["Connection", "connection", "CONNECTION"])
        lines.append(f"{name}: {', '.join(dice.sample(OPTIONS, dice.randint(1, 3)))}")
    dice.shuffle(lines)
    return [line.encode() for line in lines]


def framed(kind: str, content: bytes) -> tuple[list[str], bytes]:
    if kind == "chunked":
        return ["Transfer-Encoding: chunked"], chunked(content) if content else chunked()
    return [f"Content-Length: {len(content)}"] if kind == "counted" else [], content


def throw(dice: random.Random, path: str) -> Exchange:
    """Put an exchange together."""
    version, answering = dice.choice(VERSIONS), dice.choice(VERSIONS)
    method, status = dice.choice(["GET", "POST", "HEAD"]), dice.choice([200, 200, 204, 304, 426])
    sent = b"x" * dice.choice([0, 5, 3000])
    chunks = ["chunked"] if version == "HTTP/1.1" else []
    fields, coded = framed(dice.choice(["counted", *chunks]), sent)
    start = f"{method} {path} {version}".encode()
    request = message(start, b"Host: localhost", *header(dice, fields), body=coded)
    answered = b"y" * dice.choice([0, 7, 3000])
    chunks = ["chunked"] if answering == "HTTP/1.1" else []
    framing = dice.choice(["counted", "until close", *chunks])
    fields, coded = framed(framing, answered)
    bodiless = method == "HEAD" or status in (204, 304)
    if bodiless:
        answered = coded = b""
        fields = [] if status in (204, 304) else fields
    lines = header(dice, fields)
    response = message(f"{answering} {status} X".encode(), *lines, body=coded)
    # One that closes without a word may be asked once more before mitmproxy notices.
    says_so = any(re.match(rb"connection:.*\bclose\b", line, re.I) for line in lines)
    ends = framing == "until close" and not bodiless
    closes = ends or (says_so and dice.random() < 0.5)
    return Exchange(method, version, request, sent, response, answered, closes)


@pytest.fixture(
    scope="module", params=[{}, {"hopguard_action": "fix", "stream_large_bodies": "1"}], ids=str
)
def path(request: pytest.FixtureRequest, confdir: Path) -> Iterator[tuple[Http1Origin, Mitm]]:
    with (
        Http1Origin(default=FOLLOWING) as origin,
        Mitm(
            f"reverse:{origin.url}",
            scripts=[ADDON],
            options={"hopguard_forwarding": "conforming", **request.param},
            confdir=confdir,
        ) as mitm,
    ):
        yield origin, mitm
        assert "Traceback" not in mitm.output


def announces_persistence(exchange: Exchange, response: Response) -> bool:
    """Read the response as its client does (RFC 9112, section 9.3)."""
    options = b",".join(response.values("connection")).lower()
    if b"close" in options:
        return False
    return b"keep-alive" in options or "HTTP/1.0" not in (exchange.version, response.version)


def test_what_is_announced_is_what_happens(path: tuple[Http1Origin, Mitm]) -> None:
    origin, mitm = path
    dice = random.Random(9110)
    refused = 0
    for number in range(EXCHANGES):
        target = f"/{number}"
        exchange = throw(dice, target)
        steps: list[Step] = [exchange.response]
        origin.answers[target] = [*steps, Close()] if exchange.closes else steps
        before = len(origin.requests)
        with Http1Client(mitm.address()) as client:
            response = client.exchange(exchange.request)
            arrived = origin.requests[before:]
            if response.status in (400, 502):
                refused += 1
                continue
            assert [(one.path, one.body) for one in arrived] == [(target, exchange.sent)], exchange
            assert response.body == exchange.answered, exchange
            if announces_persistence(exchange, response):
                following = message(b"GET /following HTTP/1.1", b"Host: localhost")
                assert client.exchange(following).octets.endswith(b"ok"), exchange
            else:
                client.wait_for_close()
    assert refused < EXCHANGES / 2
