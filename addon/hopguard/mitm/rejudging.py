"""Judging flows again that have been judged before, as they are now."""

from collections.abc import Container
from dataclasses import replace

from mitmproxy import ctx, http

from hopguard.checker import Checker
from hopguard.message import Message, Request, Response
from hopguard.mitm import flows, view
from hopguard.mitm.enforcement import Enforcement
from hopguard.mitm.reporting import Reporter
from hopguard.record import Record, identity
from hopguard.rule import Finding
from hopguard.rules.upgrade import http_after_protocol_switch
from hopguard.text import printable

_SEEN_ONCE = {http_after_protocol_switch.check.id}
"""Rules about octets that no flow keeps."""


class Judge:
    """Judges flows again. Writes nothing but what the flow itself carries: no log, no table."""

    def __init__(
        self,
        checker: Checker,
        reporter: Reporter,
        enforcement: Enforcement,
        own: Container[http.Response],
        tunnels: Container[str],
    ) -> None:
        """Judge with `checker`, make records with `reporter`; `enforcement` leaves out what is off.

        Do not judge the responses in `own`, which no server has sent.

        `tunnels` are the ids of client connections of which CONNECT has made a tunnel.
        """
        self._checker = checker
        self._reporter = reporter
        self._enforcement = enforcement
        self._own = own
        self._tunnels = tunnels

    def judge(self, flow: http.HTTPFlow) -> None:
        """Replace what the flow says was found.

        What is found as before keeps its record, with its time and with what was done about it.
        What cannot be seen any more stays, unless its rule is off now.
        """
        before, _ = view.read(flow)
        known = {identity(record): record for record in before}
        kept = self._kept(flow, before)
        request, response = self.request(flow), self.response(flow)
        findings = self.of_request(request) if request is not None else []
        findings += self.of_response(flow, response) if response is not None else []
        found = self._reporter.records(flow, self._enforcement.observe(flow, findings, "flagged"))
        for record in found:
            if not any(identity(record) == identity(one) for one in kept):
                kept.append(known.get(identity(record), record))
        view.detach(flow)
        if not view.attach(flow, kept):
            return
        if ctx.options.hopguard_mark:
            view.mark(flow)
        if ctx.options.hopguard_comment:
            view.comment(flow)

    def request(self, flow: http.HTTPFlow) -> Request | None:
        """Return the request that the client sent, as far as it is known; None if it sent none."""
        if not _has_clients_request(flow):
            return None
        complete = flow.request.timestamp_end is not None and flows.has_open_request(flow)
        tunnelled = flow.client_conn.id in self._tunnels
        return flows.request_of(flow, in_tunnel=tunnelled, complete=complete)

    def of_request(self, request: Request) -> list[Finding]:
        """Judge a request, and its trailer section if that is known."""
        return self._of_message(request)

    def response(self, flow: http.HTTPFlow) -> Response | None:
        """Return the response that the server sent, as far as it is known; None if it sent none."""
        if flow.response is None or not self._has_servers_response(flow):
            return None
        complete = flow.response.timestamp_end is not None and flows.has_open_response(flow)
        return flows.response_of(flow, complete=complete)

    def of_response(self, flow: http.HTTPFlow, response: Response) -> list[Finding]:
        """Judge a response, in the light of the request that it answers."""
        head = replace(response, trailers=None)
        exchange = self._checker.check_exchange(flows.sent_request(flow, response), head)
        return self._of_message(response) + exchange

    def _of_message(self, message: Message) -> list[Finding]:
        findings = self._checker.check_message(message)
        if message.trailers is not None:
            findings += self._checker.check_trailers(message)
        return findings

    def _has_servers_response(self, flow: http.HTTPFlow) -> bool:
        return (
            flow.response is not None
            and flow.response not in self._own
            and flow.is_replay != "response"
        )

    def _kept(self, flow: http.HTTPFlow, before: list[Record]) -> list[Record]:
        """Choose the records that nothing in the flow can confirm or refute."""
        on = {rule.id for rule in self._checker.rules}
        judged = set()
        if _has_clients_request(flow):
            judged |= {"request", "request-trailers"}
        if self._has_servers_response(flow):
            judged |= {"response", "response-trailers"}
        edited = flow.modified()
        return [
            record
            for record in before
            if record["rule"] in on
            and (
                record["part"] not in judged
                or record["action"] in ("fixed", "blocked")
                or record["sender"] == "proxy"
                or record["rule"] in _SEEN_ONCE
                or (not edited and _has_lost_line(flow, record))
            )
        ]


def _has_clients_request(flow: http.HTTPFlow) -> bool:
    return flow.is_replay != "request"


def _has_lost_line(flow: http.HTTPFlow, record: Record) -> bool:
    """Tell whether the field that `record` is about has been removed, as mitmproxy does to some."""
    part = record["part"]
    message = flow.request if part.startswith("request") else flow.response
    if message is None or record["field"] is None:
        return False
    section = message.trailers if part.endswith("trailers") else message.headers
    names = [printable(name).lower() for name, _ in section.fields] if section else []
    return record["field"].lower() not in names
