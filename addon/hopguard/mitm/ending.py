"""Doing what the policy says about connections: refuse a request, announce close, close a leg.

What is announced is true: mitmproxy closes connections by the field lines that a flow holds.
"""

import logging
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from mitmproxy import http

from hopguard.checker import without_text
from hopguard.editing import announce_close
from hopguard.events import Key
from hopguard.lifecycle import Judged, Lifecycle
from hopguard.message import Leg
from hopguard.mitm import flows, received, refusal
from hopguard.mitm.acting import Acting, can_act_on_request, subject_of
from hopguard.mitm.enforcement import Enforcement, Handled
from hopguard.mitm.following import Latest
from hopguard.mitm.hangup import hang_up
from hopguard.mitm.reporting import Reporter
from hopguard.policy import PolicyAction
from hopguard.rule import Rule
from hopguard.rules import load_rules
from hopguard.rules.lifecycle import non_persistent_peer_unannounced
from hopguard.tolerances import N

logger = logging.getLogger(__name__)

NEVER_KEEPS = subject_of(non_persistent_peer_unannounced.check, "server")
"""What is found once about a server, and repaired in all its responses that follow."""

THIS_RESPONSE = "the response to this request says Connection: close"
ALL_RESPONSES = "the responses of this server say Connection: close from now on"


class Ending:
    """Acts on what was found about connections, then reports it. A bug of ours ends nothing."""

    def __init__(
        self, enforcement: Enforcement, reporter: Reporter, acting: Acting, lifecycle: Lifecycle
    ) -> None:
        """Do what `enforcement` decides about what `lifecycle` finds."""
        self._enforcement = enforcement
        self._reporter = reporter
        self._acting = acting
        self._lifecycle = lifecycle
        self._rules: dict[str, Rule] = {rule.id: rule for rule in load_rules()}
        self._ends: dict[Leg, weakref.WeakSet[http.HTTPFlow]] = {
            "client": weakref.WeakSet(),
            "server": weakref.WeakSet(),
        }
        """Exchanges whose response is to announce the end of that leg."""

    def tell(self, judged: list[Judged], latest: Latest | None, ours: bool) -> bool:
        """Act on findings about one connection and report them: see `following.Report`."""
        flow = latest.flow if latest is not None else None
        handled = [
            (one, self._handle(one, decision.action, flow, ours)._replace(policy=decision.line))
            for one in judged
            for _, decision in self._enforcement.decided(flow, [one.finding])
        ]
        if handled:
            self._reporter.report_connection(handled, latest)
        return any(one.action == "blocked" for _, one in handled)

    def _handle(
        self, judged: Judged, action: PolicyAction, flow: http.HTTPFlow | None, ours: bool
    ) -> Handled:
        finding = judged.finding
        with _guarded():
            if action == "block" and self._blocks(judged, flow, ours):
                return Handled(finding, "blocked")
            edit = self._fix(judged, flow) if action == "fix" else ""
            if edit:
                return Handled(finding, "fixed", (edit,))
        return Handled(finding, "flagged")

    def _blocks(self, judged: Judged, flow: http.HTTPFlow | None, ours: bool) -> bool:
        """Refuse the request, or have the leg closed; tell whether that is so."""
        finding, leg = judged.finding, judged.key.leg
        block = self._rules[finding.rule].block
        if block == "request":
            if flow is None or leg != "client" or not can_act_on_request(flow):
                return False
            refusal.refuse_request_head(flow, self._acting.reason(finding))
            return True
        return block == "leg" and (
            self._ends_with(flow, leg) or ours or hang_up(judged.key.connection, self._is_idle)
        )

    def _fix(self, judged: Judged, flow: http.HTTPFlow | None) -> str:
        """Have close announced; say where, or nothing if it cannot be."""
        finding = judged.finding
        if finding.variant not in self._rules[finding.rule].edits:
            return ""
        if finding.rule == NEVER_KEEPS.rule:
            return ALL_RESPONSES
        return THIS_RESPONSE if self._ends_with(flow, judged.key.leg) else ""

    def _ends_with(self, flow: http.HTTPFlow | None, leg: Leg) -> bool:
        """Have a leg closed after the exchange, if the head of its response is still to be sent."""
        if flow is None or not flows.is_enforced(flow):
            return False
        response = flow.response
        if response is not None and (response.timestamp_end is not None or _is_switch(response)):
            return False
        self._ends[leg].add(flow)
        return True

    def _is_idle(self, client_id: str) -> bool:
        client = self._lifecycle.connection(Key("client", client_id))
        return client is not None and not client.outstanding

    def from_server(self, flow: http.HTTPFlow) -> None:
        """Announce close in a response as if the server had, if its connection is to end."""
        if flow in self._ends["server"] or self._may_fix():
            with _guarded():
                if flow in self._ends["server"] or self._never_keeps(flow):
                    self._announce(flow)

    def to_client(self, flow: http.HTTPFlow) -> None:
        """Announce close in a response as it is sent on, if the client's connection is to end."""
        if flow in self._ends["client"]:
            with _guarded():
                self._announce(flow)

    def _may_fix(self) -> bool:
        policy = self._enforcement.policy
        return policy.default == "fix" or bool(policy.lines)

    def _never_keeps(self, flow: http.HTTPFlow) -> bool:
        """Tell whether the policy repairs the responses of a server that never keeps connections.

        With the first that says close by itself, or that is not the first of its connection, the
        server has another past.
        """
        server = self._lifecycle.server(flows.server_name(flow) or "")
        return (
            server is not None
            and server.single >= N
            and flows.is_enforced(flow)
            and self._enforcement.policy.decide(NEVER_KEEPS, flow).action == "fix"
            and any(rule.id == NEVER_KEEPS.rule for rule in self._lifecycle.checker.rules)
        )

    def _announce(self, flow: http.HTTPFlow) -> None:
        if flow.response is None or not flows.is_enforced(flow) or _is_switch(flow.response):
            return
        if flows.is_multiplexed(flow.request):
            return  # the client's connection has other streams, and mitmproxy ends the server's
        response = announce_close(flows.sent_response(flow))
        received.remember(flow, "response", response.fields, self._reporter.redaction)


def _is_switch(response: http.Response) -> bool:
    return response.status_code < 200


@contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a bug must not stop traffic
        logger.error("hopguard: ending a connection crashed", exc_info=without_text(error))
