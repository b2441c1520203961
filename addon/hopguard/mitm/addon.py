"""The addon: mitmproxy's hooks in, findings out."""

import gc
import logging
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from mitmproxy import ctx, exceptions, hooks, http, tcp, tls
from mitmproxy.addonmanager import Loader
from mitmproxy.connection import Client, Server
from mitmproxy.proxy import server_hooks

from hopguard.checker import Checker
from hopguard.events import Key
from hopguard.lifecycle import Lifecycle
from hopguard.message import Request, Response
from hopguard.mitm import contentview, flows, refusal, view, web
from hopguard.mitm.acting import Acting
from hopguard.mitm.awaited import AwaitedEnds
from hopguard.mitm.commands import Commands
from hopguard.mitm.connections import Connections
from hopguard.mitm.ending import Ending
from hopguard.mitm.enforcement import Enforcement
from hopguard.mitm.legs import NextLegs
from hopguard.mitm.onward import Onward
from hopguard.mitm.options import (
    add_options,
    parse_idle_timeout,
    parse_log,
    parse_profiles,
    parse_redact,
    parse_rotation,
)
from hopguard.mitm.policy_options import parse_forwarding, parse_policy
from hopguard.mitm.rejected import RefusalHandler, Unveiling
from hopguard.mitm.report_command import ReportCommand
from hopguard.mitm.reporting import Reporter
from hopguard.mitm.request_judge import RequestJudge
from hopguard.mitm.response_judge import ResponseJudge
from hopguard.mitm.settings import check_settings
from hopguard.mitm.unexpected import ConnectionLogHandler
from hopguard.mitm.verdict import parse_fail_on
from hopguard.record import Redaction
from hopguard.reports.rotation import Rotation

if TYPE_CHECKING:
    from hopguard.mitm.rejudging import Judge


class Hopguard:
    """Judges what passes, and tells. No attribute may be named like one of mitmproxy's hooks."""

    def __init__(self) -> None:
        """Prepare; the options come with `configure`."""
        self._checker = Checker()
        self._enforcement = Enforcement()
        self._reporter = Reporter(self._enforcement)
        self._tunnels: set[str] = set()
        """Client connections that CONNECT has made tunnels of, by id."""
        self._own: weakref.WeakSet[http.Response] = weakref.WeakSet()
        """Responses that mitmproxy or an addon made: once complete, they look like any other."""
        self._acting = Acting(self._enforcement, self._reporter, lambda: self._checker, self._own)
        self.request = AwaitedEnds(self._judge_end_of_request)
        legs = NextLegs()
        self._onward = Onward(self._tunnels, self._own, legs)
        lifecycle = Lifecycle(self._checker)
        self._ending = Ending(self._enforcement, self._reporter, self._acting, lifecycle)
        self._connections = Connections(
            lifecycle, self._ending.tell, legs, self._acting.only_flag, self.request
        )
        self._passing = self._connections.passing
        self._requests = RequestJudge(self._checker, self._reporter, self._acting, self._tunnels)
        self._responses = ResponseJudge(
            self._checker, self._reporter, self._acting, self._connections, self._own
        )
        self._view = contentview.HopguardView()
        self._commands = [
            Commands(
                lambda flow: self._judge_of_flows().judge(flow),
                self._mend,
                lambda: self._reporter.redaction,
                lambda: self._enforcement.policy,
            ),
            ReportCommand(),
        ]
        self._unveiling = Unveiling()
        self._refusals = RefusalHandler(self._report_unseen)
        self._connection_log = ConnectionLogHandler(
            self._connections.data_is_unexpected, self._connections.connect_is_refused
        )

    def hooks(self) -> dict[str, Callable[..., None]]:
        """Return what mitmproxy calls, by the names under which it looks for them."""
        return {name: getattr(self, name) for name in hooks.all_hooks if hasattr(self, name)}

    def load(self, loader: Loader) -> None:
        """Declare the options and listen to mitmproxy's log."""
        add_options(loader)
        check_settings(ctx.options)
        logging.getLogger().addHandler(self._refusals)
        logging.getLogger().addHandler(self._connection_log)
        self._reporter.start()
        self._reporter.page = web.mount(
            ctx.master, lambda: self._reporter.redaction, self._connections.closed_by
        )
        contentview.register(self._view)
        # Not as addons inside this one: mitmproxy would ask each of them at every event of a flow.
        for commands in self._commands:
            ctx.master.commands.collect_commands(commands)

    def running(self) -> None:
        """Say where the page is, now that mitmweb knows its own address."""
        # What is there by now stays: mitmproxy, rules, options. Full collections of garbage would
        # look at all of it, and hold up traffic for a tenth of a second each time.
        gc.collect()
        gc.freeze()
        if self._reporter.page is not None:
            self._reporter.page.announce()

    def configure(self, updated: set[str]) -> None:
        """Take over options that have changed.

        Raises:
            OptionsError: a value is wrong; it is named with what is allowed.
        """
        options = ctx.options
        if "hopguard_profile" in updated:
            self._checker = Checker(parse_profiles(options.hopguard_profile))
            lifecycle = self._connections.lifecycle
            for user in (self._requests, self._responses, lifecycle, self._passing):
                user.checker = self._checker
        if "hopguard_idle_timeout" in updated:
            idle_timeout = parse_idle_timeout(options.hopguard_idle_timeout)
            self._connections.lifecycle.idle_timeout = idle_timeout
        if updated & {"hopguard_redact", "hopguard_log_query"}:
            self._redact(
                Redaction.of(
                    parse_redact(options.hopguard_redact), keep_query=options.hopguard_log_query
                )
            )
        if updated & {"hopguard_action", "hopguard_policy"}:
            self._enforcement.policy = parse_policy(
                options.hopguard_action, options.hopguard_policy
            )
        if "hopguard_forwarding" in updated:
            self._onward.conforming = parse_forwarding(options.hopguard_forwarding)
        if updated & {"hopguard_log", "hopguard_log_max_size", "hopguard_log_keep"}:
            rotation = parse_rotation(options.hopguard_log_max_size, options.hopguard_log_keep)
            self._open_log(options.hopguard_log, rotation)
        self._reporter.marks = options.hopguard_mark
        self._reporter.comments = options.hopguard_comment
        if "hopguard_fail_on" in updated:
            self._reporter.verdict.fail_on = parse_fail_on(options.hopguard_fail_on)
        if "hopguard_see_rejected" in updated:
            if options.hopguard_see_rejected:
                self._unveiling.start()
            else:
                self._unveiling.stop()

    def _redact(self, redaction: Redaction) -> None:
        self._reporter.redaction = self._view.redaction = self._onward.redaction = redaction
        self._enforcement.redact(redaction)

    def _open_log(self, text: str, rotation: Rotation) -> None:
        try:
            self._reporter.write_to(parse_log(text), rotation)
        except OSError as error:
            raise exceptions.OptionsError(
                f"hopguard_log: cannot write {text!r}: {error.strerror or error}"
            ) from None

    def done(self) -> None:
        """Say what was found, and leave everything as it was."""
        gc.unfreeze()
        contentview.unregister(self._view)
        self._unveiling.stop()
        logging.getLogger().removeHandler(self._refusals)
        logging.getLogger().removeHandler(self._connection_log)
        self._connections.tell()
        self._reporter.close()

    # Messages. The head of a request is judged before other addons edit it; `request` is too late.

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Judge a request when its header section is there."""
        if not self._onward.conforming and self._passing.asks(flow):
            return
        self.request.add(flow.id)
        if not flow.live:
            view.detach(flow)
        try:
            if flow.is_replay != "request":
                request, judgement = self._requests.head(flow)
                self._connections.request_begins(flow, request, judgement)
        finally:  # here and below: a bug in judging must not keep a message from being framed
            self._onward.request_head(flow)

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """Judge a CONNECT request."""
        self._requests.head(flow)

    def _judge_end_of_request(self, flow: http.HTTPFlow) -> None:
        """Judge what the end of a request adds: its trailer section, or that there is none."""
        if not self._onward.conforming and self._passing.goes_on(flow):
            return
        try:
            plain = self._passing.has(flow)
            self._requests.end(flow, plain=plain)
            if not plain:
                self._connections.request_ends(flow)
        finally:
            self._onward.request_end(flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Judge a response when its header section is there."""
        if not self._onward.conforming and self._passing.answers(flow):
            return
        assert flow.response is not None
        if flow.is_replay == "response":
            return
        if flow.live and flows.is_own(flow.response):
            self._own.add(flow.response)
            return
        passes = False
        try:
            passes = self._responses.head(flow)
        finally:
            if not passes and flow.response not in self._own:
                self._ending.from_server(flow)
            if self._onward.conforming and flow.response not in self._own:
                self._onward.response_head(flow)
            if not passes:
                self._ending.to_client(flow)

    def response(self, flow: http.HTTPFlow) -> None:
        """Judge what the end of a response adds: its trailer section, or that there is none."""
        if not self._onward.conforming and self._passing.ends(flow):
            return
        assert flow.response is not None
        try:
            self._judge_end_of_response(flow)
        finally:
            self._ending.to_client(flow)
        self._connections.response_ends(flow, own=flow.response in self._own)

    def _judge_end_of_response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        refusal.finish_refused_response(flow)
        if flow.is_replay == "response" or flow.response in self._own:
            return
        try:
            self._responses.end(flow)
        finally:
            if flow.response not in self._own:
                self._onward.response_end(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """Judge a response that mitmproxy refused: no other hook has seen it."""
        self.request.discard(flow.id)
        self._responses.refused(flow)
        self._connections.exchange_fails(flow)

    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        """Announce that the connection of a refused CONNECT ends: what follows may be in it."""
        if self._onward.conforming or self._acting.may_close_refused_connect(flow):
            refusal.announce_close(flow)

    def http_connected(self, flow: http.HTTPFlow) -> None:
        """Remember that what follows on this client connection is in a tunnel."""
        self._connections.lifecycle.settle(Key("client", flow.client_conn.id))
        self._tunnels.add(flow.client_conn.id)

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Take note of a connection to a server that speaks HTTP/1 without TLS."""
        if not data.server.tls:
            self._onward.server_ready(data.client, data.server)

    def tls_established_server(self, data: tls.TlsData) -> None:
        """Take note of a connection to a server, whose version has been negotiated."""
        if isinstance(data.conn, Server):
            self._onward.server_ready(data.context.client, data.conn)

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Judge what is said after a switch of protocols that mitmproxy relays blindly."""
        self._responses.after_switch(flow)

    def client_disconnected(self, client: Client) -> None:
        """Judge the end of a client connection, and forget it."""
        self._onward.forget(client)
        self._tunnels.discard(client.id)
        self._responses.forget(client)
        self._connections.client_disconnects(client)

    def server_disconnected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Judge the end of a server connection."""
        self._connections.server_disconnects(data)

    def _judge_of_flows(self) -> "Judge":
        """Return what judges flows as they are now, for commands."""
        from hopguard.mitm.rejudging import Judge  # here and below: traffic has no need of it

        reporter, enforcement = self._reporter, self._enforcement
        return Judge(self._checker, reporter, enforcement, self._own, self._tunnels)

    def _mend(self, flow: http.HTTPFlow) -> int:
        """Repair a flow, for a command."""
        from hopguard.mitm.mending import Mender

        return Mender(self._judge_of_flows(), self._enforcement, self._reporter).mend(flow)

    def _report_unseen(
        self, name: bytes, value: bytes | None, from_client: bool, peer: str, client: str
    ) -> None:
        """Report an HTTP/2 message of which only mitmproxy's log knows: there is no flow."""
        message: Request | Response
        fields = ((name, value or b""),)
        if from_client:
            message = Request(version="HTTP/2", fields=fields, leg="client", method=b"")
        else:
            message = Response(version="HTTP/2", fields=fields, leg="server", status=0)
        self._reporter.report_unseen(
            self._checker.check_message(message),
            value_known=value is not None,
            client=client,
            server=None if from_client else peer,
        )
