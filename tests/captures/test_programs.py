"""Captures that real programs make of correct and of faulty traffic."""

import subprocess
from pathlib import Path

import pytest

from hopguard.captures import losses
from hopguard.captures.opening import open_capture
from hopguard.captures.warc import WarcReader
from tests.captures.archives import found_in, read, read_har
from tests.captures.devtools import chromium, har_of_page
from tests.live.site import need
from tests.peers import Close, Http1Origin, Http2Origin, answer, make_certificates, message

pytestmark = pytest.mark.peer

CHUNKED = message(
    b"HTTP/1.1 200 OK",
    b"Transfer-Encoding: chunked",
    b"Content-Type: text/html",
    b"Connection: Keep-Alive",
    b"Keep-Alive: timeout=5",
    body=b"7\r\n<a>b</a\r\n1\r\n>\r\n0\r\n\r\n",
)
MOVED = message(b"HTTP/1.1 302 Found", b"Location: /there", b"Content-Length: 0")
CLOSED = message(b"HTTP/1.1 200 OK", b"Connection: close", b"Content-Length: 2", body=b"ok")
FAULTY = message(
    b"HTTP/1.1 200 OK",
    b"connection : close",
    b'Connection: "close",,x',
    b"Keep-Alive: timeout=5",
    b"Content-Length: 2",
    b"Content-Length: 2",
    body=b"ok",
)


@pytest.mark.parametrize("options", [[], ["--no-warc-compression"]])
def test_wget_stores_messages_as_they_were(options: list[str], tmp_path: Path) -> None:
    answers = {"/chunked": CHUNKED, "/moved": MOVED, "/there": CLOSED, "/faulty": FAULTY}
    with Http1Origin(answers) as origin:
        command = [need("wget"), "-q", "--no-config", "--no-proxy", "--warc-file=all", *options]
        urls = [f"{origin.url}/{path}" for path in ("chunked", "moved", "faulty")]
        subprocess.run([*command, *urls], cwd=tmp_path, check=True, timeout=60)
        requests = origin.requests
    (path,) = tmp_path.glob("all.warc*")
    reader = WarcReader()
    with open_capture(str(path)) as capture:
        captured, errors = read(reader, capture.read(1 << 20))
    assert not errors
    assert [each.request.fields if each.request else () for each in captured] == [
        request.fields for request in requests
    ]
    assert losses.FIELDS not in reader.lost
    assert [each.status for each in captured] == [200, 302, 200, 200]
    assert found_in(captured[:3]) == []
    assert set(found_in(captured[3:])) == {
        "connection-empty-list-member",
        "connection-field-name-malformed/whitespace",
        "connection-option-not-token",
        "connection-option-unrecognised/unknown-option",
        "content-length-ambiguous/repeat-equal",
        "keep-alive-without-connection-option",
    }


PAGE = b"""<!doctype html><link rel=icon href="data:,"><script>
const fetched = ["a", "b", "c"].map(path => fetch(path)).concat(fetch("d", {method: "POST"}));
Promise.allSettled(fetched).then(() => { document.title = "done" })
</script>"""


def page(*lines: bytes) -> bytes:
    length = b"Content-Length: %d" % len(PAGE)
    return message(b"HTTP/1.1 200 OK", b"Content-Type: text/html", length, *lines, body=PAGE)


def test_chromium_shows_no_fault_in_correct_traffic(tmp_path: Path) -> None:
    """HTTP/1.1 and HTTP/2; and the faults of a server that has some."""
    certificates = make_certificates(tmp_path)
    two = {
        "/": answer((b"content-type", b"text/html"), body=PAGE),
        "/c": answer(status=204),
    }
    kept = (b"Connection: keep-alive", b"Keep-Alive: timeout=5")
    one = {
        "/": page(*kept),
        "/a": CHUNKED,
        "/b": CLOSED,
        "/c": message(b"HTTP/1.1 204 No Content"),
        "/d": message(b"HTTP/1.1 200 OK", b"Content-Length: 0", b"Set-Cookie: a", b"Set-Cookie: b"),
    }
    faulty = one | {"/": page(kept[1]), "/a": message(b"HTTP/1.1 200 OK", body=b"x"), "/b": FAULTY}
    with (
        Http1Origin(one) as http1,
        Http1Origin(faulty | {"/a": [faulty["/a"], Close()]}) as spoilt,
        Http2Origin(
            two, default=answer(body=b"ok"), tls=certificates.server_context(["h2"])
        ) as http2,
    ):
        shown = []
        for number, origin in enumerate((http1, http2, spoilt)):
            with chromium(need("chromium"), tmp_path / f"profile{number}") as tools:
                shown.append(har_of_page(tools, origin.url + "/"))
    for har, version in zip(shown, ("HTTP/1.1", "HTTP/2", "HTTP/1.1"), strict=True):
        captured = read_har(har)
        assert [each.response and each.response.version for each in captured] == [version] * 5
        assert [each.request and each.request.version for each in captured] == [version] * 5
    assert found_in(read_har(shown[0])) == []
    assert found_in(read_har(shown[1])) == []
    assert {
        "close-delimited-response/unannounced",
        "connection-option-not-token",
        "keep-alive-without-connection-option",
    } <= set(found_in(read_har(shown[2])))
