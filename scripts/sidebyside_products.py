"""The six that are compared, each as a reverse proxy in front of an origin of its own.

Settings are those of Debian's packages; what is added makes them reverse proxies, and lets HTTP/2
clients in. Everything listens on loopback.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from scripts.sidebyside_case import Case
from scripts.sidebyside_exchange import OK, Seen, answers, exchange
from tests.peers import Certificates, Http1Origin, Mitm
from tests.peers.products import APACHE, HAPROXY, NGINX, Product
from tests.peers.waiting import Address

ADDON = Path(__file__).resolve().parents[1] / "addon" / "hopguard_addon.py"

Addresses = tuple[Address, Address]
"""In clear text, and with TLS, which HTTP/2 needs."""
Start = Callable[[Http1Origin, Certificates], AbstractContextManager[Addresses]]

NGINX_BODY = """
  server {
    listen 127.0.0.1:@port0@; listen 127.0.0.1:@port1@ ssl http2;
    ssl_certificate @certificate@; ssl_certificate_key @key@;
    location / { proxy_pass @origin@; }
  }
"""
APACHE_BODY = """
Listen 127.0.0.1:@port0@
Listen 127.0.0.1:@port1@ https
Protocols h2 http/1.1
ProxyPass / @origin@/
<VirtualHost 127.0.0.1:@port1@>
  SSLEngine on
  SSLCertificateFile @certificate@
  SSLCertificateKeyFile @key@
  ProxyPass / @origin@/
</VirtualHost>
"""
HAPROXY_BODY = """
frontend front
  bind 127.0.0.1:@port0@
  bind 127.0.0.1:@port1@ ssl crt @both@ alpn h2,http/1.1
  default_backend back
backend back
  server origin @host@:@port@
"""


@contextmanager
def _mitmproxy(
    options: Mapping[str, str] | None, confdir: Path, origin: Http1Origin, _: Certificates
) -> Iterator[Addresses]:
    scripts = [] if options is None else [ADDON]
    mode = f"reverse:{origin.url}"
    with Mitm(mode, scripts=scripts, options=options, confdir=confdir) as mitm:
        yield mitm.address(), mitm.address()


@contextmanager
def _product(
    product: Product, body: str, origin: Http1Origin, certificates: Certificates
) -> Iterator[Addresses]:
    both = certificates.key.with_name(f"{product.program}.pem")
    both.write_bytes(certificates.certificate.read_bytes() + certificates.key.read_bytes())
    places = {
        "@origin@": origin.url,
        "@host@": origin.address[0],
        "@port@": str(origin.port),
        "@certificate@": str(certificates.certificate),
        "@key@": str(certificates.key),
        "@both@": str(both),
    }
    for place, text in places.items():
        body = body.replace(place, text)
    with product.run(body, ports=2) as running:
        yield running.address(0), running.address(1)


@dataclass(frozen=True)
class Column:
    """One of those that are compared."""

    name: str
    version: str
    """Empty for hopguard: it is what lies beside this file."""
    start: Start


CONFORMING = "conforming"
"""The column that has to be right."""

OTHERS = {
    "nginx": (NGINX, NGINX_BODY),
    "HAProxy": (HAPROXY, HAPROXY_BODY),
    "Apache": (APACHE, APACHE_BODY),
}


def columns(confdir: Path) -> list[Column]:
    """List them; those that are not installed are left out."""
    modes: dict[str, dict[str, str] | None] = {
        "mitmproxy": None,
        "fix": {"hopguard_action": "fix"},
        CONFORMING: {"hopguard_forwarding": "conforming"},
    }
    found = [
        Column(
            name,
            version("mitmproxy") if options is None else "",
            partial(_mitmproxy, options, confdir),
        )
        for name, options in modes.items()
    ]
    return found + [
        Column(name, product.version(), partial(_product, product, body))
        for name, (product, body) in OTHERS.items()
        if product.path
    ]


def run(column: Column, cases: Sequence[Case], certificates: Certificates) -> list[Seen]:
    """Send all cases through one of them."""
    with (
        Http1Origin(answers(cases), default=OK) as origin,
        column.start(origin, certificates) as (clear, tls),
    ):
        return [exchange(number, case, origin, clear, tls) for number, case in enumerate(cases)]
