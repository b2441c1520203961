"""What a bare mitmproxy refuses is refused with the addon too, but for what the addon shows."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from hopguard.text import printable
from tests.live.feeding import REGULAR, TO_HTTP1, TO_HTTP2, Bench, Outcome, bench, feed
from tests.live.malformed import HTTP1, LENGTH, MESSAGES, Fault, Kind, Message

pytestmark = pytest.mark.live

MODES = {TO_HTTP1: "to-http1", TO_HTTP2: "to-http2", REGULAR: "regular"}
SHOWN = (b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"te")
PARTS = {
    Kind.REQUEST: "request",
    Kind.RESPONSE: "response",
    Kind.REQUEST_TRAILERS: "request-trailers",
    Kind.RESPONSE_TRAILERS: "response-trailers",
}


@pytest.fixture(scope="module")
def bare(
    tmp_path_factory: pytest.TempPathFactory, http2_tls: ssl.SSLContext, confdir: Path
) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("bare"), http2_tls, confdir, addon=False) as started:
        yield started


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, http2_tls: ssl.SSLContext, confdir: Path
) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("guarded"), http2_tls, confdir) as started:
        yield started


@pytest.fixture(scope="module")
def streaming(
    tmp_path_factory: pytest.TempPathFactory, http2_tls: ssl.SSLContext, confdir: Path
) -> Iterator[Bench]:
    """Give one that sends octets on before a message has come to its end."""
    options = {"stream_large_bodies": "1"}
    folder = tmp_path_factory.mktemp("streaming")
    with bench(folder, http2_tls, confdir, options=options) as started:
        yield started


def cases(*faults: Fault) -> list[object]:
    """Pair messages with modes: all in reverse mode, some in regular mode as well."""
    chosen = [one for one in MESSAGES if one.fault in faults]
    pairs = [(one, TO_HTTP1 if one.octets else TO_HTTP2) for one in chosen]
    pairs += [(one, TO_HTTP1) for one in chosen if one.kind is Kind.REQUEST and not one.beside]
    pairs += [(one, REGULAR) for one in chosen[::9] if b" ftp://" not in one.octets]
    return [pytest.param(one, mode, id=f"{one.id}-{MODES[mode]}") for one, mode in pairs]


def test_there_are_enough_messages() -> None:
    assert len({one.id for one in MESSAGES}) == len(MESSAGES) > 1000
    assert len([one for one in MESSAGES if not one.beside]) > 300
    assert len(HTTP1) > 100


@pytest.mark.parametrize(("malformed", "mode"), cases(Fault.MALFORMED))
def test_malformed(bare: Bench, guarded: Bench, malformed: Message, mode: int) -> None:
    expected, got = feed(bare, malformed, mode), feed(guarded, malformed, mode)
    assert expected.refused, expected
    assert got.refused, got
    # Beside a field that the addon shows, a fault may be met later, and answered more gently.
    if malformed.octets or not malformed.beside:
        assert got.like(expected), (got, expected)


@pytest.mark.parametrize(("tolerated", "mode"), cases(Fault.TOLERATED))
def test_tolerated(bare: Bench, guarded: Bench, tolerated: Message, mode: int) -> None:
    expected, got = feed(bare, tolerated, mode), feed(guarded, tolerated, mode)
    assert expected.passed, expected
    if tolerated.kind is Kind.REQUEST and mode == TO_HTTP1:
        assert framed(expected) == framed(got)
    else:
        assert got.like(expected), (got, expected)


def framed(outcome: Outcome) -> bytes:
    """Return all that arrived at an HTTP/1 origin, but for the length that only the addon tells."""
    octets = b"".join(one for one in outcome.arrived if isinstance(one, bytes))
    return octets.replace(b"Content-Length: " + LENGTH + b"\r\n", b"")


@pytest.mark.parametrize(("shown", "mode"), cases(Fault.FIELD))
def test_shown(bare: Bench, guarded: Bench, shown: Message, mode: int) -> None:
    assert feed(bare, shown, mode).refused
    since = len(guarded.records())
    got = feed(guarded, shown, mode)
    assert (got.status, got.ended, got.passed) == (200, "complete", True)
    new = records(guarded, since, shown)
    assert {one["action"] for one in new} <= {"flagged"}
    found = {(one["field"], one["value"]) for one in new}
    # An empty TE says nothing that it must not say.
    lines = [line for line in shown.lines if line[0] in SHOWN and line != (b"te", b"")]
    assert {(printable(name), printable(value)) for name, value in lines} <= found


@pytest.mark.parametrize(("coded", "mode"), cases(Fault.CODING))
def test_transfer_encoding(bare: Bench, guarded: Bench, coded: Message, mode: int) -> None:
    assert feed(bare, coded, mode).refused
    since = len(guarded.records())
    got = feed(guarded, coded, mode)
    assert (got.status, got.ended) == (502 if "response" in coded.kind else 400, "complete")
    assert got.refused
    assert_refused(guarded, since, coded)


@pytest.mark.parametrize("coded", [one for one in MESSAGES if one.fault is Fault.CODING], ids=str)
def test_transfer_encoding_when_streaming(streaming: Bench, coded: Message) -> None:
    since = len(streaming.records())
    got = feed(streaming, coded, TO_HTTP2)
    assert b"transfer-encoding: " not in got.received
    if coded.kind in (Kind.REQUEST, Kind.RESPONSE):
        assert (got.status, got.ended) == (502 if coded.kind is Kind.RESPONSE else 400, "complete")
        assert got.refused
    else:
        assert got.ended == "reset"
    assert repr(b"transfer-encoding") not in repr(got.arrived)
    assert_refused(streaming, since, coded)


def assert_refused(bench: Bench, since: int, coded: Message) -> None:
    found = records(bench, since, coded)
    assert {one["action"] for one in found} == {"refused"}
    values = [one["value"] for one in found if one["field"] == "transfer-encoding"]
    assert values == [printable(v) for n, v in coded.lines if n == b"transfer-encoding"]


def records(bench: Bench, since: int, sent: Message) -> list[dict[str, object]]:
    """Give the new records about the part that was sent; each must be about a flow."""
    about = [one for one in bench.records()[since:] if str(one["url"]).endswith(sent.path)]
    assert all(one["flow"] for one in about)
    return [one for one in about if one["part"] == PARTS[sent.kind]]
