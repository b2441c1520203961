"""The connections of a running mitmproxy: its hooks become events, findings go to the report.

mitmproxy does not say who closed a connection, and names the server connection of an exchange only
when the response is there. So the one is worked out by elimination, and the other made up for.
"""

import logging
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Self

from mitmproxy import connection as mitmconnection
from mitmproxy import ctx, http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.utils import human

from hopguard.connection import Connection
from hopguard.events import (
    IDEMPOTENT,
    Aborted,
    Closed,
    ClosedBy,
    Event,
    Failure,
    Key,
    Opened,
    RequestEnd,
    ResponseEnd,
    ResponseHead,
    StillOpen,
    Unsolicited,
    fingerprint,
    request_head,
    response_head,
)
from hopguard.lifecycle import Judged, Lifecycle
from hopguard.message import HTTP1, Request, Response
from hopguard.mitm import closing, flows
from hopguard.tolerances import T_CLOSE

logger = logging.getLogger(__name__)

MOST_CLOSED = 10_000
"""Closed connections whose history is kept, for whoever shows flows."""

URL_LIMIT = 512
"""Characters of the URL that are kept of the latest exchange on a connection."""

MOST_TIMERS = 1_000
"""Connections at a time that are looked at again because they ought to be closed."""


class Latest(NamedTuple):
    """The latest exchange on a connection. In mitmdump, its flow is soon gone."""

    reference: weakref.ref[http.HTTPFlow] | None
    method: bytes
    url: str | None
    client: str
    server: str | None

    @classmethod
    def of(cls, flow: http.HTTPFlow) -> Self:
        """Remember `flow`."""
        return cls(
            weakref.ref(flow),
            flow.request.data.method,
            flows.url_of(flow)[:URL_LIMIT],
            flows.client_address(flow),
            flows.server_address(flow),
        )

    @property
    def flow(self) -> http.HTTPFlow | None:
        """The flow, if it still exists."""
        return self.reference() if self.reference is not None else None


Report = Callable[[list[Judged], Latest | None], None]
"""Called with findings about one connection, and its latest exchange."""


class Connections:
    """Follows what mitmproxy's hooks tell. Not an addon itself."""

    def __init__(self, lifecycle: Lifecycle, report: Report) -> None:
        """Feed `lifecycle`, and hand what it finds to `report`."""
        self.lifecycle = lifecycle
        lifecycle.forget = self._forget
        self._report = report
        self._latest: dict[Key, Latest] = {}
        """The latest exchange on each open connection."""
        self._ours: set[Key] = set()
        """Open connections that mitmproxy itself is about to close."""
        self._unexpected: dict[str, bytes] = {}
        """Octets from a server that nobody had asked for, by the client's address."""
        self._closed: OrderedDict[str, Connection] = OrderedDict()
        self._timers = 0

    # For whoever shows connections.

    def history(self, connection_id: str) -> Connection | None:
        """Return what is known of a connection, open or closed; None if that is nothing."""
        for leg in closing.LEGS:
            found = self.lifecycle.connection(Key(leg, connection_id))
            if found is not None:
                return found
        return self._closed.get(connection_id)

    def closed_by(self, connection_id: str) -> ClosedBy | None:
        """Return who closed a connection; None if it is open, or nobody knows."""
        found = self.history(connection_id)
        return found.closed_by if found is not None else None

    # What the addon's hooks call.

    def request_begins(self, flow: http.HTTPFlow, request: Request) -> None:
        """Take in the head of a request on the client's leg."""
        if not flow.live or flow.is_replay is not None:
            return
        key, client = Key("client", flow.client_conn.id), flow.client_conn
        if self.lifecycle.connection(key) is None:
            address = human.format_address(client.peername)
            self._feed(key, Opened(client.timestamp_start, client=address))
        self._latest[key] = Latest.of(flow)
        if flow.error is not None:
            self._ours.add(key)
        head = request_head(request, flow.request.timestamp_start, flow=flow.id, surfaced=True)
        self._feed(key, head)

    def request_ends(self, flow: http.HTTPFlow) -> None:
        """Take in the end of a request on the client's leg, if that must not be repeated."""
        key = Key("client", flow.client_conn.id)
        if flow.request.data.method in IDEMPOTENT or not self._is_latest(key, flow):
            return
        request = flows.request_of(flow, in_tunnel=True)
        mark = fingerprint(request, flow.request.raw_content)
        if mark is not None:
            self._feed(key, RequestEnd(flow.request.timestamp_end, mark))

    def response_begins(self, flow: http.HTTPFlow, request: Request, response: Response) -> None:
        """Take in the exchange on the server's leg, where `request` was sent, up to `response`."""
        if not flow.live or flow.is_replay is not None or flow.response is None:
            return
        key = self._request_is_sent(flow, request)
        if key is not None:
            began = flow.response.timestamp_start
            self._feed(key, response_head(request, response, began, flow=flow.id))

    def response_ends(self, flow: http.HTTPFlow, *, own: bool) -> None:
        """Take in the end of a response on both legs; `own` is one that no server has sent."""
        if flow.is_replay is not None or flow.response is None:
            return
        ended, closes = flow.response.timestamp_end, closing.closes_after(flow)
        key = Key("server", flow.server_conn.id)
        head = self._head_of_response(key, flow)
        if head is not None:
            if closes or flow.request.is_http2 or flow.request.is_http3:
                self._ours.add(key)
            self._feed(key, ResponseEnd(ended))
            self._look_later(key)
        key = Key("client", flow.client_conn.id)
        if self._is_latest(key, flow):
            if closes:
                self._ours.add(key)
            self._feed(key, self._relayed(flow, None if own else head, ended))
            self._feed(key, ResponseEnd(ended))
            self._look_later(key)

    def _head_of_response(self, key: Key, flow: http.HTTPFlow) -> ResponseHead | None:
        """Return the response that the server of `flow` is sending on the connection."""
        connection = self.lifecycle.connection(key)
        head = connection.response if connection is not None else None
        return head if head is not None and head.flow == flow.id else None

    def _relayed(
        self, flow: http.HTTPFlow, head: ResponseHead | None, time: float | None
    ) -> ResponseHead:
        """Return the head of the response as the client gets it, when it is complete."""
        connection = self.lifecycle.connection(Key("client", flow.client_conn.id))
        version = connection.version if connection is not None else None
        if head is None or version is None:
            status = flow.response.status_code if flow.response is not None else 0
            return ResponseHead(time, version or "HTTP/1.1", status, flow.id, own=True)
        if (version in HTTP1) == (head.version in HTTP1):
            return head._replace(time=time)
        # mitmproxy has translated it, and what it says of the connection was not meant for it.
        return ResponseHead(time, version, head.status, flow.id)

    def exchange_fails(self, flow: http.HTTPFlow) -> None:
        """Take in that an exchange has ended with an error."""
        if flow.is_replay is not None or flow.error is None:
            return
        how = closing.failure_of(flow)
        self._fail_on_server_leg(flow, how)
        key = Key("client", flow.client_conn.id)
        connection = self.lifecycle.connection(key)
        if connection is not None:
            if not closing.is_client_gone(flow):
                self._ours.add(key)
            self._feed(key, Aborted(flow.error.timestamp, "lost" if how == "lost" else "other"))

    def server_disconnects(self, data: ServerConnectionHookData) -> None:
        """Take in the end of a connection to a server."""
        key = Key("server", data.server.id)
        flow = self._flow(Key("client", data.client.id))
        if flow is not None and closing.is_waiting_on(flow, data.server):
            self._fail_on_server_leg(flow, "lost")  # in some versions this comes before the error
        octets = self._unexpected.pop(human.format_address(data.client.peername), None)
        ended = data.server.timestamp_end
        if octets is not None:
            self._ours.add(key)
            self._feed(key, Unsolicited(ended, octets))
        gone = data.client.timestamp_end is not None
        self._close(key, ended, "proxy" if gone or key in self._ours else "server")

    def client_disconnects(self, client: mitmconnection.Client) -> None:
        """Take in the end of a client's connection."""
        self._unexpected.pop(human.format_address(client.peername), None)
        key, ended = Key("client", client.id), client.timestamp_end
        connection = self.lifecycle.connection(key)
        if connection is not None:
            ours = key in self._ours or closing.is_timed_out(connection, ended)
            self._close(key, ended, "proxy" if ours or closing.is_ending() else "client")

    def data_is_unexpected(self, octets: bytes, client: str) -> None:
        """Take in that a server of `client` has sent octets while it had nothing to answer."""
        self._unexpected[client] = octets

    def connect_is_refused(self, response: Response, proxy: str, client: str) -> None:
        """Take in that an upstream proxy has refused a CONNECT of mitmproxy; there is no flow."""
        now, key = time.time(), Key("server", f"to {proxy} for {client}")
        request = Request(version="HTTP/1.1", method=b"CONNECT", fields=(), leg="server")
        self._feed(key, Opened(now, server=proxy))
        self._latest[key] = Latest(None, request.method, None, client, proxy)
        self._feed(key, request_head(request, now))
        self._feed(key, response_head(request, response, now))
        self._feed(key, Closed(now, "proxy"))

    # On one connection.

    def _request_is_sent(self, flow: http.HTTPFlow, request: Request) -> Key | None:
        """Make up for the request on the server's leg; return the connection, if it is known."""
        server = flow.server_conn
        key = Key("server", server.id)
        if server.timestamp_tcp_setup is None or server.id in self._closed:
            return None
        connection = self.lifecycle.connection(key)
        if connection is None:
            opened = Opened(server.timestamp_tcp_setup, server=flows.server_name(flow))
            self._feed(key, opened)
        if not self._is_latest(key, flow):
            latest = self._latest.get(Key("client", flow.client_conn.id)) or Latest.of(flow)
            name = connection.server if connection is not None else flows.server_address(flow)
            self._latest[key] = latest._replace(server=name)
            sent = closing.sent_time(flow)
            self._feed(key, request_head(request, sent, flow=flow.id))
        return key

    def _is_latest(self, key: Key, flow: http.HTTPFlow) -> bool:
        connection = self.lifecycle.connection(key)
        request = connection.request if connection is not None else None
        return request is not None and request.flow == flow.id

    def _fail_on_server_leg(self, flow: http.HTTPFlow, how: Failure) -> None:
        if flow.error is not None and closing.was_never_sent(flow):
            return
        key = self._request_is_sent(flow, flows.sent_request(flow, None))
        connection = self.lifecycle.connection(key) if key is not None else None
        if key is None or connection is None or connection.failure is not None:
            return
        if how == "other":
            self._ours.add(key)
        self._feed(key, Aborted(closing.failure_time(flow), how))

    def _close(self, key: Key, ended: float | None, by: ClosedBy | None) -> None:
        connection = self.lifecycle.connection(key)
        if connection is not None:
            event = Closed(ended, by)
            self._feed(key, event)
            self._closed[key.connection] = connection.after(event)
            if len(self._closed) > MOST_CLOSED:
                self._closed.popitem(last=False)

    def _forget(self, key: Key) -> None:
        self._latest.pop(key, None)
        self._ours.discard(key)

    def _flow(self, key: Key) -> http.HTTPFlow | None:
        latest = self._latest.get(key)
        return latest.flow if latest is not None else None

    def _feed(self, key: Key, event: Event) -> None:
        latest = self._latest.get(key)
        judged = self.lifecycle.feed(key, event)
        if judged:
            self._report(judged, latest)

    def _look_later(self, key: Key) -> None:
        """Look again when the connection ought to be closed, unless mitmproxy closes it."""
        connection = self.lifecycle.connection(key)
        waits = connection is not None and connection.closing and key not in self._ours
        if waits and self._timers < MOST_TIMERS:
            self._timers += 1
            ctx.master.event_loop.call_later(T_CLOSE * 1.02, self._look, key)

    def _look(self, key: Key) -> None:
        self._timers -= 1
        if self.lifecycle.connection(key) is not None:
            self._feed(key, StillOpen(time.time()))
