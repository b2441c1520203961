"""The life of connections, with real servers and with scripted ones."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.live.keepalive_servers import IDLE, SERVERS, is_here, started
from tests.live.site import ADDON, OK
from tests.peers import (
    Close,
    Flag,
    Http1Client,
    Http1Origin,
    Http2Client,
    Mitm,
    Wait,
    client_context,
    message,
    request_lines,
)
from tests.peers.waiting import Address
from tests.records import read_log

pytestmark = pytest.mark.live

CLOSES = 3
"""From which a timeout is learned."""

GET = message(b"GET / HTTP/1.1", b"Host: x", b"Connection: keep-alive")


def request(path: str, *lines: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    """Write a request."""
    length = [b"Content-Length: %d" % len(body)] if body else []
    return message(b"%s %s HTTP/1.1" % (method, path.encode()), b"Host: x", *length, *lines) + body


class Watched(NamedTuple):
    """What was said of servers that have closed idle connections."""

    ports: dict[str, int]
    output: str
    records: list[dict[str, Any]]

    def about(self, name: str) -> list[dict[str, Any]]:
        """List the records about one server."""
        return [one for one in self.records if one["server"] == f"127.0.0.1:{self.ports[name]}"]


def make_idle(stack: ExitStack, address: Address) -> None:
    """Have a connection answered, with whatever status, and keep it."""
    client = stack.enter_context(Http1Client(address))
    assert client.exchange(GET).complete


def wait_for_closes(mitm: Mitm, ports: list[int], count: int) -> None:
    """Wait until the servers have closed so many connections."""

    def closed(port: int) -> int:
        return sum(
            f"server disconnect 127.0.0.1:{port}" in line.text for line in mitm.process.lines
        )

    mitm.process.wait_for(lambda: all(closed(port) >= count for port in ports), "servers to close")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[Watched]:
    """All servers at once, so that their timeouts run at the same time; one of them restarts."""
    folder = tmp_path_factory.mktemp("servers")
    log = folder / "violations.jsonl"
    with ExitStack() as stack:
        names = [name for name in SERVERS if is_here(name)]
        servers = {
            name: stack.enter_context(started(name, folder / name, idle=IDLE)) for name in names
        }
        if is_here("nginx"):
            restarting = started("nginx", folder / "restarting", idle=60)
            servers["restarting"] = stack.enter_context(restarting)
        ports = {name: port for name, (_, port) in servers.items()}
        mitm = stack.enter_context(
            Mitm(
                *(f"reverse:http://127.0.0.1:{port}" for port in ports.values()),
                scripts=[ADDON],
                options={"hopguard_log": str(log), "hopguard_idle_timeout": "60"},
                confdir=confdir,
            )
        )
        addresses = {name: mitm.address(number) for number, name in enumerate(ports)}
        for _ in range(CLOSES if "restarting" in servers else 0):
            make_idle(stack, addresses["restarting"])
        for done in range(CLOSES):  # closes at the same time would count as one
            for name in names:
                make_idle(stack, addresses[name])
            wait_for_closes(mitm, [ports[name] for name in names], done + 1)
        if "restarting" in servers:
            servers["restarting"][0].send_signal(signal.SIGHUP)
            wait_for_closes(mitm, [ports["restarting"]], CLOSES)
        mitm.stop()
        yield Watched(ports, mitm.output, read_log(log))


@pytest.mark.peer
@pytest.mark.parametrize(
    ("name", "announces", "buffers", "setting"),
    [
        ("nginx", True, 0, "keepalive_timeout (nginx)"),
        ("apache", True, 0, "KeepAliveTimeout (Apache)"),
        ("node", True, 1, "server.keepAliveTimeout in Node"),
        ("gunicorn", False, 0, "--keep-alive (gunicorn)"),
        ("uvicorn", False, 0, "--timeout-keep-alive (uvicorn)"),
    ],
)
def test_idle_timeout_is_learned(
    watched: Watched, name: str, announces: bool, buffers: int, setting: str
) -> None:
    """What is announced, and what is done; Node waits for up to a second more than it says."""
    if name not in watched.ports:
        pytest.skip(f"{name} is not installed")
    found = re.search(
        rf"^127.0.0.1:{watched.ports[name]} +([0-9.]+) s +([0-9.]+) to .* 3  +(nothing|{IDLE} s)$",
        watched.output,
        re.M,
    )
    assert found, watched.output
    assert found[3] == (f"{IDLE} s" if announces else "nothing")
    # On a busy machine some closes are seen late; the least of them is the best.
    assert 0.9 * IDLE <= float(found[2]) <= 1.1 * (IDLE + buffers)
    assert float(found[2]) <= float(found[1]) + 0.05
    (record,) = watched.about(name)
    assert record["rule"] == "keep-alive-shorter-than-peer-idle"
    assert record["variant"] == ("announced" if announces else "observed")
    assert setting in record["message"]
    assert (record["part"], record["leg"], record["sender"]) == ("connection", "server", "server")
    assert record["url"].endswith(f":{watched.ports[name]}/")


@pytest.mark.peer
def test_clean_restart_is_no_finding(watched: Watched) -> None:
    """All its idle connections end at once; the announced 60 seconds are not over."""
    if "restarting" not in watched.ports:
        pytest.skip("nginx is not installed")
    assert [one["variant"] for one in watched.about("restarting")] == ["announced"]
    assert f"127.0.0.1:{watched.ports['restarting']}  " not in watched.output


class Proxy(NamedTuple):
    """mitmproxy in front of a scripted origin."""

    mitm: Mitm
    origin: Http1Origin
    log: Path

    def client(self) -> Http1Client:
        """Connect."""
        return Http1Client(self.mitm.address())

    def found(self, *paths: str) -> list[tuple[str, str | None, str, str]]:
        """Reduce the records about connections on these paths: rule, variant, sender, leg."""
        return [
            (one["rule"], one["variant"], one["sender"], one["leg"])
            for one in read_log(self.log)
            if one["part"] == "connection" and one["url"] and one["url"].endswith(paths)
        ]

    def wait_for(self, rule: str, path: str) -> None:
        """Wait until a finding about this path is told."""
        self.mitm.wait_for_line(rf"hopguard: .*{rule}.*{path}$")

    def wait_for_server_disconnect(self, since: int) -> None:
        """Wait until a server connection has ended."""
        self.mitm.wait_for_line("server disconnect", since=since)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[Proxy]:
    log = tmp_path_factory.mktemp("proxy") / "violations.jsonl"
    with (
        Http1Origin(default=OK) as origin,
        Mitm(
            f"reverse:{origin.url}",
            scripts=[ADDON],
            options={"hopguard_log": str(log)},
            confdir=confdir,
        ) as mitm,
    ):
        yield Proxy(mitm, origin, log)


def test_race(proxy: Proxy) -> None:
    """A request that meets the end of its connection is named with its history."""
    proxy.origin.answers["/race"] = [Close()]
    with proxy.client() as client:
        client.exchange(request("/before"))
        assert client.exchange(request("/race")).status == 502
    assert proxy.found("/race") == [("request-raced-idle-close", None, "server", "server")]
    (record,) = [one for one in read_log(proxy.log) if one["rule"] == "request-raced-idle-close"]
    assert record["message"].startswith("Request 2 was lost: the server closed the connection")
    assert record["flow"]


def test_first_request_that_is_lost_is_no_race(proxy: Proxy) -> None:
    proxy.origin.answers["/first"] = [Close()]
    with proxy.client() as client:
        assert client.exchange(request("/first")).status == 502
    assert proxy.found("/first") == []


def test_close_is_ignored(proxy: Proxy) -> None:
    """mitmproxy does not understand Close; the client and the server do, and go on."""
    with proxy.client() as client:
        client.exchange(request("/close/1", b"Connection: Close"))
        client.exchange(request("/close/2"))
    assert proxy.found("/close/2") == [
        ("request-after-close", "own-close", "client", "client"),
        ("request-after-close", "own-close", "intermediary", "server"),
        ("close-not-honoured", "processed", "server", "server"),
    ]


def test_connection_stays_open_after_close(proxy: Proxy) -> None:
    """Nothing more happens: somebody has to look."""
    proxy.origin.answers["/open"] = message(
        b"HTTP/1.1 200 OK", b"Connection: CLOSE", b"Content-Length: 0"
    )
    with proxy.client() as client:
        client.exchange(request("/open"))
        proxy.wait_for("close-not-honoured/server-open", "/open")
        proxy.wait_for("close-not-honoured/client-open", "/open")
    assert sorted(proxy.found("/open")) == [
        ("close-not-honoured", "client-open", "client", "client"),
        ("close-not-honoured", "server-open", "server", "server"),
    ]


def test_response_is_cut_off(proxy: Proxy) -> None:
    short = message(b"HTTP/1.1 200 OK", b"Content-Length: 50", body=b"abc")
    proxy.origin.answers["/short"] = [short, Close()]
    with proxy.client() as client:
        client.exchange(request("/short"))
    assert proxy.found("/short") == [("response-truncated-by-close", None, "server", "server")]


@pytest.mark.parametrize(
    ("octets", "variant"),
    [
        (OK, "data"),
        (message(b"HTTP/1.1 408 Request Timeout", b"Connection: close"), "timeout-notice"),
    ],
)
def test_data_that_nobody_asked_for(proxy: Proxy, octets: bytes, variant: str) -> None:
    asked, path = Flag(), f"/unasked/{variant}"
    proxy.origin.answers[path] = [OK, Wait(asked), octets]
    with proxy.client() as client:
        client.exchange(request(path))
        since = proxy.mitm.process.position()
        asked.set()
        proxy.wait_for_server_disconnect(since)
        proxy.wait_for(f"unsolicited-response-data/{variant}", path)
    assert proxy.found(path) == [("unsolicited-response-data", variant, "server", "server")]


def test_server_that_never_keeps_connections(proxy: Proxy) -> None:
    """The first two are told one by one, the third for what it is, the next not any more."""
    paths = [f"/single/{number}" for number in range(4)]
    with Http1Origin({path: [OK, Close()] for path in paths}) as origin:
        address = f"127.0.0.1:{origin.port}"
        with Mitm(
            f"reverse:{origin.url}",
            scripts=[ADDON],
            options={"hopguard_log": str(proxy.log)},
            confdir=proxy.mitm.confdir,
        ) as mitm:
            for path in paths:
                since = mitm.process.position()
                with Http1Client(mitm.address()) as client:
                    client.exchange(request(path))
                    mitm.wait_for_line(f"server disconnect {address}", since=since)
    assert proxy.found(*paths) == [
        ("server-closed-without-announcing", "at-once", "server", "server"),
        ("server-closed-without-announcing", "at-once", "server", "server"),
        ("non-persistent-peer-unannounced", "server", "server", "server"),
    ]


def test_post_that_is_sent_again(proxy: Proxy) -> None:
    """mitmproxy answers 502 in the server's place; the client does not wait for a person."""
    proxy.origin.answers["/pay"] = [Close()]
    for _ in range(2):
        with proxy.client() as client:
            client.exchange(request("/pay", method=b"POST", body=b"amount=7"))
    found = [one for one in proxy.found("/pay") if one[0] != "request-raced-idle-close"]
    assert found == [("non-idempotent-retry-after-close", "client", "client", "client")]


def in_order(proxy: Proxy, use: Callable[[Http1Client], object], *paths: str) -> None:
    """Use a connection, end it, and expect no finding about it."""
    since = proxy.mitm.process.position()
    with proxy.client() as client:
        use(client)
    proxy.wait_for_server_disconnect(since)
    assert proxy.found(*paths) == []


def test_client_that_leaves_is_no_closing_server(proxy: Proxy) -> None:
    in_order(proxy, lambda client: client.exchange(request("/leaves")), "/leaves")


def test_client_that_half_closes_is_in_order(proxy: Proxy) -> None:
    def use(client: Http1Client) -> None:
        client.exchange(request("/half"))
        client.end()

    in_order(proxy, use, "/half")


@pytest.mark.parametrize("side", ["request", "response"])
def test_announced_close_is_in_order(proxy: Proxy, side: str) -> None:
    """mitmproxy closes by itself then, which is nobody's fault."""
    path = f"/announced/{side}"
    said = [b"Connection: close"]
    proxy.origin.answers[path] = message(
        b"HTTP/1.1 200 OK", b"Content-Length: 0", b"Connection: close"
    )
    asked = said if side == "request" else []
    in_order(proxy, lambda client: client.exchange(request(path, *asked)), path)


def test_http2_client_takes_one_connection_for_each_request(proxy: Proxy) -> None:
    """mitmproxy ends each of them itself: no server is to blame."""
    with Http2Client(proxy.mitm.address(), tls=client_context(["h2"])) as client:
        for number in range(4):
            since = proxy.mitm.process.position()
            assert client.exchange(request_lines(f"/h2/{number}")).status == 200
            proxy.wait_for_server_disconnect(since)
    assert proxy.found(*(f"/h2/{number}" for number in range(4))) == []


def test_upstream_proxy_that_keeps_the_connection(proxy: Proxy, confdir: Path) -> None:
    """Its refusal of CONNECT is in mitmproxy's log alone."""
    refusal = message(b"HTTP/1.1 403 Forbidden", b"Content-Length: 0")
    with (
        Http1Origin(default=refusal) as upstream,
        Mitm(
            f"upstream:{upstream.url}",
            scripts=[ADDON],
            options={"hopguard_log": str(proxy.log), "connection_strategy": "lazy"},
            confdir=confdir,
        ) as mitm,
        Http1Client(mitm.address()) as client,
    ):
        client.send(message(b"CONNECT x.example:80 HTTP/1.1", b"Host: x.example:80"))
        assert client.response(b"CONNECT").status == 200
        client.send(request("/through"))
        mitm.wait_for_line("connect-rejected-connection-kept")
        server = f"127.0.0.1:{upstream.port}"
    (record,) = [one for one in read_log(proxy.log) if one["server"] == server]
    assert record["rule"] == "connect-rejected-connection-kept"
    assert (record["sender"], record["method"]) == ("intermediary", "CONNECT")
    assert "403" in record["message"]
