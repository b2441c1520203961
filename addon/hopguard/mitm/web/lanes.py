"""The connections of a flow as swim lanes: open, exchanges, idle, closed by whom."""

from collections.abc import Iterable
from typing import Any

from mitmproxy import flow as mitmflow
from mitmproxy import http
from mitmproxy.connection import Connection, Server
from mitmproxy.utils import human

from hopguard.mitm import flows, view
from hopguard.mitm.web.sources import Sources
from hopguard.record import Redaction
from hopguard.reports.reading import SEVERITIES
from hopguard.text import printable

MOST_EXCHANGES = 200
"""Of one connection that are shown: the latest, and the one that was asked for."""

MOST_SERVERS = 10
"""Connections to servers that are shown beside one client connection."""


def of_flow(
    flow: http.HTTPFlow, held: Iterable[mitmflow.Flow], sources: Sources
) -> list[dict[str, Any]]:
    """Return the lanes of a flow's client connection and of the server connections it led to.

    `held` are all flows that mitmweb holds: what they do not tell is unknown. Times are seconds
    since the epoch; None is unknown, or not yet.
    """
    others = [
        one
        for one in held
        if isinstance(one, http.HTTPFlow)
        and (one.client_conn.id == flow.client_conn.id or one.server_conn.id == flow.server_conn.id)
    ]
    ours = [one for one in others if one.client_conn.id == flow.client_conn.id]
    servers = {one.server_conn.id: one.server_conn for one in [flow, *reversed(ours)]}
    opened = [one for one in servers.values() if _opened(one) is not None][:MOST_SERVERS]
    lanes = [_lane("client", flow.client_conn, ours, flow, sources)]
    for server in sorted(opened, key=lambda one: _opened(one) or 0.0):
        there = [one for one in others if one.server_conn.id == server.id]
        lanes.append(_lane("server", server, there, flow, sources))
    return lanes


def _lane(
    leg: str, peer: Connection, held: list[http.HTTPFlow], chosen: http.HTTPFlow, sources: Sources
) -> dict[str, Any]:
    held.sort(key=lambda one: one.request.timestamp_start)
    shown = held[-MOST_EXCHANGES:]
    if chosen in held and chosen not in shown:
        shown.insert(0, chosen)
    redaction = sources.redaction()
    address = peer.peername or (peer.address if isinstance(peer, Server) else None)
    return {
        "leg": leg,
        "connection": peer.id,
        "peer": printable(human.format_address(address).encode()) if address else None,
        "protocol": _protocol(leg, shown),
        "opened": _opened(peer),
        "closed": peer.timestamp_end,
        "closed_by": sources.closed_by(peer.id),
        "left_out": len(held) - len(shown),
        "exchanges": [
            _exchange(one, leg, _opened(peer), redaction) | {"chosen": one is chosen}
            for one in shown
        ],
    }


def _opened(peer: Connection) -> float | None:
    tcp = getattr(peer, "timestamp_tcp_setup", None)
    return tcp if tcp is not None else peer.timestamp_start


def _protocol(leg: str, held: list[http.HTTPFlow]) -> str | None:
    for one in held:
        if leg == "client":
            return flows.request_of(one, in_tunnel=False).version
        if one.response is not None:
            return flows.response_of(one).version
    return None


def _exchange(
    flow: http.HTTPFlow, leg: str, opened: float | None, redaction: Redaction
) -> dict[str, Any]:
    # A request can be there before the connection that it will go on by.
    start = max(flow.request.timestamp_start, opened or 0.0)
    request, response = flow.request, flow.response
    ends = [request.timestamp_end, *((response.timestamp_end,) if response else ())]
    if flow.error is not None:
        ends.append(flow.error.timestamp)
    records = [record for record in view.read(flow)[0] if record["leg"] in (leg, None)]
    found = [record["severity"] for record in records]
    return {
        "flow": flow.id,
        "method": printable(request.data.method, 32),
        "url": redaction.url(flows.url_of(flow)),
        "status": response.status_code if response is not None else None,
        "start": start,
        "answered": response.timestamp_start if response is not None else None,
        "end": max((end for end in ends if end is not None), default=None),
        "complete": response is not None and response.timestamp_end is not None,
        "failed": flow.error is not None,
        "severity": min(found, key=SEVERITIES.index, default=None),
    }
