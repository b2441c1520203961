"""The policy in mitmproxy: its options, what is kept of an edited message, and hopguard.fix."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from mitmproxy import exceptions, http
from mitmproxy import flow as mitmflow
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.io import tnetstring
from mitmproxy.test import taddons, tutils

from hopguard import restoring
from hopguard.mitm import contentview, received
from hopguard.mitm.addon import Hopguard
from hopguard.mitm.filters import compile_filter
from hopguard.record import Redaction
from hopguard.repairing import Repairer
from tests.mitm.building import add_response, live_flow

CONNECTION = (b"connection", b"keep-alive")
HOST = (b"host", b"h")

Loaded = tuple[taddons.context, Hopguard]


@pytest.fixture
def loaded() -> Iterator[Loaded]:
    """Give an addon that is loaded, and unload it."""
    addon = Hopguard()
    with taddons.context(Proxyserver(), addon) as context:
        yield context, addon
        addon.done()


def request(*fields: tuple[bytes, bytes], version: str = "HTTP/2.0", **more: Any) -> http.HTTPFlow:
    flow = live_flow(HOST, *fields, version=version, mode="reverse:https://origin.example", **more)
    flow.request.scheme = "https"
    return flow


def records(flow: mitmflow.Flow) -> list[tuple[str, str | None]]:
    """List what was done, and which line decided."""
    return [(one["action"], one["policy"]) for one in flow.metadata.get("hopguard", [])]


def judge(loaded: Loaded, flow: http.HTTPFlow, **options: object) -> http.HTTPFlow:
    context, addon = loaded
    context.configure(addon, **options)
    addon.requestheaders(flow)
    return flow


def test_off_leaves_nothing(loaded: Loaded, caplog: pytest.LogCaptureFixture) -> None:
    """No mark, no comment, no record, no line, no exit status."""
    flow = judge(loaded, request(CONNECTION), hopguard_action="off", hopguard_fail_on="info")
    assert (flow.metadata, flow.comment, flow.marked) == ({}, "", "")
    assert not [text for text in caplog.messages if "connection-field-in-http2" in text]
    assert not loaded[1]._reporter.verdict.failed


def test_fixed_and_blocked_count_for_the_exit_status(loaded: Loaded) -> None:
    judge(loaded, request(CONNECTION), hopguard_action="fix", hopguard_fail_on="error")
    assert loaded[1]._reporter.verdict.failed


def test_the_line_of_the_event_log(loaded: Loaded, caplog: pytest.LogCaptureFixture) -> None:
    judge(loaded, request(CONNECTION), hopguard_action="fix")
    judge(loaded, request(CONNECTION), hopguard_action="block")
    told = [text for text in caplog.messages if "connection-field-in-http2" in text]
    assert ["HTTP/2, fixed]" in told[0], "HTTP/2, blocked]" in told[1]] == [True, True]


def test_a_policy_can_be_changed(loaded: Loaded) -> None:
    """A wrong change is refused, and what was set before stays."""
    context, addon = loaded
    lines = ["/~d example/all/off", "/error/fix"]
    context.configure(addon, hopguard_policy=lines)
    for wrong in (["/error/fix", "/error/fit"], ["/~u (/error/fix"]):
        with pytest.raises(exceptions.OptionsError, match=r"hopguard_policy: line \d, '/"):
            context.options.update(hopguard_policy=wrong)
        assert context.options.hopguard_policy == lines
        assert records(judge(loaded, request(CONNECTION))) == [("fixed", "/error/fix")]
    with pytest.raises(exceptions.OptionsError, match="hopguard_action: there is no action 'fux'"):
        context.options.update(hopguard_action="fux")
    with pytest.raises(exceptions.OptionsError, match="hopguard_forwarding: 'proper' is none of"):
        context.options.update(hopguard_forwarding="proper")
    context.configure(addon, hopguard_policy=[], hopguard_action="block")
    assert records(judge(loaded, request(CONNECTION))) == [("blocked", None)]


def test_filters_of_mitmproxy(loaded: Loaded) -> None:
    """A line decides for the flows that match."""
    lines = ["|~m POST & ~u /path|all|off", "|~hq x-test|error|block"]
    assert records(judge(loaded, request(CONNECTION), hopguard_policy=lines)) == [("flagged", None)]
    assert records(judge(loaded, request(CONNECTION, method="POST"))) == []
    marked = judge(loaded, request(CONNECTION, (b"x-test", b"1")))
    assert records(marked) == [("blocked", lines[1])]


def test_a_filter_that_fails_does_not_match(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: mitmflow.Flow) -> bool:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("mitmproxy.flowfilter.parse", lambda _: crash)
    assert not compile_filter("~u x")(request())
    assert "the flow filter '~u x' failed" in caplog.text


@pytest.mark.parametrize("how", ["saved", "replayed", "killed", "answered"])
def test_what_is_not_on_its_way_is_not_touched(loaded: Loaded, how: str) -> None:
    flow = request((b"connection", b"a,,b"), version="HTTP/1.1")
    if how == "saved":
        flow.live = False
    elif how == "replayed":
        flow.is_replay = "request"
    elif how == "killed":
        flow.kill()
    else:
        flow.response = http.Response.make(407)
    for action in ("fix", "block"):
        judge(loaded, flow, hopguard_action=action, hopguard_forwarding="conforming")
        assert flow.request.headers.fields == (HOST, (b"connection", b"a,,b"))
        assert {one[0] for one in records(flow)} <= {"flagged", "refused"}


def test_a_response_to_a_replay_is_not_touched(loaded: Loaded) -> None:
    flow = request(version="HTTP/1.1")
    flow.is_replay = "request"
    judge(loaded, flow, hopguard_action="block", hopguard_forwarding="conforming")
    response = add_response(flow, (b"keep-alive", b"timeout=5"))
    loaded[1].responseheaders(flow)
    loaded[1].response(flow)
    assert flow.response is response
    assert set(records(flow)) == {("flagged", None)}


def test_what_was_received_is_kept(loaded: Loaded) -> None:
    """It can be saved, and judged again: nothing is found that is ours, nothing is lost."""
    context, addon = loaded
    flow = judge(loaded, request(CONNECTION, (b"te", b"trailers")), hopguard_action="fix")
    assert flow.request.headers.fields == (HOST, (b"te", b"trailers"))
    saved = mitmflow.Flow.from_state(tnetstring.loads(tnetstring.dumps(flow.get_state())))
    assert isinstance(saved, http.HTTPFlow)
    saved.live = False
    addon.requestheaders(saved)
    assert [(one["rule"], one["line"]) for one in saved.metadata["hopguard"]] == [
        ("connection-field-in-http2", 1)
    ]
    context.master.commands.call("hopguard.check", [flow])
    assert records(flow) == [("fixed", None)]


def test_a_change_that_is_taken_back_leaves_nothing(loaded: Loaded) -> None:
    """Such as the framing of content that did not come."""
    flow = live_flow(HOST, version="HTTP/2.0")
    loaded[1].requestheaders(flow)
    assert "transfer-encoding" in flow.request.headers
    flow.request.raw_content, flow.request.timestamp_end = b"", 1.0
    loaded[1].request(flow)
    assert (flow.request.headers.fields, flow.metadata) == ((HOST,), {})


def test_somebody_else_edits_after_us() -> None:
    """Then it is what it is now, without what is ours."""
    flow = request(CONNECTION)
    received.remember(flow, "request", (HOST, (b"x", b"1")), Redaction())
    flow.request.headers["y"] = "2"
    now = tuple(flow.request.headers.fields)
    assert received.received(flow, "request", now) == (HOST, (b"y", b"2"))


def test_a_secret_that_ends_here_is_not_kept() -> None:
    line = (b"Proxy-Authorization", b"Basic hunter2")
    flow = request(line)
    received.remember(flow, "request", (HOST,), Redaction())
    assert "hunter2" not in repr(flow.metadata)
    assert received.received(flow, "request", (HOST,))[1][0] == line[0]


@pytest.mark.parametrize(
    "held",
    [7, {}, {"request": 7}, {"request": {"received": [], "sent": [["a"]]}},
     {"request": {"received": [["a", "b"]], "sent": []}}, {"request": {"sent": []}}],
)  # fmt: skip
def test_anything_under_our_key(loaded: Loaded, held: object) -> None:
    """A saved flow may hold what nobody has written."""
    flow = request(CONNECTION)
    flow.metadata[restoring.KEY] = held
    flow.live = False
    assert records(judge(loaded, flow)) == [("flagged", None)]


def test_a_repair_that_crashes_leaves_the_message(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("hunter2")

    loaded[0].configure(loaded[1], hopguard_action="fix")
    monkeypatch.setattr(Repairer, "repair", crash)
    flow = judge(loaded, request(CONNECTION))
    assert CONNECTION in flow.request.headers.fields
    assert records(flow) == [("flagged", None)]


def complete(*fields: tuple[bytes, bytes]) -> http.HTTPFlow:
    flow = request(*fields)
    flow.request.raw_content, flow.request.timestamp_end = b"", 1.0
    response = add_response(flow, (b"keep-alive", b"timeout=5"))
    response.raw_content, response.timestamp_end = b"", 2.0
    response.trailers = http.Headers(((b"te", b"x"), (b"x-sum", b"7")))
    flow.live = False
    return flow


def test_the_command_fix(loaded: Loaded, caplog: pytest.LogCaptureFixture) -> None:
    """It is a person's edit: nothing stands against it, and it can be reverted."""
    context, addon = loaded
    caplog.set_level("INFO")
    flow, other = complete(CONNECTION), complete()
    context.configure(addon, hopguard_action="flag", hopguard_policy=["/error/block"])
    context.master.commands.call("hopguard.check", [flow])
    context.master.commands.call("hopguard.fix", [flow, other])
    assert caplog.messages[-1] == "hopguard: 5 findings fixed in 2 of 2 flows"
    assert flow.response is not None
    assert flow.request.headers.fields == (HOST,)
    assert flow.response.headers.fields == ()
    assert flow.response.trailers == http.Headers(((b"x-sum", b"7"),))
    assert records(flow).count(("fixed", None)) == 3
    edits = [one["edits"] for one in flow.metadata["hopguard"] if one["part"] == "request"]
    assert edits == [["removed connection: keep-alive"]]
    flow.revert()
    assert CONNECTION in flow.request.headers.fields
    assert ("fixed", None) not in records(flow)


def test_the_command_fix_after_an_edit_of_ours(loaded: Loaded) -> None:
    """What was received is repaired, not what we have made of it."""
    flow = judge(loaded, request(CONNECTION), hopguard_action="flag")
    received.remember(flow, "request", (HOST, (b"Connection", b"close")), Redaction())
    flow.live = False
    loaded[0].master.commands.call("hopguard.fix", [flow])
    assert flow.request.headers.fields == (HOST,)
    assert records(flow) == [("fixed", None)]
    loaded[0].master.commands.call("hopguard.check", [flow])
    assert records(flow) == [("fixed", None)]


def test_the_command_fix_leaves_what_is_off(loaded: Loaded) -> None:
    loaded[0].configure(loaded[1], hopguard_policy=["/http2-and-http3/off"])
    flow = complete(CONNECTION)
    loaded[0].master.commands.call("hopguard.fix", [flow])
    assert CONNECTION in flow.request.headers.fields


def test_explain_says_which_line_decides(loaded: Loaded) -> None:
    context, addon = loaded
    context.configure(addon, hopguard_policy=["/~d a.example/error/fix"])
    lines: Sequence[str] = context.master.commands.execute(
        "hopguard.explain connection-field-in-http2"
    )
    text = " ".join(" ".join(lines).split())
    assert (
        "Action fix for flows that match ~d a.example, by the line /~d a.example/error/fix" in text
    )
    assert "flag, by hopguard_action" in text


def test_the_view_shows_before_and_after(loaded: Loaded) -> None:
    flow = judge(loaded, request(CONNECTION, (b"te", b"gzip")), hopguard_action="fix")
    shown = contentview.show(flow, flow.request, Redaction())
    assert "connection: keep-alive" in shown
    assert "Sent by the client; fixed." in shown
    assert "Sent on with changes:\n- removed connection: keep-alive\n- removed te: gzip" in shown


def test_findings_without_a_flow_follow_the_policy(loaded: Loaded) -> None:
    """Lines that have a filter do not count: there is nothing to match."""
    context, addon = loaded
    context.configure(addon, hopguard_policy=["/http2-and-http3/off", "/~all/all/block"])
    addon._report_unseen(b"connection", b"close", True, "192.0.2.1:1", "192.0.2.1:1")
    assert not addon._reporter._tally.table()
    context.configure(addon, hopguard_policy=["/http2-and-http3/fix"])
    addon._report_unseen(b"connection", b"close", True, "192.0.2.1:1", "192.0.2.1:1")
    assert "connection-field-in-http2" in addon._reporter._tally.table()


def test_a_refused_connect_is_closed(loaded: Loaded) -> None:
    """By mitmproxy itself: with a policy that repairs, or as a conforming intermediary."""
    context, addon = loaded
    said = []
    choices: list[dict[str, object]] = [
        {},
        {"hopguard_forwarding": "conforming"},
        {"hopguard_forwarding": "transparent", "hopguard_action": "fix"},
        {"hopguard_action": "flag", "hopguard_policy": ["/lifecycle/block"]},
    ]
    for options in choices:
        context.configure(addon, **options)
        flow = live_flow(HOST, mode="regular", method="CONNECT")
        flow.response = tutils.tresp(status_code=407, headers=http.Headers())
        addon.http_connect_error(flow)
        said.append(flow.response.headers.get("connection"))
    assert said == [None, "close", "close", "close"]
