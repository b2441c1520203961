"""Every example that a flow can hold, through the addon: it finds what the rule finds."""

from collections.abc import Iterator

import pytest
from mitmproxy import http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from hopguard.message import Message, RawFields, Request, Response, Section
from hopguard.mitm.addon import Hopguard
from hopguard.rule import DEFAULT_PROFILES, PROFILES, Rule
from hopguard.rules import load_rules
from hopguard.transcript import Mark, Transcript, parse
from tests.mitm.building import add_response, live_flow

LABELS = {"HTTP/2": "HTTP/2.0", "HTTP/3": "HTTP/3"}
"""How mitmproxy spells versions, where it is not as the log does."""

NOT_IN_FLOWS = {
    "data-before-protocol-switch",
    "extended-connect-invalid",
    "http-after-protocol-switch",
    "switching-protocols-before-continue",
    *(rule.id for rule in load_rules() if rule.kind == "connection"),
}
"""Rules about octets, pseudo-header fields, interim responses or connections: no HTTP flow holds
them."""


def is_possible(transcript: Transcript) -> bool:
    """Tell whether a flow can hold this example."""
    requests = [one for one in transcript.messages if isinstance(one, Request)]
    responses = [one for one in transcript.messages if isinstance(one, Response)]
    return (
        len(requests) < 2
        and len(responses) < 2
        and all(one.early_octets is None and one.protocol is None for one in requests)
        and all(one.switched_octets is None for one in responses)
    )


VIOLATING = [
    pytest.param(rule, text, id=f"{rule.id}-{variant}-{number}")
    for rule in load_rules()
    if rule.id not in NOT_IN_FLOWS
    for variant, texts in rule.violating.items()
    for number, text in enumerate(texts)
    if is_possible(parse(text))
]


def build(transcript: Transcript) -> http.HTTPFlow:
    """Make the flow at the moment when its request arrives."""
    request = next((one for one in transcript.messages if isinstance(one, Request)), None)
    response = next((one for one in transcript.messages if isinstance(one, Response)), None)
    to_proxy = request is not None and request.to_proxy is not False
    flow = live_flow(
        *(request.fields if request else ((b"Host", b"www.example"),)),
        version=label(request or response),
        mode="regular" if to_proxy else "reverse:http://www.example",
        method=request.method.decode() if request else "GET",
    )
    if request is not None:
        flow.request.data.path = request.target
        flow.client_conn.tls = bool(request.tls)
    flow.server_conn.tls = bool(response is not None and response.tls)
    if response is not None and response.direct is False:
        flow.server_conn.via = ("http", ("proxy.example", 3128))
    flow.server_conn.alpn = {"HTTP/2": b"h2", "HTTP/3": b"h3"}.get(
        response.version if response else ""
    )
    return flow


def label(message: Message | None) -> str:
    """Name the version as mitmproxy does."""
    version = message.version if message is not None else "HTTP/1.1"
    return LABELS.get(version, version)


def headers(trailers: RawFields | None) -> http.Headers | None:
    """Make a trailer section; mitmproxy has none where it is empty."""
    return http.Headers(trailers) if trailers else None


def drive(addon: Hopguard, flow: http.HTTPFlow, messages: list[Message]) -> Iterator[Mark]:
    """Send the messages through the hooks, and point at what is found in each of them."""
    for position, message in enumerate(messages):
        if isinstance(message, Request):
            addon.requestheaders(flow)
            flow.request.trailers = headers(message.trailers)
            if message.trailers is not None:
                addon.request(flow)
        elif isinstance(message, Response):
            add_response(flow, *message.fields, status=message.status, version=label(message))
            addon.responseheaders(flow)
            if message.trailers is not None and flow.response is not None:
                flow.response.trailers = headers(message.trailers)
                addon.response(flow)
        yield from marks_in(flow, position, message)


def marks_in(flow: http.HTTPFlow, position: int, message: Message) -> Iterator[Mark]:
    """Point at the lines of this message that the flow's records are about."""
    for record in flow.metadata.get("hopguard", []):
        section: Section = "trailer" if record["part"].endswith("-trailers") else "header"
        if record["part"] in (message.part, message.trailer_part):
            known = record["line"] is not None
            yield Mark(position, section if known else None, record["line"])


@pytest.mark.parametrize(("rule", "text"), VIOLATING)
def test_violating_example(rule: Rule, text: str) -> None:
    """The marked lines, and no others, are found through mitmproxy too."""
    transcript = parse(text)
    addon = Hopguard()
    wanted = {*rule.profiles, *(name for v in rule.variants.values() for name in v.profiles)}
    profiles = {*DEFAULT_PROFILES, *wanted} - (rule.silenced_by | {"rfc2616"})
    with taddons.context(Proxyserver(), addon) as context:
        context.configure(addon, hopguard_profile=sorted(profiles & set(PROFILES)))
        flow = build(transcript)
        found = set(drive(addon, flow, transcript.messages))
        addon.done()
    mine = {record["rule"] for record in flow.metadata.get("hopguard", [])}
    assert rule.id in mine
    assert set(transcript.marks) <= found


def test_every_rule_has_an_example_for_a_flow() -> None:
    """But for those that cannot."""
    tried = {param.values[0].id for param in VIOLATING}  # type: ignore[union-attr]
    assert {rule.id for rule in load_rules()} - tried == NOT_IN_FLOWS
