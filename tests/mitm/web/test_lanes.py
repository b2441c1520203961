"""Connections as swim lanes."""

from typing import Any

from mitmproxy import flow as mitmflow
from mitmproxy import http

from hopguard.mitm.web import lanes
from hopguard.mitm.web.sources import Sources
from hopguard.record import Redaction
from tests.mitm.building import add_response, live_flow


def exchange(start: float, like: http.HTTPFlow | None = None, **made: Any) -> http.HTTPFlow:
    """Make an exchange that lasts a second, on the connections of `like`."""
    flow = live_flow(**made)
    flow.request.timestamp_start, flow.request.timestamp_end = start, start + 0.1
    response = add_response(flow)
    response.timestamp_start, response.timestamp_end = start + 0.5, start + 1
    if like is not None:
        flow.client_conn, flow.server_conn = like.client_conn, like.server_conn
    else:
        flow.client_conn.timestamp_start = start - 1
        flow.server_conn.timestamp_start = flow.server_conn.timestamp_tcp_setup = start + 0.2
        flow.server_conn.peername = ("192.0.2.9", 443)
    return flow


def shown(
    flow: http.HTTPFlow, held: list[mitmflow.Flow], closed_by: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return the lanes."""
    return lanes.of_flow(flow, held, Sources(Redaction, (closed_by or {}).get))


def test_both_legs_with_all_their_exchanges() -> None:
    """In the order of time; other connections do not matter."""
    first = exchange(10)
    second = exchange(20, first)
    second.metadata["hopguard"] = []
    client, server = shown(second, [second, exchange(15), first])
    assert (client["leg"], client["peer"], client["opened"]) == ("client", "192.0.2.1:50000", 9)
    assert (server["leg"], server["peer"], server["opened"]) == ("server", "192.0.2.9:443", 10.2)
    assert client["closed"] is None
    for lane in (client, server):
        assert [one["flow"] for one in lane["exchanges"]] == [first.id, second.id]
        assert [one["chosen"] for one in lane["exchanges"]] == [False, True]
        assert lane["protocol"] == "HTTP/1.1"
        assert lane["left_out"] == 0
    assert client["exchanges"][0] | {"flow": ""} == {
        "flow": "",
        "method": "GET",
        "url": "http://address:22/path",
        "status": 200,
        "start": 10,
        "answered": 10.5,
        "end": 11,
        "complete": True,
        "failed": False,
        "severity": None,
        "chosen": False,
    }
    assert server["exchanges"][0]["start"] == 10.2


def test_a_client_connection_leads_to_several_servers() -> None:
    """In the order in which they were opened; one that was never opened is none."""
    first, second = exchange(10), exchange(20)
    third = live_flow()
    second.client_conn = third.client_conn = first.client_conn
    held: list[mitmflow.Flow] = [third, second, first]
    assert [lane["leg"] for lane in shown(first, held)] == ["client", "server", "server"]
    assert [lane["opened"] for lane in shown(first, held)[1:]] == [10.2, 20.2]


def test_who_closed() -> None:
    """If that is known."""
    flow = exchange(10)
    flow.client_conn.timestamp_end = 30
    client, server = shown(flow, [flow], {flow.client_conn.id: "client"})
    assert (client["closed"], client["closed_by"]) == (30, "client")
    assert (server["closed"], server["closed_by"]) == (None, None)


def test_a_flow_without_a_response() -> None:
    """What has not happened is unknown."""
    flow = live_flow()
    (client,) = shown(flow, [flow])
    (one,) = client["exchanges"]
    assert (one["status"], one["answered"], one["end"], one["complete"]) == (None,) * 3 + (False,)


def test_the_latest_and_the_chosen_one_are_shown() -> None:
    """The others are counted."""
    first = exchange(10)
    held: list[mitmflow.Flow] = [first]
    held += [exchange(20 + number, first) for number in range(lanes.MOST_EXCHANGES + 20)]
    client, _ = shown(first, held)
    assert len(client["exchanges"]) == lanes.MOST_EXCHANGES + 1
    assert client["exchanges"][0]["chosen"]
    assert client["left_out"] == 20


def test_nothing_secret_is_shown() -> None:
    """Nor anything that a terminal or a browser would act on."""
    flow = exchange(10)
    flow.request.data.path = b"/<b>\x1b\xff?secret"
    flow.request.data.method = b"G\x00T"
    (one,) = shown(flow, [flow])[0]["exchanges"]
    assert one["url"] == r"http://address:22/<b>\x1b\xff"
    assert one["method"] == r"G\x00T"
