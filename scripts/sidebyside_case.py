"""One message of the comparison, and what RFC 9110, section 7.6.1, has an intermediary do with it.

The lines under comparison are written as they are sent, one string each, without the CRLF. Host,
Content-Length, Transfer-Encoding and the body are compared apart: see `framing`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tests.peers import chunked

Version = Literal["HTTP/1.0", "HTTP/1.1", "HTTP/2"]
Kind = Literal["request", "response"]
Line = tuple[str, str]
"""Name in lower case, value without the white space around it."""

BODY = b"some content"
CHUNKED = chunked(BODY)
OK = "HTTP/1.1 200 OK"
WEBSOCKET = (
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)
FRAMING = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request to be forwarded, or a response."""

    kind: Kind
    topic: str
    name: str
    """Unique among those of its kind."""
    lines: tuple[str, ...]
    """What is sent of header fields, in order, besides Host in a request."""
    on: tuple[str, ...] = ()
    """Those of them that must arrive."""
    may: tuple[str, ...] = ()
    """Those that may: nothing is said of them, or they may be sent anew for the next connection."""
    protected: tuple[str, ...] = ()
    """Those that Connection nominates though it must not, so that the letter has them removed. Who
    obeys lets a client delete what others rely on: hopguard must not."""
    refusal: bool = False
    """Whether an error answer, too, is right."""
    note: str = ""
    """What the RFC says of it, where that does not go without saying."""
    start: str = ""
    """A response's status line, a request's method."""
    version: Version = "HTTP/1.1"
    """Of a request; of the request that a response answers."""
    asked: str = "GET"
    """The method of the request that a response answers."""
    asks: tuple[str, ...] = ()
    """Further field lines of the request that a response answers."""
    sends: bytes = b""
    """The body as it is sent, framing included."""
    body: bytes = b""
    """The content that must arrive."""
    closes: bool = False
    """Whether the origin closes after its response."""

    @property
    def method(self) -> str:
        """The request's method; of a response, that of the request before it."""
        return self.start if self.kind == "request" else self.asked

    @property
    def status(self) -> int:
        """A response's status."""
        return int(self.start.split(" ")[1])

    @property
    def sent(self) -> tuple[str, ...]:
        """What is sent of a message, as it is shown: its start where that matters, its lines."""
        if self.kind == "response":
            return self.lines if self.start == OK else (self.start, *self.lines)
        usual = (self.start, self.version) == ("GET", "HTTP/1.1")
        return self.lines if usual else (f"{self.start} {self.version}", *self.lines)

    def values(self, name: str) -> list[str]:
        """List what is sent under this name (lower case)."""
        return [value for found, value in parsed(self.lines) if found == name]

    def options(self) -> list[str]:
        """List the members of Connection in lower case, empty ones left out."""
        members = ",".join(self.values("connection")).lower().split(",")
        return [member.strip(" \t") for member in members if member.strip(" \t")]


def parse(line: str) -> Line:
    """Split a field line."""
    name, _, value = line.partition(":")
    return name.lower(), value.strip(" \t")


def parsed(lines: tuple[str, ...]) -> Iterator[Line]:
    """Split field lines."""
    return map(parse, lines)
