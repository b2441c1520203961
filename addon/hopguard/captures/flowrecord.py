"""One record of a flow file, read as far as the rules need it."""

from hopguard.captures.capture import UNTIMED, Captured
from hopguard.captures.fieldlines import FieldLines
from hopguard.captures.flowconnection import KnownConnections
from hopguard.captures.flowfacts import (
    decoded,
    destination_of,
    error_of,
    failed_time,
    fingerprint_of,
    form_of,
    replayed,
    seconds_of,
    sent_time,
    url_of,
)
from hopguard.captures.flowmessages import (
    make_request,
    make_response,
    sent_request,
    with_fields,
)
from hopguard.captures.flowpeer import Connection
from hopguard.captures.flowreceived import received
from hopguard.captures.layouts import FLOW, REQUEST, RESPONSE, Layout
from hopguard.captures.tnetstrings import (
    DICTIONARY,
    DamageError,
    Members,
    Span,
    integer,
    is_null,
    octets,
)
from hopguard.captures.usualflow import UsualFlows
from hopguard.flowerrors import failure, refused_part
from hopguard.message import RawFields, Request, Response, Version
from hopguard.restoring import Which
from hopguard.spoken import version_spoken

MOST_STATUS = 999

MOST_TRAILERLESS = 7
"""The latest version of the format without trailer sections."""


class FlowDecoder:
    """Reads records. It remembers connections and field lines, since most of them come again."""

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._connections = KnownConnections()
        self._lines = FieldLines()
        self._usual = UsualFlows(self._lines)

    def decode(self, data: bytes, start: int, stop: int, offset: int) -> Captured | None:
        """Read the record whose octets are data[start:stop]; None if it is no HTTP flow.

        Raises:
            DamageError: it is damaged, or of an unknown version.
        """
        usual = self._usual.read(data, start, stop, offset)
        if usual is not None:
            return usual
        flow = FLOW.find(data, start, stop)
        form = form_of(data, flow)
        if octets(data, flow.get(b"type")) != b"http":
            return None
        asked = _message(data, flow.get(b"request"), REQUEST)
        if asked is None:
            raise DamageError("it is an HTTP flow without a request")
        answered = _message(data, flow.get(b"response"), RESPONSE)
        client = self._connections.read(data, flow.get(b"client_conn"), form, client=True)
        server = self._connections.read(data, flow.get(b"server_conn"), form, client=False)
        sent_on = self._request(data, asked, client, form)
        request, response = _as_received(sent_on, data, flow, "request"), None
        if answered is not None:
            response = self._response(data, answered, server, form)
            response = _as_received(response, data, flow, "response")
        responded = seconds_of(data, answered) if answered is not None else UNTIMED
        replay = replayed(data, flow, asked, answered)
        requested, flow_id = seconds_of(data, asked), octets(data, flow.get(b"id"))
        sent = sent_time(requested, server) if server.ready is not None else None
        error = error_of(data, flow)
        broken = error if error is not None and sent is not None else None
        return Captured(
            offset,
            request if replay != b"request" else None,
            response if replay != b"response" else None,
            sent_request(sent_on, response, server.way) if response is not None else None,
            refused_part(error.text) if error is not None else None,
            request.method,
            url_of(destination_of(data, asked), request, client, server),
            response.status if response is not None else None,
            decoded(flow_id) if flow_id is not None else None,
            requested,
            responded,
            sent,
            fingerprint_of(request, data, asked.get(b"content")),
            failure(broken.text, answered=response is not None) if broken is not None else None,
            failed_time(broken, server) if broken is not None else None,
            client.peer,
            server.peer,
        )

    def _request(self, data: bytes, found: Members, client: Connection, form: int) -> Request:
        target, method = octets(data, found.get(b"path")), octets(data, found.get(b"method"))
        if target is None or method is None:
            raise DamageError("a request has no method or no target")
        scheme = octets(data, found.get(b"scheme"))
        facts = self._message(data, found, client, form)
        return make_request(target, method, scheme, *facts, client.way)

    def _response(self, data: bytes, found: Members, server: Connection, form: int) -> Response:
        status = integer(data, found.get(b"status_code"))
        if status is None or not 0 <= status <= MOST_STATUS:
            raise DamageError(f"a response has the status {status}")
        return make_response(status, *self._message(data, found, server, form), server.way)

    def _message(
        self, data: bytes, found: Members, peer: Connection, form: int
    ) -> tuple[Version, RawFields, RawFields | None]:
        fields = self._fields(data, found.get(b"headers"))
        trailers: RawFields | None = None
        if form > MOST_TRAILERLESS and not is_null(data, found.get(b"timestamp_end")):
            trailers = self._lines.read(data, found.get(b"trailers")) or ()
        label = octets(data, found.get(b"http_version"))
        return version_spoken(label or b"", peer.way.alpn), fields, trailers

    def _fields(self, data: bytes, span: Span | None) -> RawFields:
        fields = self._lines.read(data, span)
        if fields is None:
            raise DamageError("a message has no header section")
        return fields


def _message(data: bytes, span: Span | None, layout: Layout) -> Members | None:
    if span is None or is_null(data, span):
        return None
    if data[span[1]] != DICTIONARY:
        raise DamageError("a message is no dictionary")
    return layout.find(data, *span)


def _as_received[M: Request | Response](message: M, data: bytes, flow: Members, which: Which) -> M:
    """Return the message as its peer sent it, which the addon may have edited."""
    fields = received(data, flow, which, message.fields)
    if fields is message.fields:
        return message
    return with_fields(message, fields)
