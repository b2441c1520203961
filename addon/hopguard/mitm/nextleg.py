"""What mitmproxy will do with connections, and so what is to be announced on the next leg.

mitmproxy decides by the field lines that a flow holds, those of both messages for both legs, in an
order that depends on how the octets come in: see `mark_done` in its `proxy/layers/http/_http1.py`.
"""

from mitmproxy import http
from mitmproxy.net.http.http1.read import connection_close, expected_http_body_size
from mitmproxy.proxy.mode_specs import UpstreamMode

from hopguard.forwarding import NextLeg
from hopguard.message import HTTP1, HTTP10, Message, Request, Response, Version
from hopguard.mitm import flows


def leg_of_request(flow: http.HTTPFlow, request: Request, version: Version | None) -> NextLeg:
    """Return what a request is sent on to; `version` is None where it is not known yet.

    A request that came over HTTP/1 keeps the form that it has there: mitmproxy closes the client's
    connection by it, and takes out what HTTP/2 has no place for.
    """
    if request.version not in HTTP1:
        # For these, mitmproxy uses a connection to an HTTP/1 server once.
        return NextLeg(version=version or request.version, closes=version == "HTTP/1.1")
    said, old = _said(request), request.version in HTTP10
    closes = b"close" in said
    # A proxy keeps no connection to a client that may have its keep-alive from beyond (RFC 9112,
    # appendix C.2.2); a gateway is the server that it speaks to.
    keeps = old and not closes and b"keep-alive" in said and not request.to_proxy
    return NextLeg(
        version=request.version,
        closes=closes,
        keeps_alive=keeps,
        is_proxy=isinstance(flow.client_conn.proxy_mode, UpstreamMode),
    )


def leg_of_response(flow: http.HTTPFlow, response: Response) -> NextLeg:
    """Return what a response is sent on to.

    The flow must hold the response as it is sent on, but for `close` and `keep-alive`.
    """
    assert flow.response is not None
    version, request = flows.client_version(flow), flow.request
    if version not in HTTP1:
        return NextLeg(version=version)
    closes = connection_close(request.http_version, request.headers) or (
        expected_http_body_size(request, flow.response) == -1
    )
    mixed = version in HTTP10 or response.version in HTTP10
    return NextLeg(version=version, closes=closes, keeps_alive=mixed and not closes)


def part_legs(flow: http.HTTPFlow, response: Response) -> None:
    """Give the flow a response of its own, to be sent on.

    mitmproxy decides about the server's connection by the object that it has read; with another
    one in the flow, that decision rests on what the server said, and on nothing else. It looks for
    `close` in lower case only.
    """
    original = flow.response
    assert original is not None
    flow.response = original.copy()
    flow.response.stream = original.stream
    if b"close" in _said(response):
        original.headers["Connection"] = "close"


def _said(message: Message) -> frozenset[bytes]:
    """List the options of Connection, and `close` also where an invalid one was meant as it."""
    return message.options | (message.meant_options & {b"close"})
