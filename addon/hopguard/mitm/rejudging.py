"""Judging flows again that have been judged before, as they are now."""

from collections.abc import Container

from mitmproxy import ctx, http

from hopguard.checker import Checker
from hopguard.mitm import flows, view
from hopguard.mitm.reporting import circumstances
from hopguard.record import Record, Redaction, identity, make_record
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
        redaction: Redaction,
        own: Container[http.Response],
        tunnels: Container[str],
    ) -> None:
        """Judge with `checker`, but not the responses in `own`, which no server has sent.

        `tunnels` are the ids of client connections of which CONNECT has made a tunnel.
        """
        self._checker = checker
        self._redaction = redaction
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
        found = [
            make_record(finding, circumstances(flow, finding, "flagged"), self._redaction)
            for finding in self._of_request(flow) + self._of_response(flow)
        ]
        view.detach(flow)
        if not view.attach(flow, kept + [known.get(identity(record), record) for record in found]):
            return
        if ctx.options.hopguard_mark:
            view.mark(flow)
        if ctx.options.hopguard_comment:
            view.comment(flow)

    def _of_request(self, flow: http.HTTPFlow) -> list[Finding]:
        if not _has_clients_request(flow):
            return []
        complete = flow.request.timestamp_end is not None
        tunnelled = flow.client_conn.id in self._tunnels
        request = flows.request_of(flow, in_tunnel=tunnelled, complete=complete)
        findings = self._checker.check_message(request)
        if complete and flows.has_loose_ends(flow.request):
            findings += self._checker.check_trailers(request)
        return findings

    def _of_response(self, flow: http.HTTPFlow) -> list[Finding]:
        if flow.response is None or not self._has_servers_response(flow):
            return []
        complete = flow.response.timestamp_end is not None
        response = flows.response_of(flow, complete=complete)
        findings = self._checker.check_message(response)
        findings += self._checker.check_exchange(flows.sent_request(flow, response), response)
        if complete and flows.has_open_response(flow):
            findings += self._checker.check_trailers(response)
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
