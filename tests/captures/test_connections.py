"""Connections followed through captures."""

import io
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import flow as mitmflow
from mitmproxy import http
from mitmproxy.test import tflow

from hopguard.captures import calm, ends, lifespan
from hopguard.captures.capture import Captured
from hopguard.captures.connections import Connections
from hopguard.captures.flowfile import FlowFileReader
from hopguard.captures.judging import judge
from hopguard.captures.lifespan import Exchange, exchange_of
from hopguard.captures.quiet import Quiet
from hopguard.checker import Checker
from hopguard.events import RequestHead
from hopguard.flowerrors import LOST, TRUNCATED
from hopguard.record import Record, Redaction
from tests.captures.flows import saved

T0 = 1_790_000_000.0
CHECKER = Checker()


def exchange(
    at: float,
    *,
    request: Iterable[tuple[bytes, bytes]] = (),
    response: Iterable[tuple[bytes, bytes]] = ((b"Content-Length", b"0"),),
    error: str = "",
    version: str = "HTTP/1.1",
    method: str = "GET",
    closed: float | None = None,
    server: str = "s",
) -> http.HTTPFlow:
    """Make a flow that begins `at` so many seconds, and takes a tenth of one."""
    made = tflow.tflow(resp=True)
    assert made.response is not None
    made.id = f"flow at {at}"
    made.client_conn.id, made.server_conn.id = "c".ljust(36, "-"), server.ljust(36, "-")
    for connection in (made.client_conn, made.server_conn):
        connection.timestamp_start = connection.timestamp_tls_setup = T0
        connection.timestamp_end = T0 + closed if closed is not None else None
        connection.alpn = None
        connection.tls = False
    made.server_conn.timestamp_tcp_setup = T0
    made.request.headers = http.Headers([(b"Host", b"www.example"), *request])
    made.request.http_version = made.response.http_version = version
    made.request.method, made.request.path = method, f"/{at}"
    made.request.timestamp_start = made.request.timestamp_end = T0 + at
    made.response.headers = http.Headers(response)
    made.response.timestamp_start, made.response.timestamp_end = T0 + at + 0.05, T0 + at + 0.1
    if error:
        made.error = mitmflow.Error(error, T0 + at + 0.1)
        if error == LOST:
            made.response = None
        else:
            made.response.timestamp_end = None
    return made


CLOSE, KEEP_ALIVE = (b"Connection", b"close"), (b"Connection", b"Keep-Alive")
LENGTH, PROMISE = (b"Content-Length", b"0"), (b"Keep-Alive", b"timeout=5, max=3")


def exchanges(flows: Iterable[mitmflow.Flow]) -> list[Exchange | Quiet]:
    """Save and read flows; return what they add to connections."""
    captured = FlowFileReader().read(io.BytesIO(saved(flows)), "x")
    found = [added_by(one) for one in captured if isinstance(one, Captured)]
    return [one for one in found if one is not None]


def added_by(captured: Captured) -> Exchange | Quiet | None:
    """Return what an exchange adds to connections."""
    return exchange_of(captured, plain=judge(captured, CHECKER, Redaction()).plain)


def followed(found: Iterable[Exchange | Quiet]) -> Iterator[Record]:
    """Follow connections through exchanges."""
    following = Connections(CHECKER, Redaction())
    for one in found:
        yield from following.feed(one)
    yield from following.finish()


def names(flows: Iterable[mitmflow.Flow]) -> list[tuple[str, str, str]]:
    """Return rule, variant and path of each finding."""
    records = followed(exchanges(flows))
    return [
        (record["rule"], record["variant"] or "", record["url"].rpartition("/")[2])
        for record in records
    ]


SPECS = st.fixed_dictionaries(
    {
        "request": st.sampled_from([(), (), (), (CLOSE,), (KEEP_ALIVE,)]),
        "response": st.sampled_from(
            [(LENGTH,), (LENGTH,), (LENGTH,), (LENGTH, CLOSE), (LENGTH, PROMISE, KEEP_ALIVE), ()]
        ),
        "error": st.sampled_from(["", "", "", "", LOST, TRUNCATED, "Client disconnected."]),
        "method": st.sampled_from(["GET", "GET", "POST", "CONNECT"]),
        "version": st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"]),
        "closed": st.sampled_from([None, None, None, 30.0]),
        "server": st.sampled_from(["s", "s", "t"]),
    }
)


@given(st.lists(st.tuples(st.sampled_from([0.2, 1.0, 7.0]), SPECS), max_size=8))
def test_telling_it_in_short_changes_nothing(steps: list[tuple[float, dict[str, object]]]) -> None:
    """Whatever comes between exchanges that are quiet."""
    at, flows = 0.0, []
    for later, spec in steps:
        at += later
        flows.append(exchange(at, **spec))  # type: ignore[arg-type]
    short = list(followed(exchanges(flows)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifespan, "quiet_exchange", lambda *_: None)
        assert short == list(followed(exchanges(flows)))


def test_a_request_after_close() -> None:
    """It is found where it is, on the leg of whoever goes on; what was quiet before is counted."""
    flows = [exchange(0.1), exchange(1), exchange(2, response=[LENGTH, CLOSE]), exchange(9)]
    assert ("request-after-close", "peer-close", "9") in names(flows)
    (record, *_) = followed(exchanges(flows))
    assert "request 4" in record["message"]
    assert (record["client"], record["method"]) == ("127.0.0.1:22", "GET")


def test_a_connection_that_is_not_closed() -> None:
    """The end of a connection is known by any flow on it, and counts when it has come."""
    flows = [
        exchange(1, response=[LENGTH, CLOSE], closed=20),
        exchange(60, server="t"),
    ]
    assert {name for name, _, _ in names(flows)} == {"close-not-honoured"}
    assert names(flows[:1]) == names(flows)


def test_what_begins_before_what_was_there_is_left_out() -> None:
    """The order of a file that somebody has sorted says nothing."""
    flows = [exchange(5, response=[LENGTH, CLOSE]), exchange(1)]
    assert names(flows) == []
    assert names([exchange(5), exchange(1), exchange(6, response=[LENGTH, CLOSE])]) == []
    told = [exchange(5, response=[LENGTH, CLOSE]), exchange(1, response=[LENGTH, CLOSE])]
    assert names(told) == []


def test_replays_and_what_never_went_out() -> None:
    """They say nothing of connections."""
    replayed = exchange(1)
    replayed.is_replay = "request"
    served = exchange(2)
    served.is_replay = "response"
    unsent = exchange(3, error=LOST, version="HTTP/1.0")
    unsent.server_conn.timestamp_tcp_setup = None
    assert exchanges([replayed, served]) == []
    (one,) = exchanges([unsent])
    assert isinstance(one, Exchange)
    assert [span.key.leg for span in one.spans] == ["client"]


def test_a_race() -> None:
    """A request is lost on a connection that has served before."""
    flows = [exchange(1), exchange(30, error=LOST)]
    assert [name for name, _, _ in names(flows)] == ["request-raced-idle-close"]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of connections that are quiet, and of ends that have not come."""
    monkeypatch.setattr(calm, "MOST", 2)
    monkeypatch.setattr(ends, "MOST", 2)
    following = Connections(CHECKER, Redaction())
    for one in exchanges([exchange(n, server=f"s{n}", closed=500 + n) for n in range(1, 9)]):
        assert list(following.feed(one)) == []
    assert len(following._calm) <= 2
    assert len(following._ends) <= 2
    list(following.finish())
    assert not any((following._calm, following._latest, following._started, following._ends._ends))


def test_a_connection_may_come_again() -> None:
    """After its end, which was told too early."""
    flows = [exchange(1, closed=2), exchange(9, server="t"), exchange(10, response=[LENGTH, CLOSE])]
    assert names(flows) == []


def test_unknown_times() -> None:
    """A request without one is not late, and a response without an end is not complete."""
    endless = exchange(2, response=[LENGTH, CLOSE])
    assert endless.response is not None
    endless.response.timestamp_end = None
    timeless = exchange(3)
    timeless.request.timestamp_start = 1e300
    assert names([exchange(1), endless, timeless]) != []


def test_what_is_not_wanted() -> None:
    """It is left out."""
    following = Connections(CHECKER, Redaction(), lambda finding: False)
    flows = [exchange(1, response=[LENGTH, CLOSE]), exchange(9)]
    assert [record for one in exchanges(flows) for record in following.feed(one)] == []


def test_responses_without_a_length() -> None:
    """An answer to HEAD ends with its header section; other ones end with their connection."""
    flows = [
        exchange(1, method="HEAD", response=()),
        exchange(2, response=()),
        exchange(3, response=[(b"Transfer-Encoding", b"chunked")]),
        exchange(4, response=[(b"Transfer-Encoding", b"gzip")]),
    ]
    flows.append(exchange(5, request=[(b"Transfer-Encoding", b"chunked")]))
    switched = exchange(6)
    assert switched.response is not None
    switched.response.status_code = 101
    flows.append(switched)
    quiet = [not isinstance(one, Exchange) for one in exchanges(flows)]
    assert quiet == [True, False, True, False, True, False]
    to_http2 = exchange(3, response=())
    assert to_http2.response is not None
    to_http2.response.http_version = "HTTP/2.0"
    to_http2.server_conn.alpn = b"h2"
    (one,) = exchanges([to_http2])
    assert not isinstance(one, Exchange)
    assert one[0].server is None


def test_a_finding_without_an_exchange() -> None:
    """What is known of the connection is told."""
    following = Connections(CHECKER, Redaction())
    flows = [exchange(1, response=[LENGTH, CLOSE]), exchange(9)]
    first, second = exchanges(flows)
    list(following.feed(first))
    following._latest.clear()
    assert not isinstance(second, Exchange)
    assert second[0].server is not None
    key = second[0].server.key
    (record, *_) = following._tell(key, RequestHead(T0 + 9, "HTTP/1.1", b"GET", "x"))
    assert (record["url"], record["connection"]) == (None, key.connection)


def test_connections_without_identity() -> None:
    """Nobody knows which ones they were: nothing is followed."""
    flow = exchange(1)
    flow.client_conn.id = ""
    (known,) = (
        one
        for one in FlowFileReader().read(io.BytesIO(saved([flow])), "x")
        if isinstance(one, Captured)
    )
    nobody = known._replace(client=known.client._replace(id=None))
    found = added_by(nobody)
    assert found is not None
    assert not isinstance(found, Exchange)
    assert found[0].client is None
