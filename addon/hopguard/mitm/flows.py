"""mitmproxy's flows in the standards' words. The only place that translates between the two."""

from functools import lru_cache
from typing import Any, Literal

from mitmproxy import http
from mitmproxy.proxy.mode_specs import RegularMode, UpstreamMode
from mitmproxy.utils import human

from hopguard.endings import section_leaves_open
from hopguard.flowerrors import refused_part
from hopguard.message import HTTP1, RawFields, Request, Response, Version, made
from hopguard.mitm import received
from hopguard.selection import Selection
from hopguard.spoken import version_by_alpn, version_spoken

_FOR_PROXIES = frozenset({RegularMode, UpstreamMode})
"""Modes in which clients know that they talk to a proxy. Their types are compared: `isinstance` is
slow for abstract classes."""

_MULTIPLEXED = frozenset({b"HTTP/2.0", b"HTTP/3"})
"""What mitmproxy calls the versions in which messages share a connection, and frame themselves."""


def request_of(flow: http.HTTPFlow, *, in_tunnel: bool, complete: bool = False) -> Request:
    """Return the request as the client sent it.

    Args:
        flow: a flow whose request no other addon has edited yet.
        in_tunnel: whether the client connection has become a tunnel by CONNECT.
        complete: whether the trailer section, if any, has arrived.
    """
    data, client = flow.request.data, flow.client_conn
    return made(
        Request,
        {
            "version": _version(data.http_version, client.alpn, flow.live),
            "fields": received.received(flow, "request", tuple(data.headers.fields)),
            "leg": "client",
            "trailers": _trailers(data.trailers) if complete else None,
            "tls": client.tls,
            "method": data.method,
            "target": data.path,
            "to_proxy": _to_proxy(flow, in_tunnel),
        },
    )


def response_of(flow: http.HTTPFlow, *, complete: bool = False) -> Response:
    """Return the response as the server sent it.

    Args:
        flow: a flow that has a response.
        complete: whether the trailer section, if any, has arrived.
    """
    assert flow.response is not None
    data, server = flow.response.data, flow.server_conn
    return made(
        Response,
        {
            "version": _version(data.http_version, server.alpn, flow.live),
            "fields": received.received(flow, "response", tuple(data.headers.fields)),
            "leg": "server",
            "trailers": _trailers(data.trailers) if complete else None,
            "tls": server.tls,
            "status": data.status_code,
            "direct": server.via is None,
        },
    )


def sent_request(flow: http.HTTPFlow, response: Response | None) -> Request:
    """Return the request as mitmproxy sent it to the server.

    `response` is what answers it; without one, the server is known by its ALPN alone.
    """
    data = flow.request.data
    version = _version(data.http_version, flow.client_conn.alpn, flow.live)
    answering = response.version if response is not None else version_by_alpn(flow.server_conn.alpn)
    if answering in ("HTTP/2", "HTTP/3"):
        version = answering
    elif version in ("HTTP/2", "HTTP/3"):
        version = "HTTP/1.1"
    return made(
        Request,
        {
            "version": version,
            "fields": _fields(data.headers),
            "leg": "server",
            "trailers": _trailers(data.trailers),
            "tls": flow.server_conn.tls,
            "method": data.method,
            "target": data.path,
            "to_proxy": flow.server_conn.via is not None,
        },
    )


def sent_response(flow: http.HTTPFlow) -> Response:
    """Return the response as mitmproxy sends it to the client, in the version of the client."""
    assert flow.response is not None
    data, version = flow.response.data, client_version(flow)
    if version in HTTP1:  # the version in the start line is relayed
        version = version_spoken(data.http_version, b"")
    return Response(
        version=version,
        fields=_fields(data.headers),
        leg="client",
        trailers=_trailers(data.trailers),
        tls=flow.client_conn.tls,
        status=data.status_code,
    )


def is_multiplexed(message: http.Message) -> bool:
    """Tell whether a message came on a stream of HTTP/2 or HTTP/3, beside others."""
    return message.data.http_version in _MULTIPLEXED


def is_own(response: http.Response) -> bool:
    """Tell, when its head is seen, whether mitmproxy or an addon made this response of a live flow.

    What a server sent has no content and no end yet; what was made has at least one of them.
    """
    return response.data.content is not None or response.data.timestamp_end is not None


def is_complete(flow: http.HTTPFlow, message: http.Message) -> bool:
    """Tell, in the hook for its end, whether all of a message was seen.

    A saved flow goes through all hooks, also if its connection broke before the end.
    """
    return flow.live or message.data.timestamp_end is not None


def was_refused(flow: http.HTTPFlow, part: Literal["request", "response"]) -> bool:
    """Tell whether mitmproxy has refused that message of `flow`.

    A live flow has an error before its first hook only for that reason; a saved one, for any.
    """
    if flow.error is None:
        return False
    return (flow.live and part == "request") or refused_part(flow.error.msg) == part


def has_loose_ends(message: http.Message, lines: RawFields | None = None) -> bool:
    """Tell whether the end of a message may settle what its header section left open.

    `lines` is the header section as it was received, if that is not what the message holds.
    """
    held: RawFields = message.data.headers.fields if lines is None else lines
    return message.data.trailers is not None or section_leaves_open(held)


def has_open_request(flow: http.HTTPFlow) -> bool:
    """Tell whether the end of the flow's request may settle what its header section left open."""
    lines = received.received(flow, "request", _fields(flow.request.data.headers))
    return has_loose_ends(flow.request, lines)


def is_enforced(flow: http.HTTPFlow) -> bool:
    """Tell whether the messages of a flow may be edited or blocked.

    What is loaded from a file has been sent long ago, and what is replayed is what a person wants
    to be sent.
    """
    return flow.live and flow.is_replay is None and flow.error is None


def client_version(flow: http.HTTPFlow) -> Version:
    """Return the version that is spoken on the client's leg."""
    return _version(flow.request.data.http_version, flow.client_conn.alpn, flow.live)


def has_open_response(flow: http.HTTPFlow) -> bool:
    """Tell whether the end of the flow's response may settle what its header section left open.

    The header section of an answer to HEAD, or of a 304, speaks of a message that was not sent.
    """
    if flow.response is None:
        return False
    lines = received.received(flow, "response", _fields(flow.response.data.headers))
    if not has_loose_ends(flow.response, lines):
        return False
    bodiless = flow.request.method == "HEAD" or flow.response.status_code == 304
    return not bodiless or flow.response.data.trailers is not None


def passes_on_credentials(flow: http.HTTPFlow) -> bool:
    """Tell whether a live request to the proxy still holds Proxy-Authorization as it is sent on.

    It is about to go to a server: whoever authenticates at mitmproxy has had the field removed.
    """
    return (
        flow.live
        and type(flow.client_conn.proxy_mode) is RegularMode
        and flow.server_conn.via is None
        and holds_credentials(flow.request.data.headers.fields)
    )


def holds_credentials(fields: RawFields) -> bool:
    """Tell whether a header section holds Proxy-Authorization."""
    return bool(_CREDENTIALS.of(fields))


_CREDENTIALS = Selection(lambda name: name.lower() == b"proxy-authorization")


def url_of(flow: http.HTTPFlow) -> str:
    """Return the URL of the request, as far as it is known.

    mitmproxy fills in where a request goes only after its validation: one that is refused has
    nothing but its Host field.
    """
    request, data = flow.request, flow.request.data
    if data.host:
        look = url_of_parts if len(data.path) <= _LONGEST_PATH else url_of_parts.__wrapped__
        return look(data.host, data.port, data.method, data.scheme, data.authority, data.path)
    scheme = "https" if flow.client_conn.tls else "http"
    host = request.host_header or server_address(flow) or ""
    host = host.rpartition("@")[2]  # a password before it may hold what would end a host
    return f"{scheme}://{host}{request.path}"


@lru_cache(64)  # in one exchange, several things are found
def url_of_parts(
    host: str, port: int, method: bytes, scheme: bytes, authority: bytes, path: bytes
) -> str:
    """Return the URL that mitmproxy puts together of these parts of a request."""
    rest = b"HTTP/1.1", http.Headers(), None, None, 0.0, None
    return http.Request(host, port, method, scheme, authority, path, *rest).url


_LONGEST_PATH = 1024


def client_address(flow: http.HTTPFlow) -> str:
    """Return the client's address as text."""
    return human.format_address(flow.client_conn.peername)


def server_address(flow: http.HTTPFlow) -> str | None:
    """Return the server's address as text, or the one that is to be connected to."""
    pair = flow.server_conn.peername or flow.server_conn.address
    return human.format_address(pair) if pair else None


def server_name(flow: http.HTTPFlow) -> str | None:
    """Return the server's name, or its address, with the port: what it is known by to clients."""
    pair = flow.server_conn.address or flow.server_conn.peername
    return human.format_address(pair) if pair else None


@lru_cache(64)
def _version(label: bytes, alpn: bytes | None, live: bool) -> Version:
    """Return the version that is spoken; of a live connection it is known that it has no ALPN."""
    return version_spoken(label, alpn or b"" if live else alpn)


def _fields(headers: http.Headers) -> RawFields:
    fields: Any = headers.fields  # pairs of octets, if perhaps of hpack's own kind of tuple
    return tuple(fields)


def _trailers(headers: http.Headers | None) -> RawFields:
    return _fields(headers) if headers is not None else ()


def _to_proxy(flow: http.HTTPFlow, in_tunnel: bool) -> bool | None:
    if type(flow.client_conn.proxy_mode) not in _FOR_PROXIES:
        return False
    if in_tunnel:
        return False
    if flow.live or flow.request.data.method == b"CONNECT":
        return True
    # A saved flow does not say whether it came through a tunnel; https over TLS did.
    return False if flow.client_conn.tls and flow.request.scheme == "https" else None
