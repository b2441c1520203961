"""The HAR files of mitmproxy itself hold what its flow files hold, as far as HAR can."""

import json
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.addons.savehar import SaveHar
from mitmproxy.flow import Flow
from mitmproxy.io import FlowWriter
from mitmproxy.test import tflow

from hopguard.captures.capture import Captured
from hopguard.captures.flowfile import FlowFileReader
from hopguard.captures.har import HarReader
from hopguard.message import Response
from hopguard.rules import load_rules
from hopguard.transcript import parse
from tests.captures.archives import found_in, read, read_har

EXAMPLES = [
    pytest.param(text, id=f"{rule.id}-{number}")
    for rule in load_rules()
    if rule.kind != "connection"
    for number, text in enumerate(
        [*(text for texts in rule.violating.values() for text in texts), *rule.conforming]
    )
]
IN_TRAILERS = {rule.id for rule in load_rules() if rule.in_trailers}
"""Rules that may wait for the trailer section, which HAR does not have."""

FIELDS = st.lists(
    st.tuples(st.binary(min_size=1, max_size=9), st.binary(max_size=9)), max_size=4
).map(lambda fields: tuple(line for line in fields if _is_told_alike(line[0])))


def _is_told_alike(name: bytes) -> bool:
    """Tell whether a HAR holds a field of that name; with Host, its URL is another one as well."""
    return not name.startswith(b":") and name.lower() != b"host"


def both(*flows: Flow) -> tuple[list[Captured], list[Captured]]:
    """Return what is read from a flow file, and from a HAR."""
    file = BytesIO()
    for flow in flows:
        FlowWriter(file).add(flow)
    from_flows, errors = read(FlowFileReader(), file.getvalue())
    assert not errors
    return from_flows, read_har(json.dumps(SaveHar().make_har(flows)).encode())


@settings(deadline=None)
@given(FIELDS, FIELDS, st.sampled_from([b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0", b"HTTP/3"]))
def test_field_lines_are_those_of_the_flow(
    asking: tuple[tuple[bytes, bytes], ...],
    answering: tuple[tuple[bytes, bytes], ...],
    version: bytes,
) -> None:
    flow = tflow.tflow(resp=True)
    assert flow.response is not None
    flow.request.data.headers = http.Headers(asking)
    flow.response.data.headers = http.Headers(answering)
    flow.request.data.http_version = flow.response.data.http_version = version
    flow.client_conn.alpn = flow.server_conn.alpn = None
    (expected,), (captured,) = both(flow)
    assert (captured.request, captured.response) != (None, None)
    for theirs, ours in (
        (expected.request, captured.request),
        (expected.response, captured.response),
    ):
        assert theirs is not None
        assert ours is not None
        assert (ours.version, ours.fields) == (theirs.version, theirs.fields)
    assert captured.url == expected.url
    assert captured.requested == expected.requested
    assert captured.responded == pytest.approx(expected.responded)


@pytest.mark.parametrize("text", EXAMPLES)
def test_findings_are_those_of_the_flow(text: str) -> None:
    transcript = parse(text)
    flow = tflow.tflow(resp=True)
    assert flow.response is not None
    for message in transcript.messages:
        half: http.Request | http.Response = flow.request
        if isinstance(message, Response):
            half = flow.response
            half.data.status_code = message.status
        flow.client_conn.alpn = flow.server_conn.alpn = None  # so that the version is what it says
        half.data.headers = http.Headers(message.fields)
        half.data.http_version = message.version.encode()
    expected, captured = both(flow)
    missing = set(found_in(expected)) - set(found_in(captured))
    assert set(found_in(captured)) <= set(found_in(expected))
    for name in missing:
        rule = name.partition("/")[0]
        assert rule in IN_TRAILERS or not {rule, name}.isdisjoint(captured[0].unjudged)


def test_a_request_without_an_answer() -> None:
    flow = tflow.tflow(err=True)
    flow.request.headers["Connection"] = '"close"'
    expected, captured = both(flow)
    assert found_in(captured) == found_in(expected) == ["connection-option-not-token"]
    assert captured[0].response is None


def test_other_flows_are_left_out() -> None:
    expected, captured = both(tflow.ttcpflow(), tflow.twebsocketflow(), tflow.tdnsflow())
    assert len(captured) == len(expected) == 1
    reader = HarReader()
    read(reader, json.dumps(SaveHar().make_har([tflow.tflow(resp=True)])).encode())
    assert len(reader.lost) == 6
