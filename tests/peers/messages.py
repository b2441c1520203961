"""Requests and responses as a peer received them: octets, field lines in order."""

from collections.abc import Iterable
from dataclasses import dataclass, field

FieldLines = tuple[tuple[bytes, bytes], ...]


def values_of(lines: FieldLines, name: bytes | str) -> list[bytes]:
    """List the values of the lines called `name`, in any case, in order."""
    wanted = (name.encode() if isinstance(name, str) else name).lower()
    return [value for line_name, value in lines if line_name.lower() == wanted]


@dataclass(frozen=True, kw_only=True)
class Message:
    """What requests and responses have in common."""

    version: str
    """`HTTP/1.0` and so on."""
    fields: FieldLines
    """The header section in order, with the pseudo-header fields of HTTP/2 and HTTP/3."""
    body: bytes = b""
    trailers: FieldLines = ()
    complete: bool = True
    """Whether it was received to its end."""
    reset: int | None = None
    """Error code with which the peer reset the stream (HTTP/2, HTTP/3)."""
    octets: bytes = b""
    """The message as it came, framing and all (HTTP/1)."""

    def values(self, name: bytes | str) -> list[bytes]:
        """List the values of a field of the header section, in order."""
        return values_of(self.fields, name)

    @property
    def regular_fields(self) -> FieldLines:
        """The header section without pseudo-header fields."""
        return tuple(line for line in self.fields if not line[0].startswith(b":"))


@dataclass(frozen=True, kw_only=True)
class Request(Message):
    """A request as an origin received it."""

    method: bytes
    target: bytes
    connection: int
    """Number of the origin's connection it came over, from 0."""
    stream: int = 0
    """Its stream (HTTP/2, HTTP/3)."""

    @property
    def path(self) -> str:
        """The target without its query, and without the scheme and authority of absolute form."""
        target = self.target.decode("latin-1").partition("?")[0]
        if "://" in target:
            target = "/" + target.partition("://")[2].partition("/")[2]
        return target


@dataclass(frozen=True, kw_only=True)
class Response(Message):
    """A response as a client received it."""

    status: int | None
    """None when none came, or it is not a number."""
    status_line: bytes = b""
    """Of HTTP/1."""
    interim: tuple[FieldLines, ...] = ()
    """The header sections of the interim responses before it, without HTTP/1's status lines."""
    until_close: bool = False
    """Whether only the end of the connection ended the body (HTTP/1)."""


@dataclass
class Stream:
    """What has come on one stream of HTTP/2 or HTTP/3."""

    number: int
    sections: list[FieldLines] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reset: int | None = None
    stopped: bool = False
    """Whether the peer wants nothing more on it."""

    @property
    def over(self) -> bool:
        """Whether nothing more can come on it."""
        return self.ended or self.reset is not None

    def request(self, version: str, connection: int) -> Request:
        """Read it as a request."""
        header, trailers = (self.sections[0], self.sections[1:]) if self.sections else ((), [])
        return Request(
            version=version,
            fields=header,
            body=bytes(self.body),
            trailers=_joined(trailers),
            complete=self.ended,
            reset=self.reset,
            method=b"".join(values_of(header, ":method")[:1]),
            target=b"".join(values_of(header, ":path")[:1]),
            connection=connection,
            stream=self.number,
        )

    def response(self, version: str) -> Response:
        """Read it as a response."""
        interim = 0
        while interim < len(self.sections) and _is_interim(self.sections[interim]):
            interim += 1
        header = self.sections[interim] if interim < len(self.sections) else ()
        status = b"".join(values_of(header, ":status")[:1])
        return Response(
            version=version,
            fields=header,
            body=bytes(self.body),
            trailers=_joined(self.sections[interim + 1 :]),
            complete=self.ended,
            reset=self.reset,
            status=int(status) if status.isdigit() else None,
            interim=tuple(self.sections[:interim]),
        )


def _is_interim(section: FieldLines) -> bool:
    return b"".join(values_of(section, ":status")[:1]).startswith(b"1")


def _joined(sections: Iterable[FieldLines]) -> FieldLines:
    return tuple(line for section in sections for line in section)
