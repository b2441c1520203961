"""The commands, as mitmproxy's console and scripts call them."""

from collections.abc import Iterator, Sequence
from typing import Any

import mitmproxy.types
import pytest
from mitmproxy import contentviews, exceptions, flowfilter, http
from mitmproxy import flow as mitmflow
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.addons.view import View
from mitmproxy.test import taddons, tflow

from hopguard.mitm.addon import Hopguard
from hopguard.rules import load_rules
from tests.mitm.building import add_response, live_flow

CONNECTION = (b"connection", b"keep-alive")
TE = (b"te", b"gzip")

Context = tuple[taddons.context, Hopguard]


@pytest.fixture
def loaded() -> Iterator[Context]:
    """Give an addon in a mitmproxy that has a list of flows."""
    addon = Hopguard()
    with taddons.context(Proxyserver(), View(), addon) as context:
        yield context, addon
        addon.done()


def complete(*fields: tuple[bytes, bytes], version: str = "HTTP/2.0") -> http.HTTPFlow:
    """Make a flow that is complete, and that nobody has judged."""
    flow = live_flow(*fields, version=version)
    flow.request.raw_content = b""
    flow.request.timestamp_end = 1.0
    response = add_response(flow, (b"content-length", b"0"))
    response.raw_content = b""
    response.timestamp_end = 2.0
    flow.live = False
    return flow


def rules(flow: mitmflow.Flow) -> list[str]:
    """Name the rules in the metadata."""
    return [record["rule"] for record in flow.metadata.get("hopguard", [])]


def call(context: taddons.context, name: str, *arguments: Any) -> Any:
    """Call a command with objects."""
    return context.master.commands.call(name, *arguments)


def execute(context: taddons.context, text: str) -> Any:
    """Call a command as it is typed."""
    return context.master.commands.execute(text)


def test_check_judges_what_nobody_has_judged(loaded: Context) -> None:
    """Metadata, mark and comment follow."""
    context, _ = loaded
    flow = complete(CONNECTION)
    flow.comment = "mine"
    call(context, "hopguard.check", [flow])
    assert rules(flow) == ["connection-field-in-http2"]
    assert flow.marked == ":red_circle:"
    assert flow.comment == "mine\nhopguard: connection-field-in-http2"


def test_check_says_what_it_found(loaded: Context, caplog: pytest.LogCaptureFixture) -> None:
    """In the status line of the console."""
    context, _ = loaded
    caplog.set_level("INFO")
    call(context, "hopguard.check", [complete(CONNECTION), complete(), tflow.ttcpflow()])
    assert caplog.messages[-1] == "hopguard: 1 finding in 1 of 2 flows"


def test_check_follows_an_edit(loaded: Context) -> None:
    """What is not there any more, because somebody has removed it, is forgotten."""
    context, addon = loaded
    flow = complete(CONNECTION)
    addon.requestheaders(flow)
    assert rules(flow)
    flow.backup()
    del flow.request.headers["connection"]
    call(context, "hopguard.check", [flow])
    assert (flow.metadata, flow.marked, flow.comment) == ({}, "", "")


def test_check_keeps_the_record_of_what_is_still_there(loaded: Context) -> None:
    """With its time, and what was done."""
    context, addon = loaded
    flow = complete(CONNECTION)
    flow.error = mitmflow.Error("Received x from client, refusing to prevent request smuggling")
    addon.requestheaders(flow)
    (before,) = flow.metadata["hopguard"]
    assert before["action"] == "refused"
    flow.request.headers.fields = (*flow.request.headers.fields, TE)
    call(context, "hopguard.check", [flow])
    assert flow.metadata["hopguard"][0] == before
    assert rules(flow) == ["connection-field-in-http2", "te-not-trailers-in-http2-or-http3"]


def test_check_keeps_what_mitmproxy_itself_has_removed(loaded: Context) -> None:
    """As it does with an offer of h2c. Once the rule is off, it is gone."""
    context, addon = loaded
    flow = complete(CONNECTION)
    addon.requestheaders(flow)
    del flow.request.headers["connection"]
    call(context, "hopguard.check", [flow])
    assert rules(flow) == ["connection-field-in-http2"]
    context.configure(addon, hopguard_profile=["fetch"])
    call(context, "hopguard.check", [flow])
    assert rules(flow) == []


def test_check_uses_the_profiles_that_are_on(loaded: Context) -> None:
    """They may have changed."""
    context, addon = loaded
    flow = complete(CONNECTION)
    context.configure(addon, hopguard_profile=["fetch"])
    call(context, "hopguard.check", [flow])
    assert rules(flow) == []
    context.configure(addon, hopguard_profile=["default"])
    call(context, "hopguard.check", [flow])
    assert rules(flow) == ["connection-field-in-http2"]


def test_check_leaves_alone_what_no_peer_has_sent(loaded: Context) -> None:
    """Responses of addons, and replays; what is known of them stays."""
    context, addon = loaded
    flow = complete((b"host", b"h"), version="HTTP/1.1")
    assert flow.response is not None
    flow.live = True
    flow.response.headers["Proxy-Connection"] = "close"
    addon.responseheaders(flow)
    call(context, "hopguard.check", [flow])
    assert rules(flow) == []
    replay = complete(CONNECTION)
    replay.is_replay = "request"
    call(context, "hopguard.check", [replay])
    assert rules(replay) == []


def test_check_sees_exchange_and_trailers(loaded: Context) -> None:
    """All that the hooks see."""
    context, _ = loaded
    flow = complete((b"host", b"h"), (b"connection", b"close"), version="HTTP/1.1")
    call(context, "hopguard.check", [flow])
    assert rules(flow) == ["response-missing-close-echo"]
    flow = complete()
    assert flow.response is not None
    for message in (flow.request, flow.response):
        message.trailers = http.Headers([(b"connection", b"x")])
    call(context, "hopguard.check", [flow])
    assert [record["part"] for record in flow.metadata["hopguard"]] == [
        "request-trailers",
        "response-trailers",
    ]


def test_check_writes_no_log(loaded: Context, tmp_path: Any) -> None:
    """It is about traffic, and this is none."""
    context, addon = loaded
    log = tmp_path / "log"
    context.configure(addon, hopguard_log=str(log))
    call(context, "hopguard.check", [complete(CONNECTION)])
    assert log.read_bytes() == b""


def test_check_without_mark_and_comment(loaded: Context) -> None:
    """The options hold."""
    context, addon = loaded
    context.configure(addon, hopguard_mark=False, hopguard_comment=False)
    flow = complete(CONNECTION)
    call(context, "hopguard.check", [flow])
    assert (flow.marked, flow.comment) == ("", "")
    assert rules(flow)


def test_check_has_the_console_show_the_flow_anew(loaded: Context) -> None:
    """It would not do so by itself."""
    context, _ = loaded
    shown: list[object] = []

    def changed(view: contentviews.Contentview) -> None:
        shown.append(view)

    contentviews.registry.on_change.connect(changed)
    call(context, "hopguard.check", [complete()])
    assert shown == [contentviews.registry["hopguard"]]


def test_check_of_a_flow_that_holds_anything(loaded: Context) -> None:
    """Another addon may have written under our key."""
    context, _ = loaded
    for anything in ("x", [1], [{"rule": "r"}], {"a": 1}):
        flow = complete(CONNECTION)
        flow.metadata["hopguard"] = anything
        call(context, "hopguard.check", [flow])
        assert rules(flow) == ["connection-field-in-http2"]


def test_findings_one_a_line(loaded: Context) -> None:
    """Of all flows; of saved ones, too."""
    context, _ = loaded
    flows = [complete(CONNECTION), complete(TE)]
    call(context, "hopguard.check", flows)
    first, second = call(context, "hopguard.findings", flows)
    assert first.startswith("error connection-field-in-http2: connection: keep-alive is ")
    assert second.startswith("error te-not-trailers-in-http2-or-http3/value: te: gzip ")
    assert first.endswith(" GET http://address:22/path")
    assert call(context, "hopguard.findings", [complete()]) == ["Nothing was found in 1 flow."]


def test_findings_are_printable(loaded: Context) -> None:
    """Whatever was sent, or is in a file."""
    context, _ = loaded
    flow = complete((b"connection", b"\x1b[31m\xe2\x80\xae"))
    call(context, "hopguard.check", [flow])
    flow.metadata["hopguard"].append({"rule": "\x1b", "severity": "info", "message": "\u202e"})
    lines = call(context, "hopguard.findings", [flow])
    assert len(lines) > 1
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_show(loaded: Context) -> None:
    """What the console's content view cannot show: a message without content."""
    context, addon = loaded
    flow = complete(CONNECTION, (b"authorization", b"secret"), (b"x-mine", b"private"))
    call(context, "hopguard.check", [flow])
    context.configure(addon, hopguard_redact=["authorization", "x-mine"])
    lines = call(context, "hopguard.show", flow)
    assert lines[0] == "Request on the client leg, HTTP/2: 1 error."
    assert "Response 200 on the server leg, HTTP/2: nothing found." in lines
    assert not any("secret" in line or "private" in line for line in lines)
    flow.response = None
    assert not any("Response" in line for line in call(context, "hopguard.show", flow))


@pytest.mark.parametrize("name", ["hopguard.check", "hopguard.findings"])
@pytest.mark.parametrize(
    ("flows", "text"),
    [
        ([], "no flow is selected"),
        ([tflow.ttcpflow(), tflow.tdnsflow()], "no HTTP flow is among those selected (dns, tcp)"),
    ],
)
def test_nothing_to_do(loaded: Context, name: str, flows: Sequence[Any], text: str) -> None:
    """Is an error that says why."""
    context, _ = loaded
    with pytest.raises(exceptions.CommandError) as error:
        call(context, name, flows)
    assert str(error.value) == f"{name}: {text}"


def test_explain(loaded: Context) -> None:
    """By id, or id and variant, as typed."""
    context, _ = loaded
    lines = execute(context, "hopguard.explain te-in-response")
    assert lines[0] == "te-in-response"
    assert max(map(len, lines)) < 100
    variant = execute(context, "hopguard.explain connection-empty-value/masking")
    assert variant[0] == "connection-empty-value/masking"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("te-in-respons", "there is no rule 'te-in-respons'; did you mean 'te-in-response'?"),
        ("nonsense", "there is no rule 'nonsense'; `hopguard.rules` lists all"),
    ],
)
def test_explain_what_is_no_rule(loaded: Context, name: str, text: str) -> None:
    """The error names it."""
    context, _ = loaded
    with pytest.raises(exceptions.CommandError) as error:
        execute(context, f"hopguard.explain {name}")
    assert str(error.value) == f"hopguard.explain: {text}"


def test_rules_are_completed(loaded: Context) -> None:
    """The console asks for them."""
    context, _ = loaded
    manager = context.master.commands
    (parameter,) = manager.commands["hopguard.explain"].parameters
    kind = mitmproxy.types.CommandTypes.get(parameter.type)
    assert kind is not None
    names = kind.completion(manager, parameter.type, "")
    assert list(names) == [rule.id for rule in load_rules()]


def test_commands_have_help(loaded: Context) -> None:
    """And types that the console can complete."""
    context, _ = loaded
    ours = {
        name: command
        for name, command in context.master.commands.commands.items()
        if name.startswith("hopguard.")
    }
    assert {"hopguard.check", "hopguard.findings", "hopguard.explain", "hopguard.show"} <= set(ours)
    assert all(command.help for command in ours.values())
    assert ours["hopguard.check"].signature_help() == "hopguard.check flows"
    assert ours["hopguard.explain"].signature_help() == "hopguard.explain rule -> str[]"


@pytest.mark.parametrize(
    "pattern", ["~marked", "~comment hopguard", "~meta connection-field-in-http2"]
)
def test_filters(loaded: Context, pattern: str) -> None:
    """They choose what has findings."""
    context, _ = loaded
    bad, good = complete(CONNECTION), complete()
    call(context, "hopguard.check", [bad, good])
    chosen = flowfilter.parse(pattern)
    assert chosen(bad)
    assert not chosen(good)
