"""The addon in a mitmproxy without sockets: hooks in, findings out."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import exceptions, flow, http, tcp
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons, tflow

from hopguard.mitm.addon import Hopguard
from hopguard.mitm.rejected import REFUSED_TRANSFER_ENCODING
from tests.mitm.building import add_response, live_flow

CONNECTION = (b"connection", b"keep-alive")


@pytest.fixture
def addon() -> Iterator[Hopguard]:
    """Give an addon that is loaded, and unload it."""
    hopguard = Hopguard()
    with taddons.context(Proxyserver(), hopguard):
        yield hopguard
        hopguard.done()


def rules(judged: flow.Flow) -> list[str]:
    """Name the rules in the metadata."""
    return [record["rule"] for record in judged.metadata.get("hopguard", [])]


def test_a_request_is_judged_marked_and_commented(addon: Hopguard) -> None:
    """As soon as its head is there."""
    judged = live_flow(CONNECTION, version="HTTP/2.0")
    addon.requestheaders(judged)
    assert rules(judged) == ["connection-field-in-http2"]
    assert judged.marked == ":red_circle:"
    assert judged.comment == "hopguard: connection-field-in-http2"
    (record,) = judged.metadata["hopguard"]
    assert record["action"] == "flagged"
    assert record["flow"] == judged.id
    assert record["connection"] == judged.client_conn.id
    assert record["status"] is None


def test_a_clean_exchange_leaves_no_trace(addon: Hopguard) -> None:
    """No metadata, no marker, no comment."""
    judged = live_flow((b"Host", b"h"), (b"Connection", b"keep-alive"))
    addon.requestheaders(judged)
    addon.request(judged)
    add_response(judged, (b"Content-Length", b"0"))
    addon.responseheaders(judged)
    addon.response(judged)
    assert (judged.metadata, judged.marked, judged.comment) == ({}, "", "")


def test_a_response_is_judged_by_its_own_version(addon: Hopguard) -> None:
    """The client's version is not the server's."""
    judged = live_flow((b"Host", b"h"))
    judged.server_conn.alpn = b"h2"
    add_response(judged, CONNECTION, version="HTTP/2.0")
    addon.responseheaders(judged)
    (record,) = judged.metadata["hopguard"]
    assert (record["rule"], record["leg"]) == ("connection-field-in-http2", "server")
    assert (record["status"], record["connection"]) == (200, judged.server_conn.id)


def test_a_response_is_judged_with_its_request(addon: Hopguard) -> None:
    """Some rules need both."""
    judged = live_flow((b"Host", b"h"), (b"Connection", b"close"))
    add_response(judged, (b"Content-Length", b"0"))
    addon.responseheaders(judged)
    assert rules(judged) == ["response-missing-close-echo"]


def test_marks_and_comments_can_be_switched_off() -> None:
    """The metadata stays."""
    addon = Hopguard()
    with taddons.context(addon) as context:
        context.configure(addon, hopguard_mark=False, hopguard_comment=False)
        judged = live_flow(CONNECTION, version="HTTP/2.0")
        addon.requestheaders(judged)
        assert (judged.marked, judged.comment) == ("", "")
        assert rules(judged)
        addon.done()


def test_own_responses_are_never_judged(addon: Hopguard) -> None:
    """Those of other addons, of mitmproxy, and of a server replay."""
    judged = live_flow((b"Host", b"h"))
    judged.response = http.Response.make(502, b"", {"Proxy-Connection": "close"})
    addon.responseheaders(judged)
    judged.error = flow.Error("x")
    addon.error(judged)
    assert rules(judged) == []
    add_response(judged, (b"Proxy-Connection", b"close"))
    judged.is_replay = "response"
    addon.responseheaders(judged)
    addon.response(judged)
    addon.error(judged)
    assert rules(judged) == []


def test_an_own_response_is_not_judged_at_its_end_either(addon: Hopguard) -> None:
    """By then it looks like a server's."""
    judged = live_flow((b"Host", b"h"))
    judged.response = http.Response.make(200, b"x", {"Connection": "x-odd"})
    addon.responseheaders(judged)
    addon.response(judged)
    assert rules(judged) == []


@pytest.mark.parametrize(
    ("method", "status", "found"),
    [("GET", 200, ["trailer-announcement-mismatch"]), ("HEAD", 200, []), ("GET", 304, [])],
)
def test_an_end_without_trailers_is_an_end(
    addon: Hopguard, method: str, status: int, found: list[str]
) -> None:
    """What was announced and never sent is known then, if there was a message to be sent."""
    judged = live_flow(version="HTTP/2.0", method=method)
    add_response(judged, (b"trailer", b"checksum"), status=status)
    addon.responseheaders(judged)
    assert rules(judged) == []
    addon.response(judged)
    assert rules(judged) == found


def test_an_option_waits_for_the_end_of_a_chunked_message(addon: Hopguard) -> None:
    """The field that it nominates may come as a trailer."""
    judged = live_flow(
        (b"Host", b"h"), (b"Connection", b"x-odd"), (b"Transfer-Encoding", b"chunked")
    )
    addon.requestheaders(judged)
    assert rules(judged) == []
    addon.request(judged)
    assert rules(judged) == ["connection-option-unrecognised"]


def test_replayed_requests_are_never_judged(addon: Hopguard) -> None:
    """They are mitmproxy's, not a client's; what the server answers counts."""
    judged = live_flow((b"Proxy-Connection", b"close"))
    judged.is_replay = "request"
    addon.requestheaders(judged)
    judged.request.trailers = http.Headers([(b"close", b"1")])
    addon.request(judged)
    assert rules(judged) == []
    add_response(judged, (b"Proxy-Connection", b"close"), (b"Content-Length", b"0"))
    addon.responseheaders(judged)
    assert rules(judged) == ["proxy-connection-field"]


def test_a_refused_request_says_so(addon: Hopguard) -> None:
    """mitmproxy has set an error before the hook."""
    judged = live_flow((b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"1"))
    judged.error = flow.Error("refused")
    addon.requestheaders(judged)
    assert {record["action"] for record in judged.metadata["hopguard"]} == {"refused"}


def test_a_refused_response_is_seen_in_the_error_hook_only(addon: Hopguard) -> None:
    """What `responseheaders` has reported is not reported again."""
    fields = (b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"1")
    judged = live_flow((b"Host", b"h"))
    add_response(judged, *fields)
    addon.error(judged)
    found = judged.metadata["hopguard"]
    assert {record["action"] for record in found} == {"refused"}
    addon.error(judged)
    assert judged.metadata["hopguard"] == found
    addon.error(live_flow())


def test_trailers(addon: Hopguard) -> None:
    """Both sections, each when it is there."""
    judged = live_flow(version="HTTP/2.0")
    addon.requestheaders(judged)
    judged.request.trailers = http.Headers([CONNECTION])
    addon.request(judged)
    response = add_response(judged)
    response.trailers = http.Headers([CONNECTION])
    addon.response(judged)
    parts = [record["part"] for record in judged.metadata["hopguard"]]
    assert parts == ["request-trailers", "response-trailers"]


def test_transfer_encoding_in_trailers_goes_no_further(addon: Hopguard) -> None:
    """Not to the server, and not to the client."""
    judged = live_flow(version="HTTP/2.0")
    addon.requestheaders(judged)
    judged.request.trailers = http.Headers([(b"transfer-encoding", b"chunked")])
    addon.request(judged)
    assert judged.response is not None
    assert judged.response.status_code == 400
    add_response(judged).trailers = http.Headers([(b"transfer-encoding", b"chunked")])
    addon.response(judged)
    assert judged.response.status_code == 502
    assert judged.response.trailers is None
    assert {record["action"] for record in judged.metadata["hopguard"]} == {"refused"}


def test_a_response_on_its_way_is_ended(addon: Hopguard) -> None:
    """Its trailers can only be kept back by a reset."""
    judged = live_flow(version="HTTP/2.0")
    response = add_response(judged)
    response.stream = True
    response.trailers = http.Headers([(b"transfer-encoding", b"chunked")])
    addon.response(judged)
    assert judged.error is not None
    assert judged.error.msg == flow.Error.KILLED_MESSAGE


def test_validation_that_the_user_switched_off_stays_off() -> None:
    """Then nothing is refused."""
    addon = Hopguard()
    with taddons.context(Proxyserver(), addon) as context:
        context.options.update(validate_inbound_headers=False)
        judged = live_flow(version="HTTP/2.0")
        addon.requestheaders(judged)
        judged.request.trailers = http.Headers([(b"transfer-encoding", b"chunked")])
        addon.request(judged)
        assert judged.response is None
        assert [record["action"] for record in judged.metadata["hopguard"]] == ["flagged"]
        addon.done()


def test_transfer_encoding_of_a_response_is_refused_alone(addon: Hopguard) -> None:
    """It arrives under another name, is reported under its own, and a 502 goes out."""
    judged = live_flow(version="HTTP/2.0")
    add_response(judged, (REFUSED_TRANSFER_ENCODING, b"chunked"), (b"x", b"1"))
    addon.responseheaders(judged)
    (record,) = judged.metadata["hopguard"]
    assert (record["field"], record["value"]) == ("transfer-encoding", "chunked")
    assert (record["action"], record["line"], record["status"]) == ("refused", 0, 200)
    assert judged.response is not None
    assert judged.response.status_code == 502
    assert callable(judged.response.stream)
    (body,) = judged.response.stream(b"octets of the server")
    assert body == b"The server sent Transfer-Encoding on HTTP/2, which has its own framing.\n"
    assert judged.response.stream(b"more octets") == []


def test_a_refused_response_without_content_gets_its_body_at_the_end(addon: Hopguard) -> None:
    """Nothing was streamed, so the body is put in place."""
    judged = live_flow(version="HTTP/2.0")
    add_response(judged, (REFUSED_TRANSFER_ENCODING, b"chunked"))
    addon.responseheaders(judged)
    assert judged.response is not None
    judged.response.data.content = b""
    addon.response(judged)
    assert judged.response.content
    assert b"Transfer-Encoding" in judged.response.content


def test_tunnels_are_remembered_and_forgotten(addon: Hopguard) -> None:
    """After CONNECT a request is addressed to the server beyond."""
    connect = live_flow((b"Host", b"h"), method="CONNECT", mode="regular")
    addon.http_connect(connect)
    addon.http_connected(connect)
    inner = live_flow((b"Host", b"h"), (b"Proxy-Connection", b"close"), mode="regular")
    inner.client_conn = connect.client_conn
    addon.requestheaders(inner)
    assert inner.metadata["hopguard"][0]["variant"] == "beyond-proxy"
    addon.client_disconnected(connect.client_conn)
    after = live_flow((b"Host", b"h"), (b"Proxy-Connection", b"close"), mode="regular")
    after.client_conn = connect.client_conn
    addon.requestheaders(after)
    assert after.metadata["hopguard"][0]["variant"] == "to-proxy"


def test_http_after_a_switch_is_seen(addon: Hopguard) -> None:
    """Once, at the exchange that switched; and forgotten with the connection."""
    fields = (b"Host", b"h"), (b"Connection", b"Upgrade"), (b"Upgrade", b"foo")
    judged = live_flow(*fields)
    add_response(judged, *fields[1:], status=101)
    addon.responseheaders(judged)
    before = rules(judged)
    after = tflow.ttcpflow()
    after.client_conn = judged.client_conn
    for content in (b"frames of foo", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n"):
        after.messages.append(tcp.TCPMessage(True, content))
        addon.tcp_message(after)
    assert rules(judged) == [*before, "http-after-protocol-switch"]
    addon.client_disconnected(judged.client_conn)
    judged.metadata.clear()
    addon.tcp_message(after)
    assert rules(judged) == []


def test_proxy_credentials_that_mitmproxy_passes_on(addon: Hopguard) -> None:
    """They were meant for it. An upstream proxy may get them; authentication removes them."""
    field = (b"Proxy-Authorization", b"Basic dTpw")
    judged = live_flow((b"Host", b"h"), field, mode="regular")
    addon.requestheaders(judged)
    assert rules(judged) == []
    addon.request(judged)
    (record,) = judged.metadata["hopguard"]
    assert record["rule"] == "proxy-authorization-beyond-proxy"
    assert (record["sender"], record["leg"], record["value"]) == ("proxy", "server", "[redacted]")
    to_upstream = live_flow((b"Host", b"h"), field, mode="upstream:http://p.example")
    to_upstream.server_conn.via = ("http", ("p.example", 3128))
    authenticated = live_flow((b"Host", b"h"), mode="regular")
    for other in (to_upstream, authenticated):
        addon.requestheaders(other)
        addon.request(other)
        assert rules(other) == []


def test_a_saved_flow_is_judged_anew(addon: Hopguard) -> None:
    """What an earlier run wrote on it does not pile up."""
    judged = live_flow((b"Host", b"h"), CONNECTION, version="HTTP/2.0")
    addon.requestheaders(judged)
    judged.live = False
    addon.requestheaders(judged)
    assert rules(judged) == ["connection-field-in-http2"]
    assert judged.comment == "hopguard: connection-field-in-http2"
    saved = tflow.tflow()
    saved.live = False
    add_response(saved, (b"Proxy-Connection", b"close"))
    addon.responseheaders(saved)
    assert "proxy-connection-field" in rules(saved)


def test_a_refusal_in_mitmproxys_log_becomes_a_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rule, field, client address; no flow."""
    addon, path = Hopguard(), tmp_path / "v.jsonl"
    with taddons.context(addon) as context, caplog.at_level(logging.INFO):
        context.configure(addon, hopguard_log=str(path))
        for address, said in [
            ("192.0.2.1:5", "Connection-specific header field present: b'connection'."),
            ("192.0.2.9:443", "Invalid value for TE header: b'gzip'"),
        ]:
            logging.getLogger("mitmproxy.proxy.server").info(
                f"{address}: HTTP/2 protocol error: {said}", extra={"client": ("192.0.2.1", 5)}
            )
        addon.done()
    one, two = [json.loads(line) for line in path.read_text().splitlines()]
    assert one["rule"] == "connection-field-in-http2"
    assert (one["field"], one["value"], one["line"], one["flow"]) == (
        "connection",
        None,
        None,
        None,
    )
    assert (one["leg"], one["client"], one["server"]) == ("client", "192.0.2.1:5", None)
    assert one["action"] == "refused"
    assert two["rule"] == "te-not-trailers-in-http2-or-http3"
    assert (two["value"], two["leg"], two["server"]) == ("gzip", "server", "192.0.2.9:443")


def test_what_is_found_is_told_by_severity(caplog: pytest.LogCaptureFixture) -> None:
    """Errors and warnings as warnings, infos as infos, and a table at the end."""
    addon = Hopguard()
    with taddons.context(addon), caplog.at_level(logging.INFO):
        addon.requestheaders(live_flow(CONNECTION, version="HTTP/2.0"))
        addon.requestheaders(live_flow((b"Host", b"h"), (b"Connection", b"x-odd")))
        addon.done()
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == ["WARNING", "INFO", "INFO"]
    assert told[0][1].startswith(
        "hopguard: error connection-field-in-http2: connection: keep-alive"
    )
    assert "connection-field-in-http2" in told[2][1]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("hopguard_profile", ["noize"], "did you mean 'noise'"),
        ("hopguard_profile", ["xxx"], "there are default, rfc9110"),
        ("hopguard_redact", ["a b"], "'a b' is not a field name"),
        ("hopguard_log", "/proc/nowhere/v.jsonl", "cannot write '/proc/nowhere/v.jsonl'"),
        ("hopguard_log", "/", "is a folder"),
        ("hopguard_fail_on", "warn", "'warn' is none of never, error, warning, info"),
    ],
)
def test_wrong_values_are_refused(option: str, value: object, said: str) -> None:
    """The error names the value and what is allowed."""
    addon = Hopguard()
    with taddons.context(addon) as context:
        with pytest.raises(exceptions.OptionsError, match=said):
            context.configure(addon, **{option: value})
        addon.done()


def test_options_take_effect_while_running(tmp_path: Path) -> None:
    """Another log, other profiles, other secrets."""
    addon = Hopguard()
    paths = [tmp_path / "1.jsonl", tmp_path / "2.jsonl"]
    odd = ((b"Host", b"h"), (b"Connection", b"x-odd"))
    with taddons.context(addon) as context:
        for path in paths:
            context.configure(addon, hopguard_log=str(path))
            addon.requestheaders(live_flow(*odd))
        context.configure(addon, hopguard_redact=["connection"], hopguard_profile=["default"])
        addon.requestheaders(live_flow(*odd))
        context.configure(addon, hopguard_profile=["rfc2616"])
        addon.requestheaders(live_flow(*odd))
        context.configure(addon, hopguard_log="")
        addon.done()
    assert [len(path.read_text().splitlines()) for path in paths] == [1, 2]
    assert "x-odd" not in paths[1].read_text().splitlines()[1]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("hopguard_mark=abc", "'abc' is neither true nor false"),
        ("hopguard_lgo=x", "there is no such option; did you mean 'hopguard_log'?"),
        ("hopguard_qqqqqqqqqqqqqqqqqqqqqq", "no such option"),
    ],
)
def test_settings_that_mitmproxy_would_swallow(
    setting: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """They are errors, and mitmproxy ends at start."""
    addon = Hopguard()
    with taddons.context() as context, caplog.at_level(logging.ERROR):
        context.options.set(setting, defer=True)
        context.master.addons.add(addon)
        addon.done()
    assert [record.getMessage() for record in caplog.records] == [
        f"{setting.partition('=')[0]}: {said}"
    ]


def test_settings_that_are_right(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """And those of other scripts, which are no business of ours."""
    addon = Hopguard()
    with taddons.context() as context, caplog.at_level(logging.ERROR):
        context.options.set(
            "hopguard_mark=false",
            f"hopguard_log={tmp_path / 'v'}",
            "hopguard_profile=rfc9110",
            "hopguard_profile=noise",
            "others=1",
            defer=True,
        )
        context.options.set("hopguard_log_query", defer=True)
        context.options.update_defer(hopguard_comment=False)
        context.master.addons.add(addon)
        assert context.options.hopguard_mark is False
        assert context.options.hopguard_log_query is True
        assert context.options.hopguard_profile == ["rfc9110", "noise"]
        addon.done()
    assert caplog.records == []


def test_a_setting_given_twice(caplog: pytest.LogCaptureFixture) -> None:
    """mitmproxy would stop loading scripts without a word."""
    addon = Hopguard()
    with taddons.context() as context, caplog.at_level(logging.ERROR):
        context.options.set("hopguard_log=a", "hopguard_log=b", defer=True)
        context.master.addons.add(addon)
        addon.done()
    assert "is set to 'a' and to 'b'" in caplog.text
