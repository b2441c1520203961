"""What an origin is told to do about a request: a sequence of steps.

Nothing is added to the steps and nothing checked, so an answer may be as wrong as one likes. An
HTTP/1 answer is made of octets, one of HTTP/2 or HTTP/3 of `Fields`, `Data` and `Reset`. An answer
that ends without `Close` keeps the connection; one that ends without an `end=True` keeps the
stream open.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .messages import FieldLines, Request
from .waiting import Flag


@dataclass(frozen=True)
class Fields:
    """Send one header or trailer section (HTTP/2, HTTP/3)."""

    lines: Sequence[tuple[bytes, bytes]]
    end: bool = False
    """End the stream with it."""


@dataclass(frozen=True)
class Data:
    """Send octets of a body (HTTP/2, HTTP/3)."""

    octets: bytes
    end: bool = False


@dataclass(frozen=True)
class Reset:
    """Reset the stream (HTTP/2, HTTP/3), or the TCP connection (HTTP/1)."""

    code: int = 0


@dataclass(frozen=True)
class GoAway:
    """Send GOAWAY (HTTP/2); close the connection with this error code (HTTP/3)."""

    code: int = 0


@dataclass(frozen=True)
class Close:
    """Close the connection, with all its streams."""


@dataclass(frozen=True)
class Wait:
    """Go on when the flag is set: by the test, or by another answer's `Signal`."""

    flag: Flag


@dataclass(frozen=True)
class Signal:
    """Set the flag."""

    flag: Flag


@dataclass(frozen=True)
class WaitForRequests:
    """Go on when the origin has received so many requests."""

    count: int


Step = bytes | Fields | Data | Reset | GoAway | Close | Wait | Signal | WaitForRequests
Answer = bytes | Sequence[Step]
Answers = Mapping[str, Answer] | Callable[[Request], Answer]
"""By path (without query), or by anything else."""


def message(*lines: bytes, body: bytes = b"") -> bytes:
    """Write an HTTP/1 message: the lines, each with CRLF, an empty one, the body. Adds no field."""
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def chunked(*chunks: bytes, trailers: Sequence[bytes] = ()) -> bytes:
    """Write a body in the chunked transfer coding, with its trailer section."""
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return coded + b"0\r\n" + b"".join(line + b"\r\n" for line in trailers) + b"\r\n"


def answer(
    *fields: tuple[bytes, bytes],
    status: int = 200,
    body: bytes = b"",
    trailers: FieldLines = (),
) -> list[Step]:
    """Write a whole HTTP/2 or HTTP/3 response; adds nothing but `:status`."""
    lines = [(b":status", b"%d" % status), *fields]
    parts: list[Step] = [Fields(lines, end=not body and not trailers)]
    if body:
        parts.append(Data(body, end=not trailers))
    if trailers:
        parts.append(Fields(trailers, end=True))
    return parts


def request_lines(
    path: str, *fields: tuple[bytes, bytes], method: bytes = b"GET"
) -> list[tuple[bytes, bytes]]:
    """Write the header section of an HTTP/2 or HTTP/3 request; adds the pseudo-header fields."""
    return [
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", path.encode()),
        *fields,
    ]
