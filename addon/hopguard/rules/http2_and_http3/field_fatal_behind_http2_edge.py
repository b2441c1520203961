from collections.abc import Iterator

from hopguard import grammar
from hopguard.message import HTTP11, FieldLine, Message, Response
from hopguard.rule import INFO, Evidence, Requirement, message_rule

HTTP2_NAMES = frozenset({b"h2", b"h2c"})
"""What servers that speak HTTP/2 themselves advertise in Upgrade."""


@message_rule(
    requirement=Requirement(9113, "8.2.2", "MUST NOT"),
    also=(Requirement(9114, "4.2", "MUST NOT"), Requirement(9110, "7.6.1", "MUST")),
    variants={"event-stream": INFO, "upgrade": INFO, "keep-alive": INFO},
    profiles=("http2-edge",),
    versions=HTTP11,
    fields=(b"connection", b"upgrade", b"keep-alive"),
    violating={
        "event-stream": [
            """
            < HTTP/1.1 200 OK
            < Content-Type: text/event-stream
            <! Connection: keep-alive
            < Transfer-Encoding: chunked
            """,
            """
            < HTTP/1.1 200 OK
            < content-type: Text/Event-Stream ; charset=utf-8
            < connection: x-hop
            <! connection: Keep-Alive
            < x-hop: 1
            < transfer-encoding: chunked
            """,
        ],
        "upgrade": [
            """
            * TLS
            < HTTP/1.1 200 OK
            < Server: Apache
            < Connection: Upgrade
            <! Upgrade: h2,h2c
            < Content-Length: 0
            """,
            """
            * clear text
            < HTTP/1.1 200 OK
            < Via: 1.1 proxy.example
            < Connection: Upgrade
            < Upgrade: TLS/1.2
            <! upgrade: H2C
            < Content-Length: 0
            """,
        ],
        "keep-alive": [
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            >! keep-alive: timeout=30, max=100
            """,
        ],
    },
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Content-Type: text/event-stream
        < Cache-Control: no-cache
        < Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Content-Type: text/event-stream
        < Connection: close
        """,
        """
        < HTTP/1.1 200 OK
        < Content-Type: text/html
        < Connection: keep-alive
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Content-Type: text/event-stream-like
        < Connection: keep-alive
        < Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Content-Length: 0
        """,
        """
        > GET /events HTTP/1.1
        > Host: www.example
        > Accept: text/event-stream
        > Connection: keep-alive
        """,
        """
        * clear text
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade: h2,h2c
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade: h2,h2c
        < Content-Length: 0
        """,
        """
        * TLS
        < HTTP/1.1 426 Upgrade Required
        < Connection: Upgrade
        < Upgrade: websocket
        < Content-Length: 0
        """,
        """
        * TLS
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: h2c
        """,
        """
        * TLS
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        """
        < HTTP/1.0 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        """
        < HTTP/2 200
        < content-type: text/event-stream
        < connection: keep-alive
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A field is sent that is legal in HTTP/1.1 and fatal once an HTTP/2 edge copies it.

    Nothing is wrong with this message. But most sites have an edge that speaks HTTP/2 or HTTP/3
    with browsers, and many edges copy fields that they should drop. Tests run over plain HTTP/1.1
    and never see the fault (bartblast/hologram#1262); users do: Safari and every browser on iOS
    drop the page with NSPOSIXErrorDomain:100 (NginxProxyManager/nginx-proxy-manager#617,
    nodejs/node#35119), curl and other clients on nghttp2 stop with PROTOCOL_ERROR, exit code 92,
    and name no field (curl/curl#674, nghttp2/nghttp2#1674), and a proxy on Netty answers 503
    (diennea/carapaceproxy#583). Chrome and Firefox mostly show the page, which is why nobody
    notices. This profile (http2-edge) says it beforehand.

    "Connection: keep-alive" on an event stream (event-stream) is written by hand in nearly every
    recipe for server-sent events, and does nothing: HTTP/1.1 connections persist by themselves. It
    broke NestJS (nestjs/nest#17588), Ktor (ktorio/ktor#4581), Go libraries
    (AndrewBurian/eventsource#5), Armeria (line/armeria#268), components on Tomcat
    (apache/tomcat#277) and helpers for Node, whose http2 module throws
    ERR_HTTP2_INVALID_CONNECTION_HEADERS (webpack/webpack-hot-middleware#323). Any other response
    with such a line fails alike: Warp passed it on to HTTP/2 (yesodweb/wai#707). Delete the line,
    in a servlet the setHeader call. NestJS and Ktor have since learnt to leave it out where they
    speak HTTP/2 themselves, and go on to send it in HTTP/1.1: there the edge has to drop it. So it
    is with Node and nginx, which add the line of their own accord; in Node,
    res.removeHeader("Connection") stops that.

    "Upgrade: h2,h2c" (upgrade) is advertised by Apache httpd with mod_http2 in the first response
    on a connection, also inside TLS and behind a proxy, where no upgrade is possible. Set Protocols
    http/1.1 on a backend, or Header unset Upgrade; in nginx in front of it use proxy_hide_header
    Upgrade, in HAProxy http-response del-header upgrade, in Envoy response_headers_to_remove.

    Keep-Alive (keep-alive) tells the next hop its idle timeout. h2o dropped Connection and left
    Keep-Alive in place (h2o/h2o#195). To silence it, give keepalive_timeout in nginx one parameter
    only, and in Node call res.removeHeader("Connection"), which takes Keep-Alive with it; or,
    better, make the edge drop it. ASP.NET Core does so and logs a warning each time
    (dotnet/aspnetcore#33501), as does hyper (vectordotdev/vector#19643). Clients gain nothing by
    the field: over HTTP/2, Google's front end answers 400 (golang/go#15085).

    Upgrade is reported in responses only, and where TLS is unknown only if a field shows that the
    response was forwarded. An offer of h2c in a request is the matter of another rule.
    """
    for line, variant in _fatal_lines(message):
        text = f"{line} is legal here, but fatal where an HTTP/2 edge copies it."
        yield Evidence(text, line, variant)


def _fatal_lines(message: Message) -> Iterator[tuple[FieldLine, str]]:
    if isinstance(message, Response):
        if _is_event_stream(message):
            for line, _ in message.listing({b"keep-alive"}):
                yield line, "event-stream"
        if message.status != 101 and (message.tls or message.forwarded):
            named = [line for line, found in message.protocols() if found.name in HTTP2_NAMES]
            for line in named[:1]:
                yield line, "upgrade"
    for line in message.lines(b"keep-alive"):
        yield line, "keep-alive"


def _is_event_stream(response: Response) -> bool:
    return any(
        line.value.partition(b";")[0].strip(grammar.OWS).lower() == b"text/event-stream"
        for line in response.lines(b"content-type")
    )
