"""Protocols that live on HTTP work through the addon, whatever it is told to do."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.live.servers import LARGE, SERVICE
from tests.live.settings import (
    GRPC,
    REGULAR,
    SCRIPTED,
    WEBSOCKET,
    Servers,
    Site,
    nothing_is_found,
    run,
    servers,
    site,
)
from tests.live.site import need
from tests.peers import TIMEOUT, Flag, Wait, message

__all__ = ["nothing_is_found", "servers", "site"]

pytestmark = [pytest.mark.live, pytest.mark.peer]


@pytest.mark.parametrize("proxied", [False, True], ids=["reverse", "regular"])
def test_websocket(site: Site, servers: Servers, proxied: bool) -> None:
    url = servers.urls[WEBSOCKET] if proxied else site.url(WEBSOCKET)
    proxy = site.url(REGULAR) if proxied else None
    with connect(url.replace("http", "ws", 1), proxy=proxy, open_timeout=TIMEOUT) as client:
        assert client.recv(TIMEOUT) == "welcome"
        for said in ("one", "two", "x" * 70_000):
            client.send(said)
            assert client.recv(TIMEOUT) == said.upper()
        client.send(b"octets")
        assert client.recv(TIMEOUT) == b"OCTETS"
        client.ping().wait(TIMEOUT)
        client.send("bye")
        assert client.recv(TIMEOUT) == "BYE"
        with pytest.raises(ConnectionClosedError, match="goodbye"):
            client.recv(TIMEOUT)


def channel(site: Site) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(site.mitm.ca.read_bytes())
    options = [("grpc.enable_http_proxy", 0), ("grpc.ssl_target_name_override", "localhost")]
    host, port = site.address(GRPC)
    return grpc.secure_channel(f"{host}:{port}", credentials, options)


def test_grpc(site: Site) -> None:
    with channel(site) as numbers:
        double: grpc.UnaryUnaryMultiCallable[bytes, bytes] = numbers.unary_unary(
            f"/{SERVICE}/Double"
        )
        for text in (b"a", b"b" * 200_000):
            doubled, call = double.with_call(text, timeout=TIMEOUT)
            assert doubled == text * 2
            assert ("x-cost", "1") in call.trailing_metadata()
        with pytest.raises(grpc.RpcError) as error:
            double(b"", timeout=TIMEOUT)
        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        count: grpc.UnaryStreamMultiCallable[bytes, bytes] = numbers.unary_stream(
            f"/{SERVICE}/Count"
        )
        counting = count(b"5", timeout=TIMEOUT)
        assert [int(one) for one in counting] == list(range(5))
        assert ("x-cost", "5") in counting.trailing_metadata()


def test_grpc_both_ways(site: Site) -> None:
    """Each number is sent only when the sum up to the one before has come."""
    came = [Flag(f"sum {number}") for number in range(3)]

    def sending() -> Iterator[bytes]:
        for number, flag in enumerate(came):
            yield b"%d" % (number + 1)
            flag.wait()

    with channel(site) as numbers:
        sums = []
        add: grpc.StreamStreamMultiCallable[bytes, bytes] = numbers.stream_stream(f"/{SERVICE}/Sum")
        for one, flag in zip(add(sending(), timeout=TIMEOUT), came, strict=True):
            sums.append(int(one))
            flag.set()
    assert sums == [1, 3, 6]


EVENTS = (b"Content-Type: text/event-stream", b"Cache-Control: no-cache")


@pytest.mark.parametrize("fields", [(), (b"Connection: keep-alive",)], ids=["", "keep-alive"])
def test_server_sent_events(site: Site, fields: tuple[bytes, ...]) -> None:
    first_came = Flag("the first event came")
    site.scripted.answers["/events"] = [
        message(b"HTTP/1.1 200 OK", *EVENTS, *fields, b"Transfer-Encoding: chunked"),
        b"9\r\ndata: 1\n\n\r\n",
        Wait(first_came),
        b"9\r\ndata: 2\n\n\r\n0\r\n\r\n",
    ]
    host, port = site.address(SCRIPTED)
    with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT)) as client:
        client.request("GET", "/events", headers={"Accept": "text/event-stream"})
        response = client.getresponse()
        assert response.readline() == b"data: 1\n"
        first_came.set()
        assert response.read() == b"\ndata: 2\n\n"


def test_chunked_upload(site: Site) -> None:
    host, port = site.address(SCRIPTED)
    with closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT)) as client:
        for path, parts in [("/small", [b"a", b"bc"]), ("/large", [b"x" * 50_000] * 10)]:
            client.request("PUT", path, body=iter(parts), encode_chunked=True)
            assert client.getresponse().read() == b"ok"
            assert site.scripted.requests[-1].body == b"".join(parts)
    requests = site.scripted.requests[-2:]
    assert len({request.connection for request in requests}) == 1


def test_expect_continue(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(LARGE[:300_000])
    expecting = ("-T", str(file), "-H", "Expect: 100-continue", "--expect100-timeout", "20")
    printed = run(need("curl"), "-sv", *expecting, site.url(SCRIPTED, "/upload"))
    assert "HTTP/1.1 100 " in printed
    assert "HTTP/1.1 200 " in printed
    assert site.scripted.requests[-1].body == LARGE[:300_000]
