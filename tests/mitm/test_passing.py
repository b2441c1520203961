"""Plain exchanges are counted when they are over, and nobody can tell."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons

from hopguard.events import Key
from hopguard.flowerrors import CLIENT_GONE, LOST
from hopguard.mitm.addon import Hopguard
from hopguard.mitm.passing import PassingExchanges
from tests.mitm.building import live_flow
from tests.mitm.test_connections import Driver
from tests.records import read_log

CLOSE = (b"Connection", b"close")


@contextmanager
def driving(folder: Path, **options: Any) -> Iterator[Driver]:
    """Give an addon that writes a log into `folder`."""
    addon = Hopguard()
    with taddons.context(Proxyserver(), addon) as context:
        context.configure(addon, hopguard_log=str(folder / "log"), **options)
        yield Driver(addon, folder / "log")
        addon.done()


def edit_request(driver: Driver, flow: http.HTTPFlow) -> None:
    """Have another addon edit the request."""
    flow.request.headers["X-Edited"] = "1"


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


Between = Callable[[Driver, http.HTTPFlow], None]
BETWEEN = st.sampled_from([leave_alone] * 6 + [edit_request, close_in_response, look])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("exchange"), st.sampled_from([(), (), (), (CLOSE,)]), BETWEEN, BETWEEN),
        st.tuples(st.sampled_from(["post", "lost", "gone", "server closes", "client closes"])),
        st.tuples(st.just("wait"), st.sampled_from([0.01, 0.5, 5.0])),
    ),
    max_size=12,
)


def play(driver: Driver, steps: list[tuple[Any, ...]]) -> Iterator[object]:
    """Take steps; say what is known of the connections after each."""
    for what, *how in steps:
        if what == "wait":
            driver.now += how[0]
            continue
        if what in ("server closes", "client closes"):
            if driver.kept:
                driver.server_closes()
            if driver.kept and what == "client closes":
                driver.client_closes()
                driver.kept.clear()
            elif driver.kept:
                driver.kept[-1].server_conn = live_flow().server_conn
                driver.kept[-1].server_conn.timestamp_tcp_setup = driver.now
            continue
        flow = driver.flow(method="POST" if what == "post" else "GET")
        flow.id = f"flow {len(driver.kept)}"
        flow.client_conn.id, flow.server_conn.id = "c", f"s{flow.server_conn.timestamp_tcp_setup}"
        if what != "exchange":
            driver.ask(flow)
            if what == "post":
                driver.answer(flow)
            else:
                driver.fail(flow, LOST if what == "lost" else CLIENT_GONE)
            continue
        fields, after_request, after_response = how
        hook = driver.addon.request

        def request(flow: http.HTTPFlow, hook: Any = hook, act: Between = after_request) -> None:
            hook(flow)
            act(driver, flow)

        responded = driver.addon.responseheaders

        def response(
            flow: http.HTTPFlow, hook: Any = responded, act: Between = after_response
        ) -> None:
            hook(flow)
            act(driver, flow)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(driver.addon, "request", request)
            patch.setattr(driver.addon, "responseheaders", response)
            driver.ask(flow)
            driver.answer(flow, *fields)
        yield after_response is look and driver.addon._connections.history("c")


def known(driver: Driver) -> list[object]:
    """Return what is found, and what is known of connections."""
    found = [
        {key: value for key, value in record.items() if key != "time"}
        for record in read_log(driver.log)
    ]
    lifecycle = driver.addon._connections.lifecycle
    open_ = sorted(lifecycle.connections(), key=lambda connection: connection.key)
    return [found, open_, list(driver.addon._connections._closed.items()), lifecycle.servers()]


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_counting_changes_nothing(steps: list[tuple[Any, ...]]) -> None:
    """Whatever comes between, whoever edits, and whenever somebody looks."""
    now, results = time.time(), []
    for puts_off in (True, False):
        with TemporaryDirectory() as folder, driving(Path(folder)) as driver:
            driver.now = driver.began = now
            driver.addon._connections._since = now - 1
            with pytest.MonkeyPatch.context() as patch:
                if not puts_off:
                    patch.setattr(PassingExchanges, "begin", lambda *_: False)
                patch.setattr("mitmproxy.log.LegacyLogEvents.emit", lambda *_: None)
                seen = list(play(driver, steps))
                results.append([*seen, *known(driver)])
    assert results[0] == results[1]


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
    assert not connections._passing._known
    client, server = (connections.history(one.id) for one in (flow.client_conn, flow.server_conn))
    assert client is not None
    assert server is not None
    assert (client.number, client.answered, client.response_ended) == (4, 4, driver.now)
    assert (server.number, server.answered, server.idle_before) == (4, 4, 1.0)
    assert connections._latest[Key("client", flow.client_conn.id)].flow is flow


def test_streams(driver: Driver) -> None:
    """Many exchanges at a time on connections of HTTP/2; some of them fail."""
    flows = [driver.flow(version="HTTP/2.0") for _ in range(4)]
    for flow in flows:
        flow.client_conn.alpn = flow.server_conn.alpn = b"h2"
        driver.ask(flow)
    connections, identity = driver.addon._connections, flows[0].client_conn.id
    assert len(connections._passing._known) == 3  # the first of them has begun the connection
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
    assert len(connections._passing._known) == 1
    driver.client_closes()
    assert not connections._passing._known
    assert driver.closed_by(identity) == "client"
