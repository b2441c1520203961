"""Usual flows are read in one go; to whoever reads a file, that makes no difference."""

import re
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.test import tflow

from hopguard.captures import flowconnection, flowkinds, flowpairs, recognition
from hopguard.captures.capture import Captured, CaptureError
from hopguard.captures.fieldlines import FieldLines
from hopguard.captures.tnetstrings import DamageError, integer
from hopguard.captures.usualflow import UsualFlows
from tests.captures.flows import saved, usual_files
from tests.captures.test_flowfile import as_mitmproxy_reads, read, without_offsets


def a_flow() -> http.HTTPFlow:
    """Make a usual flow."""
    flow = tflow.tflow(resp=True)
    flow.request.headers[":odd:name"] = "1"
    flow.request.headers["Empty"] = ""
    return flow


def record_of(flow: http.HTTPFlow) -> bytes:
    """Save a flow, and return its record without the length and the type."""
    return saved([flow]).partition(b":")[2][:-1]


SAMPLE = record_of(a_flow())


def framed(record: bytes) -> bytes:
    """Return a file with one record."""
    return b"%d:%s}" % (len(record), record)


def read_usual(record: bytes) -> Captured | None:
    """Read a record in one go."""
    return UsualFlows(FieldLines()).read(record, 0, len(record), 0)


@contextmanager
def nothing_usual() -> Iterator[None]:
    """Have everything read dictionary by dictionary, and member by member."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UsualFlows, "read", lambda *_: None)
        patch.setattr(flowconnection, "usual_client", lambda *_: None)
        patch.setattr(flowconnection, "usual_server", lambda *_: None)
        yield


def test_it_is_the_same() -> None:
    """Whether it is read in one go, or dictionary by dictionary."""
    record = record_of(a_flow())
    found = read(framed(record))
    assert found == [read_usual(record)]
    with nothing_usual():
        assert found == read(framed(record))


@given(usual_files())
def test_usual_files(flows: list[http.HTTPFlow]) -> None:
    """Connections, kinds of exchanges and header sections come again, some with other values."""
    octets = saved(flows)
    assert without_offsets(read(octets)) == as_mitmproxy_reads(octets)


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("GET", "/", None),
        ("GET", "/a,b,c?d", b""),
        ("GET", "*", b""),
        ("POST", "/", b""),
        ("POST", "/", b"0:,7:headers;2:"),
        ("POST", "/", None),
    ],
)
def test_what_is_usual(method: str, path: str, content: bytes | None) -> None:
    """With content, and without; any target that does not end like a dictionary goes on."""
    flow = a_flow()
    flow.request.method, flow.request.path, flow.request.content = method, path, content
    assert read_usual(record_of(flow)) == as_mitmproxy_reads(saved([flow]))[0]


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        (rb"9:websocket;", rb"9:webs0cket;"),
        (rb"timestamp_start;\d+:[\d.]+", b"timestamp_start;3:1.."),
        (rb"timestamp_end;(\d+):\d\d", rb"timestamp_end;\1:.."),
        (rb"8:response;(\d)", rb"8:response;1\1"),
        (rb"7:request;(\d)", rb"7:request;1\1"),
        (rb"4:path;", rb"4:path;0"),
        (rb",7:headers;", rb";7:headers;"),
        (rb"7:content;7:content,", rb"7:content;7:content;"),
        (rb"7:request;", rb"7:requests;"),
        (rb"7:comment;0:;", rb"7:comment;1:x;"),
        (rb"13:timestamp_end;[^;]*15:timestamp_start", b"13:timestamp_end;0:~15:timestamp_start"),
        (rb"4:type;4:http;", rb"4:type;3:tcp;"),
        (rb"2:21#$", rb"2:22#"),
        (rb"11:server_conn;", rb"11:server_conm;"),
        (rb"11:server_conn;\d+:", rb"11:server_conn;x:"),
        (rb"11:client_conn;(\d)", rb"11:client_conn;1\1"),
        (rb"6:method;3:GET", rb"6:method;4:GET"),
        (rb"6:method;3:GET", rb"6:method;7:CONNECT"),
        (rb"6:method;", rb"6:methot;"),
        (rb"4:host;\d:address;", rb"4:host;0:;"),
    ],
)
def test_what_is_not_usual(usual: bytes, other: bytes) -> None:
    """Something is not as it should be, or not as it usually is."""
    flow = a_flow()
    flow.request.method = "GET"
    record, changes = re.subn(usual, other, record_of(flow), count=1)
    assert changes
    assert read_usual(record) is None


@pytest.mark.parametrize("name", [b"timestamp_tcp_setup", b"timestamp_tls_setup"])
def test_a_connection_with_a_number_that_is_none(name: bytes) -> None:
    """That is told, and where."""
    octets = framed(re.sub(rb"(%s;11:)[\d.]+" % name, rb"\g<1>946681203..", SAMPLE, count=1))
    good = framed(SAMPLE)
    first, error = read(good + octets)
    assert isinstance(first, Captured)
    assert isinstance(error, CaptureError)
    assert error.offset == len(good)
    assert "not the number" in str(error)


def test_a_path_of_commas() -> None:
    """It takes no more memory than it has octets."""
    flow = a_flow()
    flow.request.path = "/" + 1_000_000 * ",9:author"
    record = record_of(flow)
    tracemalloc.start()
    try:
        assert read_usual(record) is not None
        assert tracemalloc.get_traced_memory()[1] < 10 * len(record)
    finally:
        tracemalloc.stop()


def test_too_short() -> None:
    """Not even what is behind the connections is there."""
    record = record_of(a_flow())
    for size in range(0, len(record), 7):
        assert read_usual(record[:size]) is None


@given(st.integers(0, len(SAMPLE) - 1), st.sampled_from(b"019:,;~#]}x- "))
def test_a_changed_octet(place: int, put: int) -> None:
    """It makes the same difference as where everything is read dictionary by dictionary.

    Only the length of a short text may be overlooked, of which the end is known.
    """
    octets = framed(SAMPLE[:place] + bytes([put]) + SAMPLE[place + 1 :])
    found = read(octets)
    with nothing_usual():
        otherwise = read(octets)
    shown = [list(map(repr, each)) for each in (found, otherwise)]
    if shown[0] != shown[1]:
        assert isinstance(otherwise[0], CaptureError)
        assert found == read(framed(SAMPLE))


def test_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is bounded, and long connections are not remembered at all."""
    monkeypatch.setattr(recognition, "_KEPT", 2)
    monkeypatch.setattr(flowpairs, "_WAYS_KEPT", 1)
    monkeypatch.setattr(flowkinds, "_KINDS_KEPT", 2)
    flows = []
    for count in range(10):
        flow = a_flow()
        flow.client_conn.peername = ("192.0.2.1", count)
        flow.client_conn.alpn = b"%d" % (count // 4)
        flow.request.host = "x" * (20 * count)
        flow.server_conn.sni = "x" * 50 if count < 8 else "y" * 70_000
        flows.append(flow)
    octets = saved(flows + flows)
    assert without_offsets(read(octets)) == as_mitmproxy_reads(octets)


def test_the_same_connections_in_another_version() -> None:
    """They are read anew."""
    record = record_of(a_flow())
    older = re.sub(rb"2:21#$", rb"2:20#", record)
    first, second = without_offsets(read(framed(record) + framed(older)))
    assert first == second


@pytest.mark.parametrize("octets", [b"1:x#", b"3:1.5#", b"4:true!"])
def test_what_is_no_whole_number(octets: bytes) -> None:
    """Whatever its type says."""
    with pytest.raises(DamageError, match="not the whole number"):
        integer(octets, (2, len(octets) - 1))
