"""Secrets planted in real traffic, of which nothing is in anything that we write."""

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from mitmproxy import http, io

from hopguard.reports.formats import ReportFormat
from hopguard.rule import PROFILES
from tests.live.feeding import ADDON, OK
from tests.peers import (
    Address,
    Close,
    Data,
    Fields,
    Http1Client,
    Http1Origin,
    Http2Client,
    Http2Origin,
    MalformedMessageError,
    Mitm,
    PeerClosedError,
    answer,
    message,
    request_lines,
)
from tests.planting import NAMES, SECRET, VALUES, leaks
from tests.records import read_log

pytestmark = pytest.mark.live

TO_HTTP1, TO_HTTP2, REGULAR = range(3)
LISTED = b"Connection: close, Cookie, Authorization, Set-Cookie, Proxy-Authorization, X-Real-IP"
SPELT = [
    *(
        b"%s: %s" % (name.title(), value)
        for name in NAMES
        for value in VALUES
        if b"\0" not in value
    ),
    *(b"%s: %s" % (name.replace(b"-", b"_").upper(), SECRET) for name in NAMES),
]
STREAM_LINES = [(name, SECRET) for name in NAMES]
CODING = (b"transfer-encoding", b"chunked")
TARGET = b"/p4th?token=" + SECRET


@dataclass
class Written:
    """All that has been written about the traffic."""

    records: list[dict[str, Any]]
    texts: dict[str, str]
    output: str
    flows: list[http.HTTPFlow]


@pytest.fixture(scope="module", params=[True, False], ids=["seeing", "blind"])
def written(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    http2_tls: ssl.SSLContext,
    confdir: Path,
) -> Written:
    """Give what there is once all the traffic is over."""
    folder = tmp_path_factory.mktemp("secrets")
    log, saved = folder / "v.jsonl", folder / "saved.flows"
    with (
        Http1Origin(default=OK) as http1,
        Http2Origin(default=answer(body=b"ok"), tls=http2_tls) as http2,
        Mitm(
            *(f"reverse:{http1.url}", f"reverse:{http2.url}", "regular"),
            scripts=[ADDON],
            options={
                "hopguard_log": str(log),
                "hopguard_log_max_size": "0",
                "hopguard_profile": list(PROFILES),
                "hopguard_see_rejected": bool(request.param),
                "save_stream_file": str(saved),
                "flow_detail": 0,
            },
            confdir=confdir,
        ) as mitm,
    ):
        talk_http1(mitm.address(TO_HTTP1), http1)
        talk_to_a_proxy(mitm.address(REGULAR), http1)
        talk_http2(mitm.address(TO_HTTP2), http2)
        assert mitm.stop() == 0
    with saved.open("rb") as file:
        flows = [flow for flow in io.FlowReader(file).stream() if isinstance(flow, http.HTTPFlow)]
    texts = {"log": log.read_text(), **dict(reports(log, folder))}
    return Written(read_log(log), texts, mitm.output, flows)


def send(address: Address, *octets: bytes, method: bytes = b"GET") -> None:
    """Send requests, each on a connection of its own; many of them are refused."""
    for one in octets:
        with Http1Client(address) as client:
            try:
                client.send(one)
                client.response(method)
            except (PeerClosedError, MalformedMessageError):
                pass


def talk_http1(address: Address, origin: Http1Origin) -> None:
    """Send requests and answers that are relayed, and such as are refused."""
    start, host = b"GET %s HTTP/1.1" % TARGET, b"Host: user:%s@h" % SECRET
    for number, line in enumerate(SPELT):
        head = message(b"HTTP/1.1 407 No", line, LISTED, b"Content-Length: 0")
        origin.answers["/p4th"] = [head, Close()]
        old = start.replace(b"1.1", b"1.0") if number % 2 else start
        send(address, message(old, b"Host: h", b"Via: 1.1 p", line, LISTED))
    origin.answers["/p4th"] = OK
    length, coded = b"Content-Length: 3", b"Transfer-Encoding: chunked"
    folded = b"Connection: close\r\n Cookie: " + SECRET
    send(
        address,
        *(message(start, host, LISTED, line, length, coded, body=b"abc") for line in SPELT[:12]),
        *(message(start, b"Host: h", b"%s : %s" % (name, SECRET), LISTED) for name in NAMES),
        message(start, b"Host: h", folded),
        message(start, b"Host: h", folded, length, coded, body=b"abc"),
        message(start, b"Host: u:a/%s@h" % SECRET, LISTED, length, coded, body=b"abc"),
    )


def talk_to_a_proxy(address: Address, origin: Http1Origin) -> None:
    """Send absolute URLs with a password, and CONNECT."""
    host = b"%s:%d" % (origin.address[0].encode(), origin.address[1])
    lines = (b"Host: h", LISTED, b"Proxy-Authorization: Basic " + SECRET, b"Cookie: " + SECRET)
    for authority in (host, b"user:%s@%s" % (SECRET, host)):
        send(address, message(b"GET http://%s%s HTTP/1.1" % (authority, TARGET), *lines))
        send(address, message(b"CONNECT %s HTTP/1.1" % authority, *lines), method=b"CONNECT")
    with Http1Client(address) as client:
        client.send(message(b"CONNECT %s HTTP/1.1" % host, b"Host: h", *lines))
        if client.response(b"CONNECT").status == 200:
            client.exchange(message(b"GET %s HTTP/1.1" % TARGET, *lines))


def talk_http2(address: Address, origin: Http2Origin) -> None:
    """Plant secrets in both sections of both messages, with and without fields that are refused."""
    path = TARGET.decode()
    sections: Sequence[tuple[tuple[bytes, bytes], ...]] = (
        (),
        ((b"connection", b"cookie, set-cookie"),),
        (CODING,),
        ((b"te", b"trailers, " + SECRET[:4]), (b"trailer", b"cookie, set-cookie")),
        ((b"connection", b"close"), (b"content-length", b"1"), (b"content-length", b"2")),
    )
    for extra in sections:
        planted = [*STREAM_LINES, *extra]
        for trailers in ((), planted):
            origin.answers["/p4th"] = [
                Fields([(b":status", b"407"), *planted]),
                *([Data(b"ok", end=True)] if not trailers else [Data(b"ok")]),
                *([Fields(trailers, end=True)] if trailers else []),
            ]
            with Http2Client(address) as client:
                client.exchange(request_lines(path, *planted), b"body", trailers)
            with Http2Client(address) as client:
                client.exchange(request_lines(path))


def reports(log: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Run the command line on the log."""
    for form in get_args(ReportFormat):
        file = folder / f"report.{form}"
        done = subprocess.run(
            [sys.executable, "-m", "hopguard", "report", "--format", form, "--output", file, log],
            cwd=ADDON.parent,
            capture_output=True,
            check=True,
            text=True,
        )
        yield form, file.read_text()
        yield f"what is said of {form}", done.stdout + done.stderr


def test_files(written: Written) -> None:
    """The log, and the reports made from it."""
    for name, text in written.texts.items():
        assert leaks(text) == [], name


def test_event_log(written: Written) -> None:
    """What mitmproxy itself says is its own matter; that has no part in our lines."""
    own = [line for line in leaks(written.output) if "hopguard" in line]
    assert own == []
    assert "hopguard: what was found" in written.output
    assert leaks(written.output.partition("hopguard: what was found")[2]) == []


def test_saved_flows(written: Written) -> None:
    """What we put into them."""
    ours = [flow for flow in written.flows if "hopguard" in flow.metadata]
    assert len(ours) > 20
    for flow in ours:
        assert leaks(json.dumps([flow.metadata, flow.comment, flow.marked], indent=0)) == []
        assert flow.comment.startswith("hopguard: ")


def test_there_was_something_to_hide(written: Written, request: pytest.FixtureRequest) -> None:
    """The traffic got where it was meant to get."""
    seeing = "seeing" in request.node.name
    records = written.records
    hidden = {str(one["field"]).lower() for one in records if one["value"] == "[redacted]"}
    assert {"proxy-authorization", "proxy-authenticate", "proxy_authorization"} <= hidden
    assert {"cookie", "connection"} <= hidden  # in a trailer section, and folded
    named = {
        one["message"] for one in records if one["rule"] == "connection-strips-credential-field"
    }
    assert any('"Cookie"' in text for text in named)
    assert any('"Set-Cookie"' in text for text in named)
    assert {one["action"] for one in records} == {"flagged", "refused"}
    assert {one["http_version"] for one in records} >= {"HTTP/1.0", "HTTP/1.1", "HTTP/2"}
    assert {one["leg"] for one in records} == {"client", "server"}
    assert any(one["method"] == "CONNECT" for one in records)
    assert any(one["flow"] is None for one in records) == (not seeing)
    assert any(one["url"] == "http://h/p4th" for one in records)
