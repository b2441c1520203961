"""Content between versions that frame it differently.

HTTP/2 and HTTP/3 need no field to tell where content ends. mitmproxy 12 sends what came without one
to an HTTP/1 server as it is: the server takes the content for another request, which whoever sent
it has chosen.
"""

from mitmproxy import http

from hopguard.message import RawFields
from hopguard.mitm import flows, received
from hopguard.record import Redaction

_CHUNKED = (b"Transfer-Encoding", b"chunked")


def frame_early(flow: http.HTTPFlow, redaction: Redaction) -> None:
    """Have the content of a request to an HTTP/1 server, of whatever length, sent in chunks.

    It may be sent while it comes in. If it is not, `frame_late` does better.
    """
    request = flow.request
    if flows.is_multiplexed(request) and request.timestamp_end is None and not _is_framed(request):
        received.remember(flow, "request", (*request.headers.fields, _CHUNKED), redaction)


def frame_late(flow: http.HTTPFlow, redaction: Redaction) -> None:
    """Tell the length of a request that is complete, unless its content is on its way already."""
    request = flow.request
    if not flows.is_multiplexed(request) or request.stream:
        return
    fields = tuple(line for line in request.headers.fields if line != _CHUNKED)
    early = len(fields) < len(request.headers.fields)
    if request.raw_content and "content-length" not in request.headers:
        fields = _with_length(fields, request)
    if early or request.raw_content:
        received.remember(flow, "request", fields, redaction)


def frame_response(flow: http.HTTPFlow, redaction: Redaction) -> None:
    """Tell an HTTP/1 client the length of a complete response that says nothing of it.

    Not of one that ended with the server's connection: nobody knows whether it was complete.
    """
    response = flow.response
    if response is None or _is_framed(response) or response.raw_content is None:
        return
    bodiless = response.status_code < 200 or response.status_code in (204, 304)
    if bodiless or flow.request.method in ("HEAD", "CONNECT"):
        return
    before = received.received(flow, "response", tuple(response.headers.fields))
    was_chunked = any(name.lower() == b"transfer-encoding" for name, _ in before)
    if was_chunked or flows.is_multiplexed(response):
        fields = _with_length(tuple(response.headers.fields), response)
        received.remember(flow, "response", fields, redaction)


def _is_framed(message: http.Message) -> bool:
    return "content-length" in message.headers or "transfer-encoding" in message.headers


def _with_length(fields: RawFields, message: http.Message) -> RawFields:
    return (*fields, (b"Content-Length", b"%d" % len(message.raw_content or b"")))
