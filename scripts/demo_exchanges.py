"""What the demo sends and answers: faults from real life, with correct exchanges among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.peers import Answer, answer, chunked, message, request_lines

Field = tuple[bytes, bytes]
Version = Literal["HTTP/1", "HTTP/2", "HTTP/3"]

HOST = b"Host: demo.example"
OK = message(b"HTTP/1.1 200 OK", b"Content-Type: text/plain", b"Content-Length: 3", body=b"ok\n")
OK_STREAM = answer((b"content-type", b"text/plain"), body=b"ok\n")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request and its response through mitmproxy, and what hopguard must find in them."""

    says: str
    path: str
    client: Version
    server: Version
    sends: bytes | Sequence[Field]
    """An HTTP/1 request as octets, or the header section of an HTTP/2 or HTTP/3 one."""
    answer: Answer
    finds: tuple[str, ...] = ()
    """Rules that must be found broken. If none is named, nothing at all may be found."""
    by_curl: bool = False
    """Whether curl sends its own request to `path` instead, where there is a curl."""


def http1(
    says: str,
    request: Sequence[bytes],
    *finds: str,
    body: bytes = b"",
    response: bytes = OK,
    by_curl: bool = False,
) -> Exchange:
    """Between an HTTP/1 client and an HTTP/1 origin; the first line of `request` has the path."""
    return Exchange(
        says=says,
        path=request[0].split(b" ")[1].decode(),
        client="HTTP/1",
        server="HTTP/1",
        sends=message(*request, body=body),
        answer=response,
        finds=finds,
        by_curl=by_curl,
    )


def streams(
    says: str,
    version: Version,
    path: str,
    *finds: str,
    request: Sequence[Field] = (),
    response: Answer = OK_STREAM,
    by_curl: bool = False,
) -> Exchange:
    """Between a client and an origin that both speak HTTP/2, or HTTP/3."""
    return Exchange(
        says=says,
        path=path,
        client=version,
        server=version,
        sends=request_lines(path, *request),
        answer=response,
        finds=finds,
        by_curl=by_curl,
    )


HTTP1 = [
    http1(
        "An HTTP/1.0 client asks for a persistent connection and gets it: correct",
        [b"GET /persistent HTTP/1.0", HOST, b"Connection: keep-alive"],
        response=message(
            b"HTTP/1.0 200 OK",
            b"Connection: keep-alive",
            b"Keep-Alive: timeout=5, max=100",
            b"Content-Length: 3",
            body=b"ok\n",
        ),
    ),
    http1(
        "nginx with its old default, HTTP/1.0, relays a WebSocket handshake",
        [b"GET /chat HTTP/1.0", HOST, b"Connection: upgrade", b"Upgrade: websocket"],
        "upgrade-with-http10",
    ),
    http1(
        "A server answers an HTTP/1.0 client in chunks",
        [b"GET /chunks HTTP/1.0", HOST],
        "transfer-encoding-with-http10",
        response=message(b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked", body=chunked(b"ok\n")),
    ),
    http1(
        "A server sends Transfer-Encoding in an HTTP/1.0 response; mitmproxy refuses it",
        [b"GET /mixture HTTP/1.0", HOST],
        "transfer-encoding-with-http10",
        response=message(b"HTTP/1.0 200 OK", b"Transfer-Encoding: chunked", body=chunked(b"ok\n")),
    ),
    http1(
        "curl fetches a page over HTTP/1.1: correct",
        [b"GET /curl HTTP/1.1", HOST],
        by_curl=True,
    ),
    http1(
        "A client has proxies delete its own address: Connection: X-Forwarded-For",
        [b"GET /admin HTTP/1.1", HOST, b"Connection: X-Forwarded-For"],
        "connection-strips-forwarding-field",
    ),
    http1(
        "A client sends Proxy-Connection, and there is no proxy that it knows of",
        [b"GET /no-proxy HTTP/1.1", HOST, b"Proxy-Connection: keep-alive"],
        "proxy-connection-field",
    ),
    http1(
        "A server says Connection: keep-alive, close",
        [b"GET /undecided HTTP/1.1", HOST],
        "close-with-keep-alive",
        response=message(
            b"HTTP/1.1 200 OK", b"Connection: keep-alive, close", b"Content-Length: 3", body=b"ok\n"
        ),
    ),
    http1(
        "A server sends Keep-Alive, but Connection does not list it",
        [b"GET /unlisted HTTP/1.1", HOST],
        "keep-alive-without-connection-option",
        response=message(
            b"HTTP/1.1 200 OK", b"Keep-Alive: timeout=5", b"Content-Length: 3", body=b"ok\n"
        ),
    ),
    http1(
        "A client sends Transfer-Encoding: chunked twice; mitmproxy refuses it",
        [
            b"POST /twice HTTP/1.1",
            HOST,
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: chunked",
        ],
        "transfer-encoding-chunked-misplaced",
        body=chunked(b"ok\n"),
    ),
    http1(
        "A client sends Transfer-Encoding and Content-Length; mitmproxy refuses it",
        [b"POST /smuggle HTTP/1.1", HOST, b"Content-Length: 3", b"Transfer-Encoding: chunked"],
        "transfer-encoding-with-content-length",
        body=chunked(b"ok\n"),
    ),
]

HTTP2 = [
    streams(
        "A gRPC client sends TE: trailers over HTTP/2: correct",
        "HTTP/2",
        "/greeter/hello",
        request=[(b"content-type", b"application/grpc"), (b"te", b"trailers")],
    ),
    streams(
        "An HTTP/2 client sends Connection: keep-alive",
        "HTTP/2",
        "/keep-alive",
        "connection-field-in-http2",
        request=[(b"connection", b"keep-alive")],
    ),
    streams(
        "A gateway translates TE: gzip from HTTP/1.1 to HTTP/2",
        "HTTP/2",
        "/te",
        "te-not-trailers-in-http2-or-http3",
        request=[(b"te", b"gzip")],
    ),
    streams(
        "A web application sends an event stream with Connection: keep-alive, now over HTTP/2",
        "HTTP/2",
        "/events",
        "connection-field-in-http2",
        response=answer(
            (b"content-type", b"text/event-stream"),
            (b"connection", b"keep-alive"),
            body=b"data: ok\n\n",
        ),
    ),
    streams(
        "nginx relays Apache's Upgrade: h2,h2c onto HTTP/2, which curl rejects",
        "HTTP/2",
        "/apache",
        "connection-field-in-http2",
        by_curl=True,
        response=answer(
            (b"server", b"nginx"),
            (b"upgrade", b"h2,h2c"),
            (b"connection", b"Upgrade"),
            body=b"ok\n",
        ),
    ),
    Exchange(
        says="An HTTP/2 client sends Proxy-Connection, an HTTP/1.1 server Keep-Alive on its own",
        path="/between",
        client="HTTP/2",
        server="HTTP/1",
        sends=request_lines("/between", (b"proxy-connection", b"keep-alive")),
        answer=message(
            b"HTTP/1.1 200 OK", b"Keep-Alive: timeout=5", b"Content-Length: 3", body=b"ok\n"
        ),
        finds=("connection-field-in-http2", "keep-alive-without-connection-option"),
    ),
]

HTTP3 = [
    streams("An HTTP/3 client fetches a page: correct", "HTTP/3", "/page"),
    streams(
        "A server sends Keep-Alive: timeout=5 over HTTP/3",
        "HTTP/3",
        "/timeout",
        "connection-field-in-http3",
        response=answer((b"keep-alive", b"timeout=5"), body=b"ok\n"),
    ),
    streams(
        "An HTTP/3 client sends Connection: close and TE: gzip",
        "HTTP/3",
        "/habits",
        "connection-field-in-http3",
        "te-not-trailers-in-http2-or-http3",
        request=[(b"connection", b"close"), (b"te", b"gzip")],
    ),
]

EXCHANGES = [*HTTP1, *HTTP2, *HTTP3]
