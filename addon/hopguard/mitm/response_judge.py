"""Judging responses on their way through mitmproxy."""

from collections.abc import MutableSet
from dataclasses import replace

from mitmproxy import ctx, hooks, http, tcp
from mitmproxy.connection import Client

from hopguard.checker import Checker
from hopguard.mitm import flows, refusal
from hopguard.mitm.acting import Acting
from hopguard.mitm.connections import Connections
from hopguard.mitm.rejected import restore_transfer_encoding
from hopguard.mitm.reporting import Reporter

SWITCHING_PROTOCOLS = 101
OCTETS_AFTER_SWITCH = 256
"""How much of each piece of data after a 101 is looked at: enough for a start line."""


class ResponseJudge:
    """Judges responses, and has done what is to be done about them."""

    def __init__(
        self,
        checker: Checker,
        reporter: Reporter,
        acting: Acting,
        connections: Connections,
        own: MutableSet[http.Response],
    ) -> None:
        """Judge by `checker`, and tell `connections`; `own` responses are not judged."""
        self.checker = checker
        """May be replaced at any time."""
        self._reporter = reporter
        self._acting = acting
        self._connections = connections
        self._own = own
        self._switched: dict[str, http.HTTPFlow] = {}
        """The exchange that ended in a 101, by the id of the client connection."""

    def head(self, flow: http.HTTPFlow) -> bool:
        """Judge the header section of a server's response; tell whether nothing can come of it."""
        assert flow.response is not None
        refused = restore_transfer_encoding(flow.response) or _why_not_to_switch(flow)
        passes = False
        try:
            response = flows.response_of(flow)
            request = flows.sent_request(flow, response)
            judgement = self.checker.judge_answer(request, response)
            findings, _ = judgement
            if refused:
                self._reporter.report(flow, findings, "refused")
            elif findings:
                self._acting.response_head(flow, response, findings)
            put_off = self._connections.response_begins(flow, request, response, judgement)
            passes = put_off and not findings
        finally:  # whatever happens to the report, nothing gets through
            if refused:
                refusal.refuse_response_head(flow, refused)
                self._own.add(flow.response)
        if flow.response.data.status_code == SWITCHING_PROTOCOLS and flow.live:
            self._switched[flow.client_conn.id] = flow
        return passes

    def end(self, flow: http.HTTPFlow) -> None:
        """Judge what the end of a response adds: its trailer section, or that there is none."""
        assert flow.response is not None
        if not (flows.has_open_response(flow) and flows.is_complete(flow, flow.response)):
            return
        response = flows.response_of(flow, complete=True)
        refused = refusal.reason_in_trailers(flow, response)
        findings = self.checker.check_trailers(response)
        if refused:
            refusal.refuse_response(flow, refused)
            self._reporter.report(flow, findings, "refused")
        elif findings:
            self._acting.response_end(flow, response, findings)

    def refused(self, flow: http.HTTPFlow) -> None:
        """Judge the response of a failed exchange: if mitmproxy refused it, nobody has yet."""
        if flow.response is None or flow.is_replay == "response":
            return
        if flow.live and flows.is_own(flow.response):
            return
        restore_transfer_encoding(flow.response)
        response = flows.response_of(flow)
        request = flows.sent_request(flow, response)
        findings, _ = self.checker.judge_answer(request, response)
        if findings:
            self._reporter.report(flow, findings, "refused")

    def after_switch(self, flow: tcp.TCPFlow) -> None:
        """Judge what is said after a switch of protocols that mitmproxy relays blindly."""
        switch = self._switched.get(flow.client_conn.id)
        if switch is None:
            return
        response = flows.response_of(switch)
        findings = self.checker.check_exchange(
            flows.sent_request(switch, response),
            replace(response, switched_octets=(flow.messages[-1].content[:OCTETS_AFTER_SWITCH],)),
        )
        if findings:  # among them those of the exchange itself, which are known
            self._reporter.report(switch, findings, "flagged")
            ctx.master.addons.trigger(hooks.UpdateHook([switch]))  # the event is another flow's

    def forget(self, client: Client) -> None:
        """Forget a client connection."""
        self._switched.pop(client.id, None)


def _why_not_to_switch(flow: http.HTTPFlow) -> str:
    """Say why a 101 must not go on; empty where it may.

    A bare mitmproxy lets no Upgrade field pass from HTTP/2 to HTTP/1, and cannot relay the answer
    to one: the stream would hang.
    """
    switches = flow.response is not None and flow.response.data.status_code == SWITCHING_PROTOCOLS
    if not (switches and flow.live and flow.client_conn.alpn in (b"h2", b"h3")):
        return ""
    return "The server switched protocols on HTTP/1.1, where an HTTP/2 client cannot follow."
