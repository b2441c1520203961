"""Plain exchanges are counted when they are over, and nobody can tell."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy import ctx, http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import ConnectionState
from mitmproxy.test import taddons

from hopguard.checker import Checker
from hopguard.events import Key
from hopguard.flowerrors import CLIENT_GONE, LOST
from hopguard.message import Request
from hopguard.mitm import rejected
from hopguard.mitm.addon import Hopguard
from hopguard.mitm.passing import PassingExchanges
from hopguard.mitm.ways import Way
from tests.mitm.building import add_response, live_flow
from tests.mitm.test_connections import LENGTH, Driver
from tests.records import read_log

CLOSE = (b"Connection", b"close")
KEEP_ALIVE = (b"Connection", b"keep-alive")
USER_AGENT = (b"User-Agent", b"curl/8")
PROXY_CONNECTION = (b"Proxy-Connection", b"keep-alive")

CHECKER = Checker()
"""For all addons here: what is remembered of messages is part of what is tested."""


@contextmanager
def driving(folder: Path, **options: Any) -> Iterator[Driver]:
    """Give an addon that writes a log into `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hopguard.mitm.addon.Checker", lambda *_: CHECKER)
        patch.setattr("mitmproxy.log.LegacyLogEvents.emit", lambda *_: None)
        addon = Hopguard()
        with taddons.context(Proxyserver(), addon) as context:
            context.configure(addon, hopguard_log=str(folder / "log"), **options)
            yield Driver(addon, folder / "log")
            addon.done()


def edit_request(driver: Driver, flow: http.HTTPFlow) -> None:
    """Have another addon edit the request."""
    flow.request.headers["X-Edited"] = "1"


def edit_response(driver: Driver, flow: http.HTTPFlow) -> None:
    """Have another addon edit the response."""
    if flow.response is not None:
        flow.response.headers["X-Edited"] = "1"


def close_in_response(driver: Driver, flow: http.HTTPFlow) -> None:
    """Have another addon announce the end of the connection."""
    if flow.response is not None:
        flow.response.headers["Connection"] = "close"


def look(driver: Driver, flow: http.HTTPFlow) -> None:
    """Look at the connections, as people do."""
    for identity in (flow.client_conn.id, flow.server_conn.id):
        driver.addon._connections.history(identity)


def leave_alone(driver: Driver, flow: http.HTTPFlow) -> None:
    """Do nothing."""


def close_in_request(driver: Driver, flow: http.HTTPFlow) -> None:
    """Have another addon say so to the server."""
    flow.request.headers["Connection"] = "close"


OTHERS = ["fails", "look"]
EDITS = [close_in_response, close_in_request]
Lines = tuple[tuple[bytes, bytes], ...]
Between = Callable[[Driver, http.HTTPFlow], None]
BETWEEN = st.sampled_from([leave_alone] * 4 + [edit_request, edit_response, *EDITS * 2, look])
ASKED: st.SearchStrategy[Lines] = st.sampled_from(
    [(), (), (KEEP_ALIVE,), (USER_AGENT,), (KEEP_ALIVE, USER_AGENT), (CLOSE,), (PROXY_CONNECTION,)]
)
ANSWERED: st.SearchStrategy[Lines] = st.sampled_from(
    [
        *[(), (), (KEEP_ALIVE,), (CLOSE,), (PROXY_CONNECTION,), ((b"Keep-Alive", b"timeout=5"),)],
        *[((b"Server", b"nginx"),), ((b"Server", b"other"), KEEP_ALIVE), ((b"Via", b"1.1 x"),)],
    ]
)
OPTIONS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        *[{}, {}, {"hopguard_action": "fix"}],
        {"hopguard_policy": ["/~s/proxy-connection-field/off"]},
    ]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("exchange"), ASKED, ANSWERED, BETWEEN, BETWEEN),
        st.tuples(st.sampled_from(["post", "head", "lost", "gone", "answered by another addon"])),
        st.tuples(st.sampled_from(["server closes", "client closes"])),
        st.tuples(st.just("wait"), st.sampled_from([0.01, 0.5, 5.0])),
    ),
    max_size=12,
)


def play(driver: Driver, steps: list[tuple[Any, ...]]) -> Iterator[object]:
    """Take steps, after two plain ones; say what is known of the connections."""
    plain = ("exchange", (), (), leave_alone, leave_alone)
    for what, *how in (plain, plain, *steps):
        if what == "wait":
            driver.now += how[0]
        elif what in ("server closes", "client closes"):
            close(driver, what)
        else:
            asked = how[0] if how else ()
            method = what.upper() if what in ("post", "head") else "GET"
            flow = driver.flow(*asked, method=method)
            flow.id = f"flow {len(driver.kept)}"
            flow.client_conn.id = "c"
            flow.server_conn.id = f"s{flow.server_conn.timestamp_tcp_setup}"
            if what != "exchange":
                ask(driver, flow, what)
            else:
                exchange(driver, flow, *how[1:])
                yield how[-1] is look and driver.addon._connections.history("c")


def close(driver: Driver, what: str) -> None:
    """Close the connection to the server, and perhaps the client's."""
    if not driver.kept:
        return
    driver.server_closes()
    if what == "client closes":
        driver.client_closes()
        driver.kept.clear()
    else:
        driver.kept[-1].server_conn = live_flow().server_conn
        driver.kept[-1].server_conn.timestamp_tcp_setup = driver.now


def ask(driver: Driver, flow: http.HTTPFlow, what: str) -> None:
    """Send a request that ends in one way or the other."""
    driver.ask(flow)
    if what in ("post", "head"):
        driver.answer(flow)
    elif what == "answered by another addon":
        flow.response = http.Response.make(200, b"", [LENGTH])
        flow.response.timestamp_start = flow.response.timestamp_end = driver.now
        driver.addon.responseheaders(flow)
        driver.addon.response(flow)
    else:
        driver.fail(flow, LOST if what == "lost" else CLIENT_GONE)


def exchange(
    driver: Driver, flow: http.HTTPFlow, answered: Lines, after_asking: Between, after: Between
) -> None:
    """Make an exchange; something else happens after the request, and after the response begins."""

    def then(hook: Callable[[http.HTTPFlow], None], act: Between) -> Callable[..., None]:
        def both(flow: http.HTTPFlow) -> None:
            hook(flow)
            act(driver, flow)

        return both

    addon = driver.addon
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(addon, "responseheaders", then(addon.responseheaders, after))
        driver.ask(flow)
        after_asking(driver, flow)
        driver.answer(flow, *answered)


def known(driver: Driver) -> list[object]:
    """Return what is found, what is known of connections, and what is shown of flows."""
    found = [
        {key: value for key, value in record.items() if key != "time"}
        for record in read_log(driver.log)
    ]
    lifecycle = driver.addon._connections.lifecycle
    open_ = sorted(lifecycle.connections(), key=lambda connection: connection.key)
    shown = [
        (flow.marked, flow.comment, len(flow.metadata), flow.response and flow.response.status_code)
        for flow in driver.kept
    ]
    closed = list(driver.addon._connections._closed.items())
    return [found, open_, closed, lifecycle.servers(), shown]


def assert_nobody_can_tell(
    play: Callable[[Driver], Iterator[object]], options: dict[str, Any]
) -> None:
    """Play twice, once with everything told at once."""
    now, results = time.time(), []
    for puts_off in (True, False):
        with (
            pytest.MonkeyPatch.context() as patch,
            TemporaryDirectory() as folder,
            driving(Path(folder), **options) as driver,
        ):
            driver.now = driver.began = now
            driver.addon._connections._since = now - 1
            if not puts_off:
                patch.setattr(PassingExchanges, "begin", lambda *_: False)
            results.append([*play(driver), *known(driver)])
    assert results[0] == results[1]


@settings(max_examples=250, deadline=None)
@given(STEPS, OPTIONS)
def test_counting_changes_nothing(steps: list[tuple[Any, ...]], options: dict[str, Any]) -> None:
    """Whatever comes between, whoever edits, and whenever somebody looks."""
    assert_nobody_can_tell(lambda driver: play(driver, steps), options)


@pytest.fixture
def driver(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Driver]:
    """Give an addon, in a process that logs all, as mitmproxy does."""
    caplog.set_level(logging.DEBUG)
    with driving(tmp_path) as made:
        yield made


def test_plain_exchanges_are_not_told(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the property above would say nothing. The first teaches who the server is."""
    driver.exchange()
    connections = driver.addon._connections
    monkeypatch.setattr(connections, "_feed", lambda *_: 1 / 0)
    for _ in range(3):
        driver.now += 1
        flow = driver.exchange()
    assert not connections.passing._known
    client, server = (connections.history(one.id) for one in (flow.client_conn, flow.server_conn))
    assert client is not None
    assert server is not None
    assert (client.number, client.answered, client.response_ended) == (4, 4, driver.now)
    assert (server.number, server.answered, server.idle_before) == (4, 4, 1.0)
    assert connections._latest[Key("client", flow.client_conn.id)].flow is flow


def test_what_passes_is_not_judged(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing would be gained. What is like a message before it passes sooner."""
    for _ in range(3):
        driver.exchange(asked=USER_AGENT)
    monkeypatch.setattr(CHECKER, "judge_request", lambda *_: 1 / 0)
    monkeypatch.setattr(CHECKER, "judge_answer", lambda *_: 1 / 0)
    for value in (b"curl/8", b"other"):
        flow = driver.exchange(asked=(b"User-Agent", value))
    history = driver.addon._connections.history(flow.client_conn.id)
    assert history is not None
    assert (history.number, history.answered) == (5, 5)


def test_what_is_known_is_reported(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being judged again, at the same place; elsewhere it is judged."""
    for _ in range(8):
        driver.exchange(PROXY_CONNECTION, asked=PROXY_CONNECTION)
    with monkeypatch.context() as patch:
        patch.setattr(CHECKER, "judge_request", lambda *_: 1 / 0)
        patch.setattr(CHECKER, "judge_answer", lambda *_: 1 / 0)
        flows = [driver.exchange(PROXY_CONNECTION, asked=PROXY_CONNECTION) for _ in range(3)]
    flow = driver.flow((b"X-Other", b"1"), PROXY_CONNECTION)
    driver.ask(flow)
    driver.answer(flow, USER_AGENT, PROXY_CONNECTION)
    assert [[one["line"] for one in flow.metadata["hopguard"]] for flow in (*flows, flow)] == [
        *[[1, 1]] * 3,
        [2, 2],
    ]
    records = read_log(driver.log)
    assert len(records) == 24
    assert [record["flow"] for record in records[-8:]] == [
        one.id for one in (*flows, flow) for _ in range(2)
    ]
    history = driver.addon._connections.history(flow.client_conn.id)
    assert history is not None
    assert (history.number, history.answered) == (12, 12)


def test_what_was_known_by_other_profiles(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Profiles are changed at any time; messages on the connections pass by the new ones."""
    monkeypatch.setattr("hopguard.mitm.addon.Checker", Checker)
    for profiles, found in ([], 1), (["fetch"], 0), (["rfc9110"], 1):
        if profiles:
            ctx.options.update(hopguard_profile=profiles)
        for _ in range(8):
            flow = driver.exchange(PROXY_CONNECTION)
            assert len(flow.metadata.get("hopguard", ())) == found


def test_what_is_known_is_repaired(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """If the policy wants that; so it does not pass."""
    caplog.set_level(logging.DEBUG)
    with driving(tmp_path, hopguard_action="fix") as driver:
        for _ in range(8):
            flow = driver.exchange(PROXY_CONNECTION, asked=PROXY_CONNECTION)
            assert flow.response is not None
            for message in (flow.request, flow.response):
                assert "proxy-connection" not in message.headers
            assert [one["action"] for one in flow.metadata["hopguard"]] == ["fixed"] * 2


def test_what_is_new_about_a_server_is_told(driver: Driver) -> None:
    """Whatever its responses are like."""
    for _ in range(3):
        flow = driver.exchange((b"Server", b"nginx"))
    lifecycle, name = driver.addon._connections.lifecycle, "origin.example:443"
    lifecycle.pasts[name] = lifecycle.pasts[name]._replace(single=1)
    driver.exchange((b"Server", b"nginx"))
    assert lifecycle.pasts[name].single == 0
    history = driver.addon._connections.history(flow.server_conn.id)
    assert history is not None
    assert history.number == 4


def test_proxy_credentials_do_not_pass(driver: Driver) -> None:
    """They might go on to the server."""
    credentials = (b"Proxy-Authorization", b"Basic Og==")
    for _ in range(4):
        flow = driver.exchange(asked=credentials, mode="regular")
        (record,) = flow.metadata["hopguard"]
        assert (record["rule"], record["leg"]) == ("proxy-authorization-beyond-proxy", "server")


def test_credentials_of_other_addons_do_not_pass(driver: Driver) -> None:
    """They are added after the request was found to be plain."""
    for _ in range(4):
        driver.exchange(mode="regular")
    flow = driver.flow(mode="regular")
    driver.addon.requestheaders(flow)
    assert flow.id in driver.addon._connections.passing._known
    flow.request.headers["Proxy-Authorization"] = "Basic Og=="
    driver.end_request(flow)
    (record,) = flow.metadata["hopguard"]
    assert (record["rule"], record["sender"]) == ("proxy-authorization-beyond-proxy", "proxy")


CHUNKED = (b"Transfer-Encoding", b"chunked")


@pytest.mark.parametrize(
    ("how", "matters"),
    [
        ({}, False),
        ({"method": "PUT"}, False),
        ({"asked": CHUNKED, "method": "PUT"}, True),
        ({"method": "POST"}, True),
        ({"mode": "regular"}, True),
        ({"version": "HTTP/2.0"}, True),
    ],
)
def test_ends_of_requests(driver: Driver, how: dict[str, Any], matters: bool) -> None:
    """The addon need not be called at most of them; mitmproxy does not call what is false."""
    for _ in range(4):
        driver.exchange(**how)
        assert not driver.addon.request
    fields = [how["asked"]] if "asked" in how else []
    flow = driver.flow(*fields, **{name: how[name] for name in how if name != "asked"})
    driver.addon.requestheaders(flow)
    assert bool(driver.addon.request) is matters
    other = driver.flow(method="POST")
    driver.addon.request(other)
    assert bool(driver.addon.request) is matters
    driver.fail(flow, CLIENT_GONE)
    assert not driver.addon.request


SECTIONS = st.lists(
    st.tuples(
        st.sampled_from([b"Connection", b"Alt-Svc", b"X-Other"]), st.sampled_from([b"a", b"b"])
    ),
    max_size=4,
).map(tuple)


@given(st.lists(st.tuples(SECTIONS, SECTIONS), max_size=5))
def test_edited_sections(sections: list[tuple[Lines, Lines]]) -> None:
    """Wherever the one before it was edited: only the lines that matter count."""
    passing = Hopguard()._passing
    select = passing.checker.select
    for fields, before in sections:
        assert passing._is_as_before(fields, before) is (select(fields) == select(before))
        assert passing._is_as_before(fields, before) is (select(fields) == select(before))


def test_what_was_known_before_a_tunnel(driver: Driver) -> None:
    """By CONNECT, other requests come on the connection than before."""
    for _ in range(4):
        flow = driver.exchange(mode="regular")
    passing = driver.addon._connections.passing
    assert passing._ways[flow.client_conn.id].requests[b"GET"].to_proxy
    driver.addon.http_connected(flow)
    assert flow.client_conn.id not in passing._ways
    for _ in range(4):
        driver.exchange(mode="regular")
    assert passing._ways[flow.client_conn.id].requests[b"GET"].to_proxy is False


def test_methods_are_not_remembered_without_end() -> None:
    """Peers choose them."""
    way = Way(Key("client", "c"), b"HTTP/2.0", None, alone=False)
    for number in range(1000):
        method = b"M%d" % number
        request = Request(version="HTTP/2", fields=(USER_AGENT,), leg="client", method=method)
        assert way.request_like(request) == replace(request, fields=())
        assert way.request_like(request) is way.request_like(request)
    assert len(way.requests) < 100


@pytest.mark.parametrize(("length", "remembered"), [(65, []), (64, [64])])
def test_long_methods_are_not_remembered(
    driver: Driver, length: int, remembered: list[int]
) -> None:
    """Peers choose them, as long as they like."""
    for _ in range(3):
        driver.addon.requestheaders(driver.flow(version="HTTP/2.0", method="M" * length))
    ways = driver.addon._connections.passing._ways.values()
    assert [len(method) for way in ways for method in way.requests] == remembered


STREAMS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["asks"] * 3 + ["goes on"] * 3 + ["answers"] * 3 + ["ends"] * 3 + OTHERS),
        st.sampled_from([(), (), (USER_AGENT,), (PROXY_CONNECTION,)]),
        st.sampled_from(["", "", "content", "trailers", "stand-in"]),
    ),
    max_size=40,
)


NEXT = {"ends": "asks", "asks": "goes on", "goes on": "answers", "answers": "ends"}


def play_streams(driver: Driver, steps: Sequence[tuple[int, str, Lines, str]]) -> Iterator[object]:
    """Take steps on the exchanges of four streams; say what is known of the client."""
    flows: dict[int, http.HTTPFlow] = {}
    stages = dict.fromkeys(range(4), "ends")
    plain = [(0, what, (), "") for what in NEXT.values()] * 3
    for stream, what, fields, extra in (*plain, *steps):
        driver.now += 1
        if what == "look":
            yield driver.addon._connections.history("c")
        elif what == "fails" and stages[stream] != "ends":
            driver.fail(flows[stream], CLIENT_GONE)
            stages[stream] = "ends"
        elif what == NEXT[stages[stream]]:
            if what == "asks":
                flows[stream] = driver.flow(*fields, version="HTTP/2.0")
            go_on(driver, flows[stream], what, fields, extra)
            stages[stream] = what


def go_on(driver: Driver, flow: http.HTTPFlow, what: str, fields: Lines, extra: str) -> None:
    """Take the next step of an exchange in a stream."""
    request = flow.request
    if what == "asks":
        flow.id, flow.client_conn.id = f"flow {len(driver.kept)}", "c"
        flow.server_conn.id, flow.server_conn.state = "s", ConnectionState.OPEN
        request.scheme, request.host, request.port = "https", "origin.example", 443
        request.timestamp_start = driver.now
        driver.addon.requestheaders(flow)
    elif what == "goes on":
        request.data.content = b"x" if extra == "content" else b""
        request.timestamp_end = driver.now
        if extra == "trailers":
            request.trailers = http.Headers([(b"content-length", b"5")])
        driver.end_request(flow)
    elif what == "answers":
        response = add_response(flow, *fields, version="HTTP/2.0")
        response.timestamp_start = driver.now
        if extra == "stand-in":
            stand_in = (rejected.REFUSED_TRANSFER_ENCODING, b"chunked")
            response.headers.fields += (stand_in,)
        driver.addon.responseheaders(flow)
    elif flow.response is not None:
        flow.response.data.content, flow.response.timestamp_end = b"", driver.now
        driver.addon.response(flow)


@settings(max_examples=250, deadline=None)
@given(STREAMS, OPTIONS)
def test_streams_that_pass(
    steps: list[tuple[int, str, Lines, str]], options: dict[str, Any]
) -> None:
    """The same where many exchanges are on their way at a time."""
    assert_nobody_can_tell(lambda driver: play_streams(driver, steps), options)


def test_streams(driver: Driver) -> None:
    """Many exchanges at a time on connections of HTTP/2; some of them fail."""
    flows = [driver.flow(version="HTTP/2.0") for _ in range(4)]
    for flow in flows:
        flow.client_conn.alpn = flow.server_conn.alpn = b"h2"
        driver.ask(flow)
    connections, identity = driver.addon._connections, flows[0].client_conn.id
    assert len(connections.passing._known) == 3  # the first of them has begun the connection
    for flow in flows[:3]:
        response = http.Response.make(200)
        flow.response, response.http_version = response, "HTTP/2.0"
        response.data.content, response.data.timestamp_end = None, None
        driver.addon.responseheaders(flow)
        if flow is flows[1]:
            driver.fail(flow, CLIENT_GONE)
        else:
            response.data.content, response.data.timestamp_end = b"", driver.now
            driver.addon.response(flow)
    found = connections.history(identity)
    assert found is not None
    assert (found.number, found.outstanding) == (4, 1)
    assert len(connections.passing._known) == 1
    driver.client_closes()
    assert not connections.passing._known
    assert driver.closed_by(identity) == "client"


@pytest.mark.parametrize("which", ["request", "response"])
def test_another_addon_has_the_last_word(driver: Driver, which: str) -> None:
    """It may announce the end of the connections, which mitmproxy closes then."""
    for _ in range(3):
        driver.exchange()
    flow = driver.flow()
    driver.ask(flow)
    answered = driver.addon.responseheaders

    def edit(flow: http.HTTPFlow) -> None:
        answered(flow)
        getattr(flow, which).headers["Connection"] = "close"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver.addon, "responseheaders", edit)
        driver.answer(flow)
    assert driver.closed_by(driver.client_closes()) == "proxy"


def test_another_addon_changes_the_version(driver: Driver) -> None:
    """What is sent is another message then."""
    for _ in range(3):
        driver.exchange()
    flow = driver.flow()
    driver.ask(flow)
    flow.request.http_version = "HTTP/1.0"
    driver.answer(flow)
    history = driver.addon._connections.history(flow.server_conn.id)
    assert history is not None
    assert history.request is not None
    assert (history.number, history.request.version) == (4, "HTTP/1.0")


def test_streams_pass(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the property above would say nothing."""
    steps = [(0, what, (), "") for what in NEXT.values()]
    list(play_streams(driver, steps))
    monkeypatch.setattr(CHECKER, "judge_request", lambda *_: 1 / 0)
    monkeypatch.setattr(CHECKER, "judge_answer", lambda *_: 1 / 0)
    list(play_streams(driver, steps))


def test_what_else_comes_in_a_stream_is_judged(driver: Driver) -> None:
    """Trailer fields that must not be there; and what h2 was not to see."""
    plain = [(0, what, (), "") for what in NEXT.values()]
    trailers = [(0, what, (), "trailers") for what in NEXT.values()]
    stand_in = [(0, what, (), "stand-in") for what in NEXT.values()]
    list(play_streams(driver, [*plain, *plain, *trailers, *plain, *plain, *stand_in]))
    with_trailers, _, _, refused = driver.kept[-4:]
    assert [one["part"] for one in with_trailers.metadata["hopguard"]] == ["request-trailers"]
    assert refused.response is not None
    assert refused.response.status_code == 502
