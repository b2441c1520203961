"""Incidents of real products: there without the addon's help, gone with it.

The products are Debian's nginx, Apache and HAProxy, the clients curl and nghttp.
"""

import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.site import ADDON, OK, need
from tests.live.test_random_exchanges import header
from tests.peers import (
    TIMEOUT,
    Certificates,
    Http1Client,
    Http1Origin,
    Http2Client,
    Mitm,
    Request,
    client_context,
    message,
    request_lines,
)
from tests.peers.products import APACHE, HAPROXY, NGINX
from tests.records import read_log

pytestmark = [pytest.mark.live, pytest.mark.peer]

SETTINGS: dict[str, dict[str, str]] = {
    "flag": {},
    "fix": {"hopguard_action": "fix"},
    "conforming": {"hopguard_forwarding": "conforming"},
}
REPAIRING = ("fix", "conforming")

APACHE_SERVER = """
Listen 127.0.0.1:@port0@
Listen 127.0.0.1:@port1@ https
Listen 127.0.0.1:@port2@
Protocols h2 h2c http/1.1
DocumentRoot @folder@
<VirtualHost 127.0.0.1:@port1@>
  SSLEngine on
  SSLCertificateFile @certificate@
  SSLCertificateKeyFile @key@
  DocumentRoot @folder@
</VirtualHost>
<VirtualHost 127.0.0.1:@port2@>
  ProxyPass / @origin@/
</VirtualHost>
"""
NGINX_EDGE = """
  server {
    listen 127.0.0.1:@port0@ ssl http2;
    ssl_certificate @certificate@; ssl_certificate_key @key@;
    location / { proxy_pass @apache@; }
  }
  server { listen 127.0.0.1:@port1@; location / { proxy_pass @origin@; } }
"""
HAPROXY_EDGE = """
frontend front
  bind 127.0.0.1:@port0@
  default_backend back
backend back
  server origin @address@
"""
EDGE, HTTP2, TO_APACHE, TO_NGINX, TO_HAPROXY = range(5)
"""The modes: nginx before Apache; Apache over HTTP/2; three proxies before a scripted origin."""


def filled(body: str, **places: object) -> str:
    for place, value in places.items():
        body = body.replace(f"@{place}@", str(value))
    return body


@dataclass(frozen=True)
class Products:
    """What stands behind mitmproxy."""

    urls: tuple[str, ...]
    origin: Http1Origin


@dataclass(frozen=True)
class Site:
    """The products, and a mitmproxy before them."""

    setting: str
    mitm: Mitm
    origin: Http1Origin
    log: Path

    @property
    def repairs(self) -> bool:
        return self.setting in REPAIRING

    def url(self, mode: int, scheme: str = "https") -> str:
        host, port = self.mitm.address(mode)
        return f"{scheme}://{host}:{port}/file"

    def actions(self, path: str = "/file") -> set[tuple[str, str]]:
        return {
            (str(one["rule"]), str(one["action"]))
            for one in read_log(self.log)
            if str(one["url"]).endswith(path)
        }


@pytest.fixture(scope="module")
def products(certificates: Certificates) -> Iterator[Products]:
    for program in ("nginx", "apache2", "haproxy", "curl", "nghttp"):
        need(program)
    files = {"certificate": certificates.certificate, "key": certificates.key}
    with ExitStack() as stack:
        origin = stack.enter_context(Http1Origin(default=OK))
        body = filled(APACHE_SERVER, origin=origin.url, **files)
        apache = stack.enter_context(APACHE.run(body, ports=3))
        (apache.folder / "file").write_text("a file\n")
        body = filled(NGINX_EDGE, apache=apache.url(0), origin=origin.url, **files)
        nginx = stack.enter_context(NGINX.run(body, ports=2))
        body = filled(HAPROXY_EDGE, address="{}:{}".format(*origin.address))
        haproxy = stack.enter_context(HAPROXY.run(body))
        urls = (nginx.url(0, "https"), apache.url(1, "https"))
        yield Products((*urls, apache.url(2), nginx.url(1), haproxy.url()), origin)


@pytest.fixture(scope="module", params=list(SETTINGS))
def site(
    request: pytest.FixtureRequest,
    products: Products,
    tmp_path_factory: pytest.TempPathFactory,
    confdir: Path,
) -> Iterator[Site]:
    log = tmp_path_factory.mktemp("products") / "violations.jsonl"
    log.touch()
    with Mitm(
        *(f"reverse:{url}" for url in products.urls),
        scripts=[ADDON],
        options={
            "hopguard_log": str(log),
            "connection_strategy": "lazy",
            **SETTINGS[request.param],
        },
        confdir=confdir,
    ) as mitm:
        yield Site(request.param, mitm, products.origin, log)


def run(program: str, *arguments: str) -> tuple[int, str]:
    """Run a client; return its exit status and what it printed."""
    done = subprocess.run(
        [need(program), *arguments],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=TIMEOUT,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def test_apache_advertises_upgrade_through_nginx_to_curl(site: Site) -> None:
    """Apache sends Upgrade: h2,h2c; nginx copies it onto HTTP/2, where Safari and curl give up."""
    status, printed = run("curl", "-sSk", "--http2", site.url(EDGE))
    if site.repairs:
        assert (status, printed) == (0, "a file\n")
    else:
        assert status == 92, printed
        assert "was not closed cleanly: PROTOCOL_ERROR" in printed
    action = "fixed" if site.setting == "fix" else "flagged"
    assert ("connection-field-in-http2", action) in site.actions()


def test_apache_advertises_upgrade_through_nginx_to_nghttp(site: Site) -> None:
    _, printed = run("nghttp", "-v", site.url(EDGE))
    assert ("a file\n" in printed) == site.repairs
    assert ("name: [upgrade], value: [h2,h2c]" in printed) != site.repairs


def test_nothing_is_the_matter_with_nginx_and_apache_over_http1(site: Site) -> None:
    assert run("curl", "-sSk", "--http1.1", site.url(EDGE)) == (0, "a file\n")


def test_connection_to_an_origin_that_rejects_it(site: Site) -> None:
    """Apache's HTTP/2 resets a stream whose request holds Connection, as Kestrel does."""
    _, printed = run("nghttp", "-v", "-H", "connection: keep-alive", site.url(HTTP2))
    assert ("a file\n" in printed) == site.repairs
    assert (":status: 502" in printed) != site.repairs


def test_te_over_http2_to_an_origin_that_rejects_it(site: Site) -> None:
    _, printed = run("nghttp", "-v", "-H", "te: gzip", site.url(HTTP2))
    assert ("a file\n" in printed) == site.repairs
    assert (":status: 502" in printed) != site.repairs


def test_te_translated_to_http2(site: Site) -> None:
    """A correct TE: gzip of HTTP/1.1; that it goes on over HTTP/2 is mitmproxy's fault alone."""
    # Only a client that offers both, in this order, speaks HTTP/1.1 before an HTTP/2 server.
    offering = client_context(["http/1.1", "h2"])
    request = message(b"GET /file HTTP/1.1", b"Host: localhost", b"TE: gzip", b"Connection: TE")
    with Http1Client(site.mitm.address(HTTP2), tls=offering) as client:
        assert client.alpn == "http/1.1"
        response = client.exchange(request)
    assert response.status == (200 if site.setting == "conforming" else 502)


def test_whatever_an_http2_client_sends(site: Site) -> None:
    """Field lines put together at random, as a translating gateway may leave them."""
    dice = random.Random(9113)
    statuses = set()
    with Http2Client(site.mitm.address(HTTP2)) as client:
        for _ in range(25):
            pairs = [line.partition(b":") for line in header(dice, [])]
            lines = [(name.lower(), value.strip()) for name, _, value in pairs]
            statuses.add(client.exchange(request_lines("/file", *lines)).status)
    assert statuses == ({200} if site.repairs else {200, 502})


FORWARDED = b"203.0.113.7"


def forwarded(site: Site, mode: int) -> Request:
    """Nominate X-Forwarded-For on its way through a proxy; give what arrives beyond that."""
    path = f"/admin-{site.setting}-{mode}"
    lines = (b"Host: localhost", b"Connection: close, X-Forwarded-For")
    start = f"GET {path} HTTP/1.1".encode()
    with Http1Client(site.mitm.address(mode)) as client:
        assert (
            client.exchange(message(start, *lines, b"X-Forwarded-For: " + FORWARDED)).status == 200
        )
    (request,) = (one for one in site.origin.requests if one.path == path)
    action = "fixed" if site.setting == "fix" else "flagged"
    assert ("connection-strips-forwarding-field", action) in site.actions(path)
    return request


def test_a_client_deletes_its_address(site: Site) -> None:
    """Apache obeys Connection, and deletes what tells the origin who asks."""
    arrived = b", ".join(forwarded(site, TO_APACHE).values("x-forwarded-for"))
    assert (FORWARDED in arrived) == site.repairs


def test_haproxy_hands_the_nomination_on(site: Site) -> None:
    """It obeys no nomination but relays it, to somebody who may."""
    request = forwarded(site, TO_HAPROXY)
    assert request.values("x-forwarded-for") == [FORWARDED]
    nominated = b"x-forwarded-for" in b",".join(request.values("connection")).lower()
    assert nominated != site.repairs


def test_nginx_obeys_no_nomination(site: Site) -> None:
    assert forwarded(site, TO_NGINX).values("x-forwarded-for") == [FORWARDED]
