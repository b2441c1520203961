"""Real clients and a real server, all conforming: nothing is found at warning or above."""

import http.client
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.live.site import ADDON, need
from tests.peers import Certificates, Mitm
from tests.peers.products import NGINX
from tests.records import read_log

pytestmark = [pytest.mark.live, pytest.mark.peer]

SERVER = """
  root @folder@; default_type text/plain;
  server {
    listen 127.0.0.1:@port0@; listen 127.0.0.1:@port1@ ssl http2;
    ssl_certificate @certificate@; ssl_certificate_key @key@;
    location /gone { return 404; }
    location /moved { return 301 /file; }
    location /nothing { return 204; }
    location /early-close { keepalive_timeout 0; return 200 "bye"; }
  }
"""
PATHS = ("/file", "/large", "/gone", "/moved", "/nothing", "/early-close", "/absent")


class Proxied(NamedTuple):
    """The proxy in front of nginx."""

    mitm: Mitm
    log: Path
    plain: int
    tls: int


@pytest.fixture(scope="module")
def path(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates, confdir: Path
) -> Iterator[Proxied]:
    need("nginx")
    folder = tmp_path_factory.mktemp("conforming")
    server = SERVER.replace("@certificate@", str(certificates.certificate))
    with ExitStack() as stack:
        nginx = stack.enter_context(
            NGINX.run(server.replace("@key@", str(certificates.key)), ports=2)
        )
        (nginx.folder / "file").write_text("a file\n")
        (nginx.folder / "large").write_bytes(b"x" * 300_000)
        plain, tls = nginx.ports
        log = folder / "violations.jsonl"
        mitm = Mitm(
            "regular",
            f"reverse:http://127.0.0.1:{plain}",
            f"reverse:https://127.0.0.1:{tls}",
            scripts=[ADDON],
            options={"hopguard_log": str(log)},
            confdir=confdir,
        )
        yield Proxied(stack.enter_context(mitm), log, plain, tls)


def complaints(path: Proxied) -> list[str]:
    """Read what was found at warning or above."""
    return [one["message"] for one in read_log(path.log) if one["severity"] != "info"]


def run(*command: str) -> str:
    """Run a client; return what it printed."""
    done = subprocess.run(
        command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=60
    )
    return done.stdout.decode(errors="replace")


def urls(path: Proxied, mode: int) -> list[str]:
    """List the addresses of all resources in the reverse mode with this number."""
    scheme = {1: "http", 2: "https"}[mode]
    return [f"{scheme}://127.0.0.1:{path.mitm.address(mode)[1]}{one}" for one in PATHS]


@pytest.mark.parametrize(
    ("version", "mode"),
    [("--http1.0", 1), ("--http1.1", 1), ("--http1.0", 2), ("--http1.1", 2), ("--http2", 2)],
)
def test_curl(path: Proxied, version: str, mode: int) -> None:
    curl = need("curl")
    seen = run(curl, "-sk", version, "-o", "/dev/null", "-w", "%{http_code} ", *urls(path, mode))
    assert "200" in seen
    run(curl, "-skI", version, *urls(path, mode))
    run(curl, "-sk", version, "--compressed", "-d", "x=1", *urls(path, mode))
    run(curl, "-sk", version, "-T-", "-H", "Expect: 100-continue", urls(path, mode)[0])
    assert complaints(path) == []


def test_curl_through_the_proxy(path: Proxied) -> None:
    curl, (host, port) = need("curl"), path.mitm.address(0)
    proxy = ("-x", f"http://{host}:{port}")
    plain, tls = f"http://127.0.0.1:{path.plain}/file", f"https://127.0.0.1:{path.tls}/file"
    for version, url in [("--http1.1", plain), ("--http1.1", tls), ("--http2", tls)]:
        assert "a file" in run(curl, "-sk", version, *proxy, url)
    assert "a file" in run(curl, "-sk", "-p", *proxy, plain)
    assert complaints(path) == []


@pytest.mark.parametrize("mode", [1, 2], ids=["clear", "tls"])
def test_wget(path: Proxied, mode: int) -> None:
    wget = need("wget")
    run(wget, "-q", "-O-", "--no-check-certificate", "--max-redirect=2", *urls(path, mode))
    assert "a file" in run(wget, "-q", "-O-", "--no-check-certificate", urls(path, mode)[0])
    run(wget, "-q", "-O-", "--no-check-certificate", "--no-http-keep-alive", urls(path, mode)[0])
    assert complaints(path) == []


def test_python(path: Proxied) -> None:
    host, port = path.mitm.address(1)
    tls_host, tls_port = path.mitm.address(2)
    insecure = ssl._create_unverified_context()
    for connection in (
        http.client.HTTPConnection(host, port, timeout=30),
        http.client.HTTPSConnection(tls_host, tls_port, timeout=30, context=insecure),
    ):
        with closing(connection):
            for method in ("GET", "HEAD", "POST"):
                for one in PATHS:
                    connection.request(method, one, body=b"x" if method == "POST" else None)
                    connection.getresponse().read()
            connection.request("PUT", "/file", body=iter([b"a", b"b"]), encode_chunked=True)
            connection.getresponse().read()
    assert complaints(path) == []


def test_there_was_something_to_complain_of(path: Proxied) -> None:
    """The tests above would notice: curl with a forbidden nomination does not pass in silence."""
    run(need("curl"), "-s", "-H", "Connection: close, X-Forwarded-For", urls(path, 1)[0])
    assert any("X-Forwarded-For" in complaint for complaint in complaints(path))
