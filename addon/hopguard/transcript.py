r"""The notation of the examples: raw messages as `curl -v` shows them.

    * TLS
    > GET /chat HTTP/1.1
    > Host: www.example
    >! Upgrade: websocket
    >
    < HTTP/1.1 200 OK
    < Trailer: Checksum
    <
    < Checksum: 7

`>` stands before what the client sends, `<` before what the server sends. An empty line ends the
header section; field lines after it are the trailer section, and without such an empty line the
trailer section is unknown. `!` marks the line at which a finding must point. A line that starts
with white space folds into the one before it. `\xNN`, `\r`, `\n`, `\t` and `\\` are octets.
`*` says what a message cannot (see `CONTEXTS`); it holds for all messages of the example:

    * sent before the response: POST / HTTP/1.1\r\n
    * sent after the switch: HTTP/1.1 200 OK\r\n

An example about connections says in further `*` lines, at their place among the messages, what
happens and when: see `hopguard.happenings`.
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from hopguard.grammar import OWS
from hopguard.happenings import Step, Story, is_happening
from hopguard.message import Message, Request, Response, Section, Version

CONTEXTS: Mapping[str, tuple[type[Message], dict[str, Any]]] = {
    "TLS": (Message, {"tls": True}),
    "clear text": (Message, {"tls": False}),
    "addressed to the proxy": (Request, {"to_proxy": True}),
    "addressed beyond the proxy": (Request, {"to_proxy": False}),
    "straight from the origin": (Response, {"direct": True}),
    "through another proxy": (Response, {"direct": False}),
    "extended CONNECT enabled": (Request, {"protocol_enabled": True}),
    "extended CONNECT not enabled": (Request, {"protocol_enabled": False}),
    "nothing sent before the response": (Request, {"early_octets": b""}),
}
"""What a `*` line can say: the kind of message it is about, and what it tells of it."""

EARLY_OCTETS = "sent before the response"
SWITCHED_OCTETS = "sent after the switch"
"""Start of a `*` line that goes on with a colon and octets; the second one may be repeated."""

_VERSIONS: Mapping[str, Version] = {
    "HTTP/1.0": "HTTP/1.0",
    "HTTP/1.1": "HTTP/1.1",
    "HTTP/2": "HTTP/2",
    "HTTP/3": "HTTP/3",
}
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([rnt\\]))")
_LETTERS = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


class TranscriptError(ValueError):
    """An example is not in the notation."""


class Mark(NamedTuple):
    """A line marked with `!`; the start line has no section and no index."""

    message: int | None
    """Position of the message in the transcript; None of a line about connections ..."""
    section: Section | None
    position: int | None
    """... of which this is the position among the steps."""


@dataclass
class Transcript:
    """A parsed example."""

    messages: list[Message] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    """What happens on connections, if the example says anything about them."""
    in_front: float | None = None
    """Seconds for which whoever is in front of the server keeps idle connections."""

    @property
    def exchange(self) -> tuple[Request, Response] | None:
        """Return the request and its last response, which knows the interim ones before it."""
        requests = [message for message in self.messages if isinstance(message, Request)]
        responses = [message for message in self.messages if isinstance(message, Response)]
        if self.steps or not (requests and responses):
            return None
        return requests[0], replace(responses[-1], interim=tuple(responses[:-1]))


def parse(text: str) -> Transcript:
    """Parse an example.

    Raises:
        TranscriptError: a line is not in the notation; the message names it.
    """
    lines = textwrap.dedent(text).strip("\n").split("\n")
    said: list[tuple[type[Message], dict[str, Any]]] = []
    builders: list[_Builder] = []
    order: list[_Builder | tuple[str, bool]] = []
    for line in lines:
        sign, marked, rest = line[:1], line[1:2] == "!", line[2:] if line[1:2] == "!" else line[1:]
        if sign == "*" and is_happening(rest.strip()):
            order.append((rest.strip(), marked))
        elif sign == "*":
            said.append(_context(rest.strip()))
        elif sign in (">", "<"):
            content = rest.removeprefix(" ").encode()
            if not builders or builders[-1].is_over(sign, content):
                builders.append(_Builder(sign, content, marked))
                order.append(builders[-1])
            else:
                builders[-1].add(content, marked)
        elif line.strip():
            raise TranscriptError(f"neither >, < nor *: {line!r}")
    marks = [
        Mark(position, *place)
        for position, builder in enumerate(builders)
        for place in builder.marks
    ]
    messages = [builder.build(said) for builder in builders]
    if len(order) == len(builders):
        return Transcript(messages, marks)
    story = _tell(order, messages)
    marks += [
        Mark(None, None, position)
        for position, step in enumerate(story.steps)
        if step.marked and step.message is None
    ]
    return Transcript(messages, marks, story.steps, story.in_front)


def _tell(order: "list[_Builder | tuple[str, bool]]", messages: list[Message]) -> Story:
    story, left = Story(_unescape), iter(enumerate(messages))
    for place, one in enumerate(order):
        if isinstance(one, _Builder):
            position, message = next(left)
            cut_off = order[place + 1 : place + 2] in (
                [("the response is cut off", True)],
                [("the response is cut off", False)],
            )
            story.hear(message, position, marked=bool(one.marks), cut_off=cut_off)
        else:
            story.say(one[0], marked=one[1])
    return story


def _context(text: str) -> tuple[type[Message], dict[str, Any]]:
    subject, colon, octets = text.partition(": ")
    if colon and subject == EARLY_OCTETS:
        return Request, {"early_octets": _unescape(octets.encode())}
    if colon and subject == SWITCHED_OCTETS:
        return Response, {"switched_octets": (_unescape(octets.encode()),)}
    if text not in CONTEXTS:
        raise TranscriptError(f"unknown context {text!r}; known are {', '.join(CONTEXTS)}")
    return CONTEXTS[text]


def _unescape(content: bytes) -> bytes:
    def octet(match: re.Match[bytes]) -> bytes:
        return bytes.fromhex(match[1].decode()) if match[1] else _LETTERS[match[2]]

    return _ESCAPE.sub(octet, content)


class _Builder:
    """Collects the lines of one message."""

    def __init__(self, sign: str, start_line: bytes, marked: bool) -> None:
        self.sign = sign
        self.start_line = start_line
        self.marks: list[tuple[Section | None, int | None]] = [(None, None)] if marked else []
        self.pseudo: dict[bytes, bytes] = {}
        self.fields: list[tuple[bytes, bytes]] = []
        self.trailers: list[tuple[bytes, bytes]] | None = None

    def is_over(self, sign: str, content: bytes) -> bool:
        words = content.split(b" ")
        return sign != self.sign or words[0 if sign == "<" else -1] in _STARTS

    def add(self, content: bytes, marked: bool) -> None:
        if not content:
            self.trailers = []
            return
        section: Section = "header" if self.trailers is None else "trailer"
        lines = self.fields if self.trailers is None else self.trailers
        if content.startswith((b" ", b"\t")) and lines:
            name, value = lines[-1]
            lines[-1] = (name, value + b"\r\n " + _unescape(content.strip(OWS)))
        elif content.startswith(b":"):
            name, value = _split(content[1:])
            self.pseudo[b":" + name] = value
        else:
            lines.append(_split(content))
        if marked:
            self.marks.append((section, len(lines) - 1))

    def build(self, said: list[tuple[type[Message], dict[str, Any]]]) -> Message:
        kind: type[Message] = Request if self.sign == ">" else Response
        known: dict[str, Any] = {}
        for of, facts in said:
            for key, fact in facts.items() if issubclass(kind, of) else ():
                known[key] = known.get(key, ()) + fact if isinstance(fact, tuple) else fact
        known["fields"] = tuple(self.fields)
        known["trailers"] = None if self.trailers is None else tuple(self.trailers)
        return self._request(known) if kind is Request else self._response(known)

    def _request(self, known: dict[str, Any]) -> Request:
        try:
            method, target, version = self.start_line.decode().split(" ")
        except ValueError:
            raise TranscriptError(f"not a request line: {self.start_line!r}") from None
        if version not in _VERSIONS:
            raise TranscriptError(f"not a request line: {self.start_line!r}")
        return Request(
            version=_VERSIONS[version],
            method=method.encode(),
            target=target.encode(),
            protocol=self.pseudo.get(b":protocol"),
            pseudo_fields=frozenset({b":method", *self.pseudo}) if self.pseudo else None,
            leg="client",
            **known,
        )

    def _response(self, known: dict[str, Any]) -> Response:
        version, _, rest = self.start_line.decode().partition(" ")
        status = rest[:3]
        if version not in _VERSIONS or not status.isdigit():
            raise TranscriptError(f"not a status line: {self.start_line!r}")
        return Response(version=_VERSIONS[version], status=int(status), leg="server", **known)


_STARTS = {version.encode() for version in _VERSIONS}


def _split(content: bytes) -> tuple[bytes, bytes]:
    name, colon, value = content.partition(b":")
    if not colon:
        raise TranscriptError(f"not a field line: {content!r}")
    return _unescape(name), _unescape(value.strip(OWS))
