"""Flows as mitmproxy makes them, at the moments when hooks see them."""

import time

from mitmproxy import http
from mitmproxy.connection import Client, ConnectionState, Server
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import tutils

Fields = list[tuple[bytes, bytes]]


def live_flow(
    *fields: tuple[bytes, bytes],
    version: str = "HTTP/1.1",
    mode: str = "reverse:http://origin.example",
    method: str = "GET",
) -> http.HTTPFlow:
    """Make a flow whose request head has just arrived."""
    flow = http.HTTPFlow(client(version, mode), server(version))
    flow.live = True
    flow.request = tutils.treq(
        method=method.encode(),
        http_version=version.encode(),
        headers=http.Headers(fields),
        content=None,
        timestamp_end=None,
    )
    return flow


def add_response(
    flow: http.HTTPFlow, *fields: tuple[bytes, bytes], status: int = 200, version: str = ""
) -> http.Response:
    """Give the flow a response whose head has just arrived."""
    flow.response = http.Response(
        http_version=(version or flow.request.http_version).encode(),
        status_code=status,
        reason=b"",
        headers=http.Headers(fields),
        content=None,
        trailers=None,
        timestamp_start=time.time(),
        timestamp_end=None,
    )
    return flow.response


def client(version: str, mode: str) -> Client:
    """Make a client connection that speaks `version`."""
    made = Client(
        peername=("192.0.2.1", 50_000),
        sockname=("192.0.2.2", 8080),
        timestamp_start=0.0,
        proxy_mode=ProxyMode.parse(mode),
        state=ConnectionState.OPEN,
    )
    _speak(made, version)
    return made


def server(version: str) -> Server:
    """Make a server connection that speaks `version`."""
    made = Server(address=("origin.example", 443))
    _speak(made, version)
    return made


def _speak(made: Client | Server, version: str) -> None:
    alpn = {"HTTP/2.0": b"h2", "HTTP/3": b"h3"}.get(version)
    made.alpn = alpn
    made.tls = alpn is not None
