"""Repairing flows because a person asks for it, whatever the policy says."""

from collections.abc import Callable

from mitmproxy import http

from hopguard.message import Message, Part, Request, Response
from hopguard.mitm import received, view
from hopguard.mitm.enforcement import Enforcement, Handled
from hopguard.mitm.rejudging import Judge
from hopguard.mitm.reporting import Reporter
from hopguard.restoring import Which
from hopguard.rule import Finding


class Mender:
    """Repairs flows. It is a person's edit, which mitmproxy can revert."""

    def __init__(self, judge: Judge, enforcement: Enforcement, reporter: Reporter) -> None:
        """Judge with `judge`; `enforcement` knows the repairs and what is off."""
        self._judge = judge
        self._enforcement = enforcement
        self._reporter = reporter

    def mend(self, flow: http.HTTPFlow) -> int:
        """Repair request and response; return how many findings are gone by that."""
        fixed: list[Handled] = []
        request, response = self._judge.request(flow), self._judge.response(flow)
        if request is not None:
            fixed += self._repair(flow, request, self._judge.of_request)
        if response is not None:
            fixed += self._repair(
                flow, response, lambda message: self._judge.of_response(flow, message)
            )
        if fixed:
            view.replace(flow, self._reporter.records(flow, fixed))
        return len(fixed)

    def _repair[M: Request | Response](
        self, flow: http.HTTPFlow, message: M, judge: Callable[[M], list[Finding]]
    ) -> list[Handled]:
        observed = self._enforcement.observe(flow, judge(message), "fixed")
        findings = [one.finding for one in observed if one.finding.part in _parts(message)]
        repaired, edits = self._enforcement.repair(message, findings, judge)
        if repaired is message:
            return []
        flow.backup()
        _put(flow, message, repaired)
        return [
            one._replace(edits=edits[one.finding], policy=None)
            for one in observed
            if one.finding in edits
        ]


def _parts(message: Message) -> tuple[Part, Part]:
    return message.part, message.trailer_part


def _put(flow: http.HTTPFlow, before: Message, after: Message) -> None:
    which: Which = "request" if isinstance(before, Request) else "response"
    held = flow.request if which == "request" else flow.response
    assert held is not None
    received.forget(flow, which)
    held.headers.fields = after.fields
    if after.trailers != before.trailers:
        held.trailers = http.Headers(after.trailers) if after.trailers else None
