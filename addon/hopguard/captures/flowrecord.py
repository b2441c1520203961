"""One record of a flow file, read as far as the rules need it."""

from typing import Any

from hopguard.captures.capture import UNTIMED, Captured
from hopguard.captures.fieldlines import FieldLines
from hopguard.captures.flowconnection import Connection, read_connection
from hopguard.captures.flowfacts import (
    decoded,
    error_of,
    failed_time,
    form_of,
    replayed,
    seconds_of,
    sent_time,
    url_of,
    version_spoken,
)
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
from hopguard.events import IDEMPOTENT, fingerprint
from hopguard.flowerrors import failure, refused_part
from hopguard.message import RawFields, Request, Response, Version
from hopguard.restoring import Which

MOST_STATUS = 999

_LATER: tuple[Version, ...] = ("HTTP/2", "HTTP/3")

_CONNECTIONS_KEPT, _CONNECTION_LIMIT, _END = 512, 65_536, 64


class FlowDecoder:
    """Reads records. It remembers connections and field lines, since most of them come again."""

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._connections: dict[bytes, tuple[bytes, Connection]] = {}
        self._lines = FieldLines()

    def decode(self, data: bytes, start: int, stop: int, offset: int) -> Captured | None:
        """Read the record whose octets are data[start:stop]; None if it is no HTTP flow.

        Raises:
            DamageError: it is damaged, or of an unknown version.
        """
        flow = FLOW.find(data, start, stop)
        form = form_of(data, flow)
        if octets(data, flow.get(b"type")) != b"http":
            return None
        asked = _message(data, flow.get(b"request"), REQUEST)
        if asked is None:
            raise DamageError("it is an HTTP flow without a request")
        answered = _message(data, flow.get(b"response"), RESPONSE)
        client = self._connection(data, flow, form, client=True)
        server = self._connection(data, flow, form, client=False)
        sent_on = self._request(data, asked, client, form)
        request = sent_on
        response = None
        if answered is not None:
            response = self._response(data, answered, server, form)
        if b"metadata" in flow:  # nearly always, it is empty, and was not taken apart
            request = _as_received(request, data, flow, "request")
            response = _as_received(response, data, flow, "response") if response else None
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
            _sent(sent_on, response, server) if response is not None else None,
            refused_part(error.text) if error is not None else None,
            request.method,
            url_of(data, asked, request, client, server),
            response.status if response is not None else None,
            decoded(flow_id) if flow_id is not None else None,
            requested,
            responded,
            sent,
            None if request.method in IDEMPOTENT else fingerprint(request, _content(data, asked)),
            failure(broken.text, answered=response is not None) if broken is not None else None,
            failed_time(broken, server) if broken is not None else None,
            client.peer,
            server.peer,
        )

    def _request(self, data: bytes, found: Members, client: Connection, form: int) -> Request:
        target, method = octets(data, found.get(b"path")), octets(data, found.get(b"method"))
        if target is None or method is None:
            raise DamageError("a request has no method or no target")
        https = octets(data, found.get(b"scheme")) == b"https"
        to_proxy: bool | None = None  # it does not say whether it came through a tunnel ...
        if not client.proxied or (client.tls and https):  # ... and https over TLS did
            to_proxy = False
        if client.proxied and method == b"CONNECT":
            to_proxy = True
        facts = {"leg": "client", "method": method, "target": target, "to_proxy": to_proxy}
        return self._message(Request, facts, data, found, client, form)

    def _response(self, data: bytes, found: Members, server: Connection, form: int) -> Response:
        status = integer(data, found.get(b"status_code"))
        if status is None or not 0 <= status <= MOST_STATUS:
            raise DamageError(f"a response has the status {status}")
        facts = {"leg": "server", "status": status, "direct": not server.proxied}
        return self._message(Response, facts, data, found, server, form)

    def _message[M: Request | Response](
        self,
        kind: type[M],
        facts: dict[str, Any],
        data: bytes,
        found: Members,
        peer: Connection,
        form: int,
    ) -> M:
        fields = self._lines.read(data, found.get(b"headers"))
        if fields is None:
            raise DamageError("a message has no header section")
        trailers: RawFields | None = None
        if form >= 8 and not is_null(data, found.get(b"timestamp_end")):
            span = found.get(b"trailers")
            trailers = (self._lines.read(data, span) or ()) if span is not None else ()
        label = octets(data, found.get(b"http_version"))
        facts["version"] = version_spoken(label or b"", peer.alpn)
        facts["fields"], facts["trailers"], facts["tls"] = fields, trailers, peer.tls
        return _made(kind, facts)

    def _connection(self, data: bytes, flow: Members, form: int, *, client: bool) -> Connection:
        """Read a connection, or recognise it: its end holds the ports of both sides."""
        span = flow.get(b"client_conn" if client else b"server_conn")
        if span is None or data[span[1]] != DICTIONARY:
            raise DamageError("a flow does not tell its connections")
        start, stop = span
        key = data[max(start, stop - _END) : stop]
        known = self._connections.get(key)
        if known is not None:
            octets_, connection = known
            if len(octets_) == stop - start and data.startswith(octets_, start):
                return connection
        connection = read_connection(data, start, stop, form, client=client)
        if stop - start <= _CONNECTION_LIMIT:
            if len(self._connections) >= _CONNECTIONS_KEPT:
                self._connections.clear()
            self._connections[key] = (data[start:stop], connection)
        return connection


def _made[M: Request | Response](kind: type[M], facts: dict[str, Any]) -> M:
    """Make a message. A frozen dataclass sets each attribute by a call, which takes far longer."""
    message = object.__new__(kind)
    message.__dict__ = facts
    return message


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
    return _made(type(message), {**message.__dict__, "fields": fields})


def _sent(request: Request, response: Response, server: Connection) -> Request:
    """Return the request as mitmproxy sent it to the server: the one that `response` answers."""
    version = request.version
    if response.version in _LATER:
        version = response.version
    elif version in _LATER:
        version = "HTTP/1.1"
    facts = {"version": version, "leg": "server", "tls": server.tls, "to_proxy": server.proxied}
    return _made(Request, request.__dict__ | facts)


def _content(data: bytes, message: Members) -> bytes | None:
    return octets(data, message.get(b"content"))
