"""The connections of a running mitmproxy: its hooks become events, findings go to the report.

mitmproxy does not say who closed a connection, and names the server connection of an exchange only
when the response is there. So the one is worked out by elimination, and the other made up for.
"""

import time

from mitmproxy import connection as mitmconnection
from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.utils import human

from hopguard.events import (
    IDEMPOTENT,
    Aborted,
    Closed,
    Failure,
    Key,
    Opened,
    RequestEnd,
    ResponseEnd,
    ResponseHead,
    Unsolicited,
    fingerprint,
    request_head,
    response_head,
)
from hopguard.lifecycle import Lifecycle
from hopguard.message import HTTP1, Request, Response
from hopguard.mitm import closing, flows, received
from hopguard.mitm.following import Following, Latest, Report


class Connections(Following):
    """Follows what mitmproxy's hooks tell. Not an addon itself."""

    def __init__(self, lifecycle: Lifecycle, report: Report) -> None:
        """Feed `lifecycle`, and hand what it finds to `report`."""
        super().__init__(lifecycle, report)
        self._unexpected: dict[str, bytes] = {}
        """Octets from a server that nobody had asked for, by the client's address."""

    def request_begins(self, flow: http.HTTPFlow, request: Request) -> None:
        """Take in the head of a request on the client's leg."""
        if not flow.live or flow.is_replay is not None:
            return
        key, client = Key("client", flow.client_conn.id), flow.client_conn
        if key not in self.lifecycle:
            address = human.format_address(client.peername)
            self._open(key, Opened(client.timestamp_start, client=address))
        self._latest[key] = Latest.of(flow)
        if flow.error is not None:
            self._ours.add(key)
        head = request_head(request, flow.request.timestamp_start, flow=flow.id, surfaced=True)
        self._feed(key, head)

    def request_ends(self, flow: http.HTTPFlow) -> None:
        """Take in the end of a request on the client's leg, if that must not be repeated."""
        if flow.request.data.method in IDEMPOTENT:
            return
        key = Key("client", flow.client_conn.id)
        if not self._is_latest(key, flow):
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
        if flow.is_replay == "request" or flow.response is None:
            return
        own = own or flow.is_replay == "response"
        ended, closes = flow.response.timestamp_end, closing.closes_after(flow)
        key = Key("server", flow.server_conn.id)
        head = self._head_of_response(key, flow)
        if head is not None:
            if closing.is_multiplexed(flow.response):
                pass  # no single exchange ends such a connection
            elif closes or closing.is_multiplexed(flow.request):
                self._ours.add(key)
            self._feed(key, ResponseEnd(ended))
            self._look_later(key)
        key = Key("client", flow.client_conn.id)
        if self._is_latest(key, flow):
            if closes and not closing.is_multiplexed(flow.request):
                self._ours.add(key)
            self._feed(key, self._relayed(flow, None if own else head, ended))
            self._feed(key, ResponseEnd(ended))
            self._look_later(key)

    def _head_of_response(self, key: Key, flow: http.HTTPFlow) -> ResponseHead | None:
        """Return the response that the server of `flow` is sending on the connection."""
        head = self.lifecycle.response(key)
        return head if head is not None and head.flow == flow.id else None

    def _relayed(
        self, flow: http.HTTPFlow, head: ResponseHead | None, time: float | None
    ) -> ResponseHead:
        """Return the head of the response as the client gets it, when it is complete."""
        version = self.lifecycle.version(Key("client", flow.client_conn.id))
        if head is None or version is None:
            status = flow.response.status_code if flow.response is not None else 0
            return ResponseHead(time, version or "HTTP/1.1", status, flow.id, own=True)
        if received.is_edited(flow, "response"):
            request = flows.request_of(flow, in_tunnel=True)
            return response_head(request, flows.sent_response(flow), time, flow=flow.id)
        if (version in HTTP1) == (head.version in HTTP1):
            return ResponseHead(time, *head[1:])
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
        ours = gone or key in self._ours or self._was_edited_to_close(key)
        self._close(key, ended, "proxy" if ours else "server")

    def _was_edited_to_close(self, key: Key) -> bool:
        """Tell whether another addon has had the last word on the latest exchange: to close."""
        flow = self._flow(key)
        if flow is None or flow.response is None or closing.is_multiplexed(flow.response):
            return False
        return closing.closes_after(flow)

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

    def _request_is_sent(self, flow: http.HTTPFlow, request: Request) -> Key | None:
        """Make up for the request on the server's leg; return the connection, if it is known."""
        server = flow.server_conn
        key = Key("server", server.id)
        if server.timestamp_tcp_setup is None or server.id in self._closed:
            return None
        if key not in self.lifecycle:
            opened = Opened(server.timestamp_tcp_setup, server=flows.server_name(flow))
            self._open(key, opened)
        if not self._is_latest(key, flow):
            latest = self._latest.get(Key("client", flow.client_conn.id))
            if latest is None or latest.flow is not flow:
                latest = Latest.of(flow)
            self._latest[key] = Latest(*latest[:-1], flows.server_address(flow))
            sent = closing.sent_time(flow)
            self._feed(key, request_head(request, sent, flow=flow.id))
        return key

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
