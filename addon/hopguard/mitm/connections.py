"""The connections of a running mitmproxy: its hooks become events, findings go to the report.

mitmproxy does not say who closed a connection, and names the server connection of an exchange only
when the response is there. So the one is worked out by elimination, and the other made up for.
"""

import time
from typing import NamedTuple

from mitmproxy import connection as mitmconnection
from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.utils import human

from hopguard.events import (
    IDEMPOTENT,
    Aborted,
    Answered,
    Asked,
    Closed,
    Failure,
    Key,
    Opened,
    RequestEnd,
    ResponseHead,
    Unsolicited,
    fingerprint,
    request_head,
    response_head,
)
from hopguard.lifecycle import Lifecycle
from hopguard.message import HTTP1, RawFields, Request, Response
from hopguard.mitm import closing, flows
from hopguard.mitm.following import Following, Latest, Report, Told


_HTTP11 = b"HTTP/1.1"


class Passing(NamedTuple):
    """A plain exchange that is nearly through: see `hopguard.plain`."""

    flow: http.HTTPFlow
    asked: RawFields
    """The header section of the request, which goes on as it came ..."""
    answered: RawFields
    """... and that of the response."""
    server: Key
    response: Answered


class Connections(Following):
    """Follows what mitmproxy's hooks tell. Not an addon itself."""

    def __init__(self, lifecycle: Lifecycle, report: Report) -> None:
        """Feed `lifecycle`, and hand what it finds to `report`."""
        super().__init__(lifecycle, report)
        self._unexpected: dict[str, bytes] = {}
        """Octets from a server that nobody had asked for, by the client's address."""
        self._asked: dict[Key, RawFields] = {}
        """On HTTP/1 connections of clients: the header section of a plain request ..."""
        self._passing: dict[Key, Passing] = {}
        """... and the exchange, if the response is plain, too."""

    def request_begins(self, flow: http.HTTPFlow, request: Request, *, plain: bool) -> None:
        """Take in the head of a request on the client's leg; `plain` tells whether it is."""
        if not flow.live or flow.is_replay is not None:
            return
        client = flow.client_conn
        key = Key("client", client.id)
        if key not in self.lifecycle:
            address = human.format_address(client.peername)
            self._open(key, Opened(client.timestamp_start, client=address))
        self._latest[key] = Latest(flow)
        if flow.error is not None:
            self._ours.add(key)
        elif plain and request.version in HTTP1:
            self._asked[key] = request.fields
        lines = self.lifecycle.checker.lines(request.fields)
        facts = request.version, request.method, request.to_proxy
        asked = Asked(flow.request.data.timestamp_start, lines, *facts, flow.id, surfaced=True)
        self._take_in(key, self.lifecycle.ask(key, asked, plain=plain))

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

    def response_begins(
        self, flow: http.HTTPFlow, request: Request, response: Response, *, plain: bool
    ) -> None:
        """Take in the exchange on the server's leg, where `request` was sent, up to `response`.

        `plain` tells whether `response` is.
        """
        if not flow.live or flow.is_replay is not None or flow.response is None:
            return
        client = Key("client", flow.client_conn.id)
        unedited = self._asked.pop(client, None) is request.fields
        key = self._request_is_sent(flow, request, plain=unedited)
        if key is None or response.version not in HTTP1:
            return
        lines = self.lifecycle.checker.lines(response.fields)
        facts = response.version, response.status, request.method
        answered = Answered(flow.response.data.timestamp_start, lines, *facts, flow.id)
        self._take_in(key, self.lifecycle.answer(key, answered, plain=plain))
        if unedited and plain:
            self._passing[client] = Passing(flow, request.fields, response.fields, key, answered)

    def response_ends(self, flow: http.HTTPFlow, *, own: bool) -> None:
        """Take in the end of a response on both legs; `own` is one that no server has sent."""
        if flow.is_replay == "request" or flow.response is None:
            return
        ended = flow.response.data.timestamp_end
        client = Key("client", flow.client_conn.id)
        passing = self._passing.pop(client, None)
        if self._is_latest(client, flow):
            self._latest[client].keep(flow)
        if passing is not None and passing.flow is flow and self._persists(passing):
            self._take_in(passing.server, self.lifecycle.end(passing.server, ended))
            relayed = passing.response.relayed(ended)
            self._take_in(client, self.lifecycle.answer(client, relayed, plain=True))
            self._take_in(client, self.lifecycle.end(client, ended))
            return
        self._response_ends(client, flow, ended, own=own or flow.is_replay == "response")

    def _persists(self, passing: Passing) -> bool:
        """Tell whether mitmproxy keeps both connections: nobody has edited what matters to it."""
        request, response = passing.flow.request.data, passing.flow.response
        if response is None or not request.http_version == response.data.http_version == _HTTP11:
            return False
        lines = self.lifecycle.checker.lines
        return all(
            now is before or lines(now) == lines(before)
            for now, before in (
                (request.headers.fields, passing.asked),
                (response.data.headers.fields, passing.answered),
            )
        )

    def _response_ends(
        self, client: Key, flow: http.HTTPFlow, ended: float | None, *, own: bool
    ) -> None:
        """Take in the end of any response; mitmproxy may close connections after it."""
        multiplexed, closes = closing.is_multiplexed(flow.request), closing.closes_after(flow)
        server = Key("server", flow.server_conn.id)
        if self._is_sending(server, flow):
            if closes or multiplexed:
                self._ours.add(server)
            self._take_in(server, self.lifecycle.end(server, ended))
            self._look_later(server)
        if multiplexed:
            self._take_in(client, self.lifecycle.end(client, ended))
        elif self._is_latest(client, flow):
            if closes:
                self._ours.add(client)
            self._feed(client, _relayed(flow, ended, own=own))
            self._take_in(client, self.lifecycle.end(client, ended))
            self._look_later(client)

    def _is_sending(self, key: Key, flow: http.HTTPFlow) -> bool:
        """Tell whether the server of `flow` is sending the response to it on the connection."""
        connection = self.lifecycle.connection(key)
        response = connection.response if connection is not None else None
        return response is not None and response.flow == flow.id

    def exchange_fails(self, flow: http.HTTPFlow) -> None:
        """Take in that an exchange has ended with an error."""
        if flow.is_replay is not None or flow.error is None:
            return
        how = closing.failure_of(flow)
        self._fail_on_server_leg(flow, how)
        key = Key("client", flow.client_conn.id)
        self._asked.pop(key, None)
        self._passing.pop(key, None)
        if key not in self.lifecycle:
            return
        if self._is_latest(key, flow):
            self._latest[key].keep(flow)
        if not closing.is_client_gone(flow):
            self._ours.add(key)
        if closing.is_multiplexed(flow.request):
            self._take_in(key, self.lifecycle.end(key, flow.error.timestamp))
        else:
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
        self._latest[key] = Latest(None, Told(request.method, None, client, proxy))
        self._feed(key, request_head(request, now))
        self._feed(key, response_head(request, response, now))
        self._feed(key, Closed(now, "proxy"))

    def _request_is_sent(self, flow: http.HTTPFlow, request: Request, *, plain: bool) -> Key | None:
        """Make up for the request on the server's leg; return the connection, if it is known.

        The requests of HTTP/2 and HTTP/3 are not followed there.
        """
        server = flow.server_conn
        key = Key("server", server.id)
        if server.timestamp_tcp_setup is None or server.id in self._closed:
            return None
        if key not in self.lifecycle:
            opened = Opened(server.timestamp_tcp_setup, server=flows.server_name(flow))
            self._open(key, opened)
        if request.version in HTTP1 and not self._is_latest(key, flow):
            latest = self._latest.get(Key("client", flow.client_conn.id))
            if latest is None or latest.flow is not flow:
                latest = Latest(flow)
            self._latest[key] = latest
            lines = self.lifecycle.checker.lines(request.fields)
            facts = request.version, request.method, request.to_proxy
            asked = Asked(closing.sent_time(flow), lines, *facts, flow.id)
            self._take_in(key, self.lifecycle.ask(key, asked, plain=plain))
        return key

    def _fail_on_server_leg(self, flow: http.HTTPFlow, how: Failure) -> None:
        if flow.error is not None and closing.was_never_sent(flow):
            return
        request = flows.sent_request(flow, None)
        key = self._request_is_sent(flow, request, plain=False)
        connection = self.lifecycle.connection(key) if key is not None else None
        if key is None or connection is None or connection.failure is not None:
            return
        if self._is_latest(key, flow):
            self._latest[key].keep(flow)
        if how == "other":
            self._ours.add(key)
        self._feed(key, Aborted(closing.failure_time(flow), how))

    def _forget(self, key: Key) -> None:
        super()._forget(key)
        self._asked.pop(key, None)
        self._passing.pop(key, None)


def _relayed(flow: http.HTTPFlow, time: float | None, *, own: bool) -> ResponseHead:
    """Return the head of the response as an HTTP/1 client gets it, when it is complete."""
    assert flow.response is not None
    if own or closing.is_multiplexed(flow.response):
        # It is ours; or translated, and what it says of the connection was not meant for this one.
        version, status = flows.client_version(flow), flow.response.status_code
        return ResponseHead(time, version, status, flow.id, own=own)
    request = flows.request_of(flow, in_tunnel=True)
    return response_head(request, flows.sent_response(flow), time, flow=flow.id)
