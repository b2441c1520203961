"""Doing what the policy says with messages on their way: report, repair, block."""

from collections.abc import Callable, MutableSet, Sequence
from dataclasses import replace

from mitmproxy import http

from hopguard.checker import Checker
from hopguard.message import Message, Part, Request, Response
from hopguard.mitm import flows, received, refusal
from hopguard.mitm.enforcement import Enforcement
from hopguard.mitm.reporting import Reporter
from hopguard.policy import Subject
from hopguard.restoring import Which
from hopguard.rule import Finding, Rule
from hopguard.rules import load_rules
from hopguard.rules.lifecycle import connect_rejected_connection_kept


def subject_of(rule: Rule, variant: str = "") -> Subject:
    """Return what the policy is asked about before anything is found."""
    severity = rule.variants[variant].severity if rule.variants else rule.severity
    return Subject(rule.id, variant, rule.group, severity)


REFUSED_CONNECT = subject_of(connect_rejected_connection_kept.check)
"""The rule about what mitmproxy itself would do, which is never a finding."""


class Acting:
    """Acts on what was found on a message. Reports come first, and keep nothing from being done."""

    def __init__(
        self,
        enforcement: Enforcement,
        reporter: Reporter,
        checker: Callable[[], Checker],
        own: MutableSet[http.Response],
    ) -> None:
        """Judge repairs with `checker`; responses that are ours are added to `own`."""
        self._enforcement = enforcement
        self._reporter = reporter
        self._checker = checker
        self._own = own
        self._rules: dict[str, Rule] = {rule.id: rule for rule in load_rules()}

    def request_head(
        self, flow: http.HTTPFlow, request: Request, findings: Sequence[Finding]
    ) -> None:
        """Act on the header section of a request."""
        if not can_act_on_request(flow):
            refused = flows.was_refused(flow, "request")
            self._reporter.report(flow, findings, "refused" if refused else "flagged")
            return
        block = refusal.refuse_connect if request.method == b"CONNECT" else _REFUSE_HEAD
        self._act(flow, request, findings, self._judge, request.part, block, self._edit_head)

    def request_end(
        self, flow: http.HTTPFlow, request: Request, findings: Sequence[Finding]
    ) -> None:
        """Act on what the end of a request adds: only a trailer section can still be edited."""
        if not can_act_on_request(flow):
            self._reporter.report(flow, findings, "flagged")
            return
        part, block = request.trailer_part, refusal.refuse_request
        self._act(flow, request, findings, self._judge, part, block, _edit_request_trailers)

    def credentials(
        self, flow: http.HTTPFlow, request: Request, findings: Sequence[Finding]
    ) -> None:
        """Act on proxy credentials that are about to go on to a server."""
        if not can_act_on_request(flow) or flow.request.stream:
            self._reporter.report(flow, findings, "flagged")
            return
        part, block = request.part, refusal.refuse_request
        self._act(flow, request, findings, self._judge, part, block, self._remove_credentials)

    def response_head(
        self, flow: http.HTTPFlow, response: Response, findings: Sequence[Finding]
    ) -> None:
        """Act on the header section of a response."""
        if not flows.is_enforced(flow):
            refused = flows.was_refused(flow, "response")
            self._reporter.report(flow, findings, "refused" if refused else "flagged")
            return
        judge, block = self._judge_answer(flow), self._disowning(refusal.refuse_response_head)
        self._act(flow, response, findings, judge, response.part, block, self._edit_head)

    def response_end(
        self, flow: http.HTTPFlow, response: Response, findings: Sequence[Finding]
    ) -> None:
        """Act on what the end of a response adds: only a trailer section can still be edited."""
        if not flows.is_enforced(flow):
            self._reporter.report(flow, findings, "flagged")
            return
        judge, block = self._judge_answer(flow), self._disowning(refusal.refuse_response)
        part = response.trailer_part
        self._act(flow, response, findings, judge, part, block, _edit_response_trailers)

    def may_close_refused_connect(self, flow: http.HTTPFlow) -> bool:
        """Tell whether the policy has mitmproxy itself close after refusing a CONNECT."""
        return self._enforcement.policy.decide(REFUSED_CONNECT, flow).action in ("fix", "block")

    def only_flag(self, flow: http.HTTPFlow, findings: Sequence[Finding]) -> bool:
        """Report findings, if the policy only flags; tell whether it does."""
        if not self._enforcement.policy.only_flags:
            return False
        self._reporter.report(flow, findings, "flagged")
        return True

    def _act[M: Message](
        self,
        flow: http.HTTPFlow,
        message: M,
        findings: Sequence[Finding],
        judge: Callable[[M], list[Finding]],
        part: Part,
        block: Callable[[http.HTTPFlow, str], None],
        edit: Callable[[http.HTTPFlow, Message], None],
    ) -> None:
        if self.only_flag(flow, findings):  # quickly, in most places
            return
        plan = self._enforcement.plan(flow, message, findings, judge, {part})
        try:
            self._reporter.report_handled(flow, plan.handled)
        finally:  # whatever happens to the report, what is decided is done
            if plan.blocked_by is not None:
                block(flow, self.reason(plan.blocked_by))
            elif plan.message is not message:
                edit(flow, plan.message)

    def _judge(self, message: Message) -> list[Finding]:
        checker = self._checker()
        found = checker.check_message(message)
        return found + checker.check_trailers(message) if message.trailers is not None else found

    def _judge_answer(self, flow: http.HTTPFlow) -> Callable[[Response], list[Finding]]:
        """Return what judges a response in the light of its request."""

        def judge(response: Response) -> list[Finding]:
            head = replace(response, trailers=None)
            request = flows.sent_request(flow, response)
            return self._judge(response) + self._checker().check_exchange(request, head)

        return judge

    def _edit_head(self, flow: http.HTTPFlow, message: Message) -> None:
        which: Which = "request" if isinstance(message, Request) else "response"
        received.remember(flow, which, message.fields, self._reporter.redaction)

    def _remove_credentials(self, flow: http.HTTPFlow, _: Message) -> None:
        """Leave everything else as it is by now: other addons have been at work."""
        kept = [line for line in flow.request.headers.fields if not _is_credentials(line)]
        received.remember(flow, "request", tuple(kept), self._reporter.redaction)

    def _disowning(
        self, block: Callable[[http.HTTPFlow, str], None]
    ) -> Callable[[http.HTTPFlow, str], None]:
        """Return what blocks a response, and knows the answer for ours."""

        def blocked(flow: http.HTTPFlow, reason: str) -> None:
            block(flow, reason)
            if flow.response is not None:
                self._own.add(flow.response)

        return blocked

    def reason(self, finding: Finding) -> str:
        """Say for which rule a message is blocked; no value of a field, which may be secret."""
        what = "response" if finding.part.startswith("response") else "request"
        rule = self._rules.get(finding.rule)
        name = f"{finding.rule}/{finding.variant}" if finding.variant else finding.rule
        title = f" {rule.title}" if rule else ""
        return f"hopguard blocked this {what}: {name}.{title}\n{finding.requirement.url}"


_REFUSE_HEAD = refusal.refuse_request_head


def can_act_on_request(flow: http.HTTPFlow) -> bool:
    """Tell whether a request is on its way, and not answered in the server's place already."""
    return flows.is_enforced(flow) and (flow.response is None or bool(flow.request.stream))


def _edit_request_trailers(flow: http.HTTPFlow, message: Message) -> None:
    flow.request.trailers = _headers(message)


def _edit_response_trailers(flow: http.HTTPFlow, message: Message) -> None:
    assert flow.response is not None
    flow.response.trailers = _headers(message)


def _headers(message: Message) -> http.Headers | None:
    return http.Headers(message.trailers) if message.trailers else None


def _is_credentials(line: tuple[bytes, bytes]) -> bool:
    return line[0].lower() == b"proxy-authorization"
