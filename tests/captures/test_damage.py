"""Damaged flow files: what is good is read, what is not is named, and nothing else happens."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.io import tnetstring
from mitmproxy.test import tflow

from hopguard.captures import flowfile, oversize
from hopguard.captures.capture import Captured, CaptureError
from hopguard.captures.flowfile import FlowFileReader
from tests.captures.flows import saved
from tests.captures.test_flowfile import read

GOOD = saved([tflow.tflow(resp=True)])
SAMPLE = saved([tflow.tflow(resp=True), tflow.twebsocketflow(), tflow.tflow(err=True)])


def exhaust(octets: bytes) -> None:
    """Read as much as there is; only one exception is allowed."""
    with suppress(CaptureError):
        for _ in FlowFileReader().read(io.BytesIO(octets), "x"):
            pass


@given(st.binary(max_size=200))
def test_garbage(octets: bytes) -> None:
    """Whatever it is, it is no crash."""
    exhaust(octets)
    exhaust(GOOD + octets)
    exhaust(b"%d:" % len(octets) + octets + b"}")


@given(
    st.lists(
        st.tuples(st.integers(0, len(SAMPLE) - 1), st.binary(max_size=3), st.integers(0, 3)),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_changed_octets(changes: list[tuple[int, bytes, int]], large: bool) -> None:
    """Some octets are others, missing, or too many."""
    octets = SAMPLE
    for place, put, removed in changes:
        octets = octets[:place] + put + octets[place + removed :]
    with pytest.MonkeyPatch.context() as patch:
        if large:
            patch.setattr(flowfile, "RECORD_LIMIT", 0)
            patch.setattr(oversize, "MEMBER_KEPT", 50)
            patch.setattr(oversize, "SECTION_LIMIT", 90)
        exhaust(octets)


@given(st.integers(1, len(GOOD) - 1), st.booleans())
def test_truncated(size: int, large: bool) -> None:
    """What is before the broken flow is read, and where that begins is said."""
    with pytest.MonkeyPatch.context() as patch:
        if large:
            patch.setattr(flowfile, "RECORD_LIMIT", 0)
        first, error = read(GOOD + GOOD[:size])
    assert isinstance(first, Captured)
    assert isinstance(error, CaptureError)
    assert error.offset == len(GOOD)


def changed(**members: object) -> bytes:
    """Save a flow with other members; `request_path` is one of the request."""
    state = tnetstring.loads(GOOD)
    assert isinstance(state, dict)
    for name, value in members.items():
        part, _, inner = name.partition("__")
        if inner:
            state[part][inner] = value
        else:
            state[part] = value
    return tnetstring.dumps(state)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (changed(request=None), "an HTTP flow without a request"),
        (changed(request=7), "a message is no dictionary"),
        (changed(request__path=None), "no method or no target"),
        (changed(request__method=3), "not the text"),
        (changed(request__headers=None), "no header section"),
        (changed(request__headers={}), "is no list"),
        (changed(request__headers=[[b"a"]]), "no pair of texts"),
        (changed(request__headers=[[b"a", 1]]), "does not end with a field line"),
        (changed(request__headers=[[1, b"a"]]), "no pair of texts"),
        (changed(request__timestamp_start="x"), "not the number"),
        (
            GOOD.replace(b"15:timestamp_start;9:946681200", b"15:timestamp_start;9:94668120x"),
            "number",
        ),
        (changed(response__status_code=None), "status None"),
        (changed(response__status_code=1000), "status 1000"),
        (changed(response__status_code="x"), "not the whole number"),
        (changed(client_conn=None), "does not tell its connections"),
        (changed(client_conn__peername=["x"]), "no address"),
        (changed(client_conn__peername="x"), "no address"),
        (b"4:1:a,}", "does not begin as it should"),
        (b"11:7:version;9}", "does not begin as it should"),
        (b"15:7:version;9:21#}", "longer than what it is part of"),
        (b"3:abc,", "no dictionary"),
    ],
)
def test_one_damaged_flow(octets: bytes, reason: str) -> None:
    """Those around it are read."""
    first, error, last = read(GOOD + octets + GOOD)
    assert isinstance(first, Captured)
    assert isinstance(last, Captured)
    assert isinstance(error, CaptureError)
    assert error.offset == len(GOOD)
    assert reason in str(error)


def test_something_else_between_flows() -> None:
    """Nothing says where the next one begins."""
    first, error = read(GOOD + b"\n" + GOOD)
    assert isinstance(first, Captured)
    assert str(error) == f"cannot read x, at octet {len(GOOD):,}: no flow begins here"


@pytest.mark.parametrize("size", [200, 20_000])
def test_large_header_sections(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """They are read up to a limit."""
    monkeypatch.setattr(flowfile, "RECORD_LIMIT", 100)
    monkeypatch.setattr(oversize, "MEMBER_KEPT", 1000)
    monkeypatch.setattr(oversize, "SECTION_LIMIT", 10_000)
    flow = tflow.tflow()
    flow.request.headers["X"] = "x" * size
    first, second = read(saved([flow]) + GOOD)
    assert isinstance(first, CaptureError if size > 10_000 else Captured)
    assert isinstance(second, Captured)
