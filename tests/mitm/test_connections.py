"""mitmproxy's hooks as events: who closed, what was lost, and what is none of our business."""

import gc
import logging
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import exceptions, http
from mitmproxy import flow as mitmflow
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import taddons

from hopguard.events import Key, Opened, RequestHead
from hopguard.flowerrors import CLIENT_GONE, LOST, TRUNCATED
from hopguard.mitm import following
from hopguard.mitm.addon import Hopguard
from hopguard.mitm.idletimes import MOST, table_of
from hopguard.mitm.options import parse_idle_timeout
from hopguard.peer import ServerPast
from tests.mitm.building import add_response, live_flow
from tests.records import read_log

LENGTH = (b"Content-Length", b"0")


class Driver:
    """Plays mitmproxy: hooks in its order, with times as they are in the flows."""

    def __init__(self, addon: Hopguard, log: Path) -> None:
        self.addon = addon
        self.log = log
        self.now = self.began = time.time()
        self.kept: list[http.HTTPFlow] = []

    def flow(self, *fields: tuple[bytes, bytes], **how: Any) -> http.HTTPFlow:
        """Make a flow on the connections of the one before."""
        made = live_flow((b"Host", b"h"), *fields, **how)
        made.server_conn.timestamp_start = made.server_conn.timestamp_tcp_setup = self.now
        made.client_conn.timestamp_start = self.now
        if self.kept:
            made.client_conn = self.kept[-1].client_conn
            made.server_conn = self.kept[-1].server_conn
        self.kept.append(made)
        return made

    def ask(self, flow: http.HTTPFlow) -> None:
        """Send the request."""
        flow.request.timestamp_start = self.now
        self.addon.requestheaders(flow)
        flow.request.data.content = b""
        flow.request.timestamp_end = self.now
        self.end_request(flow)

    def end_request(self, flow: http.HTTPFlow) -> None:
        """Call the hook for the end of the request, as mitmproxy does: if it is true."""
        if self.addon.request:
            self.addon.request(flow)

    def answer(self, flow: http.HTTPFlow, *fields: tuple[bytes, bytes], status: int = 200) -> None:
        """Send the whole response."""
        response = add_response(flow, LENGTH, *fields, status=status, version="HTTP/1.1")
        response.timestamp_start = self.now
        self.addon.responseheaders(flow)
        response.data.content = b""
        response.timestamp_end = self.now
        self.addon.response(flow)
        flow.live = False

    def exchange(
        self, *fields: tuple[bytes, bytes], asked: tuple[bytes, bytes] | None = None, **how: Any
    ) -> http.HTTPFlow:
        """Make an exchange."""
        flow = self.flow(*([asked] if asked else []), **how)
        self.ask(flow)
        self.answer(flow, *fields)
        return flow

    def fail(self, flow: http.HTTPFlow, message: str) -> None:
        """End an exchange with an error."""
        flow.error = mitmflow.Error(message, self.now)
        self.addon.error(flow)
        flow.live = False

    def server_closes(self) -> str:
        """End the connection to the server; return its id."""
        flow = self.kept[-1]
        flow.server_conn.timestamp_end = self.now
        data = ServerConnectionHookData(server=flow.server_conn, client=flow.client_conn)
        self.addon.server_disconnected(data)
        return flow.server_conn.id

    def client_closes(self) -> str:
        """End the client's connection; return its id."""
        client = self.kept[-1].client_conn
        client.timestamp_end = self.now
        self.addon.client_disconnected(client)
        return client.id

    def closed_by(self, connection: str) -> str | None:
        """Ask who closed a connection."""
        return self.addon._connections.closed_by(connection)

    @property
    def found(self) -> list[str]:
        """Name the rules about connections that were broken."""
        return [one["rule"] for one in read_log(self.log) if one["part"] == "connection"]


@pytest.fixture
def driver(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Driver]:
    """Give an addon that writes a log, in a process that logs all, as mitmproxy does."""
    caplog.set_level(logging.DEBUG)
    addon = Hopguard()
    with taddons.context(Proxyserver(), addon) as context:
        context.configure(addon, hopguard_log=str(tmp_path / "log"))
        yield Driver(addon, tmp_path / "log")
        addon.done()


def test_server_that_closes(driver: Driver) -> None:
    """On the flow of the latest exchange, in the log, with connection, client and server."""
    flow = driver.exchange()
    history = driver.addon._connections.history(flow.server_conn.id)
    assert history is not None
    assert (history.number, history.closed, history.opened) == (1, None, driver.began)
    driver.now += 0.01
    identity = driver.server_closes()
    assert driver.closed_by(identity) == "server"
    assert driver.addon._connections.history(identity) is None
    assert driver.found == ["server-closed-without-announcing"]
    (record,) = flow.metadata["hopguard"]
    assert (record["connection"], record["leg"]) == (identity, "server")
    assert record["flow"] == flow.id


def test_judging_again_keeps_what_no_flow_shows(driver: Driver) -> None:
    """Unless the rule is off by now."""
    flow = driver.exchange()
    driver.server_closes()
    before = flow.metadata["hopguard"]
    driver.addon._judge_of_flows().judge(flow)
    assert flow.metadata["hopguard"] == before
    with taddons.context(Proxyserver(), driver.addon) as context:
        context.configure(driver.addon, hopguard_profile=["noise"])
        driver.addon._judge_of_flows().judge(flow)
    assert "hopguard" not in flow.metadata


def test_connections_that_were_there_before(driver: Driver) -> None:
    """Somebody loads the addon while mitmproxy runs: what has been on them is unknown."""
    driver.now -= 60
    for _ in range(4):
        driver.exchange()
        driver.server_closes()
        driver.client_closes()
        driver.kept.clear()
    assert set(driver.found) == {"server-closed-without-announcing"}


def test_flow_that_is_gone(driver: Driver) -> None:
    """In mitmdump nobody keeps flows; the log still says which request it was."""
    flow = driver.exchange()
    path, kept = flow.request.url, driver.kept.pop()
    data = ServerConnectionHookData(server=kept.server_conn, client=kept.client_conn)
    data.server.timestamp_end = driver.now
    gone = weakref.ref(flow)
    del flow, kept
    gc.collect()
    assert gone() is None
    driver.addon.server_disconnected(data)
    (record,) = read_log(driver.log)
    assert record["url"] == path
    assert record["method"] == "GET"
    assert record["client"]
    assert record["server"] == "origin.example:443"


def say_close(driver: Driver) -> None:
    driver.exchange(asked=(b"Connection", b"close"))


def answer_close(driver: Driver) -> None:
    driver.exchange((b"Connection", b"close"))


def speak_http10(driver: Driver) -> None:
    driver.exchange(version="HTTP/1.0")


def speak_http2(driver: Driver) -> None:
    driver.exchange(version="HTTP/2.0")


def last_until_close(driver: Driver) -> None:
    flow = driver.flow()
    driver.ask(flow)
    response = add_response(flow)
    driver.addon.responseheaders(flow)
    response.data.content = b""
    response.timestamp_end = driver.now
    driver.addon.response(flow)


def be_killed(driver: Driver) -> None:
    flow = driver.flow()
    driver.ask(flow)
    driver.fail(flow, mitmflow.Error.KILLED_MESSAGE)


def leave(driver: Driver) -> None:
    driver.exchange()
    driver.client_closes()


def leave_early(driver: Driver) -> None:
    flow = driver.flow()
    driver.ask(flow)
    driver.fail(flow, CLIENT_GONE)


def have_wrong_length(driver: Driver) -> None:
    flow = driver.flow()
    driver.ask(flow)
    response = add_response(flow, (b"Content-Length", b"x"), (b"Connection", b"close"))
    driver.addon.responseheaders(flow)
    response.timestamp_end = driver.now
    driver.addon.response(flow)


@pytest.mark.parametrize(
    "what",
    [
        say_close,
        answer_close,
        speak_http10,
        speak_http2,
        last_until_close,
        be_killed,
        leave,
        leave_early,
        have_wrong_length,
    ],
)
def test_closes_of_mitmproxy_are_nobodys_fault(
    driver: Driver, what: Callable[[Driver], None]
) -> None:
    """It closes the connection to the server itself."""
    what(driver)
    if driver.kept[-1].server_conn.id and driver.closed_by(driver.server_closes()):
        assert driver.closed_by(driver.kept[-1].server_conn.id) == "proxy"
    assert [rule for rule in driver.found if "close" in rule] == []


def test_another_addon_that_adds_close(driver: Driver) -> None:
    """After us: mitmproxy obeys it, and the server is not to blame."""
    flow = driver.exchange()
    assert flow.response is not None
    flow.response.headers["Connection"] = "close"
    assert driver.closed_by(driver.server_closes()) == "proxy"
    assert driver.found == []


def test_who_closes_on_the_clients_leg(driver: Driver) -> None:
    """The client, unless mitmproxy had a reason."""
    driver.exchange()
    assert driver.closed_by(driver.client_closes()) == "client"


@pytest.mark.parametrize("what", [say_close, answer_close, speak_http10, be_killed])
def test_mitmproxy_closes_on_the_clients_leg(
    driver: Driver, what: Callable[[Driver], None]
) -> None:
    """After the last exchange, or one that failed."""
    what(driver)
    assert driver.closed_by(driver.client_closes()) == "proxy"


def test_mitmproxy_closes_idle_clients(driver: Driver) -> None:
    """After its own timeout."""
    driver.exchange()
    driver.now += 600
    assert driver.closed_by(driver.client_closes()) == "proxy"


def test_mitmproxy_ends(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """All connections are closed then."""
    driver.exchange()
    monkeypatch.setattr("hopguard.mitm.closing.is_ending", lambda: True)
    assert driver.closed_by(driver.client_closes()) == "proxy"


@pytest.mark.parametrize("error_first", [True, False])
def test_request_that_is_lost(driver: Driver, error_first: bool) -> None:
    """Whichever mitmproxy tells first: the error, or the end of the connection."""
    driver.exchange()
    driver.now += 5
    flow = driver.flow()
    driver.ask(flow)
    driver.now += 0.002
    if error_first:
        driver.fail(flow, LOST)
    driver.server_closes()
    if not error_first:
        driver.fail(flow, LOST)
    assert driver.found == ["request-raced-idle-close"]
    (record,) = flow.metadata["hopguard"]
    assert "5.0 s after the response before it" in record["message"]


def test_request_that_never_reached_a_server(driver: Driver) -> None:
    """There is no connection to speak of."""
    flow = driver.flow()
    flow.server_conn.timestamp_start = flow.server_conn.timestamp_tcp_setup = None
    driver.ask(flow)
    driver.fail(flow, "connection refused")
    assert driver.addon._connections.history(flow.server_conn.id) is None
    assert driver.found == []


def test_response_that_is_cut_off(driver: Driver) -> None:
    flow = driver.flow()
    driver.ask(flow)
    add_response(flow, (b"Content-Length", b"50"))
    driver.addon.responseheaders(flow)
    driver.fail(flow, f"{TRUNCATED} (received 3 bytes, expected 50)")
    driver.server_closes()
    assert driver.found == ["response-truncated-by-close"]


def test_client_that_cuts_off_its_request(driver: Driver) -> None:
    """mitmproxy says the same of it."""
    flow = driver.flow(method="POST")
    driver.addon.requestheaders(flow)
    driver.fail(flow, f"{TRUNCATED} (received 3 bytes, expected 50)")
    driver.client_closes()
    assert driver.found == []


def test_post_that_is_sent_again(driver: Driver) -> None:
    """On another connection of the same client; mitmproxy has answered 502."""
    for _ in range(2):
        flow = driver.flow(method="POST")
        driver.ask(flow)
        driver.now += 0.01
        driver.fail(flow, LOST)
        driver.server_closes()
        driver.client_closes()
        driver.kept.clear()
    assert driver.found == ["non-idempotent-retry-after-close"]


def test_own_responses_say_nothing(driver: Driver) -> None:
    """Neither do they count as the server's, nor is their close a promise of it."""
    flow = driver.flow()
    flow.request.timestamp_start = driver.now
    driver.addon.requestheaders(flow)
    flow.request.timestamp_end = driver.now
    driver.addon.request(flow)
    flow.response = http.Response.make(200, b"", {"Connection": "Close"})
    driver.addon.responseheaders(flow)
    flow.response.timestamp_end = driver.now
    driver.addon.response(flow)
    driver.now += 60
    driver.exchange()
    history = driver.addon._connections.history(flow.client_conn.id)
    assert history is not None
    assert (history.number, history.answered, history.close_said) == (2, 2, 0)
    assert driver.found == []


@pytest.mark.parametrize("kind", ["request", "response"])
def test_replayed_flows_say_nothing(driver: Driver, kind: str) -> None:
    flow = driver.flow((b"Connection", b"Close"))
    if kind == "request":
        flow.is_replay = "request"
    driver.ask(flow)
    flow.is_replay = "request" if kind == "request" else "response"
    driver.answer(flow, (b"Connection", b"Close"))
    driver.now += 60
    driver.server_closes()
    driver.client_closes()
    assert driver.found == []


def test_a_saved_flow_is_on_no_connection(driver: Driver) -> None:
    flow = driver.flow()
    flow.live = False
    driver.ask(flow)
    driver.answer(flow)
    assert list(driver.addon._connections.lifecycle.connections()) == []


def test_versions_are_those_of_the_legs(driver: Driver) -> None:
    """What an HTTP/2 server says is not passed on as HTTP/1.1's own."""
    flow = driver.flow()
    flow.server_conn.alpn = b"h2"
    driver.ask(flow)
    response = add_response(flow, (b"connection", b"close"), version="HTTP/2.0")
    driver.addon.responseheaders(flow)
    response.timestamp_end = driver.now
    driver.addon.response(flow)
    history = driver.addon._connections.history(flow.client_conn.id)
    assert history is not None
    assert (history.version, history.close_said) == ("HTTP/1.1", 0)


@pytest.mark.parametrize(
    ("shown", "quoted"),
    [
        (r"b'HTTP/1.1 200 OK\r\n'", r"HTTP/1.1 200 OK\x0d\x0a"),
        ('b"it\'s"', "it's"),
        (r"b'\'\"'", "'\""),
        *((repr(b"." * n + b"\x00\\\xff\r" * 5_000), ".") for n in range(7)),
        ("not octets", ""),
        ("b'never ends", "never ends"),
        (r"b'\xz'", ""),
        ("b'\xe4'", ""),
    ],
)
def test_unexpected_data(driver: Driver, shown: str, quoted: str) -> None:
    """Which connection it came on shows when mitmproxy closes that, whatever it was."""
    flow = driver.exchange()
    extra = {"client": flow.client_conn.peername}
    logging.getLogger("x").info("Unexpected data from server: " + shown, extra=extra)
    assert driver.closed_by(driver.server_closes()) == "proxy"
    assert driver.found == (["unsolicited-response-data"] if quoted else [])
    assert all(quoted in record["message"] for record in flow.metadata.get("hopguard", []))


def test_log_records_of_others(driver: Driver) -> None:
    """Without a client, or without a text."""
    logging.getLogger("x").info("Unexpected data from server: b'x'")
    logging.getLogger("x").info(7, extra={"client": ("a", 1)})
    assert driver.addon._connections._unexpected == {}


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\nProxy-Authenticate: Basic", True),
        (b"HTTP/1.1 403 Forbidden\nConnection: Close", False),
        (b"HTTP/1.0 502 Bad Gateway", False),
    ],
)
def test_upstream_proxy_that_refuses(driver: Driver, head: bytes, found: bool) -> None:
    """mitmproxy says so in its log, for those who debug it."""
    extra = {"client": ("192.0.2.1", 50_000)}
    logging.getLogger("x").debug(f"proxy.example:3128: {head!r}", extra=extra)
    assert driver.found == (["connect-rejected-connection-kept"] if found else [])
    for record in read_log(driver.log):
        assert (record["method"], record["url"]) == ("CONNECT", None)
        assert record["server"] == "proxy.example:3128"


def test_what_only_looks_like_an_answer_to_connect(driver: Driver) -> None:
    extra = {"client": ("192.0.2.1", 50_000)}
    logging.getLogger("x").debug("a:1: b'HTTP/1.1 200'+b'x'", extra=extra)
    logging.getLogger("x").debug("a:1: b'HTTP/1.1 2000'", extra=extra)
    assert driver.found == []


def test_connection_that_ought_to_be_closed_is_looked_at(driver: Driver) -> None:
    """Later, by a timer; there are not more than so many of them."""
    called: list[tuple[float, Any]] = []

    class Loop:
        def call_later(self, wait: float, function: Any, *arguments: Any) -> None:
            called.append((wait, lambda: function(*arguments)))

    driver.now -= 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mitmproxy.ctx.master.event_loop", Loop(), raising=False)
        driver.exchange((b"Connection", b"Close"))
        patch.setattr(following, "MOST_TIMERS", 2)
        driver.kept.clear()
        driver.exchange((b"Connection", b"Close"))
    assert len(called) == 2  # both legs of the first connection
    for wait, look in called:
        assert wait > 5
        look()
    assert driver.addon._connections._timers == 0
    assert driver.found == ["close-not-honoured", "close-not-honoured"]


def test_what_is_kept_is_bounded(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of open connections as of closed ones."""
    monkeypatch.setattr(following, "MOST_CLOSED", 3)
    connections = driver.addon._connections
    connections.lifecycle._most_open = 2
    for number in range(9):
        driver.exchange()
        if number < 4:
            driver.server_closes()
            driver.client_closes()
        driver.kept.clear()
    assert len(connections._closed) == 3
    assert len(connections._latest) == 2
    assert len(connections._ours) <= 2
    assert connections.lifecycle.given_up > 0
    with caplog.at_level(logging.WARNING):
        connections.tell()
    assert "were not followed to their end" in caplog.messages[-1]


def test_options_reach_the_judge(driver: Driver) -> None:
    with taddons.context(Proxyserver(), driver.addon) as context:
        context.configure(driver.addon, hopguard_idle_timeout="60", hopguard_profile=["noise"])
        lifecycle = driver.addon._connections.lifecycle
        assert lifecycle.idle_timeout == 60.0
        assert lifecycle.checker.profiles == {"noise"}
    for wrong in ("x", "-1", "0", "1h", "1e3", "9999999"):
        with pytest.raises(exceptions.OptionsError, match=rf"hopguard_idle_timeout: '{wrong}'"):
            parse_idle_timeout(wrong)
    assert parse_idle_timeout("") is None
    assert parse_idle_timeout(" 4.5 s") == 4.5


def test_table_of_idle_timeouts() -> None:
    """Servers of which something was learned, the rest counted."""
    learned = ServerPast("a:80", announced=5, idles=(4.9, 5.0, 5.1))
    assert table_of([ServerPast("b:80"), learned]) == (
        "server  idle timeout  spread          closes  announced\n"
        "a:80    5.0 s         4.90 to 5.10 s  3       5 s"
    )
    assert table_of([ServerPast("b:80")]) == ""
    many = table_of([learned._replace(announced=None)] * (MOST + 7)).splitlines()
    assert (len(many), many[-1]) == (MOST + 2, "... 7 more")
    assert many[1].endswith("  nothing")


def test_the_table_is_told_in_the_end(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    servers = driver.addon._connections.lifecycle.pasts
    servers["a:80"] = ServerPast("a:80", idles=(4.9, 5.0, 5.1))
    with caplog.at_level(logging.INFO):
        driver.addon.done()
    assert any("idle timeouts of servers, as observed\n" in text for text in caplog.messages)


def test_a_connection_on_both_legs_is_found_by_its_id(driver: Driver) -> None:
    connections = driver.addon._connections
    connections.lifecycle.feed(Key("server", "s"), Opened(1.0))
    connections.lifecycle.feed(Key("client", "c"), RequestHead(1.0, "HTTP/1.1", b"GET"))
    assert [connections.history(one) is not None for one in ("s", "c", "x")] == [True, True, False]
    assert connections.closed_by("s") is None
    assert connections.closed_by("x") is None
