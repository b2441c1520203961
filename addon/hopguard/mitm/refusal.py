"""Refuse a message whose framing is in doubt, and nothing but this message."""

from collections.abc import Iterable

from mitmproxy import ctx, http

from hopguard.message import Message
from hopguard.mitm import flows

REFUSED_REQUEST = 400
REFUSED_RESPONSE = 502


def refuse_request(flow: http.HTTPFlow, reason: str) -> None:
    """Answer the request with 400 in the server's place.

    If it is on its way to the server already, withhold the trailer section, and reset the stream
    when the server answers: mitmproxy sends what it has, whatever the response says.
    """
    if flow.request.stream:
        flow.request.trailers = None
        flow.kill()
    else:
        flow.response = _answer(flow, REFUSED_REQUEST, reason)


def refuse_request_head(flow: http.HTTPFlow, reason: str) -> None:
    """Answer a request whose content is still to come with 400; the content is discarded.

    mitmproxy cannot answer a request and stream it at the same time. Where it would stream, the
    client gets no answer: its stream is reset (HTTP/2, HTTP/3), or its connection closed.
    """
    if flow.request.stream or _may_be_streamed(flow.request):
        flow.request.stream = False
        flow.kill()
    else:
        flow.response = _answer(flow, REFUSED_REQUEST, reason)


def refuse_connect(flow: http.HTTPFlow, reason: str) -> None:
    """Answer a CONNECT request with 400: there will be no tunnel."""
    flow.response = _answer(flow, REFUSED_REQUEST, reason)


def announce_close(flow: http.HTTPFlow) -> None:
    """Say in mitmproxy's own response that an HTTP/1 connection ends; mitmproxy ends it then."""
    if flow.response is not None and not flows.is_multiplexed(flow.request):
        flow.response.headers["Connection"] = "close"


def _may_be_streamed(request: http.Request) -> bool:
    """Tell whether content of unknown length may grow beyond the option `stream_large_bodies`."""
    if not ctx.options.stream_large_bodies or "content-length" in request.headers:
        return False
    framed = not flows.is_multiplexed(request)
    return "transfer-encoding" in request.headers if framed else request.method not in _WITHOUT


_WITHOUT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"})
"""Methods whose requests hardly ever have content."""


def refuse_response_head(flow: http.HTTPFlow, reason: str) -> None:
    """Put a 502 in the place of a response whose content is still to come, and discard that.

    What the server sends may have no end, so the answer does not wait for it: the body of the 502
    goes out as if it were streamed.
    """
    flow.response = _answer(flow, REFUSED_RESPONSE, reason)
    flow.response.stream = _Body(flow.response.content or b"")
    flow.response.data.content = None


def refuse_response(flow: http.HTTPFlow, reason: str) -> None:
    """Put a 502 in the place of a complete response; end the stream if it is on its way already."""
    if flow.response is not None and flow.response.stream:
        flow.kill()
    else:
        flow.response = _answer(flow, REFUSED_RESPONSE, reason)


def finish_refused_response(flow: http.HTTPFlow) -> None:
    """Give a 502 whose original had no content the body that could not go out as a stream.

    The trailer section of the original, which mitmproxy has put behind the 502, is discarded.
    """
    assert flow.response is not None
    if isinstance(flow.response.stream, _Body):
        flow.response.data.content = flow.response.stream.body
        flow.response.data.trailers = None


class _Body:
    """A content stream that discards what comes in and gives out `body` once."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self._given = False

    def __call__(self, data: bytes) -> Iterable[bytes]:
        if self._given:
            return []
        self._given = True
        return [self.body]


def _answer(flow: http.HTTPFlow, status: int, reason: str) -> http.Response:
    fields = {"content-type": "text/plain; charset=utf-8"}
    if not flows.is_multiplexed(flow.request):
        fields["Connection"] = "close"
    body = "" if flow.request.method == "HEAD" else f"{reason}\n"
    return http.Response.make(status, body, fields)


def reason_in_trailers(flow: http.HTTPFlow, message: Message) -> str:
    """Say why the trailer section of `message` must not go on; empty where it may."""
    lines = message.trailer_lines(b"transfer-encoding")
    if not (lines and flow.live and ctx.options.validate_inbound_headers):
        return ""
    return "Transfer-Encoding was sent in a trailer section, where it must not be."
