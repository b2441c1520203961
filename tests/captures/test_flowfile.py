"""Flow files: what is read is what mitmproxy reads."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import flow as mitmflow
from mitmproxy import http
from mitmproxy.io import FlowReader
from mitmproxy.test import tflow

from hopguard.captures import flowfile, oversize
from hopguard.captures.capture import Captured, CaptureError, Peer, Seconds
from hopguard.captures.flowfile import FlowFileReader, is_flow_file
from hopguard.mitm import flows as translation
from hopguard.refused import refused_part
from tests.captures.flows import http_flows, saved

OTHER_FLOWS = [tflow.ttcpflow(), tflow.tudpflow(), tflow.tdnsflow()]


def read(octets: bytes) -> list[Captured | CaptureError]:
    """Read a flow file; an error that ends it is the last element."""
    found: list[Captured | CaptureError] = []
    try:
        for captured in FlowFileReader().read(io.BytesIO(octets), "x"):
            found.append(captured)
    except CaptureError as error:
        found.append(error)
    return found


def as_mitmproxy_reads(octets: bytes) -> list[Captured]:
    """Have mitmproxy read it, and translate as the addon does."""
    flows: list[mitmflow.Flow] = list(FlowReader(io.BytesIO(octets)).stream())
    return [translated(flow) for flow in flows if isinstance(flow, http.HTTPFlow)]


def translated(flow: http.HTTPFlow) -> Captured:
    """Translate a flow as the addon does."""
    requested, responded = flow.request.data, flow.response.data if flow.response else None
    request = translation.request_of(
        flow, in_tunnel=False, complete=requested.timestamp_end is not None
    )
    response = asked = None
    if responded is not None:
        response = translation.response_of(flow, complete=responded.timestamp_end is not None)
        asked = replace(translation.sent_request(flow, response), trailers=request.trailers)
    client, server = flow.client_conn, flow.server_conn
    return Captured(
        offset=0,
        request=request if flow.is_replay != "request" else None,
        response=response if flow.is_replay != "response" else None,
        asked=asked,
        refused=refused_part(flow.error.msg) if flow.error else None,
        method=requested.method,
        url=translation.url_of(flow),
        status=responded.status_code if responded is not None else None,
        flow=flow.id,
        requested=Seconds(requested.timestamp_start, requested.timestamp_end),
        responded=(
            Seconds(responded.timestamp_start, responded.timestamp_end)
            if responded is not None
            else Seconds()
        ),
        client=Peer(
            client.id,
            translation.client_address(flow),
            Seconds(client.timestamp_start, client.timestamp_end),
        ),
        server=Peer(
            server.id,
            translation.server_address(flow),
            Seconds(server.timestamp_start, server.timestamp_end),
        ),
    )


def without_offsets(found: list[Captured | CaptureError]) -> list[Captured]:
    """Return what was read, which holds no error."""
    assert [error for error in found if isinstance(error, CaptureError)] == []
    return [one._replace(offset=0) for one in found if isinstance(one, Captured)]


@given(st.lists(http_flows() | st.sampled_from(OTHER_FLOWS), max_size=4))
def test_any_flows(flows: list[mitmflow.Flow]) -> None:
    """TCP, UDP and DNS flows are left out."""
    octets = saved(flows)
    assert without_offsets(read(octets)) == as_mitmproxy_reads(octets)


def test_flows_as_mitmproxy_makes_them() -> None:
    """WebSocket flows too; a connection, and a field line, may come again."""
    flows = [tflow.tflow(resp=True), tflow.twebsocketflow(), tflow.tflow(err=True)]
    octets = saved([*flows, *flows])
    assert without_offsets(read(octets)) == as_mitmproxy_reads(octets)


def test_the_offset_is_that_of_the_record() -> None:
    """So that a person finds it."""
    one = saved([tflow.tflow()])
    found = read(one + saved([tflow.ttcpflow()]) + one)
    assert [captured.offset for captured in found if isinstance(captured, Captured)] == [
        0,
        len(one) + len(saved([tflow.ttcpflow()])),
    ]


def test_a_large_record_is_read_without_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is the same."""
    monkeypatch.setattr(flowfile, "RECORD_LIMIT", 100)
    monkeypatch.setattr(oversize, "MEMBER_KEPT", 2_000)
    flow = tflow.twebsocketflow()
    assert flow.response is not None
    flow.request.content = flow.response.content = bytes(500_000)
    flow.metadata["x"] = "x" * 500_000
    flow.request.headers["X-Long"] = "x" * 3000
    octets = saved([tflow.tflow(), flow, tflow.tflow()])
    assert without_offsets(read(octets)) == as_mitmproxy_reads(octets)


def test_heads_of_other_files() -> None:
    """It is told by content."""
    assert is_flow_file(saved([tflow.tflow()])[:512])
    assert not any(map(is_flow_file, (b"", b"{", b"12:", b"WARC/1.0\r\n", b"1:1:1,", bytes(512))))
