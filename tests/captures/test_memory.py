"""What readers remember is bounded, and forgetting changes nothing."""

import io

import pytest
from mitmproxy.test import tflow

from hopguard.captures import fieldlines, recognition
from hopguard.captures.flowfile import FlowFileReader
from hopguard.captures.tnetstrings import DamageError, integer, items, number
from tests.captures.flows import saved
from tests.captures.test_flowfile import as_mitmproxy_reads, read, without_offsets


def test_lines_and_connections_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are too many; long ones are not remembered at all."""
    monkeypatch.setattr(fieldlines, "_LINES_KEPT", 2)
    monkeypatch.setattr(recognition, "_KEPT", 2)
    flows = []
    for count in range(5):
        flow = tflow.tflow(resp=True)
        flow.request.headers["X"] = "x" * (100 * count)
        flow.client_conn.peername = ("192.0.2.1", count)
        flow.server_conn.sni = "x" * 50 if count < 3 else "y" * 70_000
        flow.comment = "so that it is read dictionary by dictionary"
        flows.append(flow)
    octets = saved(flows + flows)
    assert without_offsets(read(octets)) == as_mitmproxy_reads(octets)


@pytest.mark.parametrize("answered", [False, True])
def test_two_connections_that_end_alike(answered: bool) -> None:
    """They are told apart by all that is before."""
    first, second = tflow.tflow(resp=answered), tflow.tflow(resp=answered)
    second.client_conn.sni = "other.example"
    second.client_conn.tls = True
    octets = saved([first, second])
    assert without_offsets(read(octets)) == as_mitmproxy_reads(octets)


def test_what_mitmproxy_finds_too_odd() -> None:
    """There is no flow of it, but it is read."""
    octets = saved([tflow.tflow()]).replace(b"transport_protocol;", b"transport_protocoI;")
    reader = FlowFileReader()
    assert len(list(reader.read(io.BytesIO(octets), "x"))) == 1
    assert reader.flow() is None


@pytest.mark.parametrize("octets", [b"x", b"1:a", b"5:a,"])
def test_no_list(octets: bytes) -> None:
    """Its items do not fit."""
    with pytest.raises(DamageError):
        items(octets, 0, len(octets))


def test_no_number() -> None:
    """Null, or missing, or something else."""
    assert number(b"~", None) is None
    assert number(b"~", (0, 0)) is None
    for octets in (b"x#", b"5,"):
        with pytest.raises(DamageError):
            number(octets, (0, 1))
    assert integer(b"~", None) is None
    assert integer(b"~", (0, 0)) is None
