"""Captures are judged as the addon judges: the records are the same, but for their time."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import eventsequence
from mitmproxy import flow as mitmflow
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.io import FlowReader
from mitmproxy.test import taddons

from hopguard.captures.capture import Captured
from hopguard.captures.flowfile import FlowFileReader
from hopguard.captures.judging import judge
from hopguard.checker import Checker
from hopguard.message import Request
from hopguard.mitm.addon import Hopguard
from hopguard.record import Record, Redaction
from hopguard.rule import PROFILES, Rule
from hopguard.transcript import parse
from tests.captures.flows import http_flows, saved
from tests.mitm.test_examples import VIOLATING, build, drive

LIVE_ONLY = {"proxy-connection-field"}
"""What a saved flow does not always tell: whether the client knew that it speaks to a proxy."""

CHECKER = Checker(PROFILES)


def offline(octets: bytes) -> list[list[Record]]:
    """Judge a flow file as a scan does; return the records of each exchange."""
    found = FlowFileReader().read(io.BytesIO(octets), "x")
    return [judge(one, CHECKER, Redaction()).records for one in found if isinstance(one, Captured)]


@pytest.fixture(scope="module")
def addon() -> Iterator[Hopguard]:
    """Give an addon with all profiles on."""
    made = Hopguard()
    with taddons.context(Proxyserver(), made) as context:
        context.configure(made, hopguard_profile=list(PROFILES))
        yield made
        made.done()


def replayed(addon: Hopguard, octets: bytes) -> list[list[Record]]:
    """Have the addon judge it as `mitmdump -nr` does."""
    flows: list[mitmflow.Flow] = list(FlowReader(io.BytesIO(octets)).stream())
    for flow in flows:
        for hook in eventsequence.iterate(flow):
            getattr(addon, hook.name, lambda _: None)(flow)
    return [flow.metadata.get("hopguard", []) for flow in flows]


def timeless(records: list[list[Record]]) -> list[list[dict[str, Any]]]:
    """Leave out the times, of which the addon's are when it has judged."""
    return [[{**record, "time": None} for record in some] for some in records]


@given(st.lists(http_flows(), min_size=1, max_size=2))
def test_any_flows(addon: Hopguard, flows: list[mitmflow.Flow]) -> None:
    """Also those that were refused, replayed, or broke off."""
    octets = saved(flows)
    assert timeless(offline(octets)) == timeless(replayed(addon, octets))


@pytest.mark.parametrize(("rule", "text"), VIOLATING)
def test_examples_that_were_seen_live(rule: Rule, text: str) -> None:
    """What the addon has found when they passed is found in what it has saved."""
    addon, transcript = Hopguard(), parse(text)
    with taddons.context(Proxyserver(), addon) as context:
        context.configure(addon, hopguard_profile=list(PROFILES))
        flow = build(transcript)
        list(drive(addon, flow, transcript.messages))
        addon.done()
    for message in transcript.messages:
        end = 1.0 if message.trailers is not None else None
        if isinstance(message, Request):
            flow.request.timestamp_end = end
        elif flow.response is not None:
            flow.response.timestamp_end = end
    live: list[Record] = flow.metadata.get("hopguard", [])
    (found,) = timeless(offline(saved([flow])))
    lost = [record for record in timeless([live])[0] if record not in found]
    assert [record for record in found if record not in timeless([live])[0]] == []
    if all(record["action"] != "refused" for record in live):  # otherwise another one is saved
        assert {record["rule"] for record in lost} <= LIVE_ONLY
