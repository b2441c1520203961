"""The addon: mitmproxy's hooks in, findings out."""

import logging
import time

from mitmproxy import ctx, exceptions, hooks, http
from mitmproxy.addonmanager import Loader
from mitmproxy.connection import Client

from hopguard.checker import Checker
from hopguard.message import Request, Response
from hopguard.mitm import flows, refusal, view
from hopguard.mitm.options import (
    add_options,
    check_settings,
    parse_log,
    parse_profiles,
    parse_redact,
)
from hopguard.mitm.rejected import REFUSED_TRANSFER_ENCODING, RefusalHandler, Unveiling
from hopguard.mitm.tally import Tally
from hopguard.record import Action, Circumstances, Record, Redaction, make_record
from hopguard.reports.jsonlines import ViolationLog
from hopguard.rule import Finding

logger = logging.getLogger(__name__)


class Hopguard:
    """Judges what passes, and tells. No attribute may be named like one of mitmproxy's hooks."""

    def __init__(self) -> None:
        """Prepare; the options come with `configure`."""
        self._checker = Checker()
        self._redaction = Redaction()
        self._violations: ViolationLog | None = None
        self._tally = Tally()
        self._tunnels: set[str] = set()
        self._unveiling = Unveiling()
        self._refusals = RefusalHandler(self._report_refusal)

    def load(self, loader: Loader) -> None:
        """Declare the options and listen to mitmproxy's log."""
        add_options(loader)
        check_settings(ctx.options)
        logging.getLogger().addHandler(self._refusals)

    def configure(self, updated: set[str]) -> None:
        """Take over options that have changed.

        Raises:
            OptionsError: a value is wrong; it is named with what is allowed.
        """
        options = ctx.options
        if "hopguard_profile" in updated:
            self._checker = Checker(parse_profiles(options.hopguard_profile))
        if updated & {"hopguard_redact", "hopguard_log_query"}:
            self._redaction = Redaction.of(
                parse_redact(options.hopguard_redact), keep_query=options.hopguard_log_query
            )
        if "hopguard_log" in updated:
            self._open_log(options.hopguard_log)
        if "hopguard_see_rejected" in updated:
            if options.hopguard_see_rejected:
                self._unveiling.start()
            else:
                self._unveiling.stop()

    def _open_log(self, text: str) -> None:
        path = parse_log(text)
        try:
            opened = ViolationLog(path) if path is not None else None
        except OSError as error:
            raise exceptions.OptionsError(
                f"hopguard_log: cannot write {text!r}: {error.strerror or error}"
            ) from None
        if self._violations is not None:
            self._violations.close()
        self._violations = opened

    def done(self) -> None:
        """Say what was found, and leave everything as it was."""
        self._unveiling.stop()
        logging.getLogger().removeHandler(self._refusals)
        if self._violations is not None:
            self._violations.close()
        table = self._tally.table()
        logger.info("hopguard: %s", f"what was found\n{table}" if table else "nothing was found")

    # Messages. The head of a request is judged before other addons edit it; `request` is too late.

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Judge a request when its header section is there."""
        if not flow.live:
            view.detach(flow)
        if flow.is_replay != "request":
            self._judge_request(flow)

    def http_connect(self, flow: http.HTTPFlow) -> None:
        """Judge a CONNECT request."""
        self._judge_request(flow)

    def _judge_request(self, flow: http.HTTPFlow) -> None:
        request = flows.request_of(flow, in_tunnel=flow.client_conn.id in self._tunnels)
        findings = self._checker.check_message(request)
        if findings:
            self._report(flow, findings, "flagged" if flow.error is None else "refused")

    def request(self, flow: http.HTTPFlow) -> None:
        """Judge the trailer section of a request."""
        if flow.request.data.trailers is None or flow.is_replay == "request":
            return
        request = flows.request_of(
            flow, in_tunnel=flow.client_conn.id in self._tunnels, complete=True
        )
        refused = self._refuses_trailers(flow, request)
        if refused:
            refusal.refuse_request(flow, refused)
        findings = self._checker.check_trailers(request)
        if findings:
            self._report(flow, findings, "refused" if refused else "flagged")

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Judge a response when its header section is there."""
        assert flow.response is not None
        if flow.is_replay == "response" or (flow.live and flows.is_own(flow.response)):
            return
        refused = self._restore_transfer_encoding(flow.response)
        findings = self._judge_response(flow)
        if refused:
            refusal.refuse_response_head(flow, refused)
        if findings:
            self._report(flow, findings, "refused" if refused else "flagged")

    def _judge_response(self, flow: http.HTTPFlow) -> list[Finding]:
        response = flows.response_of(flow)
        return self._checker.check_message(response) + self._checker.check_exchange(
            flows.sent_request(flow, response), response
        )

    def _restore_transfer_encoding(self, response: http.Response) -> str:
        """Give a field that h2 was not to see its name back; return why it must be refused."""
        fields = response.headers.fields
        if not any(name == REFUSED_TRANSFER_ENCODING for name, _ in fields):
            return ""
        response.headers.fields = tuple(
            (b"transfer-encoding" if name == REFUSED_TRANSFER_ENCODING else name, value)
            for name, value in fields
        )
        return "The server sent Transfer-Encoding on HTTP/2, which has its own framing."

    def response(self, flow: http.HTTPFlow) -> None:
        """Judge the trailer section of a response."""
        assert flow.response is not None
        refusal.finish_refused_response(flow)
        if flow.response.data.trailers is None or flow.is_replay == "response":
            return
        response = flows.response_of(flow, complete=True)
        refused = self._refuses_trailers(flow, response)
        findings = self._checker.check_trailers(response)
        if refused:
            refusal.refuse_response(flow, refused)
        if findings:
            self._report(flow, findings, "refused" if refused else "flagged")

    def _refuses_trailers(self, flow: http.HTTPFlow, message: Request | Response) -> str:
        """Say why the trailer section must not go on; empty where it may."""
        lines = message.trailer_lines(b"transfer-encoding")
        if not (lines and flow.live and ctx.options.validate_inbound_headers):
            return ""
        return "Transfer-Encoding was sent in a trailer section, where it must not be."

    def error(self, flow: http.HTTPFlow) -> None:
        """Judge a response that mitmproxy refused: no other hook has seen it."""
        if flow.response is None or flow.is_replay == "response":
            return
        if flow.live and flows.is_own(flow.response):
            return
        findings = self._judge_response(flow)
        if findings:
            self._report(flow, findings, "refused")

    def http_connected(self, flow: http.HTTPFlow) -> None:
        """Remember that what follows on this client connection is in a tunnel."""
        self._tunnels.add(flow.client_conn.id)

    def client_disconnected(self, client: Client) -> None:
        """Forget a client connection."""
        self._tunnels.discard(client.id)

    # Findings

    def _report(self, flow: http.HTTPFlow, findings: list[Finding], action: Action) -> None:
        records = [
            make_record(finding, _circumstances(flow, finding, action), self._redaction)
            for finding in findings
        ]
        fresh = view.attach(flow, records)
        if not fresh:
            return
        if ctx.options.hopguard_mark:
            view.mark(flow)
        if ctx.options.hopguard_comment:
            view.comment(flow)
        self._tell(fresh)
        ctx.master.addons.trigger(hooks.UpdateHook([flow]))

    def _tell(self, records: list[Record]) -> None:
        if self._violations is not None:
            self._violations.write(records)
        for record in records:
            self._tally.add(record)
            logger.log(view.LEVELS[record["severity"]], "hopguard: %s", view.event_line(record))

    def _report_refusal(
        self, name: bytes, value: bytes | None, from_client: bool, peer: str, client: str
    ) -> None:
        """Report an HTTP/2 message of which only mitmproxy's log knows: there is no flow."""
        where = Circumstances(
            time=time.time(),
            action="refused",
            client=client,
            server=None if from_client else peer,
        )
        message: Request | Response
        fields = ((name, value or b""),)
        if from_client:
            message = Request(version="HTTP/2", fields=fields, leg="client", method=b"")
        else:
            message = Response(version="HTTP/2", fields=fields, leg="server", status=0)
        records = [
            make_record(finding, where, self._redaction)
            for finding in self._checker.check_message(message)
        ]
        for record in records:
            record["line"] = None
            if value is None:
                record["value"] = None
        self._tell(records)


def _circumstances(flow: http.HTTPFlow, finding: Finding, action: Action) -> Circumstances:
    answered = finding.part.startswith("response") and flow.response is not None
    peer = flow.client_conn if finding.leg == "client" else flow.server_conn
    return Circumstances(
        time=time.time(),
        action=action,
        method=flow.request.data.method,
        url=flow.request.url,
        status=flow.response.status_code if answered and flow.response is not None else None,
        flow=flow.id,
        connection=peer.id,
        client=flows.client_address(flow),
        server=flows.server_address(flow),
    )
