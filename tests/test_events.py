"""What connections remember of messages."""

import pickle
from dataclasses import replace

import pytest

from hopguard.events import HASHED, Key, RequestHead, fingerprint, request_head, response_head
from hopguard.message import Request, Response
from hopguard.transcript import parse


def request_of(*lines: str, method: str = "GET", version: str = "HTTP/1.1") -> Request:
    """Make a request with these field lines."""
    text = "\n".join([f"> {method} / {version}", *(f"> {line}" for line in lines)])
    (message,) = parse(text).messages
    assert isinstance(message, Request)
    return message


def response_of(*lines: str, status: int = 200, version: str = "HTTP/1.1") -> Response:
    """Make a response with these field lines."""
    text = "\n".join([f"< {version} {status}", *(f"< {line}" for line in lines)])
    (message,) = parse(text).messages
    assert isinstance(message, Response)
    return message


def test_a_request() -> None:
    """Options in any case, who sends it, and that it was forwarded."""
    message = request_of("Connection: TE, Close", "Via: 1.1 p", "User-Agent: a", method="POST")
    head = request_head(replace(message, to_proxy=True), 7.5, flow="f", surfaced=True)
    assert head == RequestHead(
        time=7.5,
        version="HTTP/1.1",
        method=b"POST",
        flow="f",
        close=True,
        keep_alive=False,
        to_proxy=True,
        forwarded=True,
        agent=head.agent,
        surfaced=True,
    )
    assert not head.idempotent
    assert head.agent != request_head(request_of("User-Agent: b"), 0.0).agent
    assert request_head(request_of(method="PROPFIND"), 0.0).idempotent
    assert not request_head(request_of(method="FROB"), 0.0).idempotent


@pytest.mark.parametrize(
    ("lines", "version", "doubt"),
    [
        ([], "HTTP/1.1", ""),
        (["Transfer-Encoding: chunked"], "HTTP/1.1", ""),
        (["Transfer-Encoding: gzip, chunked"], "HTTP/1.1", ""),
        (["Transfer-Encoding: gzip"], "HTTP/1.1", "without chunked at its end"),
        (["Transfer-Encoding: chunked", "Content-Length: 1"], "HTTP/1.1", "together"),
        (["Transfer-Encoding: chunked"], "HTTP/1.0", "in HTTP/1.0"),
        (["Transfer-Encoding: chunked", "Content-Length: 1"], "HTTP/1.0", "together"),
        (["Transfer-Encoding: ;"], "HTTP/1.1", ""),
        (["transfer-encoding: chunked", "content-length: 1"], "HTTP/2", ""),
    ],
)
def test_framing_of_requests(lines: list[str], version: str, doubt: str) -> None:
    """What nobody can be sure of is put in words; what does not parse is left to other rules."""
    said = request_head(request_of(*lines, version=version), None).doubt
    assert doubt in said
    assert bool(doubt) == bool(said)


@pytest.mark.parametrize(
    ("lines", "timeout", "most"),
    [
        (["Connection: keep-alive", "Keep-Alive: timeout=5, max=100"], 5, 100),
        (["Connection: Keep-Alive", 'Keep-Alive: TIMEOUT = "5"'], 5, None),
        (["Connection: keep-alive", "Keep-Alive: timeout=5", "Keep-Alive: timeout=5"], 5, None),
        (["Connection: keep-alive", "Keep-Alive: timeout=5, timeout=6"], None, None),
        (["Connection: keep-alive", "Keep-Alive: timeout=5s, max=-1, 300"], None, None),
        (["Connection: keep-alive", "Keep-Alive: timeout=99999999999999999999"], None, None),
        (["Keep-Alive: timeout=5"], None, None),
        (["Connection: keep-alive"], None, None),
    ],
)
def test_promises(lines: list[str], timeout: int | None, most: int | None) -> None:
    """Only what is valid, says one thing, and comes with its option is a promise."""
    head = response_head(None, response_of(*lines), 1.0)
    assert (head.timeout, head.most) == (timeout, most)


@pytest.mark.parametrize(
    ("method", "status", "lines", "delimited"),
    [
        ("GET", 200, ["Content-Length: 5"], True),
        ("GET", 200, [], False),
        ("HEAD", 200, [], True),
        ("GET", 304, [], True),
        ("GET", 204, [], True),
        ("CONNECT", 200, [], True),
        ("CONNECT", 403, [], False),
        ("GET", 200, ["Transfer-Encoding: chunked"], True),
        ("GET", 200, ["Transfer-Encoding: gzip"], False),
        ("GET", 200, ["Transfer-Encoding: frob"], None),
        ("GET", 200, ["Transfer-Encoding: ;"], None),
    ],
)
def test_whether_the_end_shows(
    method: str, status: int, lines: list[str], delimited: bool | None
) -> None:
    """Without the end of the connection."""
    head = response_head(request_of(method=method), response_of(*lines, status=status), None)
    assert head.delimited is delimited
    assert head.to_connect == (method == "CONNECT")


def test_without_the_request_little_is_known() -> None:
    """It may have been HEAD."""
    assert response_head(None, response_of(), None).delimited is None
    assert response_head(None, response_of("Content-Length: 5"), None).delimited is True
    assert response_head(None, response_of(version="HTTP/2"), None).delimited is True


def test_a_response() -> None:
    """Options, the server's name, who made it, whether it is the last one."""
    message = response_of("Server: a/1", "Connection: CLOSE", "Transfer-Encoding: chunked")
    head = response_head(None, replace(message, version="HTTP/1.0"), 2.0, flow="f", own=True)
    assert (head.close, head.keep_alive, head.own, head.server) == (True, False, True, b"a/1")
    assert head.doubt == "Transfer-Encoding in HTTP/1.0"
    assert head.final
    assert response_head(None, response_of(status=101), None).final
    assert not response_head(None, response_of(status=103), None).final


def test_fingerprints() -> None:
    """Equal for what is the same request; none where repeating does no harm, or nobody knows."""
    post = request_of("Host: a", method="POST")
    assert fingerprint(post, b"x") == fingerprint(post, b"x")
    others = [
        fingerprint(post, b"y"),
        fingerprint(request_of("Host: b", method="POST"), b"x"),
        fingerprint(request_of("Host: a", method="PATCH"), b"x"),
        fingerprint(replace(post, target=b"/2"), b"x"),
        fingerprint(post, b"x" * HASHED),
        fingerprint(post, b"x" * HASHED + b"x"),
    ]
    assert len({fingerprint(post, b"x"), *others}) == 1 + len(others)
    assert fingerprint(request_of(), b"x") is None
    assert fingerprint(post, None) is None
    assert fingerprint(request_of("Idempotency-Key: 1", method="POST"), b"x") is None


def test_events_can_be_sent_to_other_processes() -> None:
    """With their connections."""
    head = request_head(request_of(), 1.0)
    sent = (Key("client", "c"), head)
    assert pickle.loads(pickle.dumps(sent)) == sent
