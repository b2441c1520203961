"""Plain messages: nothing that follows on a connection depends on them."""

import pytest

from hopguard.checker import Checker
from hopguard.events import request_head, response_head
from hopguard.message import RawFields, Request, Response, Version
from hopguard.plain import answers_plainly, asks_plainly
from tests.test_memo import REQUESTS, RESPONSES

LENGTH = (b"Content-Length", b"5")
KEEP_ALIVE = (b"Connection", b"Keep-Alive")


def request(
    *fields: tuple[bytes, bytes], version: Version = "HTTP/1.1", method: bytes = b"GET"
) -> Request:
    """Make a request."""
    return Request(version=version, fields=fields, leg="server", method=method)


def response(
    *fields: tuple[bytes, bytes], version: Version = "HTTP/1.1", status: int = 200
) -> Response:
    """Make a response."""
    return Response(version=version, fields=fields, leg="server", status=status)


@pytest.mark.parametrize(
    ("fields", "plain"),
    [
        ((), True),
        ((KEEP_ALIVE,), True),
        (((b"connection", b"keep-alive"), LENGTH), True),
        (((b"Transfer-Encoding", b"chunked"),), True),
        (((b"Transfer-Encoding", b"chunked"), LENGTH), False),
        (((b"Transfer-Encoding", b"gzip"),), False),
        (((b"Connection", b"close"),), False),
        ((KEEP_ALIVE, (b"Connection", b"Close")), False),
        (((b"Connection", b"TE"), (b"TE", b"trailers")), False),
        (((b"Trailer", b"Digest"),), False),
    ],
)
def test_requests(fields: RawFields, plain: bool) -> None:
    """Only of HTTP/1.0, none is: it says with every request whether its connection goes on."""
    assert asks_plainly(request(*fields)) is plain
    assert not asks_plainly(request(*fields, version="HTTP/1.0"))


@pytest.mark.parametrize(
    ("asked", "answered", "plain"),
    [
        (request(), response(LENGTH), True),
        (request(), response(KEEP_ALIVE, LENGTH), True),
        (request(), response((b"Transfer-Encoding", b"chunked")), True),
        (request(), response((b"Transfer-Encoding", b"gzip, chunked")), True),
        (request(), response((b"Transfer-Encoding", b"chunked"), LENGTH), False),
        (request(), response((b"Transfer-Encoding", b"gzip")), False),
        (request(), response(), False),
        (request(method=b"HEAD"), response(), True),
        (request(method=b"CONNECT"), response(LENGTH, status=407), False),
        (request(), response(status=204), True),
        (request(), response(status=304), True),
        (request(), response(status=101), False),
        (request(), response(status=103), False),
        (request(), response(LENGTH, (b"Connection", b"close")), False),
        (request(), response(LENGTH, (b"Keep-Alive", b"timeout=5")), False),
        (request(), response(LENGTH, (b"Trailer", b"Digest")), False),
        (request(), response(LENGTH, version="HTTP/1.0"), False),
        (request(version="HTTP/1.0"), response(LENGTH), False),
        (request(version="HTTP/2"), response(version="HTTP/2"), True),
    ],
)
def test_responses(asked: Request, answered: Response, plain: bool) -> None:
    """One whose end is that of the connection is none, nor one that promises anything."""
    assert answers_plainly(asked, answered) is plain


def test_what_is_plain_tells_connections_nothing() -> None:
    """Over all examples of rules, and whatever is remembered of them."""
    checker, numbers = Checker(), [0, 0]
    for _ in range(3):
        for asked in REQUESTS:
            plain = checker.judge_request(asked).plain
            assert plain == asks_plainly(asked.head)
            head = request_head(asked, None)
            assert not plain or not (head.close or head.doubt or head.version == "HTTP/1.0")
            numbers[plain] += 1
        for asked in REQUESTS[::50]:
            for answered in RESPONSES:
                plain = checker.judge_answer(asked, answered).plain
                assert plain == answers_plainly(asked, answered.head)
                told = response_head(asked, answered, None)
                said = (told.close, told.doubt, told.to_connect, told.timeout, told.most)
                assert not plain or not any(said)
                assert not plain or told.delimited
                numbers[plain] += 1
    assert min(numbers) > 500
