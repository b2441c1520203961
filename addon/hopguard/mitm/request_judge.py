"""Judging requests on their way through mitmproxy."""

from collections.abc import Container
from dataclasses import replace

from mitmproxy import http

from hopguard.checker import Checker, Judgement
from hopguard.message import Request
from hopguard.mitm import flows, refusal
from hopguard.mitm.acting import Acting
from hopguard.mitm.reporting import Reporter
from hopguard.rules.keep_alive_and_proxy import proxy_authorization_beyond_proxy


class RequestJudge:
    """Judges requests, and has done what is to be done about them."""

    def __init__(
        self,
        checker: Checker,
        reporter: Reporter,
        acting: Acting,
        tunnels: Container[str],
    ) -> None:
        """Judge by `checker`; `tunnels` are ids of clients of which CONNECT has made a tunnel."""
        self.checker = checker
        """May be replaced at any time."""
        self._reporter = reporter
        self._acting = acting
        self._tunnels = tunnels

    def head(self, flow: http.HTTPFlow) -> tuple[Request, Judgement]:
        """Judge the header section of a request; return the request as it was received."""
        request = flows.request_of(flow, in_tunnel=flow.client_conn.id in self._tunnels)
        judgement = self.checker.judge_request(request)
        if judgement.findings:
            self._acting.request_head(flow, request, judgement.findings)
        return request, judgement

    def end(self, flow: http.HTTPFlow, *, plain: bool) -> None:
        """Judge what the end of a request adds: its trailer section, or that there is none.

        `plain` tells whether its header section surely leaves nothing open.
        """
        in_tunnel = flow.client_conn.id in self._tunnels
        if flows.passes_on_credentials(flow) and not in_tunnel:
            self._credentials(flow)
        if plain and flow.request.data.trailers is None:
            return
        if flow.is_replay == "request" or not flows.has_open_request(flow):
            return
        if not flows.is_complete(flow, flow.request):
            return
        request = flows.request_of(flow, in_tunnel=in_tunnel, complete=True)
        refused = refusal.reason_in_trailers(flow, request)
        if refused:
            refusal.refuse_request(flow, refused)
        findings = self.checker.check_trailers(request)
        if refused:
            self._reporter.report(flow, findings, "refused")
        elif findings:
            self._acting.request_end(flow, request, findings)

    def _credentials(self, flow: http.HTTPFlow) -> None:
        """Judge proxy credentials that were addressed to mitmproxy and go on to the server."""
        request = flows.request_of(flow, in_tunnel=True)
        findings = [
            replace(finding, sender="proxy", leg="server")
            for finding in self.checker.check_message(request)
            if finding.rule == proxy_authorization_beyond_proxy.check.id
        ]
        if findings:
            self._acting.credentials(flow, request, findings)
