"""One mitmproxy for each setting of the addon, in front of servers of all kinds.

Fixtures for the modules that import them.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.servers import file_server, grpc_server, websocket_server
from tests.live.site import ADDON, OK, need
from tests.peers import TIMEOUT, Certificates, Http1Origin, Mitm
from tests.peers.waiting import Address
from tests.records import read_log

STREAMING = Path(__file__).parent / "scripts" / "streaming.py"
SETTINGS: dict[str, dict[str, str]] = {
    "off": {"hopguard_action": "off"},
    "flag": {},
    "fix": {"hopguard_action": "fix"},
    "conforming": {"hopguard_forwarding": "conforming"},
}
FILES, FILES_WITH_TLS, WEBSOCKET, GRPC, SCRIPTED, REGULAR = range(6)
"""The modes."""


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
        "regular",
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
def nothing_is_found(site: Site) -> Iterator[None]:
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
