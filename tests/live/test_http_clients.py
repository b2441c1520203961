"""Clients and load generators get what they ask for, whatever the addon is told to do."""

import re
from pathlib import Path

import pytest

from tests.live.servers import LARGE
from tests.live.settings import FILES, FILES_WITH_TLS, Site, nothing_is_found, run, servers, site
from tests.live.site import need
from tests.peers import Http1Client, message

__all__ = ["nothing_is_found", "servers", "site"]

pytestmark = [pytest.mark.live, pytest.mark.peer]


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
    assert re.search(r"Keep-Alive requests: +12\n", printed), printed


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
