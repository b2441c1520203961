"""Who closes a connection, and how an exchange failed: what can be told from mitmproxy's flows.

Observed on mitmproxy 12.2. mitmproxy decides by the field lines in the flow as they are in the end,
compares `close` and `keep-alive` in lower case only, and takes one request for each connection to
an HTTP/1 server when the client speaks HTTP/2 or HTTP/3.
"""

import time

from mitmproxy import connection as mitmconnection
from mitmproxy import ctx, http
from mitmproxy.net.http import http1

from hopguard.connection import Connection
from hopguard.events import Failure
from hopguard.flowerrors import CLIENT_GONE, failure
from hopguard.selection import Selection

TIMEOUT_TOLERANCE = 1.0
"""Seconds by which mitmproxy's own timeout for idle clients may seem to come too early."""


def closes_after(flow: http.HTTPFlow) -> bool:
    """Tell whether mitmproxy itself closes the connections to HTTP/1 peers after the exchange.

    On the server's leg it does so, too, whenever the client speaks HTTP/2 or HTTP/3.
    """
    assert flow.response is not None
    request, response = flow.request, flow.response
    if _surely_persists(flow):
        return False
    try:
        until_close = http1.expected_http_body_size(request, response) == -1
    except ValueError:
        until_close = False
    return (
        until_close
        or http1.connection_close(request.http_version, request.headers)
        or http1.connection_close(response.http_version, response.headers)
    )


def _surely_persists(flow: http.HTTPFlow) -> bool:
    """Tell quickly of nearly all exchanges that mitmproxy keeps the connections."""
    assert flow.response is not None
    has_length = False
    for message in (flow.request.data, flow.response.data):
        if message.http_version not in _PERSISTENT:
            return False
        has_length = False
        for name, value in _TELLING.of(message.headers.fields):
            if name.lower() == b"content-length":
                has_length = True
            elif b"close" in value:
                return False
    return has_length


_TELLING = Selection(lambda name: name.lower() in (b"connection", b"content-length"))
_PERSISTENT = frozenset({b"HTTP/1.1", b"HTTP/2.0"})


def failure_of(flow: http.HTTPFlow) -> Failure:
    """Tell how the exchange of a flow with an error failed."""
    assert flow.error is not None
    return failure(flow.error.msg, answered=flow.response is not None)


def is_client_gone(flow: http.HTTPFlow) -> bool:
    """Tell whether the exchange failed because the client went away."""
    return flow.error is not None and flow.error.msg == CLIENT_GONE


def was_never_sent(flow: http.HTTPFlow) -> bool:
    """Tell whether the request of a flow with an error has not reached a server."""
    return flow.response is None and (
        flow.request.timestamp_end is None or flow.server_conn.timestamp_tcp_setup is None
    )


def is_waiting_on(flow: http.HTTPFlow, server: mitmconnection.Server) -> bool:
    """Tell whether the request has been sent to `server`, and no answer has come."""
    return (
        flow.live is not False
        and flow.server_conn.id == server.id
        and flow.response is None
        and flow.error is None
        and flow.request.timestamp_end is not None
    )


def sent_time(flow: http.HTTPFlow) -> float | None:
    """Return when the request was sent: when it was complete, or the connection there."""
    request = flow.request.data
    sent = request.timestamp_start if flow.request.stream else request.timestamp_end
    return later(sent, ready_time(flow.server_conn))


def ready_time(server: mitmconnection.Server) -> float | None:
    """Return since when a request can be sent on a connection."""
    return server.timestamp_tls_setup or server.timestamp_tcp_setup


def later(one: float | None, other: float | None) -> float | None:
    """Return the later time; that which is known, if one is not."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def failure_time(flow: http.HTTPFlow) -> float:
    """Return when the exchange failed: when its server connection ended, if that is known."""
    error = flow.error.timestamp if flow.error is not None else time.time()
    return min(flow.server_conn.timestamp_end or error, error)


def is_timed_out(connection: Connection, ended: float | None) -> bool:
    """Tell whether mitmproxy may have closed a client's connection because nothing happened."""
    idle = connection.idle(ended)
    return idle is not None and idle >= ctx.options.tcp_timeout - TIMEOUT_TOLERANCE


def is_ending() -> bool:
    """Tell whether mitmproxy is about to end, and closes all connections."""
    should_exit = getattr(ctx.master, "should_exit", None)
    return should_exit is not None and should_exit.is_set()
