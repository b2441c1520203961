"""Flows as mitmproxy saves them: any, and some that break rules."""

import io
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st
from mitmproxy import flow as mitmflow
from mitmproxy import http
from mitmproxy.connection import Client, Server
from mitmproxy.io import FlowWriter
from mitmproxy.net.server_spec import ServerSpec
from mitmproxy.proxy.mode_specs import ProxyMode

from hopguard.flowerrors import LOST, TRUNCATED

NAMES = st.sampled_from(
    [
        b"Host",
        b"Connection",
        b"Keep-Alive",
        b"TE",
        b"Trailer",
        b"Upgrade",
        b"Transfer-Encoding",
        b"Content-Length",
        b"Proxy-Connection",
        b"connection",
        b"cOnnection ",
        b"X-A",
        b"",
        b"\xff,]",
    ]
)
VALUES = st.sampled_from(
    [
        b"",
        b"close",
        b"keep-alive",
        b"close, keep-alive",
        b"TE, X-A",
        b"trailers",
        b"a,]4:b",
        b"websocket",
        b"h2c",
        b"chunked",
        b"5",
        b"timeout=5",
        b",,",
        b"x" * 300,
    ]
) | st.binary(max_size=12)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(tuple)
TRAILERS = st.none() | FIELDS.map(http.Headers)
TEXTS = st.sampled_from(
    ["", "www.example", "192.0.2.1", "::1", "::ffff:192.0.2.7", "0.0.0.0", "a;4:b"]
)
KNOWN_TIMES = st.sampled_from([0.0, 1.5, 1_790_000_000.25, 1e300])
TIMES = st.none() | KNOWN_TIMES
MODES = st.sampled_from(
    [
        "regular",
        "regular@8081",
        "upstream:http://a.example:1@127.0.0.1:9",
        "socks5",
        "transparent",
        "reverse:https://www.example",
        "Reverse:http://b.example@9",
    ]
)
LABELS = st.sampled_from(
    [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/3", b"HTTP/0.9", b"HTTP/7", b""]
)
ALPN = st.sampled_from([None, b"h2", b"h3", b"http/1.1", b"h3-29"])
ERRORS = st.sampled_from(
    [
        None,
        "Connection killed.",
        LOST,
        f"{TRUNCATED} (received 3, expected 9)",
        "Invalid request scheme: x",
        "Received an invalid header from client, refusing to prevent request smuggling attacks. X",
        "Received an invalid header from server, refusing to prevent request smuggling attacks. X",
    ]
)


@st.composite
def connections(draw: st.DrawFn) -> tuple[Client, Server]:
    """Make the two connections of a flow."""
    address = st.tuples(TEXTS, st.integers(0, 65_535))
    client = Client(
        peername=draw(address),
        sockname=draw(address),
        timestamp_start=draw(KNOWN_TIMES),
        timestamp_end=draw(TIMES),
        proxy_mode=ProxyMode.parse(draw(MODES)),
        tls=draw(st.booleans()),
        alpn=draw(ALPN),
        sni=draw(st.none() | TEXTS),
        cipher_list=draw(st.lists(TEXTS, max_size=2)),
        error=draw(st.none() | TEXTS),
    )
    via: ServerSpec = ("https", ("proxy.example", 8080))
    server = Server(
        address=draw(st.none() | address),
        peername=draw(st.none() | address),
        timestamp_start=draw(TIMES),
        timestamp_end=draw(TIMES),
        timestamp_tcp_setup=draw(TIMES),
        timestamp_tls_setup=draw(TIMES),
        tls=draw(st.booleans()),
        alpn=draw(ALPN),
        via=draw(st.sampled_from([None, via])),
    )
    return client, server


@st.composite
def http_flows(draw: st.DrawFn) -> http.HTTPFlow:
    """Make an HTTP flow that was saved at any moment."""
    flow = http.HTTPFlow(*draw(connections()))
    flow.request = http.Request(
        host=draw(TEXTS),
        port=draw(st.sampled_from([80, 443, 8080])),
        method=draw(st.sampled_from([b"GET", b"HEAD", b"POST", b"CONNECT", b"get", b"G,4:T"])),
        scheme=draw(st.sampled_from([b"http", b"https", b""])),
        authority=draw(st.sampled_from([b"", b"www.example", b"u:p@www.example:8"])),
        path=draw(st.sampled_from([b"/", b"*", b"/a?b,]c", b"", b"/\xff"])),
        http_version=draw(LABELS),
        headers=http.Headers(draw(FIELDS)),
        content=draw(st.none() | st.binary(max_size=30)),
        trailers=draw(TRAILERS),
        timestamp_start=draw(KNOWN_TIMES),
        timestamp_end=draw(TIMES),
    )
    if draw(st.booleans()):
        flow.response = http.Response(
            http_version=draw(LABELS),
            status_code=draw(st.sampled_from([101, 200, 204, 304, 407, 426, 999])),
            reason=draw(st.sampled_from([b"OK", b"", b"a,b"])),
            headers=http.Headers(draw(FIELDS)),
            content=draw(st.none() | st.binary(max_size=30)),
            trailers=draw(TRAILERS),
            timestamp_start=draw(KNOWN_TIMES),
            timestamp_end=draw(TIMES),
        )
    error = draw(ERRORS)
    flow.error = mitmflow.Error(error) if error is not None else None
    flow.is_replay = draw(st.sampled_from([None, None, "request", "response"]))
    flow.comment = draw(TEXTS)
    flow.marked = draw(st.sampled_from(["", ":red_circle:"]))
    flow.metadata = draw(st.sampled_from([{}, {"a": [1, {"b": "11:client_conn;"}]}]))
    return flow


ALIKE = st.sampled_from([b"abcd", b"b,]c", b"1:x,", b"\0\xff;]"])
"""Values of one length."""


@st.composite
def usual_flows(draw: st.DrawFn, pairs: list[tuple[Client, Server]]) -> http.HTTPFlow:
    """Make a complete HTTP flow on one of some `pairs` of connections, without anything special.

    Its header sections resemble those of others.
    """
    flow = http.HTTPFlow(*draw(st.sampled_from(pairs)))
    fields = [(b"X-A", draw(ALIKE)), (b"X-B", b"same"), (b"X-C", draw(ALIKE))]
    fields += draw(st.sampled_from([[], [], [(b"X-D", b"")], [(b"", b"12,]"), (b"\xff,]", b"1")]]))
    flow.request = http.Request(
        host=draw(st.sampled_from(["www.example", "www.example", "::1", "a;4:b", ""])),
        port=draw(st.sampled_from([80, 443])),
        method=draw(st.sampled_from([b"GET", b"GET", b"POST", b"CONNECT", b"connect", b"P,T"])),
        scheme=draw(st.sampled_from([b"http", b"https"])),
        authority=draw(st.sampled_from([b"", b"www.example"])),
        path=draw(st.sampled_from([b"/", b"*", b"/a,b", b"/,9:authority;", b"/\xff"])),
        http_version=draw(LABELS),
        headers=http.Headers(fields[:-1]),
        content=draw(st.sampled_from([b"", b"", None, b"x", b"0:,7:headers;0:"])),
        trailers=None,
        timestamp_start=draw(KNOWN_TIMES),
        timestamp_end=draw(TIMES),
    )
    flow.response = http.Response(
        http_version=draw(LABELS),
        status_code=draw(st.sampled_from([101, 200, 304])),
        reason=b"OK",
        headers=http.Headers(fields),
        content=draw(st.sampled_from([b"", None, b"8:response;"])),
        trailers=None,
        timestamp_start=draw(KNOWN_TIMES),
        timestamp_end=draw(KNOWN_TIMES),
    )
    return flow


@st.composite
def usual_files(draw: st.DrawFn) -> list[http.HTTPFlow]:
    """Make some usual flows on few connections."""
    pairs = draw(st.lists(connections(), min_size=1, max_size=3))
    return draw(st.lists(usual_flows(pairs), min_size=1, max_size=8))


def saved(flows: Iterable[mitmflow.Flow]) -> bytes:
    """Save flows as mitmproxy does."""
    out = io.BytesIO()
    writer: Any = FlowWriter(out)
    for flow in flows:
        writer.add(flow)
    return out.getvalue()
