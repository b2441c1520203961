"""Protocols that live on HTTP work through the addon, whatever it is told to do."""

import http.client
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.live.servers import (
    LARGE,
    SERVICE,
    file_server,
    grpc_server,
    websocket_server,
)
from tests.live.site import ADDON, OK, need
from tests.peers import (
    TIMEOUT,
    Certificates,
    Flag,
    Http1Client,
    Http1Origin,
    Mitm,
    Wait,
    message,
)
from tests.peers.waiting import Address
from tests.records import read_log

pytestmark = [pytest.mark.live, pytest.mark.peer]

STREAMING = Path(__file__).parent / "scripts" / "streaming.py"
SETTINGS: dict[str, dict[str, str]] = {
    "off": {"hopguard_action": "off"},
    "flag": {},
    "fix": {"hopguard_action": "fix"},
    "conforming": {"hopguard_forwarding": "conforming"},
}
FILES, FILES_WITH_TLS, WEBSOCKET, GRPC, SCRIPTED = range(5)
"""The modes."""
EVENTS = (b"Content-Type: text/event-stream", b"Cache-Control: no-cache")


@dataclass(frozen=True)
class Site:
    """Servers, and one mitmproxy in front of them all."""

    setting: str
    mitm: Mitm
    scripted: Http1Origin
    log: Path

    def address(self, mode: int) -> Address:
        return self.mitm.address(mode)

    def url(self, mode: int, path: str = "") -> str:
        host, port = self.mitm.address(mode)
        return f"{'https' if mode in (FILES_WITH_TLS, GRPC) else 'http'}://{host}:{port}{path}"


@dataclass(frozen=True)
class Servers:
    """What is in front of nothing."""

    urls: tuple[str, ...]
    scripted: Http1Origin


@pytest.fixture(scope="module")
def servers(certificates: Certificates) -> Iterator[Servers]:
    need("nginx")
    with ExitStack() as stack:
        files = stack.enter_context(file_server(certificates))
        websocket = stack.enter_context(websocket_server())
        numbers = stack.enter_context(grpc_server(certificates))
        scripted = stack.enter_context(Http1Origin(default=OK))
        urls = (files.url(0), files.url(1, "https"), websocket, numbers, scripted.url)
        yield Servers(urls, scripted)


@pytest.fixture(scope="module", params=list(SETTINGS))
def site(
    request: pytest.FixtureRequest,
    servers: Servers,
    tmp_path_factory: pytest.TempPathFactory,
    confdir: Path,
) -> Iterator[Site]:
    log = tmp_path_factory.mktemp("protocols") / "violations.jsonl"
    log.touch()
    with Mitm(
        *(f"reverse:{url}" for url in servers.urls),
        scripts=[ADDON, STREAMING],
        options={
            "hopguard_log": str(log),
            "stream_large_bodies": "100k",
            **SETTINGS[request.param],
        },
        confdir=confdir,
    ) as mitm:
        yield Site(request.param, mitm, servers.scripted, log)


@pytest.fixture(autouse=True)
def _nothing_is_found(site: Site) -> Iterator[None]:
    """All traffic here is correct."""
    before = len(read_log(site.log))
    yield
    found = read_log(site.log)[before:]
    assert [one["message"] for one in found if one["severity"] != "info"] == []
    assert {one["action"] for one in found} <= {"flagged"}
    assert "Traceback" not in site.mitm.output


def run(*command: str) -> str:
    """Run a client, which must succeed; return what it printed."""
    done = subprocess.run(
        command,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT,
    )
    printed = done.stdout.decode(errors="replace")
    assert done.returncode == 0, printed
    return printed


def test_websocket(site: Site) -> None:
    host, port = site.address(WEBSOCKET)
    with connect(f"ws://{host}:{port}/chat", proxy=None, open_timeout=TIMEOUT) as client:
        assert client.recv(TIMEOUT) == "welcome"
        for said in ("one", "two", "x" * 70_000):
            client.send(said)
            assert client.recv(TIMEOUT) == said.upper()
        client.send(b"octets")
        assert client.recv(TIMEOUT) == b"OCTETS"
        client.ping().wait(TIMEOUT)
        client.send("bye")
        assert client.recv(TIMEOUT) == "BYE"
        with pytest.raises(ConnectionClosedError, match="goodbye"):
            client.recv(TIMEOUT)


def channel(site: Site) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(site.mitm.ca.read_bytes())
    options = [("grpc.enable_http_proxy", 0), ("grpc.ssl_target_name_override", "localhost")]
    host, port = site.address(GRPC)
    return grpc.secure_channel(f"{host}:{port}", credentials, options)


def test_grpc(site: Site) -> None:
    with channel(site) as numbers:
        double: grpc.UnaryUnaryMultiCallable[bytes, bytes] = numbers.unary_unary(
            f"/{SERVICE}/Double"
        )
        for text in (b"a", b"b" * 200_000):
            doubled, call = double.with_call(text, timeout=TIMEOUT)
            assert doubled == text * 2
            assert ("x-cost", "1") in call.trailing_metadata()
        with pytest.raises(grpc.RpcError) as error:
            double(b"", timeout=TIMEOUT)
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        count: grpc.UnaryStreamMultiCallable[bytes, bytes] = numbers.unary_stream(
            f"/{SERVICE}/Count"
        )
        counting = count(b"5", timeout=TIMEOUT)
        assert [int(one) for one in counting] == list(range(5))
        assert ("x-cost", "5") in counting.trailing_metadata()


def test_grpc_both_ways(site: Site) -> None:
    """Each number is sent only when the sum up to the one before has come."""
    came = [Flag(f"sum {number}") for number in range(3)]

    def sending() -> Iterator[bytes]:
        for number, flag in enumerate(came):
            yield b"%d" % (number + 1)
            flag.wait()

    with channel(site) as numbers:
        sums = []
        add: grpc.StreamStreamMultiCallable[bytes, bytes] = numbers.stream_stream(f"/{SERVICE}/Sum")
        for one, flag in zip(add(sending(), timeout=TIMEOUT), came, strict=True):
            sums.append(int(one))
            flag.set()
    assert sums == [1, 3, 6]


@pytest.mark.parametrize("fields", [(), (b"Connection: keep-alive",)], ids=["", "keep-alive"])
def test_server_sent_events(site: Site, fields: tuple[bytes, ...]) -> None:
    first_came = Flag("the first event came")
    site.scripted.answers["/events"] = [
        message(b"HTTP/1.1 200 OK", *EVENTS, *fields, b"Transfer-Encoding: chunked"),
        b"9\r\ndata: 1\n\n\r\n",
        Wait(first_came),
        b"9\r\ndata: 2\n\n\r\n0\r\n\r\n",
    ]
    host, port = site.address(SCRIPTED)
    with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT)) as client:
        client.request("GET", "/events", headers={"Accept": "text/event-stream"})
        response = client.getresponse()
        assert response.readline() == b"data: 1\n"
        first_came.set()
        assert response.read() == b"\ndata: 2\n\n"


def test_chunked_upload(site: Site) -> None:
    host, port = site.address(SCRIPTED)
    with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT)) as client:
        for path, parts in [("/small", [b"a", b"bc"]), ("/large", [b"x" * 50_000] * 10)]:
            client.request("PUT", path, body=iter(parts), encode_chunked=True)
            assert client.getresponse().read() == b"ok"
            assert site.scripted.requests[-1].body == b"".join(parts)
    requests = site.scripted.requests[-2:]
    assert len({request.connection for request in requests}) == 1


def test_expect_continue(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(LARGE[:300_000])
    expecting = ("-T", str(file), "-H", "Expect: 100-continue", "--expect100-timeout", "20")
    printed = run(need("curl"), "-sv", *expecting, site.url(SCRIPTED, "/upload"))
    assert "HTTP/1.1 100 " in printed
    assert "HTTP/1.1 200 " in printed
    assert site.scripted.requests[-1].body == LARGE[:300_000]


@pytest.mark.parametrize(
    ("mode", "version"),
    [(FILES, "--http1.1"), (FILES_WITH_TLS, "--http1.1"), (FILES_WITH_TLS, "--http2")],
)
def test_not_modified_head_and_large(site: Site, mode: int, version: str, tmp_path: Path) -> None:
    curl = (need("curl"), "-sk", version)
    write = ("-o", str(tmp_path / "got"), "-w", "%{http_code} %{size_download} %{num_connects} ")
    etag = re.search(r"(?im)^etag: (\S+)", run(*curl, "-I", site.url(mode, "/file")))
    assert etag
    url = site.url(mode, "/file")
    asking = ("-H", f"If-None-Match: {etag[1]}")
    assert run(*curl, *write, *asking, url, *write[:2], url) == "304 0 1 304 0 0 "
    assert run(*curl, *write, "-I", url, *write[:2], url) == "200 0 1 200 0 0 "
    assert run(*curl, *write, site.url(mode, "/large")) == f"200 {len(LARGE)} 1 "
    assert (tmp_path / "got").read_bytes() == LARGE


def test_apache_bench(site: Site) -> None:
    check_bench(run(need("ab"), "-q", "-n12", "-c3", site.url(FILES, "/file")))


def test_apache_bench_with_keep_alive(site: Site) -> None:
    if site.setting != "conforming":
        pytest.skip("mitmproxy itself relays the server's keep-alive, and closes: see below")
    printed = run(need("ab"), "-qk", "-n12", "-c3", site.url(FILES, "/file"))
    check_bench(printed)


def check_bench(printed: str) -> None:
    assert re.search(r"Complete requests: +12\n", printed), printed
    assert re.search(r"Failed requests: +0\n", printed), printed
    assert "Non-2xx" not in printed


@pytest.mark.parametrize("option", [None, b"keep-alive", b"Keep-Alive"])
def test_http10_client(site: Site, option: bytes | None) -> None:
    """What the response says of the connection is what happens to it."""
    asking = [b"Connection: " + option] if option else []
    request = message(b"GET /file HTTP/1.0", b"Host: localhost", *asking)
    with Http1Client(site.address(FILES)) as client:
        response = client.exchange(request)
        assert (response.status, response.body) == (200, b"a file\n")
        options = b",".join(response.values("connection")).lower()
        persists = b"keep-alive" in options
        if option == b"Keep-Alive" and site.setting != "conforming":
            assert persists  # says nginx, but mitmproxy knows the option in lower case only
            persists = False
        if persists:
            assert client.exchange(request).body == b"a file\n"
        else:
            client.wait_for_close()


def test_h2load(site: Site) -> None:
    printed = run(need("h2load"), "-n40", "-c2", "-m10", site.url(FILES_WITH_TLS, "/file"))
    assert "40 succeeded, 0 failed, 0 errored, 0 timeout" in printed, printed
    assert "Application protocol: h2" in printed
