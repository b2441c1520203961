"""Make the README's pictures of the page in mitmweb: `python -m scripts.pictures`.

Clients and servers of a made-up shop break connection rules for most of a minute, through a real
mitmweb; then a real Chromium looks at the page. Needs Chromium and its driver.
"""

import math
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.live.browser import Browser, chromium
from tests.peers import (
    Http1Client,
    Http1Origin,
    Http2Client,
    Http2Origin,
    Mitm,
    PeerClosedError,
    answer,
    make_certificates,
    message,
    request_lines,
)

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

SECONDS = 55
"""Of traffic: a bar of the timeline for each."""

ROUTE = """
import asyncio
connect = asyncio.open_connection
def route(host, port, **options):
    return connect("127.0.0.1", {{80: {plain}, 443: {tls}}}[port], **options)
asyncio.open_connection = route
"""
"""An addon that leads every host to the two origins, which mitmproxy does not notice."""


def ok(*lines: bytes) -> bytes:
    """Make a response with these field lines."""
    return message(b"HTTP/1.1 200 OK", *lines, b"Content-Length: 3", body=b"ok\n")


HTTP1 = {
    "/": ok(b"Content-Type: text/html"),
    "/cart": ok(b"Connection: keep-alive, close"),
    "/events": ok(b"Keep-Alive: timeout=15, max=100"),
    "/feed.xml": ok(b"Connection: ,keep-alive"),
    "/legacy/report": ok(b"TE: trailers", b"Connection: TE"),
    "/search": ok(b"Connection: keep-alive, Cache-Control", b"Cache-Control: no-store"),
}

HTTP2 = {
    "/": answer((b"content-type", b"text/html"), body=b"ok\n"),
    "/api/v2/orders": answer((b"content-type", b"application/json"), body=b"{}\n"),
    "/api/v2/prices": answer((b"keep-alive", b"timeout=5"), body=b"{}\n"),
    "/assets/app.js": answer((b"upgrade", b"h2,h2c"), (b"connection", b"Upgrade"), body=b"ok\n"),
    "/stream": answer((b"connection", b"keep-alive"), body=b"ok\n"),
}

HABITS = (b"", b"", b"Proxy-Connection: keep-alive", b"Connection: close, X-Forwarded-For")
STREAM_HABITS = ((), (), ((b"connection", b"keep-alive"),), ((b"te", b"gzip"),))


class Sample:
    """The traffic, the same each time but for its timing."""

    def __init__(self, mitm: Mitm) -> None:
        self._mitm = mitm
        self._random = random.Random(7)

    def run(self, seconds: float) -> None:
        """Send requests for so long, now more, now less."""
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < seconds:
            visit: Callable[[], None] = self._random.choice([self._http1, self._http2])
            with suppress(PeerClosedError):
                visit()
            busy = 0.5 + 0.5 * math.sin(passed / seconds * 9) + (passed % 17 < 2)
            time.sleep(0.02 + 0.12 / (0.15 + busy))

    def _http1(self) -> None:
        host = self._random.choice(["shop.example", "shop.example", "feeds.example"])
        with Http1Client(self._mitm.address()) as client:
            for _ in range(self._random.randint(1, 4)):
                path, habit = self._random.choice(list(HTTP1)), self._random.choice(HABITS)
                line = f"GET http://{host}{path} HTTP/1.1".encode()
                lines = [line, b"Host: " + host.encode(), *([habit] if habit else [])]
                client.exchange(message(*lines))
                if b"close" in habit:
                    break
                time.sleep(self._random.uniform(0.01, 0.06))

    def _http2(self) -> None:
        host = self._random.choice(["api.shop.example", "static.shop.example"])
        proxy = self._mitm.address()
        with Http2Client((host, 443), proxy=proxy, server_name=host) as client:
            for _ in range(self._random.randint(1, 3)):
                streams = [
                    client.request(self._lines(host)) for _ in range(self._random.randint(1, 3))
                ]
                for stream in streams:
                    client.response(stream)
                time.sleep(self._random.uniform(0.01, 0.06))

    def _lines(self, host: str) -> list[tuple[bytes, bytes]]:
        path, habit = self._random.choice(list(HTTP2)), self._random.choice(STREAM_HABITS)
        lines = dict(request_lines(path, *habit))
        lines[b":authority"] = host.encode()
        return list(lines.items())


def look(browser: Browser, mitm: Mitm) -> None:
    """Take the pictures."""
    browser.size(1400, 860)
    browser.get(mitm.web_url.replace("/?", "/hopguard?"))
    browser.one("#timeline svg")
    browser.until(lambda: browser.all("#rows [role=row]"), "rows")
    settle(browser)
    save(browser, "page.png")
    browser.scheme("dark")
    browser.one("#search").send_keys("connection-field-in-http2 client")
    browser.until(lambda: "of" in browser.text("#shown"), "the filter")
    browser.all("#rows .col-severity")[5].click()
    browser.one("#lanes svg")
    settle(browser)
    save(browser, "page-details.png")


def settle(browser: Browser) -> None:
    """Wait until nothing moves any more."""
    browser.execute_async_script(
        "const done = arguments[0]; setTimeout(() => requestAnimationFrame(done), 1500);"
    )


def save(browser: Browser, name: str) -> None:
    """Write a picture."""
    browser.save_screenshot(str(DOCS / name))
    print(f"docs/{name}: {(DOCS / name).stat().st_size:,} octets")


def main() -> None:
    """Make the pictures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hopguard-pictures-")))
        certificates = make_certificates(folder)
        plain = stack.enter_context(Http1Origin(HTTP1))
        tls = stack.enter_context(Http2Origin(HTTP2, tls=certificates.server_context(["h2"])))
        route = folder / "route.py"
        ports = {"plain": plain.url.rpartition(":")[2], "tls": tls.url.rpartition(":")[2]}
        route.write_text(ROUTE.format(**ports))
        mitm = stack.enter_context(
            Mitm(
                scripts=[ROOT / "addon" / "hopguard_addon.py", route],
                options={"connection_strategy": "lazy"},
                confdir=folder,
                tool="mitmweb",
            )
        )
        browser = stack.enter_context(chromium(folder))
        Sample(mitm).run(SECONDS)
        look(browser, mitm)


if __name__ == "__main__":
    main()
