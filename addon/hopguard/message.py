"""Messages as received: field lines as octets, in order, with what is known of their surroundings.

`None` means *unknown*, which is not the same as absent: a rule that needs an unknown fact stays
silent.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

from hopguard import fields, grammar
from hopguard.text import QUOTE_LIMIT, printable

Version = Literal["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"]
Leg = Literal["client", "server"]
Sender = Literal["client", "server", "proxy", "intermediary"]
Section = Literal["header", "trailer"]
Part = Literal["request", "response", "request-trailers", "response-trailers", "connection"]

HTTP10: frozenset[Version] = frozenset({"HTTP/1.0"})
HTTP11: frozenset[Version] = frozenset({"HTTP/1.1"})
HTTP2: frozenset[Version] = frozenset({"HTTP/2"})
HTTP3: frozenset[Version] = frozenset({"HTTP/3"})
HTTP1 = HTTP10 | HTTP11
EVERY_VERSION = HTTP1 | HTTP2 | HTTP3

RawFields = tuple[tuple[bytes, bytes], ...]
"""Field lines in order: (name, value), both as received but for the OWS around the value."""


class FieldLine(NamedTuple):
    """One field line (RFC 9110, section 5) and where it stands."""

    section: Section
    position: int
    """From 0 within its section; pseudo-header fields are not counted."""
    name: bytes
    value: bytes
    """As received: a folded value still holds its CRLF."""

    def __str__(self) -> str:
        """Show the line in printable ASCII, short enough for a sentence."""
        name, value = printable(self.name, QUOTE_LIMIT), printable(self.value, QUOTE_LIMIT)
        return f"{name}: {value}" if value else f"{name}:"


class Member(NamedTuple):
    """One element of a list-based field, without the OWS around it, and the line it stands on."""

    line: FieldLine
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Message:
    """What requests and responses have in common."""

    version: Version
    fields: RawFields
    """The header section without pseudo-header fields."""
    leg: Leg
    """Where the message was received."""
    trailers: RawFields | None = None
    """The trailer section; None while, or where, it cannot be known."""
    tls: bool | None = None
    """Whether the leg is protected by TLS or QUIC."""

    sent_by: ClassVar[Sender]
    part: ClassVar[Part]
    trailer_part: ClassVar[Part]

    @cached_property
    def _positions(self) -> dict[bytes, list[int]]:
        return _positions(self.fields)

    @cached_property
    def _trailer_positions(self) -> dict[bytes, list[int]]:
        return _positions(self.trailers or ())

    def has(self, name: bytes) -> bool:
        """Tell whether the header section holds a field called `name` (lower case)."""
        return name in self._positions

    def lines(self, name: bytes) -> list[FieldLine]:
        """List the field lines called `name` (lower case) of the header section, in order."""
        return [
            FieldLine("header", index, *self.fields[index])
            for index in self._positions.get(name, ())
        ]

    def trailer_lines(self, name: bytes) -> list[FieldLine]:
        """List the field lines called `name` (lower case) of the trailer section, in order."""
        return [
            FieldLine("trailer", index, *(self.trailers or ())[index])
            for index in self._trailer_positions.get(name, ())
        ]

    def every_line(self) -> list[FieldLine]:
        """List all field lines, the header section first."""
        sections: list[tuple[Section, RawFields]] = [
            ("header", self.fields),
            ("trailer", self.trailers or ()),
        ]
        return [
            FieldLine(section, index, *pair)
            for section, pairs in sections
            for index, pair in enumerate(pairs)
        ]

    def members(self, name: bytes) -> list[Member]:
        """List the elements of a list-based field over all its lines, empty ones included.

        Several lines are one list (RFC 9110, section 5.2). Folded values are unfolded first.
        """
        quoted = name in fields.LISTS_WITH_QUOTED_STRINGS
        split = grammar.split_quoted_list if quoted else grammar.split_list
        return [
            Member(line, element)
            for line in self.lines(name)
            for element in split(grammar.unfold(line.value))
        ]

    @cached_property
    def options(self) -> frozenset[bytes]:
        """The connection options in lower case (RFC 9110, section 7.6.1); invalid ones left out."""
        return frozenset(
            member.value.lower()
            for member in self.members(b"connection")
            if grammar.is_token(member.value)
        )

    @property
    def forwarded(self) -> bool:
        """Whether a field shows that an intermediary has forwarded this message."""
        return not fields.FORWARDING_EVIDENCE.isdisjoint(self._positions)


@dataclass(frozen=True, kw_only=True)
class Request(Message):
    """A request."""

    method: bytes
    target: bytes = b"/"
    """The request target, or the :path pseudo-header field."""
    protocol: bytes | None = None
    """The :protocol pseudo-header field of extended CONNECT (RFC 8441, RFC 9220), if it is sent."""
    pseudo_fields: frozenset[bytes] | None = None
    """Names of the pseudo-header fields that are sent; None where they cannot be known."""
    protocol_enabled: bool | None = None
    """Whether the server has sent SETTINGS_ENABLE_CONNECT_PROTOCOL with the value 1."""
    early_octets: bytes | None = None
    """What the client sent after this request and before the head of a response arrived."""
    to_proxy: bool | None = None
    """Whether it is addressed to the proxy that received it, not to a server beyond it."""

    sent_by = "client"
    part = "request"
    trailer_part = "request-trailers"


@dataclass(frozen=True, kw_only=True)
class Response(Message):
    """A response, interim or final."""

    status: int
    """The status code, 100 to 599."""
    interim: "tuple[Response, ...] | None" = None
    """The interim responses before it; None where they cannot be known."""
    switched_octets: tuple[bytes, ...] | None = None
    """After a 101: what either side sent then, the first octets of each piece, in order."""
    direct: bool | None = None
    """Whether no further proxy stands between the one that received it and the server."""

    sent_by = "server"
    part = "response"
    trailer_part = "response-trailers"


def _positions(pairs: RawFields) -> dict[bytes, list[int]]:
    positions: dict[bytes, list[int]] = {}
    for index, (name, _) in enumerate(pairs):
        positions.setdefault(name.lower(), []).append(index)
    return positions
