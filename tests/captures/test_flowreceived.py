"""Flows that the addon has edited are judged by what their peers sent."""

from typing import Any

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from hopguard.mitm.addon import Hopguard
from hopguard.restoring import KEY
from hopguard.rule import PROFILES, Rule
from hopguard.transcript import parse
from tests.captures.flows import saved
from tests.captures.test_judging import offline, replayed, timeless
from tests.mitm.building import live_flow
from tests.mitm.test_examples import VIOLATING, build, drive

PLAIN = (b"Host", b"a.example")
LISTED = (b"Connection", b"close, , X")
SHORT = (b"Connection", b"close")


@pytest.mark.parametrize(
    "settings", [{"hopguard_action": "fix"}, {"hopguard_forwarding": "conforming"}]
)
@pytest.mark.parametrize(("rule", "text"), VIOLATING)
def test_examples_that_were_edited(rule: Rule, text: str, settings: dict[str, str]) -> None:
    """The same is found in the file as by the addon that loads it."""
    addon, transcript = Hopguard(), parse(text)
    with taddons.context(Proxyserver(), addon) as context:
        context.configure(addon, hopguard_profile=list(PROFILES), **settings)
        flow = build(transcript)
        list(drive(addon, flow, transcript.messages))
        flow.metadata.pop("hopguard", None)
        octets = saved([flow])
        assert timeless(offline(octets)) == timeless(replayed(addon, octets))
        addon.done()


def rules_found(metadata: dict[str, Any], *fields: tuple[bytes, bytes]) -> list[str]:
    """Judge a saved flow with that metadata."""
    flow = live_flow(*fields)
    flow.metadata = metadata
    (records,) = offline(saved([flow]))
    return [record["rule"] for record in records]


def kept(before: Any, sent: Any) -> dict[str, Any]:
    """Make what the addon keeps of a request."""
    return {KEY: {"request": {"received": before, "sent": sent}}}


def test_what_was_received_is_judged() -> None:
    """Also if somebody else has added a field since."""
    before = [list(PLAIN), list(LISTED)]
    sent = [list(PLAIN), list(SHORT)]
    assert rules_found({}, PLAIN, SHORT) == []
    assert "connection-empty-list-member" in rules_found(kept(before, sent), PLAIN, SHORT)
    assert rules_found(kept(before, sent), PLAIN, SHORT, (b"X", b"y")) == []


@pytest.mark.parametrize(
    "metadata",
    [
        {KEY: None},
        {KEY: [1]},
        {KEY: {"request": 1}},
        {KEY: {"response": {}}},
        {KEY: {"request": {"received": [], "sent": 1}}},
        kept([[b"a"]], []),
        kept([[b"a", 1]], []),
        kept([], "x"),
        {"a b": 1, **kept([list(LISTED)], [list(PLAIN)])},
    ],
)
def test_anything_may_stand_there(metadata: dict[str, Any]) -> None:
    """What is not as we write it counts for nothing."""
    assert rules_found(metadata, PLAIN) == []
