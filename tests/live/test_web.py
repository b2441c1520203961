"""What mitmweb shows, asked for through its HTTP interface as its page does."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from mitmproxy import io

from tests.peers import TIMEOUT, Http1Origin, Http2Client, Mitm, message

pytestmark = pytest.mark.live

ADDON = Path(__file__).parents[2] / "addon" / "hopguard_addon.py"

HOSTILE = b"<img src=x onerror=alert(1)>\x1b[31m" + "\u202e\u200b".encode() + b"\xff"
ESCAPED = r"<img src=x onerror=alert(1)>\x1b[31m\xe2\x80\xae\xe2\x80\x8b\xff"
BAD = message(
    b"HTTP/1.1 200 OK", b"Keep-Alive: " + HOSTILE, b"X-Evil: " + HOSTILE, b"Content-Length: 0"
)
PATH = "/evil?a=b"


class Page:
    """A browser. With the address that mitmweb gives, the first visit logs it in."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor()
        )

    def get(self, path: str) -> bytes:
        """Fetch `path`."""
        with self._opener.open(urljoin(self._address, path), timeout=TIMEOUT) as response:
            octets: bytes = response.read()
        return octets

    def flow(self) -> dict[str, Any]:
        """Fetch the only flow."""
        (flow,) = json.loads(self.get("/flows"))
        assert isinstance(flow, dict)
        return flow

    def shown(self, part: str, view: str) -> dict[str, str]:
        """Fetch what a content view shows of a message of the only flow."""
        path = f"/flows/{self.flow()['id']}/{part}/content/{view}.json"
        shown: dict[str, str] = json.loads(self.get(path))
        return shown


@contextmanager
def mitmweb(confdir: Path) -> Iterator[Mitm]:
    """Start mitmweb with the addon; send it an HTTP/2 request for which a hostile response comes.

    Messages are judged before they go on, so that everything is there once the client has it.
    """
    with (
        Http1Origin(default=BAD) as origin,
        Mitm(f"reverse:{origin.url}", scripts=[ADDON], confdir=confdir, tool="mitmweb") as mitm,
    ):
        with Http2Client(mitm.address()) as client:
            lines = {":method": "GET", ":scheme": "https", ":authority": "h", ":path": PATH}
            fields = {**lines, "connection": "keep-alive", "authorization": "hidden"}
            client.exchange([(name.encode(), value.encode()) for name, value in fields.items()])
        yield mitm


@pytest.fixture(scope="module")
def web(confdir: Path) -> Iterator[Mitm]:
    with mitmweb(confdir) as started:
        yield started


@pytest.fixture(scope="module")
def page(web: Mitm) -> Page:
    page = Page(web.web_url)
    page.get(web.web_url)
    return page


def test_the_list_shows_mark_and_comment(page: Page) -> None:
    flow = page.flow()
    assert flow["marked"] == "\N{LARGE RED CIRCLE}"
    rules = flow["comment"].removeprefix("hopguard: ").split(", ")
    assert {"connection-field-in-http2", "keep-alive-without-connection-option"} <= set(rules)


def test_the_view_is_offered_and_chosen_where_there_is_no_content(page: Page) -> None:
    assert "hopguard" in json.loads(page.get("/state"))["contentViews"]
    shown = page.shown("request", "Auto")
    assert shown["view_name"] == "Hopguard"
    assert shown == page.shown("request", "Hopguard")
    lines = shown["text"].split("\n")
    assert lines[0] == "Request on the client leg, HTTP/2: 1 error."
    assert "forbidden here   connection: keep-alive" in lines
    assert "    ERROR connection-field-in-http2" in lines
    assert "    | https://www.rfc-editor.org/rfc/rfc9113.html#section-8.2.2" in lines
    assert "end-to-end       authorization: [redacted]" in lines
    assert "hidden" not in shown["text"]


def test_hostile_values_are_escaped(page: Page) -> None:
    text = page.shown("response", "hopguard")["text"]
    assert f"hop-by-hop       Keep-Alive: {ESCAPED}" in text
    assert f"end-to-end       X-Evil: {ESCAPED}" in text
    assert all(line.isascii() and line.isprintable() for line in text.split("\n"))
    flow = json.dumps([page.flow()["marked"], page.flow()["comment"]])
    assert "onerror" not in flow


@pytest.mark.parametrize("query", ["", "?token=wrong", "?token="])
def test_without_the_right_token_nothing_is_shown(web: Mitm, page: Page, query: str) -> None:
    root = "http://{0.hostname}:{0.port}".format(urlsplit(web.web_url))
    view = f"/flows/{page.flow()['id']}/request/content/hopguard.json"
    for path in ("/", "/flows", view):
        with pytest.raises(urllib.error.HTTPError) as refused:
            Page(root).get(f"{path}{query}")
        assert refused.value.code == 403
        refused.value.close()


@pytest.mark.parametrize(
    ("expression", "number"),
    [
        ("~marked", 1),
        ("~comment hopguard", 1),
        ("~meta connection-field-in-http2", 1),
        ("~meta te-in-response", 0),
    ],
)
def test_filters(page: Page, expression: str, number: int) -> None:
    """Those of mitmproxy. The field for them in mitmweb's own page does not know ~meta."""
    saved = page.get(f"/flows/dump?{urlencode({'filter': expression})}")
    assert len(list(io.FlowReader(BytesIO(saved)).stream())) == number
