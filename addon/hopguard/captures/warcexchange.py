"""What the records of one exchange in a WARC file tell."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from hopguard.captures import losses
from hopguard.captures.capture import Captured, Loss, Peer, Seconds
from hopguard.captures.http1head import RequestHead, ResponseHead
from hopguard.captures.warcrecord import Record
from hopguard.message import HTTP1, Request, Response, Version

MASK = b"x-crawl-"
"""How names begin that Common Crawl gives to framing fields that are not true of the stored body;
it puts a Content-Length of its own beside them."""

LOST: tuple[Loss, ...] = (
    losses.TRAILERS,
    losses.INTERIM_RESPONSES,
    losses.OTHER_PROTOCOLS,
    losses.CONNECTIONS,
    losses.ROUTE,
    losses.PSEUDO_FIELDS,
)
"""What no record holds."""

REWRITTEN: tuple[Loss, ...] = (
    losses.OCTETS,
    losses.LINES,
    losses.FIELDS,
    losses.FRAMING,
    losses.AS_HTTP11,
)
"""What is lost besides where a writer has composed messages again."""

PROTOCOLS: dict[bytes, Version | None] = {
    b"http/0.9": None,
    b"http/1.0": "HTTP/1.0",
    b"http/1.1": "HTTP/1.1",
    b"h2": "HTTP/2",
    b"h2c": "HTTP/2",
    b"http/2": "HTTP/2",
    b"http/2.0": "HTTP/2",
    b"h3": "HTTP/3",
    b"http/3": "HTTP/3",
    b"http/3.0": "HTTP/3",
    b"spdy/1": None,
    b"spdy/2": None,
    b"spdy/3": None,
    b"spdy/3.1": None,
    b"quic": None,
}
"""What WARC-Protocol may name besides TLS and the like; None is no version of HTTP known here."""


class Half(NamedTuple):
    """A request or a response, and its record without the block."""

    record: Record
    head: RequestHead | ResponseHead

    def belongs_to(self, other: "Half") -> bool:
        """Tell whether this and `other` are the two halves of one exchange."""
        if isinstance(self.head, RequestHead) == isinstance(other.head, RequestHead):
            return False
        here, there = self.record, other.record
        named = here.fields.get(b"warc-concurrent-to", ())
        named_there = there.fields.get(b"warc-concurrent-to", ())
        if named or named_there:
            ids = here.get(b"warc-record-id"), there.get(b"warc-record-id")
            return ids[1] in named or ids[0] in named_there
        uri = here.get(b"warc-target-uri")
        return uri != b"" and uri == there.get(b"warc-target-uri")


def put_together(
    halves: Sequence[Half], lost: tuple[Loss, ...]
) -> tuple[Captured, tuple[Loss, ...]]:
    """Make an exchange of one or two halves.

    Args:
        halves: in the order of their records.
        lost: what is lost because of their writer, besides `LOST`.

    Returns:
        The exchange, and all that is lost of it besides `LOST`.
    """
    records = [half.record for half in halves]
    url = _text(record.get(b"warc-target-uri") for record in records)
    tls = None if url is None else url.lower().startswith("https:")
    exchange = Captured(
        offset=records[0].offset,
        url=url,
        flow=_text(record.get(b"warc-record-id") for record in records),
        requested=Seconds(_time(records[0].get(b"warc-date"))),
        server=Peer(address=_text(record.get(b"warc-ip-address") for record in records)),
    )
    if any(name.lower().startswith(MASK) for half in halves for name, _ in half.head.fields):
        lost = (*lost, losses.FRAMING)
    for head in (half.head for half in halves):
        version = _version(records, head.version)
        if isinstance(head, RequestHead):
            request = _request(head, version, tls)
            exchange = exchange._replace(method=head.method, request=request, asked=request)
            lost = lost if request or version is None else (*lost, losses.HTTP2_REQUESTS)
        else:
            response = _response(head, version, tls)
            exchange = exchange._replace(status=head.status, response=response)
        lost = lost if version else (*lost, losses.UNKNOWN_VERSIONS)
    return exchange, lost


def _request(head: RequestHead, version: Version | None, tls: bool | None) -> Request | None:
    if version not in HTTP1:
        return None
    return Request(
        version=version,
        fields=head.fields,
        leg="client",
        tls=tls,
        method=head.method,
        target=head.target,
    )


def _response(head: ResponseHead, version: Version | None, tls: bool | None) -> Response | None:
    if version is None:
        return None
    return Response(version=version, fields=head.fields, leg="server", tls=tls, status=head.status)


def _version(records: Sequence[Record], label: Version) -> Version | None:
    """Return what WARC-Protocol names; else, and in HTTP/1.x, what the message itself says."""
    for record in records:
        for line in record.fields.get(b"warc-protocol", ()):
            for name in line.lower().split(b","):
                if name.strip() in PROTOCOLS:
                    version = PROTOCOLS[name.strip()]
                    return label if version in HTTP1 and label in HTTP1 else version
    return label


def _text(values: Iterable[bytes]) -> str | None:
    """Return the first value that is not empty, without the angle brackets around it."""
    first = next(filter(None, values), b"").removeprefix(b"<").removesuffix(b">")
    return first.decode("utf-8", "surrogateescape") or None


def _time(date: bytes) -> float | None:
    """Return what WARC-Date tells, in seconds since the epoch."""
    try:
        return datetime.fromisoformat(date.decode("ascii")).timestamp()
    except (ValueError, OverflowError):
        return None
