"""What is done about connections, as their two ends see it."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live.site import ADDON, OK
from tests.peers import (
    Close,
    Flag,
    Http1Client,
    Http1Origin,
    Mitm,
    Wait,
    client_context,
    message,
)
from tests.peers.mitm import Option
from tests.records import read_log

pytestmark = pytest.mark.live

REVERSE, REGULAR = 0, 1
BLOCKED = (
    "request-after-close",
    "close-not-honoured",
    "faulty-framing-connection-reused",
    "unsolicited-response-data",
)
FIXED = ("non-persistent-peer-unannounced", "proxy-persistent-with-http10-client")
"""Their names are also those of the folders in which they are acted on."""

ODD_CLOSE = b"Connection: Close"
KEEP_ALIVE = b"Connection: keep-alive"


class Proxy(NamedTuple):
    """mitmproxy that acts, in front of a scripted origin."""

    mitm: Mitm
    origin: Http1Origin
    log: Path

    def client(self, mode: int = REVERSE) -> Http1Client:
        """Connect."""
        return Http1Client(self.mitm.address(mode))

    def acted(self, *paths: str) -> list[tuple[str, str, str]]:
        """Reduce the records about connections on these paths: rule, leg, action."""
        return [
            (one["rule"], one["leg"], one["action"])
            for one in read_log(self.log)
            if one["part"] == "connection" and one["url"] and one["url"].endswith(paths)
        ]

    def served(self, path: str) -> list[int]:
        """List the connections on which the origin got requests with this path."""
        return [one.connection for one in self.origin.requests if one.target == path.encode()]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[Proxy]:
    log = tmp_path_factory.mktemp("ending") / "violations.jsonl"
    policy = [
        *(f"|~u /{rule}/|{rule}|block" for rule in BLOCKED),
        *(f"|~u /{rule}/|{rule}|fix" for rule in FIXED),
    ]
    options: dict[str, Option] = {
        "hopguard_log": str(log),
        "hopguard_policy": policy,
        "validate_inbound_headers": False,
    }
    with (
        Http1Origin(default=OK) as origin,
        Mitm(
            f"reverse:{origin.url}",
            "regular",
            scripts=[ADDON],
            options=options,
            confdir=confdir,
        ) as mitm,
    ):
        yield Proxy(mitm, origin, log)


def request(path: str, *lines: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return message(b"GET %s %s" % (path.encode(), version), b"Host: x", *lines)


def test_request_after_close_is_refused(proxy: Proxy) -> None:
    """The server never sees it."""
    with proxy.client() as client:
        assert client.exchange(request("/flagged", ODD_CLOSE)).status == 200
        response = client.exchange(request("/request-after-close/2"))
        assert client.wait_for_close() == b""
    assert (response.status, response.values("connection")) == (400, [b"close"])
    assert response.body.startswith(b"hopguard blocked this request: request-after-close/own-close")
    assert proxy.served("/request-after-close/2") == []
    assert proxy.acted("/request-after-close/2") == [("request-after-close", "client", "blocked")]


def test_server_that_goes_on_is_left(proxy: Proxy) -> None:
    """The client has its answer, which says that this was the last one."""
    path = "/close-not-honoured/2"
    with proxy.client() as client:
        client.exchange(request("/flagged", ODD_CLOSE))
        response = client.exchange(request(path))
        assert client.wait_for_close() == b""
    assert (response.body, response.values("connection")) == (b"ok", [b"close"])
    (number,) = proxy.served(path)
    assert proxy.origin.wait_for_close(number).error is None
    assert ("close-not-honoured", "server", "blocked") in proxy.acted(path)


def test_idle_connections_are_closed(proxy: Proxy) -> None:
    """Neither side has understood Close; mitmproxy ends the server's connection, then the client's.

    So it does with TLS.
    """
    answer = message(b"HTTP/1.1 200 OK", ODD_CLOSE, b"Content-Length: 0")
    paths = "/close-not-honoured/idle", "/close-not-honoured/tls"
    proxy.origin.answers.update(dict.fromkeys(paths, answer))
    address, tls = proxy.mitm.address(REVERSE), client_context(["http/1.1"])
    with Http1Client(address) as plain, Http1Client(address, tls=tls) as secure:
        for client, path in zip((plain, secure), paths, strict=True):
            client.exchange(request(path))
        for client, path in zip((plain, secure), paths, strict=True):
            assert client.wait_for_close() == b""
            proxy.origin.wait_for_close(*proxy.served(path))
            assert sorted(proxy.acted(path)) == [
                ("close-not-honoured", "client", "blocked"),
                ("close-not-honoured", "server", "blocked"),
            ]
    assert "crash" not in proxy.mitm.output


def test_connection_with_faulty_framing_ends(proxy: Proxy) -> None:
    path = "/faulty-framing-connection-reused/2"
    both = b"Transfer-Encoding: chunked", b"Content-Length: 5"
    with proxy.client() as client:
        lines = message(b"POST /flagged HTTP/1.1", b"Host: x", *both, body=b"0\r\n\r\n")
        assert client.exchange(lines).status == 200
        response = client.exchange(request(path))
        assert client.wait_for_close() == b""
    assert response.values("connection") == [b"close"]
    proxy.origin.wait_for_close(*proxy.served(path))
    assert proxy.acted(path) == [("faulty-framing-connection-reused", "server", "blocked")]


def test_octets_that_nobody_asked_for_end_the_connection(proxy: Proxy) -> None:
    """The client's stays: nothing of them has reached it."""
    asked, path = Flag(), "/unsolicited-response-data/1"
    proxy.origin.answers[path] = [OK, Wait(asked), OK]
    with proxy.client() as client:
        client.exchange(request(path))
        asked.set()
        proxy.origin.wait_for_close(*proxy.served(path))
        proxy.mitm.wait_for_line(rf"unsolicited-response-data.*{path}$")
        client.exchange(request("/flagged"))
        assert client.received == OK + OK
    assert proxy.acted(path) == [("unsolicited-response-data", "server", "blocked")]


def test_server_that_never_keeps_connections_is_announced(proxy: Proxy) -> None:
    """From the fourth response on; the client reads that it need not try again."""
    paths = [f"/non-persistent-peer-unannounced/{number}" for number in range(4)]
    said = []
    for path in paths:
        proxy.origin.answers[path] = [OK, Close()]
        since = proxy.mitm.process.position()
        with proxy.client() as client:
            said.append(client.exchange(request(path)).values("connection"))
            proxy.mitm.wait_for_line("server disconnect", since=since)
            if said[-1]:
                assert client.wait_for_close() == b""
    assert said == [[], [], [], [b"close"]]
    last = [one for one in proxy.acted(*paths) if one[0] == "non-persistent-peer-unannounced"]
    assert last == [("non-persistent-peer-unannounced", "server", "fixed")]
    assert proxy.acted(paths[3]) == []


def test_proxy_ends_the_connection_of_a_client_of_http10(proxy: Proxy) -> None:
    path = "/proxy-persistent-with-http10-client/2"
    proxy.origin.answers[path] = proxy.origin.answers["/flagged/1.0"] = message(
        b"HTTP/1.0 200 OK", KEEP_ALIVE, b"Content-Length: 2", body=b"ok"
    )
    with proxy.client(REGULAR) as client:
        lines = [proxy.origin.url + one for one in ("/flagged/1.0", path)]
        first, second = (
            client.exchange(request(one, KEEP_ALIVE, version=b"HTTP/1.0")) for one in lines
        )
        assert client.wait_for_close() == b""
    assert first.values("connection") == [b"keep-alive"]
    assert (second.body, second.values("connection")) == (b"ok", [b"close"])
    assert proxy.acted(path) == [("proxy-persistent-with-http10-client", "client", "fixed")]
