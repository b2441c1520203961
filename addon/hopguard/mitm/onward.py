"""How messages are sent on: framed, always; as by a conforming intermediary, where that is on."""

import logging
from collections.abc import Callable, Container, MutableSet
from dataclasses import replace

from mitmproxy import connection, http

from hopguard.checker import without_text
from hopguard.forwarding import NextLeg, forward, obstacle
from hopguard.message import HTTP1, Message, RawFields, Version
from hopguard.mitm import flows, framing, nextleg, received, refusal
from hopguard.mitm.legs import NextLegs
from hopguard.record import Redaction
from hopguard.restoring import Which

logger = logging.getLogger(__name__)


class Onward:
    """Prepares messages for the next leg. A bug of ours leaves them as they are."""

    def __init__(
        self, tunnels: Container[str], own: MutableSet[http.Response], legs: NextLegs
    ) -> None:
        """Begin as a transparent intermediary.

        `tunnels` are ids of client connections; responses that are ours are added to `own`; `legs`
        are to know where requests go.
        """
        self.conforming = False
        self.redaction = Redaction()
        """Of what is not kept of what is not sent on."""
        self._tunnels = tunnels
        self._own = own
        self._legs = legs

    def request_head(self, flow: http.HTTPFlow) -> None:
        """Prepare the header section of a request, after it has been judged."""
        if not self._is_concerned(flow) or flow.response is not None:
            return
        version = self._legs.version(flow)
        if version is None and flows.client_version(flow) not in HTTP1:
            self._legs.wait(flow)
        self._prepare(flow, version)

    def _is_concerned(self, flow: http.HTTPFlow) -> bool:
        """Tell whether there may be something to do for a request."""
        multiplexed = flows.is_multiplexed(flow.request)
        return (multiplexed or self.conforming) and flows.is_enforced(flow)

    def server_ready(self, client: connection.Client, server: connection.Server) -> None:
        """Prepare the requests that have waited for a connection of unknown version."""
        self._legs.established(client, server, self._prepare)

    def _prepare(self, flow: http.HTTPFlow, version: Version | None) -> None:
        if self.conforming:
            _guarded(lambda: self._forward_request(flow, version))
        if version == "HTTP/1.1":
            _guarded(lambda: framing.frame_early(flow, self.redaction))

    def _forward_request(self, flow: http.HTTPFlow, version: Version | None) -> None:
        known = flows.request_of(flow, in_tunnel=flow.client_conn.id in self._tunnels)
        request = _as_it_is(known, flow.request)
        reason = obstacle(request, NextLeg(version=version or request.version))
        if reason:
            refusal.refuse_request_head(flow, reason)
            return
        to = nextleg.leg_of_request(flow, request, version)
        self._send(flow, "request", forward(request, to).fields)
        if version in HTTP1:
            flow.request.trailers = None  # mitmproxy cannot send any there

    def request_end(self, flow: http.HTTPFlow) -> None:
        """Prepare what is left of a request, which is complete, after it has been judged."""
        if not (flow.request.data.content or flow.metadata or self.conforming):
            return  # it needs no frame, and has got none
        if not self._is_concerned(flow):
            return
        version = self._legs.version(flow)
        if version in (None, "HTTP/1.1"):
            _guarded(lambda: framing.frame_late(flow, self.redaction))
        if self.conforming and flow.request.trailers is not None:
            _guarded(lambda: self._forward_request_trailers(flow, version))

    def _forward_request_trailers(self, flow: http.HTTPFlow, version: Version | None) -> None:
        request = flows.request_of(flow, in_tunnel=False, complete=True)
        sent = forward(request, NextLeg(version=version or request.version)).trailers
        flow.request.trailers = http.Headers(sent) if sent and version not in HTTP1 else None

    def response_head(self, flow: http.HTTPFlow) -> None:
        """Prepare the header section of a server's response, after it has been judged."""
        if self.conforming and flows.is_enforced(flow):
            _guarded(lambda: self._forward_response_head(flow))

    def _forward_response_head(self, flow: http.HTTPFlow) -> None:
        response = flows.response_of(flow)
        reason = obstacle(response, NextLeg(version=flows.client_version(flow)))
        if reason:
            refusal.refuse_response_head(flow, reason)
            if flow.response is not None:
                self._own.add(flow.response)
            return
        nextleg.part_legs(flow, response)
        self._forward_response(flow)

    def response_end(self, flow: http.HTTPFlow) -> None:
        """Prepare what is left of a response, which is complete, after it has been judged."""
        if self.conforming and flows.is_enforced(flow):
            _guarded(lambda: self._forward_response_end(flow))

    def _forward_response_end(self, flow: http.HTTPFlow) -> None:
        response, version = flow.response, flows.client_version(flow)
        if response is None:
            return
        if response.trailers is not None:
            known = flows.response_of(flow, complete=True)
            sent = forward(known, NextLeg(version=version)).trailers
            response.trailers = http.Headers(sent) if sent and version not in HTTP1 else None
        if version in HTTP1 and not response.stream:
            framing.frame_response(flow, self.redaction)
            self._forward_response(flow)

    def _forward_response(self, flow: http.HTTPFlow) -> None:
        assert flow.response is not None
        known = flows.response_of(flow)
        current = _as_it_is(known, flow.response)
        to = NextLeg(version=flows.client_version(flow))
        self._send(flow, "response", forward(current, to).fields)
        to = nextleg.leg_of_response(flow, known)
        self._send(flow, "response", forward(current, to).fields)

    def _send(self, flow: http.HTTPFlow, which: Which, lines: RawFields) -> None:
        received.remember(flow, which, lines, self.redaction)

    def forget(self, client: connection.Client) -> None:
        """Forget a client connection."""
        self._legs.forget(client)


def _as_it_is[M: Message](known: M, message: http.Message) -> M:
    """Give what is known of a message the field lines that it has by now."""
    fields: RawFields = tuple(message.headers.fields)
    return replace(known, fields=fields)


def _guarded(prepare: Callable[[], None]) -> None:
    try:
        prepare()
    except Exception as error:  # a bug must not stop traffic
        logger.error("hopguard: forwarding failed", exc_info=without_text(error))
