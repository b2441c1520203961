"""The HTTP/1 client and origin with each other, without a proxy."""

import ssl

import pytest

from tests.peers import (
    Answer,
    Certificates,
    Close,
    Flag,
    Http1Client,
    Http1Origin,
    MalformedMessageError,
    PeerClosedError,
    Reset,
    Signal,
    Wait,
    WaitForRequests,
    WaitTimeoutError,
    chunked,
    client_context,
    message,
)

OK = message(b"HTTP/1.1 200 OK", b"Content-Length: 2", body=b"ok")


def test_every_octet_is_recorded() -> None:
    lines = (b"Host:x", b"X-Y : 1 ", b"Folded: a", b" b", b"nocolon", b"Content-Length: 3")
    sent = message(b"POST /a?b HTTP/1.1", *lines, body=b"abc")
    with Http1Origin({"/a": OK}) as origin, Http1Client(origin.address) as client:
        assert client.exchange(sent).body == b"ok"
        assert client.exchange(b"GET http://x/a HTTP/1.0\n\n").status_line == b"HTTP/1.1 200 OK"
    first, second = origin.requests
    assert (first.method, first.target, first.version) == (b"POST", b"/a?b", "HTTP/1.1")
    assert first.fields == (
        (b"Host", b"x"),
        (b"X-Y ", b"1"),
        (b"Folded", b"a\r\n b"),
        (b"nocolon", b""),
        (b"Content-Length", b"3"),
    )
    assert (first.body, first.octets) == (b"abc", sent)
    assert (second.path, second.version, second.connection) == ("/a", "HTTP/1.0", 0)
    assert origin.connections[0].received == sent + second.octets


def test_chunked_bodies_and_trailers_both_ways() -> None:
    body = chunked(b"abc", b"d" * 70000, trailers=[b"X-Sum: 1"])
    response = message(b"HTTP/1.1 200 OK", b"Transfer-Encoding: gzip, Chunked", body=body)
    with Http1Origin({"/": response}) as origin, Http1Client(origin.address) as client:
        got = client.exchange(message(b"PUT / HTTP/1.1", b"transfer-encoding: chunked", body=body))
        again = client.exchange(b"GET / HTTP/1.1\r\n\r\n")
    assert got.body == origin.requests[0].body == b"abc" + b"d" * 70000
    assert got.trailers == origin.requests[0].trailers == ((b"X-Sum", b"1"),)
    assert again.octets == got.octets == response


def test_interim_responses_come_with_the_final_one() -> None:
    early = message(b"HTTP/1.1 103 Early Hints", b"Link: </x>")
    with Http1Origin({"/": [early, early, OK]}) as origin, Http1Client(origin.address) as client:
        response = client.exchange(b"GET / HTTP/1.1\r\n\r\n")
    assert response.status == 200
    assert response.interim == (((b"Link", b"</x>"),),) * 2


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_statuses_without_a_body(status: bytes) -> None:
    answer = message(b"HTTP/1.1 " + status, b"Content-Length: 5")
    with Http1Origin({"/": answer}) as origin, Http1Client(origin.address) as client:
        for _ in range(2):
            assert client.exchange(b"GET / HTTP/1.1\r\n\r\n").body == b""


def test_head_has_no_body() -> None:
    answer = message(b"HTTP/1.1 200 OK", b"Content-Length: 5")
    with Http1Origin({"/": answer}) as origin, Http1Client(origin.address) as client:
        for _ in range(2):
            assert client.exchange(b"HEAD / HTTP/1.1\r\n\r\n").body == b""


def test_close_ends_a_body() -> None:
    answers: dict[str, Answer] = {"/": [message(b"HTTP/1.1 200 OK", body=b"all"), Close()]}
    with Http1Origin(answers) as origin, Http1Client(origin.address) as client:
        response = client.exchange(b"GET / HTTP/1.1\r\n\r\n")
        assert client.wait_for_close() == b""
    assert (response.body, response.until_close, response.complete) == (b"all", True, True)
    assert client.broken is None


@pytest.mark.parametrize("end", [Close(), Reset()])
def test_a_body_broken_off_is_incomplete(end: Close | Reset) -> None:
    part = message(b"HTTP/1.1 200 OK", b"Content-Length: 10", body=b"part")
    with Http1Origin({"/": [part, end]}) as origin, Http1Client(origin.address) as client:
        response = client.exchange(b"GET / HTTP/1.1\r\n\r\n")
        client.wait_for_close()
        assert isinstance(client.broken, ConnectionResetError if end == Reset() else type(None))
    assert not response.complete
    assert part.startswith(response.octets)


def test_malformed_octets_are_sent_and_seen() -> None:
    answers = {
        "/": message(b"HTTP/1.1 200 OK", b"A\0: b", b" c", b"Content-Length : 0"),
        "/no": OK[1:],
    }
    with Http1Origin(answers) as origin, Http1Client(origin.address) as client:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.response(b"HEAD").fields == ((b"A\0", b"b\r\n c"), (b"Content-Length ", b"0"))
        with pytest.raises(MalformedMessageError, match="not a status line"):
            client.exchange(b"GET /no HTTP/1.1\r\n\r\n")


def test_a_peer_that_says_nothing() -> None:
    with (
        Http1Origin({"/": [Close()]}) as origin,
        Http1Client(origin.address) as client,
        pytest.raises(PeerClosedError),
    ):
        client.exchange(b"GET / HTTP/1.1\r\n\r\n")
    with (
        Http1Origin({"/": []}) as origin,
        Http1Client(origin.address, timeout=0.05) as client,
        pytest.raises(WaitTimeoutError, match="a response to b'GET'"),
    ):
        client.exchange(b"GET / HTTP/1.1\r\n\r\n")


def test_the_order_of_answers_is_scripted() -> None:
    second_answered = Flag("second answered")
    answers: dict[str, Answer] = {
        "/1": [Wait(second_answered), OK],
        "/2": [WaitForRequests(2), OK, Signal(second_answered)],
    }
    with (
        Http1Origin(answers) as origin,
        Http1Client(origin.address) as one,
        Http1Client(origin.address) as two,
    ):
        one.send(b"GET /1 HTTP/1.1\r\n\r\n")
        origin.wait_for_requests(1)
        assert not second_answered.is_set
        assert two.exchange(b"GET /2 HTTP/1.1\r\n\r\n").status == 200
        assert one.response().status == 200


def test_what_the_origin_waits_for_in_vain_is_told() -> None:
    with Http1Origin() as origin:
        with pytest.raises(WaitTimeoutError, match="1 requests"):
            origin.wait_for_requests(1, timeout=0.01)
        with Http1Client(origin.address) as client:
            client.send(b"GET / HT")
            client.end()
            assert client.wait_for_close().startswith(b"HTTP/1.1 404 Not Found")
        assert not origin.wait_for_close().error
        assert not origin.requests[0].complete


def test_a_faulty_script_fails_the_test() -> None:
    def script(request: object) -> bytes:
        raise LookupError(request)

    with (  # noqa: PT012
        pytest.raises(LookupError),
        Http1Origin(script) as origin,
        Http1Client(origin.address) as client,
    ):
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        client.wait_for_close()


def test_tls(certificates: Certificates, http1_tls: ssl.SSLContext) -> None:
    tls = client_context(["h2", "http/1.1"], certificates.ca)
    with Http1Origin({"/": OK}, tls=http1_tls) as origin:
        with Http1Client(origin.address, tls=tls) as client:
            assert client.exchange(b"GET / HTTP/1.1\r\n\r\n").body == b"ok"
            assert client.alpn == "http/1.1"
        assert origin.wait_for_close().alpn == "http/1.1"
        with pytest.raises(ssl.SSLCertVerificationError):
            Http1Client(origin.address, tls=tls, server_name="other.example").__enter__()
