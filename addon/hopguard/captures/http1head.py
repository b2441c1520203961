"""The header section of an HTTP/1.x message as it was stored: whatever was sent can be read."""

import re
from typing import NamedTuple

from hopguard.grammar import OWS
from hopguard.message import RawFields, Version

MOST_OCTETS = 1 << 18
"""Of a header section that is read: more than any server takes."""

EMPTY = "there is no message in it"

_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"(HTTP/[0-9]{1,3}(?:\.[0-9]{1,3})?)[ \t]+([1-9][0-9]{2})(?![0-9])")
_LABEL = re.compile(rb"HTTP/[0-9]{1,3}(?:\.[0-9]{1,3})?")
_VERSIONS: dict[bytes, Version] = {
    b"HTTP/1.0": "HTTP/1.0",
    b"HTTP/2": "HTTP/2",
    b"HTTP/2.0": "HTTP/2",
    b"HTTP/3": "HTTP/3",
    b"HTTP/3.0": "HTTP/3",
}


class RequestHead(NamedTuple):
    """A request line and the field lines after it."""

    version: Version
    method: bytes
    target: bytes
    fields: RawFields


class ResponseHead(NamedTuple):
    """A status line and the field lines after it."""

    version: Version
    status: int
    fields: RawFields


class HeadError(ValueError):
    """It is no whole header section; the text is half a sentence that says why."""


def parse_request_head(octets: bytes) -> RequestHead:
    """Parse a request's header section; what follows its end is not looked at.

    Raises:
        HeadError: there is no request line, or no end.
    """
    if not octets:
        raise HeadError(EMPTY)
    start, fields = _parse(octets[: _end_of(octets, 0)])
    words = [word for word in start.replace(b"\t", b" ").split(b" ") if word]
    if len(words) < 3 or not _LABEL.fullmatch(words[-1]):
        raise HeadError("the block does not begin with a request line")
    return RequestHead(_version(words[-1]), words[0], b" ".join(words[1:-1]), fields)


def parse_response_head(octets: bytes) -> ResponseHead:
    """Parse a response's header section; what follows its end is not looked at.

    Interim responses before it are passed over.

    Raises:
        HeadError: there is no status line, or no end.
    """
    position = 0
    if not octets:
        raise HeadError(EMPTY)
    while True:
        match = _STATUS_LINE.match(octets, position)
        if match is None:
            raise HeadError("the block does not begin with a status line")
        end = _end_of(octets, position)
        status = int(match[2])
        if 100 <= status < 200 and status != 101 and octets.startswith(b"HTTP/", end):
            position = end
            continue
        _, fields = _parse(octets[position:end])
        return ResponseHead(_version(match[1]), status, fields)


def _end_of(octets: bytes, position: int) -> int:
    """Some writers leave out the empty line where nothing follows: a whole line then is the end."""
    match = _END.search(octets, position)
    if match is not None:
        return match.end()
    if octets.endswith(b"\n") and len(octets) < MOST_OCTETS:
        return len(octets)
    raise HeadError("the header section has no end")


def _version(label: bytes) -> Version:
    """An HTTP/1 message may claim any minor version: RFC 9110, section 6.2, takes it for 1.1."""
    return _VERSIONS.get(label, "HTTP/1.1")


def _parse(octets: bytes) -> tuple[bytes, RawFields]:
    """Split into the start line and the fields (RFC 9112, sections 2.2 and 5.2).

    A line may end in LF alone. A folded value keeps its CRLF. A line without a colon is left out.
    """
    start, *rest = (line.removesuffix(b"\r") for line in octets.split(b"\n"))
    unfolded: list[list[bytes]] = []
    for line in rest:
        if line.startswith((b" ", b"\t")) and unfolded:
            unfolded[-1].append(line)
        else:
            unfolded.append([line])
    split = [b"\r\n".join(lines).partition(b":") for lines in unfolded]
    return start, tuple((name, value.strip(OWS)) for name, colon, value in split if colon)
