"""Usual flows are read in one go; to whoever reads a file, that makes no difference."""

import re

import pytest
from mitmproxy.test import tflow

from hopguard.captures import flowrecord
from hopguard.captures.tnetstrings import DamageError, integer
from hopguard.captures.usualflow import read_usual
from tests.captures.flows import saved
from tests.captures.test_flowfile import read


def a_record() -> bytes:
    """Save a usual flow, and return its record without the length and the type."""
    flow = tflow.tflow(resp=True)
    flow.request.headers[":odd:name"] = "1"
    flow.request.headers["Empty"] = ""
    return saved([flow]).partition(b":")[2][:-1]


def framed(record: bytes) -> bytes:
    """Return a file with one record."""
    return b"%d:%s}" % (len(record), record)


def test_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is read in one go, or dictionary by dictionary."""
    record = a_record()
    assert read_usual(record, 0, len(record)) is not None
    found = read(framed(record))
    monkeypatch.setattr(flowrecord, "read_usual", lambda *_: None)
    assert found == read(framed(record))


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        (rb"9:websocket;", rb"9:webs0cket;"),
        (rb"timestamp_start;\d+:[\d.]+", b"timestamp_start;3:1.."),
        (rb"timestamp_end;(\d+):\d\d", rb"timestamp_end;\1:.."),
        (rb"8:response;(\d)", rb"8:response;1\1"),
        (rb"4:type;4:http;", rb"4:type;3:tcp;"),
    ],
)
def test_what_is_not_usual(usual: bytes, other: bytes) -> None:
    """Something is not as it should be, or not as it usually is."""
    record = re.sub(usual, other, a_record(), count=1)
    assert read_usual(record, 0, len(record)) is None


@pytest.mark.parametrize("octets", [b"1:x#", b"3:1.5#", b"4:true!"])
def test_what_is_no_whole_number(octets: bytes) -> None:
    """Whatever its type says."""
    with pytest.raises(DamageError, match="not the whole number"):
        integer(octets, (2, len(octets) - 1))
