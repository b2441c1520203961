"""The page /hopguard as other programs meet it: who gets something, and what."""

import http.client
import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from tests.peers import (
    TIMEOUT,
    Http1Client,
    Http1Origin,
    Http2Client,
    Http2Origin,
    Mitm,
    answer,
    message,
    request_lines,
)
from tests.records import faults

pytestmark = pytest.mark.live

ADDON = Path(__file__).parents[2] / "addon" / "hopguard_addon.py"
BAD = message(b"HTTP/1.1 200 OK", b"Keep-Alive: timeout=5", b"Content-Length: 2", body=b"ok")
RULE = "keep-alive-without-connection-option"
PATHS = (
    *("", "/", "/data", "/static/main.js", "/charts.js", "/findings/1", f"/rules/{RULE}"),
    *("/flows/0/connections", "/download", "/live"),
)
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


class Answer(NamedTuple):
    """An answer of mitmweb."""

    status: int
    fields: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """What it holds."""
        return json.loads(self.body)


class Client:
    """A program that speaks with mitmweb."""

    def __init__(self, mitm: Mitm) -> None:
        address = urlsplit(mitm.web_url)
        self.host = address.netloc
        self.token = {"Authorization": f"Bearer {address.query.removeprefix('token=')}"}

    def ask(
        self, path: str, fields: dict[str, str] | None = None, form: dict[str, str] | None = None
    ) -> Answer:
        """Ask for a path of ours, with a form if one is given."""
        connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT)
        body = urlencode(form) if form is not None else None
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        connection.request(
            "GET" if body is None else "POST", f"/hopguard{path}", body, {**(fields or {}), **kind}
        )
        response = connection.getresponse()
        # What follows a 101 is no body, and has no end.
        answer = Answer(
            response.status, response.headers, response.read() if response.status != 101 else b""
        )
        connection.close()
        return answer


@pytest.fixture(scope="module")
def mitm(confdir: Path) -> Iterator[Mitm]:
    with (
        Http1Origin(default=BAD) as origin,
        Mitm(f"reverse:{origin.url}", scripts=[ADDON], confdir=confdir, tool="mitmweb") as started,
    ):
        with Http1Client(started.address()) as client:
            for path in (b"/a", b"/b?hunter2", b"/c"):
                client.exchange(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path)
        started.wait_for_line("client disconnect")
        yield started


@pytest.fixture(scope="module")
def client(mitm: Mitm) -> Client:
    return Client(mitm)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_without_the_password_there_is_nothing(
    client: Client, path: str, token: str | None
) -> None:
    """Not even our own files."""
    fields = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = client.ask(path, {**fields, **(UPGRADE if path == "/live" else {})})
    assert answer.status == 403
    assert RULE.encode() not in answer.body
    assert (b'type="password"' in answer.body) == (path in ("", "/"))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", [path for path in PATHS if path not in ("", "/", "/live")])
def test_pages_of_other_origins_get_nothing(client: Client, path: str, site: str) -> None:
    """Though the browser may send the cookie along, as from another port of this machine."""
    assert client.ask(path, {**client.token, "Sec-Fetch-Site": site}).status == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://127.0.0.1:1", 403), ("http://evil.example", 403), ("null", 403), (None, 101)],
)
def test_sockets_of_other_origins_are_refused(
    client: Client, origin: str | None, status: int
) -> None:
    """Our own one is not."""
    own = f"http://{client.host}" if origin is None else origin
    assert client.ask("/live", {**client.token, **UPGRADE, "Origin": own}).status == status


def test_a_form_needs_its_secret(client: Client) -> None:
    """Which other origins cannot know."""
    form = {
        "format": "jsonl",
        "findings": "1",
        "run": client.ask("/data", client.token).json["run"],
    }
    assert client.ask("/download", client.token, form).status == 403
    page = client.ask("", client.token)
    secret = re.search(rb'name="_xsrf" value="([^"]+)"', page.body)
    assert secret
    pairs = [field.partition(";")[0] for field in page.fields.get_all("Set-Cookie", [])]
    cookie = {"Cookie": "; ".join(pairs)}
    form["_xsrf"] = secret[1].decode()
    assert client.ask("/download", cookie, form).body.count(b"\n") == 1
    assert client.ask("/download", {**cookie, "Sec-Fetch-Site": "same-site"}, form).status == 403
    for changes, status in (
        ({"findings": "x"}, 400),
        ({"run": "old"}, 409),
        ({"format": "x"}, 400),
    ):
        assert client.ask("/download", cookie, {**form, **changes}).status == status


def test_the_page_allows_only_its_own_scripts(client: Client) -> None:
    """And tells nobody where it was."""
    fields = client.ask("", client.token).fields
    assert "default-src 'self'" in fields["Content-Security-Policy"]
    assert "unsafe-eval" not in fields["Content-Security-Policy"]
    assert (fields["X-Frame-Options"], fields["Referrer-Policy"]) == ("DENY", "no-referrer")
    assert fields["Cache-Control"] == "no-store"
    assert client.ask("/", client.token).status == 302


def test_news(client: Client) -> None:
    """Everything at first, then what is new."""
    news = client.ask("/data", client.token).json
    rows = [dict(zip(news["columns"], row, strict=True)) for row in news["rows"]]
    assert [(row["number"], row["rule"], row["path"]) for row in rows] == [
        (1, RULE, "/a"),
        (2, RULE, "/b"),
        (3, RULE, "/c"),
    ]
    assert news["totals"]["rule"] == [[RULE, 3, "error"]]
    assert news["charts_missing"] is None
    assert client.ask("/data?after=3", client.token).json["rows"] == []
    assert client.ask("/data?after=x", client.token).status == 400


def test_a_finding_and_its_rule(client: Client) -> None:
    """The record as it is; the explanation with all examples."""
    record = client.ask("/findings/2", client.token).json
    assert not faults(record)
    assert record["url"].endswith("/b")
    assert client.ask("/findings/4", client.token).status == 404
    blocks = client.ask(f"/rules/{RULE}", client.token).json
    assert blocks[0] == {"kind": "heading", "text": RULE, "level": 1}
    assert any(block["kind"] == "example" for block in blocks)
    answer = client.ask("/rules/no-such-rule", client.token)
    assert (answer.status, answer.fields.get_content_type()) == (404, "text/plain")


def test_connections(client: Client) -> None:
    """Of a flow that mitmweb holds."""
    flow = client.ask("/findings/1", client.token).json["flow"]
    ours, its = client.ask(f"/flows/{flow}/connections", client.token).json
    assert (ours["leg"], its["leg"]) == ("client", "server")
    assert len(ours["exchanges"]) == 3
    assert [one["severity"] for one in its["exchanges"]] == ["error"] * 3
    assert ours["closed"] > its["opened"]
    assert ours["closed_by"] == "client"
    assert client.ask("/flows/0/connections", client.token).status == 404


def test_who_closed_on_http2(http2_tls: ssl.SSLContext, confdir: Path) -> None:
    """An exchange without Content-Length ends no connection there: the client does."""
    bad = answer((b"connection", b"keep-alive"), body=b"ok")
    with (
        Http2Origin(default=bad, tls=http2_tls) as origin,
        Mitm(f"reverse:{origin.url}", scripts=[ADDON], confdir=confdir, tool="mitmweb") as other,
    ):
        with Http2Client(other.address()) as peer:
            peer.exchange(request_lines("/"))
        other.wait_for_line("client disconnect")
        asking = Client(other)
        flow = asking.ask("/findings/1", asking.token).json["flow"]
        ours, _ = asking.ask(f"/flows/{flow}/connections", asking.token).json
        assert (ours["protocol"], ours["closed_by"]) == ("HTTP/2", "client")


@pytest.mark.parametrize("form", ["jsonl", "sarif", "html"])
def test_downloads(client: Client, form: str) -> None:
    """For programs: all that is kept."""
    answer = client.ask(f"/download?format={form}", client.token)
    assert answer.status == 200
    assert answer.fields["Content-Disposition"] == f'attachment; filename="hopguard.{form}"'
    assert answer.body.count(RULE.encode()) >= 1
    if form == "jsonl":
        assert not any(faults(json.loads(line)) for line in answer.body.splitlines())
    assert b"hunter2" not in answer.body


def test_other_files_are_not_given_out(client: Client) -> None:
    """Whatever the path looks like."""
    for name in ("no.js", "..", "store.py", "%2e%2e/store.py", "../store.py"):
        assert client.ask(f"/static/{name}", client.token).status == 404


def test_it_says_where_the_page_is(mitm: Mitm) -> None:
    """With what mitmweb itself says."""
    assert mitm.web_url.replace("/?", "/hopguard?") in mitm.output


def test_it_comes_and_goes_with_the_addon(confdir: Path, tmp_path: Path) -> None:
    """When the script is loaded again, there is one page, with the numbers of a new run."""
    script = tmp_path / "addon.py"
    text = f"import sys\nsys.path.insert(0, {str(ADDON.parent)!r})\n{ADDON.read_text()}"
    script.write_text(text)
    options = {"confdir": confdir, "tool": "mitmweb"}
    with Mitm(scripts=[script], **options) as mitm:  # type: ignore[arg-type]
        client = Client(mitm)
        before = client.ask("/data", client.token).json["run"]
        position = mitm.process.position()
        script.write_text(text + "\n# changed\n")
        mitm.wait_for_line("hopguard: what is found is shown at", since=position)
        assert client.ask("/data", client.token).json["run"] != before
        position = mitm.process.position()
        script.write_text("addons = []\n")
        mitm.wait_for_line("hopguard: nothing was found", since=position)
        assert client.ask("/data", client.token).status == 404
