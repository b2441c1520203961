"""What is done about connections: what is refused, what is announced, which leg ends."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons, tutils

from hopguard.mitm import ending
from hopguard.mitm.addon import Hopguard
from tests.mitm.building import add_response
from tests.mitm.test_connections import LENGTH, Driver
from tests.records import read_log

CLOSE, ODD_CLOSE = (b"Connection", b"close"), (b"Connection", b"Close")
KEEP_ALIVE = (b"Connection", b"keep-alive")
PROXY = {"version": "HTTP/1.0", "mode": "regular"}


class Enforcing(Driver):
    """A driver whose policy can be set, and whose mitmproxy has timers and open connections."""

    def __init__(self, addon: Hopguard, log: Path, context: Any) -> None:
        super().__init__(addon, log)
        self.context = context
        self.timers: list[Any] = []
        self.hung_up: list[str] = []

    def call_later(self, _: float, function: Any, *arguments: Any) -> None:
        """Be an event loop."""
        self.timers.append(lambda: function(*arguments))

    def set(self, *lines: str, **options: Any) -> None:
        """Set the policy and other options."""
        self.context.configure(self.addon, hopguard_policy=lines, **options)

    def hold_open(self, flow: http.HTTPFlow) -> None:
        """Let mitmproxy know the connections of `flow`, as its proxy server does."""
        transport = SimpleNamespace(handler=object())
        handler = SimpleNamespace(
            client=flow.client_conn,
            transports={flow.client_conn: transport, flow.server_conn: transport},
            close_connection=lambda connection: self.hung_up.append(connection.id),
        )
        self.context.master.addons.get("proxyserver").connections["x"] = handler

    def about(self, rule: str) -> list[tuple[str, str]]:
        """List leg and action of what was found."""
        return [(one["leg"], one["action"]) for one in read_log(self.log) if one["rule"] == rule]


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Enforcing]:
    addon = Hopguard()
    with taddons.context(Proxyserver(), addon) as context:
        context.configure(addon, hopguard_log=str(tmp_path / "log"))
        made = Enforcing(addon, tmp_path / "log", context)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("mitmproxy.ctx.master.event_loop", made, raising=False)
            yield made
        addon.done()


def options_of(flow: http.HTTPFlow) -> str | None:
    assert flow.response is not None
    value: str | None = flow.response.headers.get("connection")
    return value


@pytest.mark.parametrize(
    ("action", "status", "told"),
    [
        ("block", 400, [("client", "blocked")]),
        ("fix", 200, [("client", "flagged"), ("server", "flagged")]),
        ("flag", 200, [("client", "flagged"), ("server", "flagged")]),
        ("off", 200, []),
    ],
)
def test_request_after_close(
    driver: Enforcing, action: str, status: int, told: list[tuple[str, str]]
) -> None:
    """It is not processed; what mitmproxy itself sends is beyond recall."""
    driver.set(f"/request-after-close/{action}")
    driver.exchange(asked=ODD_CLOSE)
    driver.now += 1
    flow = driver.flow()
    driver.ask(flow)
    if flow.response is None:
        driver.answer(flow)
    assert flow.response is not None
    assert flow.response.status_code == status
    assert driver.about("request-after-close") == told
    if action == "block":
        assert options_of(flow) == "close"
        assert flow.response.text is not None
        assert flow.response.text.startswith(
            "hopguard blocked this request: request-after-close/own-close. A request is sent on"
        )
        (record,) = (one for one in flow.metadata["hopguard"] if one["action"] == "blocked")
        assert record["policy"] == "/request-after-close/block"


def test_what_is_answered_already_is_left_alone(driver: Enforcing) -> None:
    """Another addon was quicker, or another rule."""
    driver.set("/request-after-close/block")
    driver.exchange(asked=ODD_CLOSE)
    flow = driver.flow()
    flow.response = tutils.tresp(status_code=204)
    driver.ask(flow)
    assert flow.response.status_code == 204
    assert driver.about("request-after-close") == [("client", "flagged")]


def test_what_is_replayed_is_left_alone(driver: Enforcing) -> None:
    driver.set("/all/block")
    driver.exchange(asked=ODD_CLOSE)
    flow = driver.flow()
    flow.is_replay = "request"
    driver.ask(flow)
    assert flow.response is None


def single(driver: Enforcing, **how: Any) -> http.HTTPFlow:
    """Make an exchange with a server that closes after it."""
    driver.kept.clear()
    flow = driver.exchange(**how)
    driver.server_closes()
    driver.client_closes()
    return flow


def test_server_that_never_keeps_connections(driver: Enforcing) -> None:
    """Once that is known, its responses say what it does, until it says so itself."""
    driver.set("/non-persistent-peer-unannounced/fix")
    assert [options_of(single(driver)) for _ in range(3)] == [None] * 3
    assert driver.about("non-persistent-peer-unannounced") == [("server", "fixed")]
    (record,) = (one for one in read_log(driver.log) if one["action"] == "fixed")
    assert record["edits"] == [ending.ALL_RESPONSES]
    before = len(driver.found)
    flow = single(driver)
    assert options_of(flow) == "close"
    assert driver.closed_by(flow.server_conn.id) == driver.closed_by(flow.client_conn.id) == "proxy"
    assert options_of(single(driver, version="HTTP/2.0")) is None
    driver.set()
    assert options_of(single(driver)) is None
    driver.set("/non-persistent-peer-unannounced/fix", hopguard_profile=["security"])
    assert options_of(single(driver)) is None
    driver.set("/non-persistent-peer-unannounced/fix", hopguard_profile=["rfc9110"])
    assert len(driver.found) == before
    driver.kept.clear()
    driver.exchange(CLOSE)
    driver.server_closes()
    assert options_of(single(driver)) is None


def test_filter_chooses_the_responses(driver: Enforcing) -> None:
    driver.set("|~m POST|non-persistent-peer-unannounced|fix")
    for _ in range(3):
        single(driver)
    assert options_of(single(driver)) is None
    assert options_of(single(driver, method="POST")) == "close"
    assert driver.about("non-persistent-peer-unannounced") == [("server", "flagged")]


def test_proxy_with_a_client_of_http10(driver: Enforcing) -> None:
    """The second response says close, instead of keep-alive."""
    driver.set("/proxy-persistent-with-http10-client/fix")
    first = driver.exchange(KEEP_ALIVE, asked=KEEP_ALIVE, **PROXY)
    second = driver.exchange(KEEP_ALIVE, (b"Keep-Alive", b"max=9"), asked=KEEP_ALIVE, **PROXY)
    assert [options_of(first), options_of(second)] == ["keep-alive", "close"]
    assert second.response is not None
    assert "keep-alive" not in second.response.headers
    assert driver.about("proxy-persistent-with-http10-client") == [("client", "fixed")]
    driver.server_closes()
    assert driver.closed_by(driver.client_closes()) == "proxy"


@pytest.mark.parametrize("forwarding", ["transparent", "conforming"])
def test_server_that_goes_on_after_close(driver: Enforcing, forwarding: str) -> None:
    """Its connection ends with that response, and the client's with it only if it is told."""
    driver.set("/close-not-honoured/block", hopguard_forwarding=forwarding)
    driver.exchange(ODD_CLOSE)
    driver.timers.clear()
    driver.now += 1
    flow = driver.flow()
    driver.ask(flow)
    read = add_response(flow, LENGTH, version="HTTP/1.1")
    driver.addon.responseheaders(flow)
    assert flow.response is not None
    flow.response.data.content = b""
    flow.response.timestamp_end = driver.now
    driver.addon.response(flow)
    told = "close" if forwarding == "transparent" else None
    assert (read.headers["connection"], options_of(flow)) == ("close", told)
    assert driver.about("close-not-honoured") == [("server", "blocked")]
    assert driver.closed_by(driver.server_closes()) == "proxy"


def test_connection_that_stays_open_is_closed(driver: Enforcing) -> None:
    """Both legs, each when it is looked at; that was mitmproxy then, and not the peer."""
    driver.set("/close-not-honoured/block")
    driver.now -= 60
    flow = driver.exchange(ODD_CLOSE)
    driver.hold_open(flow)
    for look in driver.timers:
        look()
    assert driver.hung_up == [flow.server_conn.id, flow.client_conn.id]
    assert sorted(driver.about("close-not-honoured")) == [
        ("client", "blocked"),
        ("server", "blocked"),
    ]
    assert driver.closed_by(driver.server_closes()) == "proxy"
    assert driver.closed_by(driver.client_closes()) == "proxy"


def test_connection_that_is_in_use_is_not_closed(driver: Enforcing) -> None:
    """A request is under way, which may be on any of the servers' connections."""
    driver.set("/close-not-honoured/block")
    driver.now -= 60
    driver.hold_open(driver.exchange(ODD_CLOSE))
    driver.ask(driver.flow())
    driver.timers[0]()
    assert driver.hung_up == []
    assert driver.about("close-not-honoured") == [("server", "flagged")]


def test_connection_that_mitmproxy_does_not_know(driver: Enforcing) -> None:
    driver.set("/close-not-honoured/block")
    driver.now -= 60
    driver.exchange(ODD_CLOSE)
    driver.timers[0]()
    assert driver.about("close-not-honoured") == [("server", "flagged")]


def test_octets_that_nobody_asked_for(driver: Enforcing) -> None:
    """mitmproxy drops them, and closes by itself."""
    driver.set("/unsolicited-response-data/block")
    driver.exchange()
    driver.addon._connections.data_is_unexpected(b"x", "192.0.2.1:50000")
    driver.server_closes()
    assert driver.about("unsolicited-response-data") == [("server", "blocked")]
    assert not driver.addon._connections._ours


@pytest.mark.parametrize("action", ["fix", "block"])
def test_what_nothing_can_be_done_about(driver: Enforcing, action: str) -> None:
    driver.set(hopguard_action=action)
    driver.exchange()
    driver.server_closes()
    assert driver.about("server-closed-without-announcing") == [("server", "flagged")]


def test_protocol_switch_is_left_alone(driver: Enforcing) -> None:
    driver.set("/close-not-honoured/block")
    driver.exchange(ODD_CLOSE)
    flow = driver.flow((b"Connection", b"Upgrade"), (b"Upgrade", b"foo"))
    driver.ask(flow)
    driver.answer(flow, (b"Connection", b"Upgrade"), (b"Upgrade", b"foo"), status=101)
    assert options_of(flow) == "Upgrade"
    assert ("server", "flagged") in driver.about("close-not-honoured")


def test_crash_leaves_it_flagged(
    driver: Enforcing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And traffic goes on."""

    secret = "a secret"

    def crash(*_: Any) -> None:
        raise ValueError(secret)

    monkeypatch.setattr("hopguard.mitm.refusal.refuse_request_head", crash)
    monkeypatch.setattr(ending, "announce_close", crash)
    driver.set("/request-after-close/block", "/close-not-honoured/block")
    driver.exchange(asked=ODD_CLOSE)
    with caplog.at_level(logging.ERROR):
        flow = driver.exchange()
    assert flow.response is not None
    assert flow.response.status_code == 200
    assert driver.about("request-after-close") == [("client", "flagged"), ("server", "flagged")]
    assert "ending a connection crashed" in caplog.text
    assert secret not in caplog.text
