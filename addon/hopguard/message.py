"""Messages as received: field lines as octets, in order, with what is known of their surroundings.

`None` means *unknown*, which is not the same as absent: a rule that needs an unknown fact stays
silent.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

from hopguard import fields, grammar
from hopguard.fields import NameKind
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

_SHORT = 64
"""Octets of a value that is worth to be remembered with its elements."""

RawFields = tuple[tuple[bytes, bytes], ...]
"""Field lines in order: (name, value), both as received but for the OWS around the value."""


class FieldLine(NamedTuple):
    """One field line (RFC 9110, section 5) and where it stands."""

    section: Section
    position: int
    """From 0 within its section; pseudo-header fields are not counted. For reports and to tell
    lines apart: what rules find must not depend on it."""
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


@dataclass(kw_only=True, unsafe_hash=True)
class Message:
    """What requests and responses have in common.

    Messages never change. The type checker sees to it: a frozen dataclass would take thrice the
    time to make one, which is more than judging it takes.
    """

    version: Final[Version]
    fields: Final[RawFields]
    """The header section without pseudo-header fields."""
    leg: Final[Leg]
    """Where the message was received."""
    trailers: Final[RawFields | None] = None
    """The trailer section; None while, or where, it cannot be known."""
    tls: Final[bool | None] = None
    """Whether the leg is protected by TLS or QUIC."""

    sent_by: ClassVar[Sender]
    part: ClassVar[Part]
    trailer_part: ClassVar[Part]

    @property
    def head(self) -> Self:
        """The message as it is known when its header section is there."""
        return self if self.trailers is None else replace(self, trailers=None)

    @cached_property
    def _positions(self) -> dict[bytes, list[int]]:
        return _positions(self.fields)

    @cached_property
    def _elements(self) -> dict[bytes, list[tuple[FieldLine, Sequence[bytes]]]]:
        return {}  # filled by `elements`: many rules ask for the same lists

    @cached_property
    def _members(self) -> dict[bytes, list[Member]]:
        return {}

    @cached_property
    def _trailer_positions(self) -> dict[bytes, list[int]]:
        return _positions(self.trailers or ())

    def has(self, name: bytes) -> bool:
        """Tell whether the header section holds a field called `name` (lower case)."""
        return name in self._positions

    def has_any(self, kind: NameKind) -> bool:
        """Tell whether a field with a name of that kind is in the header section."""
        names = self._positions
        return not kind.names.isdisjoint(names) or (
            True in [name.startswith(kind.prefix) for name in names]  # `any` takes thrice as long
        )

    def lines(self, name: bytes) -> list[FieldLine]:
        """List the field lines called `name` (lower case) of the header section, in order."""
        positions = self._positions.get(name)
        if positions is None:
            return []
        return [FieldLine("header", index, *self.fields[index]) for index in positions]

    def is_number(self, name: bytes) -> bool:
        """Tell whether the header section holds one line called `name`, of digits alone."""
        lines = self.lines(name)
        return len(lines) == 1 and lines[0].value.isdigit()

    def trailer_lines(self, name: bytes) -> list[FieldLine]:
        """List the field lines called `name` (lower case) of the trailer section, in order."""
        return [
            FieldLine("trailer", index, *(self.trailers or ())[index])
            for index in self._trailer_positions.get(name, ())
        ]

    def every_line(self) -> list[FieldLine]:
        """List all field lines, the header section first."""
        header = [FieldLine("header", index, *pair) for index, pair in enumerate(self.fields)]
        return header + self.every_trailer_line()

    def every_trailer_line(self) -> list[FieldLine]:
        """List the field lines of the trailer section; none if it is unknown."""
        pairs = enumerate(self.trailers or ())
        return [FieldLine("trailer", index, *pair) for index, pair in pairs]

    def elements(self, name: bytes) -> Sequence[tuple[FieldLine, Sequence[bytes]]]:
        """List the lines of a list-based field, each with its elements, empty ones included.

        Folded values are unfolded first.
        """
        found = self._elements.get(name)
        if found is None:
            found = [(line, _split(name, line.value)) for line in self.lines(name)]
            self._elements[name] = found
        return found

    def members(self, name: bytes) -> Sequence[Member]:
        """List the elements of a list-based field over all its lines, empty ones included.

        Several lines are one list (RFC 9110, section 5.2).
        """
        found = self._members.get(name)
        if found is None:
            found = self._members[name] = [
                Member(line, value) for line, values in self.elements(name) for value in values
            ]
        return found

    @cached_property
    def options(self) -> frozenset[bytes]:
        """The connection options in lower case (RFC 9110, section 7.6.1); invalid ones left out."""
        lines = self.lines(b"connection")
        if len(lines) == 1 and len(lines[0].value) <= _SHORT:
            return _options_in(lines[0].value)
        return frozenset(
            value.lower()
            for _, values in self.elements(b"connection")
            for value in values
            if grammar.is_token(value)
        )

    def options_of(self, kind: Callable[[bytes], bool]) -> set[bytes]:
        """Return the connection options, in lower case, for which `kind` is true.

        They are looked at in their order: to visit the members of a set of many is far slower.
        """
        return {
            option
            for _, values in self.elements(b"connection")
            for option in map(bytes.lower, values)
            if kind(option) and option in self.options
        }

    @cached_property
    def meant_options(self) -> frozenset[bytes]:
        """What an invalid member of Connection may have been meant as: the tokens in it.

        So are those of a line that is `misspelt`. A rule that misses an option which is here keeps
        silent: the member, or the line, itself is the fault.
        """
        invalid = [
            value
            for _, values in self.elements(b"connection")
            for value in values
            if not grammar.is_token(value)
        ]
        return frozenset(
            token.lower()
            for value in (*invalid, *self.misspelt(b"connection"))
            for token in grammar.tokens_in(value)
        )

    def misspelt(self, name: bytes) -> list[bytes]:
        """List the values of fields whose names are `name` (lower case) but for white space.

        Such a line is a fault of its own in HTTP/1.x (RFC 9112, section 5.1), so a rule that misses
        the field keeps silent.
        """
        if self.version not in HTTP1:
            return []
        return [
            value
            for found, value in self.fields
            if found.lower() != name and meant_name(found) == name
        ]

    def upgrades(self) -> list[Member]:
        """List the elements of Upgrade, without empty ones."""
        return [member for member in self.members(b"upgrade") if member.value]

    def protocols(self) -> list[tuple[FieldLine, grammar.Protocol]]:
        """List the protocols in Upgrade and the line of each; what is no protocol is left out."""
        found = [(line, grammar.parse_protocol(value)) for line, value in self.upgrades()]
        return [(line, protocol) for line, protocol in found if protocol is not None]

    def line_naming(self, protocol: bytes) -> FieldLine | None:
        """Return the first line of Upgrade that names `protocol` (lower case) without a version."""
        wanted = grammar.Protocol(protocol)
        return next((line for line, found in self.protocols() if found == wanted), None)

    @cached_property
    def acceptable_protocols(self) -> frozenset[grammar.Protocol]:
        """What takes up one of the protocols in Upgrade; the version may be left out."""
        offers = [offer for _, offer in self.protocols()]
        return frozenset(offers).union(grammar.Protocol(offer.name) for offer in offers)

    @cached_property
    def meant_protocols(self) -> frozenset[bytes]:
        """What invalid elements of Upgrade may have been meant as: see `meant_options`."""
        return frozenset(
            token.lower()
            for _, value in self.upgrades()
            if grammar.parse_protocol(value) is None
            for token in grammar.tokens_in(value)
        )

    @cached_property
    def transfer_codings(self) -> tuple[bytes, ...] | None:
        """The names of the transfer codings in lower case, in the order of their application.

        None if a member of Transfer-Encoding is no transfer coding: nobody knows what it does.
        """
        names: list[bytes] = []
        for member in self.members(b"transfer-encoding"):
            coding = grammar.parse_coding(member.value)
            if coding is not None:
                names.append(coding.name)
            elif member.value:
                return None
        return tuple(names)

    @property
    def forbidden_in_trailers(self) -> frozenset[bytes]:
        """The names, in lower case, that its trailer section must not hold.

        What Connection nominates is one of them: it would have to be known before the body. `close`
        is an option only.
        """
        nominated = self.options - {b"close"} if self.version in HTTP11 else frozenset()
        return fields.FORBIDDEN_IN_TRAILERS | nominated

    def listing(self, options: Collection[bytes], most: int | None = None) -> list[Member]:
        """List the members of Connection that are in `options` (lower case), each option once.

        With `most`, only so many of them are listed.
        """
        first: dict[bytes, Member] = {}
        wanted = len(options) if most is None else min(most, len(options))
        for line, values in self.elements(b"connection") if wanted else ():
            for value in values:
                option = value.lower()
                if option in options and option not in first:
                    first[option] = Member(line, value)
                    if len(first) == wanted:
                        return list(first.values())
        return list(first.values())

    def nominated(self) -> list[bytes]:
        """List the fields of the header section that Connection lists, in lower case, in order."""
        return [name for name in self._positions if name in self.options]

    def lacks_option(self, name: bytes) -> bool:
        """Tell whether a field called `name` (lower case) is here, and Connection does not list it.

        False also where an invalid member of Connection was meant to: that one is the fault.
        """
        return self.has(name) and name not in self.options and name not in self.meant_options

    def carries(self, name: bytes) -> bool | None:
        """Tell whether a field called `name` (lower case) is in either section, or announced.

        None if it may still come, or have come, in a trailer section that is unknown.
        """
        if self.has(name) or self.trailer_lines(name) or self.misspelt(name):
            return True
        if any(member.value.lower() == name for member in self.members(b"trailer")):
            return True
        can_have_trailers = self.version not in HTTP1 or self.has(b"transfer-encoding")
        return None if self.trailers is None and can_have_trailers else False

    def has_control(self, line: FieldLine) -> bool:
        """Tell whether the value of `line` holds control octets that this version forbids.

        HTTP/2 and HTTP/3 name NUL, CR and LF alone, and know no line folding.
        """
        if self.version in HTTP1:
            return grammar.has_control(grammar.unfold(line.value))
        return any(octet in line.value for octet in (b"\0", b"\r", b"\n"))

    def lines_announcing_content(self) -> list[FieldLine]:
        """List the field lines that say that content follows the header section."""
        lengths = [
            line
            for line in self.lines(b"content-length")
            if line.value.isdigit() and line.value.strip(b"0")
        ]
        return [*self.lines(b"transfer-encoding"), *lengths]

    @property
    def forwarded(self) -> bool:
        """Whether a field shows that an intermediary has forwarded this message."""
        return self.has_any(fields.FORWARDING_EVIDENCE)

    @property
    def forwarder(self) -> Sender | None:
        """The intermediary, if one has forwarded this message; else None, who is its sender."""
        return "intermediary" if self.forwarded else None


@dataclass(kw_only=True, unsafe_hash=True)
class Request(Message):
    """A request."""

    method: Final[bytes]
    target: Final[bytes] = b"/"
    """The request target, or the :path pseudo-header field."""
    protocol: Final[bytes | None] = None
    """The :protocol pseudo-header field of extended CONNECT (RFC 8441, RFC 9220), if it is sent."""
    pseudo_fields: Final[frozenset[bytes] | None] = None
    """Names of the pseudo-header fields that are sent; None where they cannot be known."""
    protocol_enabled: Final[bool | None] = None
    """Whether the server has sent SETTINGS_ENABLE_CONNECT_PROTOCOL with the value 1."""
    early_octets: Final[bytes | None] = None
    """What the client sent after this request and before the head of a response arrived."""
    to_proxy: Final[bool | None] = None
    """Whether it is addressed to the proxy that received it, not to a server beyond it."""

    sent_by = "client"
    part = "request"
    trailer_part = "request-trailers"

    @property
    def is_extended_connect(self) -> bool:
        """Whether it is a CONNECT for one protocol on one stream (RFC 8441, RFC 9220)."""
        return self.method == b"CONNECT" and self.protocol is not None


@dataclass(kw_only=True, unsafe_hash=True)
class Response(Message):
    """A response, interim or final."""

    status: Final[int]
    """The status code, 100 to 599."""
    interim: "Final[tuple[Response, ...] | None]" = None
    """The interim responses before it; None where they cannot be known."""
    switched_octets: Final[tuple[bytes, ...] | None] = None
    """After a 101: what either side sent then, the first octets of each piece, in order."""
    direct: Final[bool | None] = None
    """Whether no further proxy stands between the one that received it and the server."""

    sent_by = "server"
    part = "response"
    trailer_part = "response-trailers"

    @property
    def never_has_content(self) -> bool:
        """Whether the status lets it end with the header section, whatever its fields say."""
        return self.status < 200 or self.status == 204

    def opens_tunnel(self, request: Request) -> bool:
        """Tell whether the connection becomes a tunnel by this answer to `request`."""
        return request.method == b"CONNECT" and 200 <= self.status < 300

    def owes_close(self, request: Request) -> bool:
        """Tell whether it had to say close because `request` did, and does not.

        An HTTP/1.0 response without keep-alive says so by its version.
        """
        return (
            request.version in HTTP1
            and b"close" in request.options
            and b"close" not in self.options
            and self.status >= 200
            and not self.opens_tunnel(request)
            and (self.version not in HTTP10 or b"keep-alive" in self.options)
        )


def made[M: Message](kind: type[M], facts: dict[str, Any]) -> M:
    """Make a message of `facts`: all of them that are not as by default.

    The constructor does the same in more than twice the time.
    """
    message = object.__new__(kind)
    message.__dict__ = facts
    return message


def meant_name(name: bytes) -> bytes:
    """Return the field name, in lower case, that `name` may have been meant as."""
    return name.lower().strip(grammar.NAME_PADDING)


def _positions(pairs: RawFields) -> dict[bytes, list[int]]:
    positions: dict[bytes, list[int]] = {}
    for index, (name, _) in enumerate(pairs):
        lower = name.lower()
        if lower in positions:
            positions[lower].append(index)
        else:
            positions[lower] = [index]
    return positions


def _split(name: bytes, value: bytes) -> Sequence[bytes]:
    """Split the value of a list-based field; what is short is likely to come again."""
    quoted = name in fields.LISTS_WITH_QUOTED_STRINGS
    if len(value) <= _SHORT:
        return _split_short(value, quoted=quoted)
    return _split_any(value, quoted=quoted)


def _split_any(value: bytes, *, quoted: bool) -> list[bytes]:
    value = grammar.unfold(value)
    return grammar.split_quoted_list(value) if quoted else grammar.split_list(value)


@lru_cache(1024)
def _split_short(value: bytes, *, quoted: bool) -> tuple[bytes, ...]:
    return tuple(_split_any(value, quoted=quoted))


@lru_cache(1024)
def _options_in(value: bytes) -> frozenset[bytes]:
    return frozenset(map(bytes.lower, filter(grammar.is_token, _split(b"connection", value))))
