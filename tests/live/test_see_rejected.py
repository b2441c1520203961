"""What becomes visible, to whom it is left alone, and who is unharmed."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hopguard.fields import CONNECTION_SPECIFIC
from tests.live.feeding import OK_STREAM, TO_HTTP2, Bench, bench, feed
from tests.live.malformed import HTTP2, Fault, Kind, Message
from tests.peers import (
    Data,
    Fields,
    Flag,
    Http2Client,
    Step,
    Wait,
    answer,
    request_lines,
)
from tests.peers.http2 import Http2Streams
from tests.peers.mitm import Option

pytestmark = pytest.mark.live

H2_FIELD, H2_TE = "connection-field-in-http2", "te-not-trailers-in-http2-or-http3"
CONNECTION, CODING, TE = (
    (b"connection", b"keep-alive"),
    (b"transfer-encoding", b"chunked"),
    (b"te", b"gzip"),
)
FIELDS = [pytest.param(line, id=line[0].decode()) for line in (CONNECTION, CODING, TE)]
NAMES = CONNECTION_SPECIFIC | {b"te"}
PLACES = ["request", "response", "request-trailers", "response-trailers"]


class Benches:
    """Benches by option, each started when it is first asked for."""

    def __init__(self, factory: pytest.TempPathFactory, tls: ssl.SSLContext, confdir: Path) -> None:
        self._factory = factory
        self._tls = tls
        self._confdir = confdir

    def start(self, options: dict[str, Option], *, addon: bool = True) -> Iterator[Bench]:
        folder = self._factory.mktemp("bench")
        with bench(folder, self._tls, self._confdir, addon=addon, options=options) as started:
            yield started


@pytest.fixture(scope="module")
def benches(
    tmp_path_factory: pytest.TempPathFactory, http2_tls: ssl.SSLContext, confdir: Path
) -> Benches:
    return Benches(tmp_path_factory, http2_tls, confdir)


@pytest.fixture(scope="module")
def bare(benches: Benches) -> Iterator[Bench]:
    yield from benches.start({}, addon=False)


@pytest.fixture(scope="module")
def seeing(benches: Benches) -> Iterator[Bench]:
    yield from benches.start({})


@pytest.fixture(scope="module")
def unvalidated(benches: Benches) -> Iterator[Bench]:
    yield from benches.start({"validate_inbound_headers": False})


@pytest.fixture(scope="module")
def blind(benches: Benches) -> Iterator[Bench]:
    yield from benches.start({"hopguard_see_rejected": False})


def exchange(bench: Bench, client: Http2Client, path: str, place: str, line: Any) -> int | None:
    """Make an exchange with a field line in this place; give the status, None for none."""
    start: list[Step] = [Fields([(b":status", b"200")]), Data(b"body")]
    bench.http2.answers[path] = {
        "response": answer(line, body=b"body"),
        "response-trailers": [*start, Fields([line], end=True)],
    }.get(place, OK_STREAM)
    head = request_lines(path, *([line] if place == "request" else []))
    trailers = [line] if place == "request-trailers" else []
    return client.exchange(head, b"body" if trailers else b"", trailers).status


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("line", FIELDS)
def test_siblings_go_on(seeing: Bench, line: tuple[bytes, bytes], place: str) -> None:
    name, flag = f"{place}-{line[0].decode()}", Flag("the sibling may be answered")
    origin, before = seeing.http2, len(seeing.http2.requests)
    origin.answers[f"/held-{name}"] = [Wait(flag), *OK_STREAM]
    with Http2Client(seeing.mitm.address(TO_HTTP2)) as client:
        open_for_client = client.request(request_lines(f"/open-{name}"), end=False)
        open_for_server = client.request(request_lines(f"/held-{name}"))
        origin.wait_for_requests(before + 1)
        refused = 400 if "request" in place else 502
        expected = refused if line == CODING else 200
        assert exchange(seeing, client, f"/{name}", place, line) == expected
        flag.set()
        client.send(open_for_client, Data(b"late", end=True))
        assert client.response(open_for_server).status == 200
        assert client.response(open_for_client).status == 200
        assert (client.goaway, client.closed) == (None, False)
    came = origin.requests[before:]
    assert len({request.connection for request in came}) == 1
    assert next(one for one in came if one.path.startswith("/open")).body == b"late"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("line", FIELDS)
def test_without_validation_nothing_is_refused(
    unvalidated: Bench, line: tuple[bytes, bytes], place: str
) -> None:
    path = f"/{place}-{line[0].decode()}"
    before = len(unvalidated.records())
    with Http2Client(unvalidated.mitm.address(TO_HTTP2)) as client:
        assert exchange(unvalidated, client, path, place, line) == 200
    found = [one for one in unvalidated.records()[before:] if one["field"] == line[0].decode()]
    assert [(one["part"], one["action"], bool(one["flow"])) for one in found] == [
        (place, "flagged", True)
    ]


def test_without_validation_malformed_messages_pass_as_they_do_without_the_addon(
    unvalidated: Bench,
) -> None:
    lines = request_lines("/upper", (b"Connection", b"close"), (b"X-Upper", b" a "))
    with Http2Client(unvalidated.mitm.address(TO_HTTP2)) as client:
        assert client.exchange(lines).status == 200
    assert unvalidated.http2.requests[-1].values("x-upper") == [b" a "]
    assert (H2_FIELD, "flagged") in {
        (one["rule"], one["action"]) for one in unvalidated.records() if one["part"] == "request"
    }


@pytest.mark.parametrize(
    "refused", [one for one in HTTP2 if one.fault in (Fault.FIELD, Fault.CODING)], ids=str
)
def test_a_blind_one_is_like_a_bare_one(bare: Bench, blind: Bench, refused: Message) -> None:
    before = len(blind.records())
    expected, got = feed(bare, refused, TO_HTTP2), feed(blind, refused, TO_HTTP2)
    assert expected.refused
    assert got.like(expected), (got, expected)
    name, value = next(line for line in refused.lines if line[0] in NAMES)
    found = blind.records()[before:]
    if (name, value) == (b"te", b"") and "request" in refused.kind:
        assert found == []  # an empty TE breaks no rule
        return
    (record,) = found
    assert record["rule"] == (H2_TE if name == b"te" else H2_FIELD)
    assert record["field"] == name.decode()
    assert record["value"] == (value.decode() if name == b"te" else None)
    assert record["leg"] == ("client" if "request" in refused.kind else "server")


def address_of(client: Http2Client) -> str:
    assert isinstance(client.streams, Http2Streams)
    host, port = client.streams.wire.writer.get_extra_info("sockname")
    return f"{host}:{port}"


@pytest.mark.parametrize("line", FIELDS)
def test_a_blind_one_tells_what_it_knows_of_a_client(
    blind: Bench, line: tuple[bytes, bytes]
) -> None:
    with Http2Client(blind.mitm.address(TO_HTTP2)) as client:
        address = address_of(client)
        sibling = client.request(request_lines("/sibling"), end=False)
        assert exchange(blind, client, "/refused", "request", line) is None
        client.wait_for_close()
        assert client.response(sibling).status is None
    record = blind.records()[-1]
    assert (record["flow"], record["line"], record["url"]) == (None, None, None)
    assert (record["client"], record["server"]) == (address, None)
    assert (record["leg"], record["sender"], record["part"]) == ("client", "client", "request")
    assert (record["http_version"], record["action"]) == ("HTTP/2", "refused")


@pytest.mark.parametrize("line", FIELDS)
def test_a_blind_one_tells_what_it_knows_of_a_server(
    blind: Bench, line: tuple[bytes, bytes]
) -> None:
    with Http2Client(blind.mitm.address(TO_HTTP2)) as client:
        assert exchange(blind, client, "/refused-response", "response", line) == 502
        address = address_of(client)
    record = blind.records()[-1]
    assert (record["flow"], record["line"], record["url"]) == (None, None, None)
    assert record["client"] == address
    assert record["server"] == f"127.0.0.1:{blind.http2.port}"
    assert (record["leg"], record["sender"], record["part"]) == ("server", "server", "response")
    assert (record["http_version"], record["action"]) == ("HTTP/2", "refused")


def early_hints(bench: Bench, path: str, *lines: tuple[bytes, bytes]) -> int | None:
    hints = Fields([(b":status", b"103"), (b"link", b"</a>"), *lines])
    bench.http2.answers[path] = [hints, *OK_STREAM]
    with Http2Client(bench.mitm.address(TO_HTTP2)) as client:
        return client.exchange(request_lines(path)).status


def test_interim_responses_are_swallowed(bare: Bench, seeing: Bench) -> None:
    assert early_hints(bare, "/hints") == early_hints(seeing, "/hints") == 200


@pytest.mark.parametrize("line", FIELDS)
def test_interim_responses_with_a_field_are_reported_without_a_flow(
    bare: Bench, seeing: Bench, line: tuple[bytes, bytes]
) -> None:
    """No hook shows an interim response, so it is refused as ever."""
    assert early_hints(bare, "/hints", line) == early_hints(seeing, "/hints", line) == 502
    record = seeing.records()[-1]
    assert (record["field"], record["flow"], record["action"]) == (
        line[0].decode(),
        None,
        "refused",
    )


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("status", [200, 204, 304, 500])
@pytest.mark.parametrize("place", ["response", "response-trailers"])
def test_a_refused_response_without_content(
    seeing: Bench, place: str, status: int, method: bytes
) -> None:
    path = f"/{place}-{status}-{method.decode()}"
    coded = {place: [CODING]}
    seeing.http2.answers[path] = answer(
        *coded.get("response", []),
        status=status,
        trailers=tuple(coded.get("response-trailers", [])),
    )
    with Http2Client(seeing.mitm.address(TO_HTTP2)) as client:
        response = client.exchange(request_lines(path, method=method))
    assert (response.status, response.complete, response.trailers) == (502, True, ())
    assert bool(response.body) == (method == b"GET")


@pytest.mark.parametrize("line", FIELDS)
@pytest.mark.parametrize("body", [b"", b"body"], ids=["empty", "body"])
def test_trailers_of_a_refused_response_are_discarded(
    seeing: Bench, line: tuple[bytes, bytes], body: bytes
) -> None:
    path = f"/discarded-{line[0].decode()}-{len(body)}"
    seeing.http2.answers[path] = answer(CODING, body=body, trailers=(line, (b"x", b"1")))
    with Http2Client(seeing.mitm.address(TO_HTTP2)) as client:
        response = client.exchange(request_lines(path))
    assert (response.status, response.complete, response.trailers) == (502, True, ())


def test_a_response_refused_for_another_reason_is_judged(seeing: Bench) -> None:
    length = (b"content-length", b"2")
    seeing.http2.answers["/lengths"] = answer(CODING, length, length, body=b"ok")
    with Http2Client(seeing.mitm.address(TO_HTTP2)) as client:
        assert client.exchange(request_lines("/lengths")).status == 502
    found = [one for one in seeing.records() if str(one["url"]).endswith("/lengths")]
    assert [(one["field"], one["action"]) for one in found] == [("transfer-encoding", "refused")]
    assert "x-hopguard-" not in seeing.mitm.output


def test_kinds_are_all_here() -> None:
    """So that a new kind of message is not forgotten above."""
    assert {kind for kind in Kind if kind.startswith("http2")} == {f"http2-{p}" for p in PLACES}
