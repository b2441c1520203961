"""One record of a flow file, read as far as the rules need it."""

from typing import Any, Literal

from hopguard.captures.capture import UNTIMED, Captured, Seconds
from hopguard.captures.flowconnection import Connection, read_connection
from hopguard.captures.layouts import FLOW, REQUEST, RESPONSE, Layout
from hopguard.captures.tnetstrings import (
    DICTIONARY,
    LIST,
    DamageError,
    Members,
    Span,
    integer,
    is_null,
    is_true,
    items,
    members,
    number,
    octets,
    pair,
)
from hopguard.message import RawFields, Request, Response, Version
from hopguard.refused import refused_part

OLDEST, NEWEST = 4, 21
"""The versions of the flow format that are known: those of mitmproxy 4 to 12."""

_HTTP1: dict[bytes, Version] = {b"HTTP/1.0": "HTTP/1.0", b"HTTP/0.9": "HTTP/1.0"}
MOST_STATUS = 999

_LABELS_OF_LATER = (b"HTTP/2.0", b"HTTP/3")
_LATER: tuple[Version, ...] = ("HTTP/2", "HTTP/3")
_DEFAULT_PORTS = {b"http": 80, b"https": 443}

END_OF_LINE = b",]"
"""Of the text that is a value, and of the list that is a field line."""

_LINES_KEPT, _LINE_LIMIT = 8192, 256
_CONNECTIONS_KEPT, _CONNECTION_LIMIT, _END = 512, 65_536, 64


class FlowDecoder:
    """Reads records. It remembers connections and field lines, since most of them come again."""

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._connections: dict[bytes, tuple[bytes, Connection]] = {}
        self._lines: dict[bytes, tuple[bytes, bytes]] = {}

    def decode(self, data: bytes, start: int, stop: int, offset: int) -> Captured | None:
        """Read the record whose octets are data[start:stop]; None if it is no HTTP flow.

        Raises:
            DamageError: it is damaged, or of an unknown version.
        """
        flow = FLOW.find(data, start, stop)
        form = _form(data, flow)
        if octets(data, flow.get(b"type")) != b"http":
            return None
        asked = _message(data, flow.get(b"request"), REQUEST)
        if asked is None:
            raise DamageError("it is an HTTP flow without a request")
        answered = _message(data, flow.get(b"response"), RESPONSE)
        client = self._connection(data, flow, form, client=True)
        server = self._connection(data, flow, form, client=False)
        request = self._request(data, asked, client, form)
        response = self._response(data, answered, server, form) if answered is not None else None
        responded = _seconds(data, answered) if answered is not None else UNTIMED
        replay = _replay(data, flow, asked, answered)
        requested, flow_id = _seconds(data, asked), octets(data, flow.get(b"id"))
        return Captured(
            offset,
            request if replay != b"request" else None,
            response if replay != b"response" else None,
            _sent(request, response, server) if response is not None else None,
            _refused(data, flow),
            request.method,
            _url(data, asked, request, client, server),
            response.status if response is not None else None,
            _decoded(flow_id) if flow_id is not None else None,
            requested,
            responded,
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
        return _made(
            Request,
            self._message(data, found, client, form),
            leg="client",
            method=method,
            target=target,
            to_proxy=to_proxy,
        )

    def _response(self, data: bytes, found: Members, server: Connection, form: int) -> Response:
        status = integer(data, found.get(b"status_code"))
        if status is None or not 0 <= status <= MOST_STATUS:
            raise DamageError(f"a response has the status {status}")
        facts = self._message(data, found, server, form)
        return _made(Response, facts, leg="server", status=status, direct=not server.proxied)

    def _message(self, data: bytes, found: Members, peer: Connection, form: int) -> dict[str, Any]:
        fields = self._fields(data, found.get(b"headers"))
        if fields is None:
            raise DamageError("a message has no header section")
        trailers: RawFields | None = None
        if form >= 8 and not is_null(data, found.get(b"timestamp_end")):
            trailers = self._fields(data, found.get(b"trailers")) or ()
        label = octets(data, found.get(b"http_version"))
        return {
            "version": _version(label or b"", peer.alpn),
            "fields": fields,
            "trailers": trailers,
            "tls": peer.tls,
        }

    def _fields(self, data: bytes, span: Span | None) -> RawFields | None:
        if span is None or is_null(data, span):
            return None
        start, stop = span
        if data[stop] != LIST:
            raise DamageError("a header section is no list")
        known = self._lines
        lines = data[start:stop].split(END_OF_LINE)
        end = lines.pop()
        fields = tuple(map(known.get, lines))
        if None in fields:
            try:
                fields = tuple([known.get(line) or self._learn(line) for line in lines])
            except DamageError:
                return tuple(pair(data[item[0] : item[1]]) for item in items(data, start, stop))
        if end:
            raise DamageError("a header section does not end with a field line")
        return fields  # type: ignore[return-value]  # no line is unknown any more

    def _learn(self, line: bytes) -> tuple[bytes, bytes]:
        """Take a field line apart, and remember it within bounds.

        Raises:
            DamageError: this is not just one line, because a value holds what ends lines.
        """
        length, _, rest = line.partition(b":")
        if not length.isdigit() or int(length) != len(rest) + 1:
            raise DamageError("a field line has another length")
        found = pair(rest + END_OF_LINE[:1])
        if len(line) <= _LINE_LIMIT:
            if len(self._lines) >= _LINES_KEPT:
                self._lines.clear()
            self._lines[line] = found
        return found

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


def _made[M: Request | Response](kind: type[M], facts: dict[str, Any], **others: Any) -> M:
    """Make a message. A frozen dataclass sets each attribute by a call, which takes far longer."""
    message = object.__new__(kind)
    message.__dict__.update(facts, **others)
    return message


def _form(data: bytes, flow: Members) -> int:
    span = flow.get(b"version")
    if span is not None and data[span[1]] != LIST:
        form = integer(data, span)
        if form is not None and OLDEST <= form <= NEWEST:
            return form
        if form is not None and form > NEWEST:
            raise DamageError(f"its format is {form}, and this hopguard knows none after {NEWEST}")
    raise DamageError("its format is older than mitmproxy 4; save it again with a later mitmproxy")


def _message(data: bytes, span: Span | None, layout: Layout) -> Members | None:
    if span is None or is_null(data, span):
        return None
    if data[span[1]] != DICTIONARY:
        raise DamageError("a message is no dictionary")
    return layout.find(data, *span)


def _version(label: bytes, alpn: bytes | None) -> Version:
    """Return the version that is spoken: HTTP/2 and 3 are a matter of ALPN, if that is known."""
    if label.startswith((b"HTTP/2", b"HTTP/3")):
        if alpn == b"h2" or (alpn is None and label.startswith(b"HTTP/2")):
            return "HTTP/2"
        if alpn is None or alpn.startswith(b"h3"):
            return "HTTP/3"
    return _HTTP1.get(label, "HTTP/1.1")


def _sent(request: Request, response: Response, server: Connection) -> Request:
    """Return the request as mitmproxy sent it to the server: the one that `response` answers."""
    version = request.version
    if response.version in _LATER:
        version = response.version
    elif version in _LATER:
        version = "HTTP/1.1"
    facts = {"version": version, "leg": "server", "tls": server.tls, "to_proxy": server.proxied}
    return _made(Request, request.__dict__, **facts)


def _replay(data: bytes, flow: Members, request: Members, response: Members | None) -> bytes | None:
    """Tell which message, if any, did not come from the peer but was replayed by mitmproxy."""
    if is_true(data, request.get(b"is_replay")):  # before format 9
        return b"request"
    if response is not None and is_true(data, response.get(b"is_replay")):
        return b"response"
    return octets(data, flow.get(b"is_replay"))


def _refused(data: bytes, flow: Members) -> Literal["request", "response"] | None:
    span = flow.get(b"error")
    if span is None or data[span[1]] != DICTIONARY:
        return None
    message = octets(data, members(data, *span).get(b"msg"))
    return refused_part(_decoded(message)) if message is not None else None


def _seconds(data: bytes, message: Members) -> Seconds:
    start = number(data, message.get(b"timestamp_start"))
    return Seconds(start, number(data, message.get(b"timestamp_end")))


def _url(
    data: bytes, found: Members, request: Request, client: Connection, server: Connection
) -> str:
    """Return the URL, as far as it is known: of a request that was refused, Host may be all."""
    host, scheme = octets(data, found.get(b"host")), octets(data, found.get(b"scheme")) or b""
    path = _decoded(request.target)
    if host:
        port = integer(data, found.get(b"port"))
        if request.method.upper() == b"CONNECT":
            return f"{_decoded(host)}:{port}"
        authority = host if _DEFAULT_PORTS.get(scheme) == port else b"%s:%d" % (host, port or 0)
        return f"{_decoded(scheme)}://{_decoded(authority)}{path if path != '*' else ''}"
    later = octets(data, found.get(b"http_version")) in _LABELS_OF_LATER
    named = (octets(data, found.get(b"authority")) if later else None) or b", ".join(
        line.value for line in request.lines(b"host")
    )
    authority_ = _decoded(named) if named else server.peer.address or ""
    # A password before the host may hold what would end a host.
    return f"{'https' if client.tls else 'http'}://{authority_.rpartition('@')[2]}{path}"


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
