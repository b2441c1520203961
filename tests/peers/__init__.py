"""Scripted HTTP peers, well-behaved or not, and a driver for real mitmproxy processes.

They need nothing but the standard library and what mitmproxy installs. Origins and clients are
context managers with a synchronous face; each runs an event loop in a thread of its own, bounds
every wait, and leaves nothing behind.

    certificates = make_certificates(folder)
    hello = message(b"HTTP/1.1 200 OK", b"Connection: Upgrade", b"Content-Length: 2", body=b"ok")
    with (
        Http1Origin({"/": hello}) as origin,
        Mitm(f"reverse:{origin.url}") as mitm,
        Http2Client(mitm.address()) as client,
    ):
        first = client.request(request_lines("/", (b"x-first", b"1")))
        second = client.request(request_lines("/other"))
        assert client.response(second).status == 404
        assert client.response(first).body == b"ok"
        assert {request.path for request in origin.wait_for_requests(2)} == {"/", "/other"}
"""

from .certs import Certificates, client_context, make_certificates
from .http1 import MalformedMessageError, PeerClosedError
from .http1_client import Http1Client
from .http1_origin import Http1Origin
from .http2_client import Http2Client
from .http2_origin import Http2Origin
from .http3_client import Http3Client
from .http3_origin import Http3Origin
from .messages import FieldLines, Request, Response, values_of
from .mitm import Mitm
from .origin import Connection
from .process import Process, ProcessFailedError
from .script import (
    Answer,
    Answers,
    Close,
    Data,
    Fields,
    GoAway,
    Reset,
    Signal,
    Step,
    Wait,
    WaitForRequests,
    answer,
    chunked,
    message,
    request_lines,
)
from .waiting import TIMEOUT, Address, Flag, WaitTimeoutError

__all__ = [
    "TIMEOUT",
    "Address",
    "Answer",
    "Answers",
    "Certificates",
    "Close",
    "Connection",
    "Data",
    "FieldLines",
    "Fields",
    "Flag",
    "GoAway",
    "Http1Client",
    "Http1Origin",
    "Http2Client",
    "Http2Origin",
    "Http3Client",
    "Http3Origin",
    "MalformedMessageError",
    "Mitm",
    "PeerClosedError",
    "Process",
    "ProcessFailedError",
    "Request",
    "Reset",
    "Response",
    "Signal",
    "Step",
    "Wait",
    "WaitForRequests",
    "WaitTimeoutError",
    "answer",
    "chunked",
    "client_context",
    "make_certificates",
    "message",
    "request_lines",
    "values_of",
]
