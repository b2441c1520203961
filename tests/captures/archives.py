"""HAR and WARC files, made from messages; and captures, read from octets."""

import json
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from hopguard.captures.capture import Captured, CaptureError, Reader
from hopguard.captures.har import HarReader
from hopguard.captures.judging import judge
from hopguard.captures.warc import WarcReader
from hopguard.checker import Checker
from hopguard.message import HTTP1, Request, Response, Version
from hopguard.record import Redaction

CHECKER, REDACTION = Checker(), Redaction()

Fields = Iterable[tuple[str, str]]


class Pieces:
    """A stream that gives a few octets at a time, as a pipe may."""

    def __init__(self, octets: bytes, most: int = 1 << 30) -> None:
        self._file, self._most = BytesIO(octets), most

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._most))


def read(
    reader: Reader, octets: bytes, most: int = 1 << 30
) -> tuple[list[Captured], list[CaptureError]]:
    """Read everything; the error that ends it, if any, is the last one."""
    captured, errors = [], []
    try:
        for found in reader.read(Pieces(octets, most), "a file"):
            if isinstance(found, CaptureError):
                errors.append(found)
            else:
                captured.append(found)
    except CaptureError as error:
        errors.append(error)
    return captured, errors


def read_har(octets: bytes | dict[str, Any]) -> list[Captured]:
    """Read a HAR that is as it should be."""
    captured, errors = read(
        HarReader(), octets if isinstance(octets, bytes) else json.dumps(octets).encode()
    )
    assert not errors
    return captured


def read_warc(octets: bytes) -> list[Captured]:
    """Read a WARC file that is as it should be."""
    captured, errors = read(WarcReader(), octets)
    assert not errors
    return captured


def found_in(captured: Iterable[Captured]) -> list[str]:
    """Return the rules that find something, and their variants."""
    return [
        record["rule"] + (f"/{record['variant']}" if record["variant"] else "")
        for each in captured
        for record in judge(each, CHECKER, REDACTION).records
    ]


def har(*entries: Any, creator: str = "mitmproxy") -> dict[str, Any]:
    """Make a HAR."""
    return {"log": {"version": "1.2", "creator": {"name": creator}, "entries": list(entries)}}


def entry(
    *fields: tuple[str, str],
    status: Any = 200,
    version: Any = "HTTP/1.1",
    asking: Fields = (("Host", "www.example"),),
    method: str = "GET",
    url: str = "https://www.example/a?b#c",
    **more: Any,
) -> dict[str, Any]:
    """Make an entry of a HAR: a response with `fields`, to a request with those of `asking`."""
    return {
        "startedDateTime": "2026-01-02T03:04:05Z",
        "request": {
            "method": method,
            "url": url,
            "httpVersion": version,
            "headers": [{"name": name, "value": value} for name, value in asking],
        },
        "response": {
            "status": status,
            "httpVersion": version,
            "headers": [{"name": name, "value": value} for name, value in fields],
        },
        "serverIPAddress": "192.0.2.1",
        **more,
    }


DEFAULTS = {"content_type": "application/http", "warc_date": "2026-01-02T03:04:05Z"}


def record(kind: str, block: bytes, **fields: str | Sequence[str]) -> bytes:
    """Make a record of a WARC file; `warc_date` stands for WARC-Date."""
    lines = [f"WARC-Type: {kind}"]
    for name, values in (DEFAULTS | fields).items():
        for value in [values] if isinstance(values, str) else values:
            lines.append(f"{name.replace('_', '-')}: {value}")
    lines.append(f"Content-Length: {len(block)}")
    return "\r\n".join(["WARC/1.1", *lines, "", ""]).encode() + block + b"\r\n\r\n"


def software(name: str) -> bytes:
    """Make the record that tells what wrote the others."""
    return record(
        "warcinfo", f"software: {name}\r\n".encode(), content_type="application/warc-fields"
    )


TOKENS = st.text("abcABC019-_.!", min_size=1, max_size=12)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)
FIELDS = st.lists(st.tuples(TOKENS, VALUES), max_size=6)
VERSIONS: st.SearchStrategy[Version] = st.sampled_from(sorted(HTTP1))


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Request, Response]:
    """Make an exchange of HTTP/1.x as both formats can hold it."""
    request = Request(
        version=draw(VERSIONS),
        fields=_octets(draw(FIELDS)),
        leg="client",
        method=draw(st.sampled_from([b"GET", b"HEAD", b"POST", b"x"])),
        target=b"/" + draw(TOKENS).encode(),
    )
    response = Response(
        version=draw(VERSIONS),
        fields=_octets(draw(FIELDS)),
        leg="server",
        status=draw(st.integers(200, 599) | st.just(101)),
    )
    return request, response


def _octets(fields: Fields) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode(), value.encode()) for name, value in fields)


def as_entry(request: Request, response: Response) -> dict[str, Any]:
    """Write an exchange as mitmproxy does in a HAR."""
    made = entry(
        *_text(response),
        status=response.status,
        asking=_text(request),
        method=request.method.decode(),
        url=f"http://www.example{request.target.decode()}",
    )
    made["request"]["httpVersion"] = request.version
    made["response"]["httpVersion"] = response.version
    return made


def _text(message: Request | Response) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode()) for name, value in message.fields]


def as_warc(pairs: Iterable[tuple[Request, Response]]) -> bytes:
    """Write exchanges with warcio."""
    file = BytesIO()
    writer = WARCWriter(file, gzip=False)
    writer.write_record(writer.create_warcinfo_record("a.warc", {"software": "Wget/1.21"}))
    for request, response in pairs:
        uri = f"http://www.example{request.target.decode()}"
        line = f"{request.target.decode()} {request.version}"
        head = StatusAndHeaders(line, _text(request), protocol=request.method.decode())
        asked = writer.create_warc_record(uri, "request", http_headers=head)
        head = StatusAndHeaders(f"{response.status} x", _text(response), protocol=response.version)
        answer = writer.create_warc_record(uri, "response", BytesIO(b"body\r\n"), http_headers=head)
        writer.write_request_response_pair(asked, answer)
        for made in (asked, answer):
            made.raw_stream.close()
    return file.getvalue()
