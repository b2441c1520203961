"""The connections of a running mitmproxy: its hooks become events, findings go to the report.

mitmproxy does not say who closed a connection, and names the server connection of an exchange only
when the response is there. So the one is worked out by elimination, and the other made up for.
"""

import time

from mitmproxy import connection as mitmconnection
from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.utils import human

from hopguard.checker import Judgement
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
from hopguard.mitm import closing, flows
from hopguard.mitm.following import Following, Latest, Report, Told
from hopguard.mitm.legs import NextLegs
from hopguard.mitm.passing import OnlyFlag, PassingExchanges
from hopguard.mitm.ways import with_lines


class Connections(Following):
    """Follows what mitmproxy's hooks tell. Not an addon itself."""

    def __init__(
        self,
        lifecycle: Lifecycle,
        report: Report,
        legs: NextLegs,
        only_flag: OnlyFlag,
        awaited: set[str],
    ) -> None:
        """Feed `lifecycle`, and hand what it finds to `report`; `legs` are where requests go.

        `only_flag` is for what is found in messages that pass, and `awaited` for the ids of those
        whose ends matter.
        """
        super().__init__(lifecycle, report)
        self._unexpected: dict[str, bytes] = {}
        """Octets from a server that nobody had asked for, by the client's address."""
        self.passing = PassingExchanges(lifecycle, legs, only_flag, awaited)
        lifecycle.settle = self._settle

    def request_begins(self, flow: http.HTTPFlow, request: Request, judgement: Judgement) -> None:
        """Take in the head of a request on the client's leg."""
        if not flow.live or flow.is_replay is not None:
            return
        if judgement.plain and self.passing.begin(flow, request):
            return
        self._begin(flow, request, refused=flow.error is not None)

    def _begin(self, flow: http.HTTPFlow, request: Request, *, refused: bool) -> None:
        client = flow.client_conn
        key = Key("client", client.id)
        if key not in self.lifecycle:
            address = human.format_address(client.peername)
            self._open(key, Opened(client.timestamp_start, client=address))
        if refused:
            self._ours.add(key)
        if request.version not in HTTP1:
            self.lifecycle.count_streams(key, begun=1)
            return
        self.lifecycle.settle(key)
        self._latest[key] = Latest(flow)
        began = flow.request.timestamp_start
        self._feed(key, request_head(request, began, flow=flow.id, surfaced=True))

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
        self, flow: http.HTTPFlow, request: Request, response: Response, judgement: Judgement
    ) -> bool:
        """Take in the exchange on the server's leg, where `request` was sent, up to `response`.

        `judgement` is about the latter. Return whether nothing can come of it.
        """
        if not flow.live or flow.is_replay is not None or flow.response is None:
            return False
        if judgement.plain and self.passing.answer(flow, request, response):
            return True
        self._no_longer_plain(Key("client", flow.client_conn.id), flow)
        self._answer(flow, request, response, flow.response.timestamp_start)
        return False

    def _answer(
        self, flow: http.HTTPFlow, request: Request, response: Response, began: float | None
    ) -> None:
        key = self._request_is_sent(flow, request)
        if key is not None and response.version in HTTP1:
            self._feed(key, response_head(request, response, began, flow=flow.id))

    def _no_longer_plain(self, client: Key, flow: http.HTTPFlow) -> None:
        self.passing.give_up(flow)
        self.lifecycle.settle(client)

    def _settle(self, key: Key) -> None:
        """Tell what was put off on a connection."""
        way = self.passing.leave(key.connection)
        if way is None:
            return
        over = way.tell(self.lifecycle)
        if over is not None:
            self._latest[key] = over.latest
        passing = way.passing
        if passing is not None:
            self._begin(passing.flow, with_lines(passing.request, passing.asked), refused=False)
            if passing.answer is not None:
                request = with_lines(passing.sent, passing.asked)
                response = with_lines(passing.response, passing.answered)
                self._answer(passing.flow, request, response, passing.answer.timestamp_start)

    def response_ends(self, flow: http.HTTPFlow, *, own: bool) -> None:
        """Take in the end of a response on both legs; `own` is one that no server has sent."""
        if flow.is_replay == "request" or flow.response is None:
            return
        ended = flow.response.timestamp_end
        client = Key("client", flow.client_conn.id)
        self._no_longer_plain(client, flow)
        if self._is_latest(client, flow):
            self._latest[client].keep(flow)
        self._response_ends(client, flow, ended, own=own or flow.is_replay == "response")

    def _response_ends(
        self, client: Key, flow: http.HTTPFlow, ended: float | None, *, own: bool
    ) -> None:
        """Take in the end of any response; mitmproxy may close connections after it."""
        multiplexed, closes = flows.is_multiplexed(flow.request), closing.closes_after(flow)
        server = Key("server", flow.server_conn.id)
        if self._is_sending(server, flow):
            if closes or multiplexed:
                self._ours.add(server)
            self._feed(server, ResponseEnd(ended))
            self._look_later(server)
        if multiplexed:
            self.lifecycle.count_streams(client, ended=1, time=ended)
        elif self._is_latest(client, flow):
            if closes:
                self._ours.add(client)
            self._feed(client, _relayed(flow, ended, own=own))
            self._feed(client, ResponseEnd(ended))
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
        key = Key("client", flow.client_conn.id)
        self._no_longer_plain(key, flow)
        how = closing.failure_of(flow)
        self._fail_on_server_leg(flow, how)
        if key not in self.lifecycle:
            return
        if self._is_latest(key, flow):
            self._latest[key].keep(flow)
        if not closing.is_client_gone(flow):
            self._ours.add(key)
        if flows.is_multiplexed(flow.request):
            self.lifecycle.count_streams(key, ended=1, time=flow.error.timestamp)
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
        if flow is None or flow.response is None or flows.is_multiplexed(flow.response):
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
        self._latest[key] = Latest(None, Told("", 0, request.method, b"", b"", b"", client, proxy))
        self._feed(key, request_head(request, now))
        self._feed(key, response_head(request, response, now))
        self._feed(key, Closed(now, "proxy"))

    def _request_is_sent(self, flow: http.HTTPFlow, request: Request) -> Key | None:
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
            self._feed(key, request_head(request, closing.sent_time(flow), flow=flow.id))
        return key

    def _fail_on_server_leg(self, flow: http.HTTPFlow, how: Failure) -> None:
        if flow.error is not None and closing.was_never_sent(flow):
            return
        key = self._request_is_sent(flow, flows.sent_request(flow, None))
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
        self.passing.forget(key)


def _relayed(flow: http.HTTPFlow, time: float | None, *, own: bool) -> ResponseHead:
    """Return the head of the response as an HTTP/1 client gets it, when it is complete."""
    assert flow.response is not None
    if own or flows.is_multiplexed(flow.response):
        # It is ours; or translated, and what it says of the connection was not meant for this one.
        version, status = flows.client_version(flow), flow.response.status_code
        return ResponseHead(time, version, status, flow.id, own=own)
    request = flows.request_of(flow, in_tunnel=True)
    return response_head(request, flows.sent_response(flow), time, flow=flow.id)
