"""Reading HTTP/1 octets, with as little opinion about them as possible."""

import re
from collections.abc import Awaitable, Callable
from functools import partial

from .messages import FieldLines, Request, Response, values_of
from .wire import Wire


class MalformedMessageError(ValueError):
    """Octets that even this lenient reader cannot make sense of."""


class PeerClosedError(ConnectionError):
    """The peer closed the connection where a message should have begun."""


async def read_request(wire: Wire, connection: int) -> Request | None:
    """Read a request; None when the connection ends before one begins."""
    wire.taken.clear()
    line = await wire.line()
    while line in (b"\r\n", b"\n"):
        line = await wire.line()
    if not line:
        return None
    words = line.strip(b"\r\n").split(b" ")
    fields, complete = await _read_fields(wire)
    body, trailers, whole = await _body_of(fields)(wire)
    return Request(
        version=words[-1].decode("latin-1") if len(words) > 2 else "HTTP/0.9",
        fields=fields,
        body=body,
        trailers=trailers,
        complete=complete and whole,
        octets=bytes(wire.taken),
        method=words[0],
        target=b" ".join(words[1:-1] if len(words) > 2 else words[1:]),
        connection=connection,
    )


async def read_response(wire: Wire, method: bytes) -> Response:
    """Read the response to a request with `method`, and the interim ones before it."""
    wire.taken.clear()
    interim: list[FieldLines] = []
    while True:
        line = await wire.line()
        if not line:
            raise PeerClosedError(f"no response but {bytes(wire.taken)!r}, then the end")
        found = re.fullmatch(rb"(HTTP/\S+) +(\d+)(?: .*)?\r?\n", line, re.DOTALL)
        if not found:
            raise MalformedMessageError(f"not a status line: {line!r}")
        status = int(found[2])
        fields, complete = await _read_fields(wire)
        if not 100 <= status < 200 or status == 101:
            break
        interim.append(fields)
    bodyless = method == b"HEAD" or status in (101, 204, 304)
    tunnel = method == b"CONNECT" and 200 <= status < 300
    read = _nothing if bodyless or tunnel or not complete else _body_of(fields, response=True)
    body, trailers, whole = await read(wire)
    return Response(
        version=found[1].decode(),
        fields=fields,
        body=body,
        trailers=trailers,
        complete=complete and whole,
        octets=bytes(wire.taken),
        status=status,
        status_line=line.rstrip(b"\r\n"),
        interim=tuple(interim),
        until_close=read is _until_close,
    )


async def _read_fields(wire: Wire) -> tuple[FieldLines, bool]:
    """Read field lines up to an empty line; a folded value keeps its line break."""
    lines: list[bytes] = []
    while (line := await wire.line()) not in (b"", b"\r\n", b"\n"):
        if lines and line[:1] in (b" ", b"\t"):
            lines[-1] += line
        else:
            lines.append(line)
    return tuple(_split(line) for line in lines), line != b""


def _split(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.removesuffix(b"\n").removesuffix(b"\r").partition(b":")
    return name, value.strip(b" \t")


Body = tuple[bytes, FieldLines, bool]
"""The body, the trailer section, whether both came to their end."""


def _body_of(fields: FieldLines, *, response: bool = False) -> Callable[[Wire], Awaitable[Body]]:
    codings = b",".join(values_of(fields, b"transfer-encoding"))
    if codings.lower().rpartition(b",")[2].strip() == b"chunked":
        return _chunked
    length = b"".join(values_of(fields, b"content-length")[:1])
    if length.isdigit() and not codings:
        return partial(_counted, int(length))
    return _until_close if response else _nothing


async def _nothing(_: Wire) -> Body:
    return b"", (), True


async def _counted(length: int, wire: Wire) -> Body:
    body = await wire.exactly(length)
    return body, (), len(body) == length


async def _until_close(wire: Wire) -> Body:
    return await wire.rest(), (), True


async def _chunked(wire: Wire) -> Body:
    body = b""
    while line := await wire.line():
        size = re.match(rb"[0-9A-Fa-f]+", line)
        if not size:
            raise MalformedMessageError(f"not a chunk size: {line!r}")
        length = int(size[0], 16)
        if length == 0:
            trailers, complete = await _read_fields(wire)
            return body, trailers, complete
        chunk = await wire.exactly(length)
        body += chunk
        if len(chunk) < length or not await wire.line():
            break
    return body, (), False
