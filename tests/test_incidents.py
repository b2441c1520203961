"""Incidents from public issue trackers, rebuilt from their facts: the cause must be named.

The id of a test is the thread. A line marked with `!` is where a finding must point: what nearly
all of these threads complain about is an error message that does not say which field it is about.
"""

from typing import NamedTuple

import pytest

from hopguard.checker import Checker
from hopguard.rule import DEFAULT_PROFILES, WARNING
from hopguard.text import printable
from hopguard.transcript import parse
from tests.judging import judge

Found = tuple[str, str]
"""A rule and its variant."""

IN_HTTP2 = ("connection-field-in-http2", "")
IN_HTTP3 = ("connection-field-in-http3", "")
TE_VALUE = ("te-not-trailers-in-http2-or-http3", "value")
EXTENDED_CONNECT = ("extended-connect-invalid", "upgrade-fields")
OBSOLETE_H2 = ("upgrade-token-obsolete", "h2")
OBSOLETE_H2C = ("upgrade-token-obsolete", "h2c")
SMUGGLED_OVER_TLS = ("h2c-upgrade-smuggling-risk", "over-tls")
SMUGGLED_THROUGH = ("h2c-upgrade-smuggling-risk", "through-intermediary")
H2C_ACCEPTED = ("h2c-upgrade-smuggling-risk", "accepted-through-proxy")
NO_UPGRADE_IN_426 = ("upgrade-required-without-upgrade-field", "")
CHUNKED_TWICE = ("transfer-encoding-chunked-misplaced", "repeated")
TE_AND_CL = ("transfer-encoding-with-content-length", "")
HIDES_CLIENT = ("connection-strips-forwarding-field", "")


class Incident(NamedTuple):
    """What a thread reports, and what has to be found in it."""

    thread: str
    text: str
    found: tuple[Found, ...] = ()
    """The complete list at warning or above; empty where the message conforms and a peer errs."""
    behind_an_edge: tuple[str, ...] = ()
    """The complete list of what the profile http2-edge says beforehand: its variants."""


FIELDS_IN_HTTP2_RESPONSES = (
    Incident(
        "NginxProxyManager/nginx-proxy-manager#617",
        """
        * TLS
        > GET / HTTP/2
        > host: www.example
        < HTTP/2 200
        < server: openresty
        <! upgrade: h2,h2c
        < content-type: text/html
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "vislee/leevis.com#172",
        """
        * TLS
        > GET /index.php HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (iPhone) Safari
        < HTTP/2 200
        < server: nginx
        < content-type: text/html; charset=UTF-8
        <! upgrade: h2,h2c
        < vary: accept-encoding
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "curl/curl#674",
        """
        * TLS
        > GET / HTTP/2
        > host: www.example
        > user-agent: curl/7.47.1
        < HTTP/2 200
        < server: nginx
        <! upgrade: h2
        < content-length: 5
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "nghttp2/nghttp2#1678",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: nghttp2/1.46.0
        < HTTP/2 200
        <! Upgrade: h2,h2c
        < content-type: text/html
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "nghttp2/nghttp2#1674",
        """
        > GET / HTTP/2
        > host: www.example
        < HTTP/2 200
        <! keep-alive: timeout=3, max=993
        < content-type: text/html
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "nghttp2/nghttp2#887",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: curl/7.53.1
        < HTTP/2 200
        <! proxy-connection: keep-alive
        < content-length: 5
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "curl/curl#12172",
        """
        * TLS
        > GET /cgi-bin/wms HTTP/2
        > host: www.example
        > user-agent: curl/8.4.0
        < HTTP/2 200
        < content-type: text/xml
        <! connection: close
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "yesodweb/wai#457",
        """
        > GET / HTTP/2
        > host: www.example
        < HTTP/2 200
        < server: Warp/3.1.3
        <! transfer-encoding: chunked
        < content-type: text/html
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "yesodweb/wai#707",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: curl/7.61.0
        < HTTP/2 200
        < server: Warp/3.2.23
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "yesodweb/wai#703",
        """
        > GET /events HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (Macintosh) Safari
        < HTTP/2 200
        < content-type: text/event-stream
        <! Connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "jetty/jetty.project#3904",
        """
        > GET /app HTTP/2
        > host: www.example
        < HTTP/2 200
        < server: Jetty(9.4.19.v20190610)
        <! transfer-encoding: chunked
        < content-type: application/json
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "jetty/jetty.project#3956",
        """
        > GET /app HTTP/2
        > host: www.example
        < HTTP/2 200
        <! Transfer-Encoding: chunked
        < content-type: text/html
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "jetty/jetty.project#4970",
        """
        > POST /api HTTP/2
        > host: www.example
        > content-length: 2
        < HTTP/2 200
        < content-length: 2
        <! TRANSFER-ENCODING: chunked
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "apache/tomcat#277",
        """
        > GET /sse HTTP/2
        > host: www.example
        < HTTP/2 200
        < content-type: text/event-stream;charset=UTF-8
        < cache-control: no-cache
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "keycloak/keycloak#22246",
        """
        > HEAD /realms/master HTTP/2
        > host: www.example
        < HTTP/2 200
        <! connection: keep-alive
        < content-length: 0
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "openresty/openresty#906",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: curl/8.1.2
        < HTTP/2 200
        < server: openresty
        <! connection: Keep-Alive
        <! keep-alive: timeout=5, max=100
        """,
        (IN_HTTP2, IN_HTTP2),
    ),
    Incident(
        "NginxProxyManager/nginx-proxy-manager#1616",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: curl/7.68.0
        < HTTP/2 200
        < server: openresty
        <! upgrade: h2c
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "h2o/h2o#195",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: nghttp2/0.7.5
        < HTTP/2 200
        < server: h2o
        <! keep-alive: timeout=15, max=100
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "diennea/carapaceproxy#583",
        """
        > GET /tomcat HTTP/2
        > host: www.example
        < HTTP/2 200
        <! keep-alive: timeout=20
        < content-type: text/html
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "nestjs/nest#17588",
        """
        > GET /sse HTTP/1.1
        > Host: www.example
        > Accept: text/event-stream
        < HTTP/1.1 200 OK
        < Content-Type: text/event-stream
        <! Connection: keep-alive
        < Cache-Control: private, no-cache, no-store, must-revalidate, max-age=0, no-transform
        < Transfer-Encoding: chunked
        """,
        behind_an_edge=("event-stream",),
    ),
    Incident(
        "bartblast/hologram#1262",
        """
        * TLS
        > GET /hologram/sse HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (iPhone) Safari
        < HTTP/2 200
        < content-type: text/event-stream
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "ktorio/ktor#4581",
        """
        > GET /sse HTTP/2
        > host: www.example
        < HTTP/2 200
        < content-type: text/event-stream
        < cache-control: no-store
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "ktorio/ktor#5220",
        """
        > GET /events HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < content-type: text/event-stream
        < cache-control: no-store
        <! connection: keep-alive
        < transfer-encoding: chunked
        """,
        behind_an_edge=("event-stream",),
    ),
    Incident(
        "AndrewBurian/eventsource#5",
        """
        > GET /stream HTTP/2
        > host: www.example
        > user-agent: curl/7.54.0
        < HTTP/2 200
        < content-type: text/event-stream
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "go-chi/render#7",
        """
        > GET /stream HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (iPhone) CriOS
        < HTTP/2 200
        < content-type: text/event-stream; charset=utf-8
        < cache-control: no-cache
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "webpack/webpack-hot-middleware#323",
        """
        > GET /__webpack_hmr HTTP/1.1
        > Host: localhost
        < HTTP/1.1 200 OK
        < Content-Type: text/event-stream;charset=utf-8
        < Cache-Control: no-cache, no-transform
        < X-Accel-Buffering: no
        <! Connection: keep-alive
        < Transfer-Encoding: chunked
        """,
        behind_an_edge=("event-stream",),
    ),
    Incident(
        "nuxt/loading-screen#79",
        """
        > GET /_loading/sse HTTP/2
        > host: localhost
        < HTTP/2 200
        < content-type: text/event-stream
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "modelcontextprotocol/typescript-sdk#2554",
        """
        > POST /mcp HTTP/1.1
        > Host: www.example
        > Accept: application/json, text/event-stream
        > Content-Length: 58
        < HTTP/1.1 200 OK
        < content-type: text/event-stream
        < cache-control: no-cache, no-transform
        <! connection: keep-alive
        < transfer-encoding: chunked
        """,
        behind_an_edge=("event-stream",),
    ),
    Incident(
        "nodejs/node#23748",
        """
        > GET / HTTP/2
        > host: localhost
        < HTTP/2 200
        <! connection: close
        < content-type: text/plain
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "outmoded/discuss#732",
        """
        > GET / HTTP/2
        > host: localhost
        < HTTP/2 200
        < content-type: text/html; charset=utf-8
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "source-academy/frontend#2235",
        """
        * TLS
        > GET /playground HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (Macintosh) Safari
        < HTTP/2 200
        <! connection: Upgrade
        <! upgrade: h2,h2c
        """,
        (IN_HTTP2, IN_HTTP2),
    ),
    Incident(
        "mdn/browser-compat-data#6154",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (Macintosh) Safari
        < HTTP/2 200
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "line/armeria#268",
        """
        > GET /hello HTTP/2
        > host: www.example
        > user-agent: curl/7.49.1
        < HTTP/2 404
        <! connection: keep-alive
        < content-length: 0
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "quarkusio/quarkus#53920",
        """
        > GET /q/health HTTP/2
        > host: www.example
        > user-agent: curl/8.7.1
        < HTTP/2 200
        < content-type: application/json
        <! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "vectordotdev/vector#19643",
        """
        > POST / HTTP/2
        > host: www.example
        > content-length: 0
        < HTTP/2 200
        <! connection: close
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "dotnet/aspnetcore#33501",
        """
        > GET /static/js/bundle.js HTTP/2
        > host: localhost
        < HTTP/2 200
        < server: Kestrel
        <! connection: keep-alive
        <! keep-alive: timeout=5
        <! transfer-encoding: chunked
        """,
        (IN_HTTP2, IN_HTTP2, IN_HTTP2),
    ),
    Incident(
        "dotnet/aspnetcore#24543",
        """
        > GET / HTTP/3
        > host: localhost
        < HTTP/3 200
        < server: Kestrel
        <! Connection: keep-alive
        <! Transfer-Encoding: chunked
        """,
        (IN_HTTP3, IN_HTTP3),
    ),
    Incident(
        "nodejs/node#35119",
        """
        * TLS
        > GET / HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (iPad) Safari
        < HTTP/2 200
        < x-powered-by: Express
        <! keep-alive: timeout=5
        """,
        (IN_HTTP2,),
    ),
)

FIELDS_IN_HTTP2_REQUESTS = (
    Incident(
        "golang/go#15085",
        """
        * TLS
        > GET / HTTP/2
        > host: www.example
        > user-agent: Go-http-client/2.0
        >! keep-alive: 300
        < HTTP/2 400
        < content-length: 54
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "google/certificate-transparency#1136",
        """
        * TLS
        > POST /ct/v1/add-chain HTTP/2
        > host: www.example
        >! Connection: keep-alive
        > content-type: application/json
        < HTTP/2 400
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "golang/go#14214",
        """
        * TLS
        > GET / HTTP/2
        > host: www.example
        >! connection: keep-alive
        < HTTP/2 400
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "golang/go#23699",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko
        > x-forwarded-for: 192.0.2.1
        >! connection: Keep-Alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "golang/go#15422",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Keep-Alive
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
    ),
    Incident(
        "improbable-eng/grpc-web#404",
        """
        > POST /greet.Greeter/SayHello HTTP/2
        > host: localhost:5001
        > content-type: application/grpc+proto
        >! connection: keep-alive
        > te: trailers
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "httpie/httpie-http2#8",
        """
        > GET /get HTTP/2
        > host: www.example
        > user-agent: HTTPie/0.9.9
        >! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "python-hyper/hyper#291",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: python-requests/2.9.1
        > accept: */*
        >! Connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "twilight-rs/http-proxy#40",
        """
        > GET /api/v8/users/@me HTTP/2
        > host: discord.example
        >! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "apify/crawlee#865",
        """
        > GET / HTTP/2
        > host: www.example
        > user-agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/88
        > upgrade-insecure-requests: 1
        >! connection: keep-alive
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "eclipse-vertx/vert.x#4618",
        """
        * clear text
        > POST / HTTP/2
        > host: localhost:8080
        >! transfer-encoding: chunked
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "cloudflare/cloudflared#479",
        """
        > POST /upload HTTP/3
        > host: www.example
        >! transfer-encoding: chunked
        > content-type: application/octet-stream
        """,
        (IN_HTTP3,),
    ),
    Incident(
        "mdn/content#22032",
        """
        > POST / HTTP/2
        > host: www.example
        >! transfer-encoding: gzip
        """,
        (IN_HTTP2,),
    ),
    Incident(
        "google/dorusu-js#30",
        """
        > POST /helloworld.Greeter/SayHello HTTP/2
        > host: www.example
        > te: trailers
        < HTTP/2 200
        <! connection: close
        """,
        (IN_HTTP2,),
    ),
)

TE_AND_TRAILERS = (
    Incident(
        "envoyproxy/envoy#8623",
        """
        > GET / HTTP/2
        > host: www.example
        > x-forwarded-proto: http
        >! te: gzip
        """,
        (TE_VALUE,),
    ),
    Incident(
        "envoyproxy/envoy#30362",
        """
        > GET / HTTP/2
        > host: www.example
        > x-forwarded-proto: http
        >! TE: deflate, gzip;q=0.3
        """,
        (TE_VALUE,),
    ),
    Incident(
        "haproxy/haproxy#464",
        """
        > GET / HTTP/2
        > host: www.example
        >! te: gzip
        """,
        (TE_VALUE,),
    ),
    Incident(
        "netty/netty#7280",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE, close
        > TE: deflate,gzip;q=0.3
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        """,
    ),
    Incident(
        "netty/netty#7355",
        """
        > GET / HTTP/2
        > host: www.example
        >! te: trailers, gzip
        """,
        (TE_VALUE,),
    ),
    Incident(
        "helidon-io/helidon#11701",
        """
        > POST /StringService/Upper HTTP/2
        > host: www.example
        > content-type: application/grpc
        < HTTP/2 200
        < content-type: application/grpc
        <
        < grpc-status: 0
        """,
    ),
)

UPGRADES = (
    Incident(
        "Kludex/uvicorn#1501",
        r"""
        * clear text
        > POST /items HTTP/1.1
        > Connection: Upgrade, HTTP2-Settings
        > Content-Length: 16
        > Host: localhost:8000
        > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        >! Upgrade: h2c
        > User-Agent: Java-http-client/17.0.1
        > Content-Type: application/json
        < HTTP/1.1 400 Bad Request
        < content-type: text/plain; charset=utf-8
        < connection: close
        < transfer-encoding: chunked
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "Kludex/uvicorn#2722",
        """
        * clear text
        > POST /echo HTTP/1.1
        > Connection: Upgrade, HTTP2-Settings
        > Transfer-Encoding: chunked
        > Host: localhost:8000
        > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        >! Upgrade: h2c
        > User-Agent: Java-http-client/21.0.8
        < HTTP/1.1 200 OK
        < server: uvicorn
        < content-length: 2
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "MagicStack/httptools#124",
        """
        * clear text
        > POST / HTTP/1.1
        > Host: localhost
        > Accept: */*
        > Connection: Upgrade,HTTP2-Settings
        >! Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        > Content-Length: 2
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "Soju06/codex-lb#1782",
        """
        * clear text
        > POST /v1/responses HTTP/1.1
        > Host: localhost:2455
        > Content-Length: 200
        > connection: upgrade, http2-settings
        >! upgrade: h2c
        > http2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "envoyproxy/envoy#7161",
        """
        * clear text
        > GET / HTTP/1.1
        > Connection: Upgrade, HTTP2-Settings
        > Host: www.example
        > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        >! Upgrade: h2c
        > User-Agent: Java-http-client/11.0.1
        < HTTP/1.1 403 Forbidden
        < server: envoy
        < connection: close
        < content-length: 0
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "istio/istio#53239",
        """
        * clear text
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > User-Agent: Apache-HttpClient/5.4 (Java/17.0.1)
        < HTTP/1.1 403 Forbidden
        < server: envoy
        < content-length: 0
        """,
    ),
    Incident(
        "helidon-io/helidon#9354",
        """
        * clear text
        > POST /greet HTTP/1.1
        > Host: localhost:8080
        > Connection: Upgrade, HTTP2-Settings
        > Content-Length: 5
        > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        >! Upgrade: h2c
        < HTTP/1.1 500 Internal Server Error
        < content-length: 0
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "jetty/jetty.project#3235",
        """
        * clear text
        > POST / HTTP/1.1
        > Host: localhost:8080
        > Connection: Upgrade, HTTP2-Settings
        > Transfer-Encoding: chunked
        > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        >! Upgrade: h2c
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "jetty/jetty.project#9998",
        """
        * clear text
        > POST /submit HTTP/1.1
        > Host: localhost:8080
        > Connection: Upgrade, HTTP2-Settings
        > Content-Length: 131072
        > HTTP2-Settings: AAMAAABkAAQAAP__
        >! Upgrade: h2c
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "reactor/reactor-netty#1071",
        """
        * clear text
        > POST / HTTP/1.1
        > Host: localhost:8080
        > Connection: Upgrade,HTTP2-Settings
        > Content-Length: 66000
        > HTTP2-Settings: AAMAAABkAAQAAP__
        >! Upgrade: h2c
        < HTTP/1.1 413 Request Entity Too Large
        < content-length: 0
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "jetty/jetty.project#14730",
        """
        * clear text
        > GET /jenkins/ HTTP/1.1
        > Host: www.example
        > X-Forwarded-For: 192.0.2.1
        > X-Forwarded-Proto: http
        > Connection: Upgrade, HTTP2-Settings
        > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        >! Upgrade: h2c
        < HTTP/1.1 400 Bad Request
        < Connection: close
        < Content-Length: 50
        """,
        (SMUGGLED_THROUGH,),
    ),
    Incident(
        "netty/netty#8846",
        """
        * clear text
        > GET / HTTP/1.1
        > Host: localhost
        >! Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        > Connection: Upgrade
        > Connection: HTTP2-Settings
        """,
        (OBSOLETE_H2C,),
    ),
    Incident(
        "websocket-client/websocket-client#626",
        """
        > GET /ws HTTP/1.1
        > Host: www.example
        > Upgrade: websocket
        > Connection: Upgrade
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Upgrade: websocket
        < Connection: keep-alive, Upgrade
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
    ),
    Incident(
        "sirn-se/websocket-php#39",
        """
        > GET /chat HTTP/1.1
        > Host: localhost:8000
        > User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0
        > Sec-WebSocket-Version: 13
        > Origin: http://localhost
        > Sec-WebSocket-Extensions: permessage-deflate
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Connection: keep-alive, Upgrade
        > Sec-Fetch-Dest: websocket
        > Sec-Fetch-Mode: websocket
        > Sec-Fetch-Site: same-site
        > Upgrade: websocket
        """,
    ),
    Incident(
        "eclipse-ee4j/tyrus#399",
        """
        > GET /echo HTTP/1.1
        > Host: localhost:8025
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        > Connection: keep-alive, Upgrade
        > Upgrade: websocket
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
    ),
    Incident(
        "aspnet/SignalR#32",
        """
        > GET /signalr HTTP/1.1
        > Host: www.example
        > User-Agent: Mozilla/5.0 (Windows NT 10.0; rv:45.0) Gecko/20100101 Firefox/45.0
        > Connection: keep-alive, Upgrade
        > Pragma: no-cache
        > Cache-Control: no-cache
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
    ),
    Incident(
        "eclipse-vertx/vertx-http-proxy#106",
        """
        > GET /ws HTTP/1.1
        > Host: www.example
        > X-Forwarded-For: 192.0.2.1
        > connection: keep-alive, Upgrade
        > upgrade: websocket
        > sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
        > sec-websocket-version: 13
        """,
    ),
    Incident(
        "TecFancy/dsh-auth-gate#50",
        """
        > GET /ws HTTP/1.1
        > Host: www.example
        >! Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        (("websocket-handshake-incomplete", "upgrade-stripped"),),
    ),
    Incident(
        "hashbang/shell-server#119",
        """
        > GET /socket HTTP/1.0
        > Host: www.example
        > Connection: close
        >! sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
        > sec-websocket-version: 13
        """,
        (("websocket-handshake-incomplete", "upgrade-stripped"),),
    ),
    Incident(
        "saucelabs/forwarder#338",
        """
        > GET /ws HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        <! HTTP/1.1 101 Switching Protocols
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        (("switching-protocols-without-upgrade-field", ""),),
    ),
    Incident(
        "SigNoz/charts#53",
        """
        > GET / HTTP/1.0
        > Host: www.example
        > Connection: close
        <! HTTP/1.1 426 Upgrade Required
        < date: Mon, 04 Jul 2022 10:00:00 GMT
        < server: istio-envoy
        < connection: close
        < content-length: 0
        """,
        (NO_UPGRADE_IN_426,),
    ),
    Incident(
        "envoyproxy/envoy#43487",
        """
        > CONNECT www.example:443 HTTP/1.0
        <! HTTP/1.1 426 Upgrade Required
        < server: envoy
        < connection: close
        < content-length: 0
        """,
        (NO_UPGRADE_IN_426,),
    ),
    Incident(
        "envoyproxy/envoy#18608",
        """
        > GET / HTTP/1.0
        > Host: localhost:8000
        > User-Agent: ApacheBench/2.3
        > Accept: */*
        <! HTTP/1.1 426 Upgrade Required
        < server: envoy
        < connection: close
        < content-length: 0
        """,
        (NO_UPGRADE_IN_426,),
    ),
    Incident(
        "haproxy/haproxy#1997",
        """
        > GET /socket HTTP/1.1
        > Host: www.example
        < HTTP/1.1 426 Upgrade Required
        < cache-control: max-age=0, private, must-revalidate
        < connection: upgrade
        < content-length: 0
        < date: Tue, 10 Jan 2023 14:15:23 GMT
        < server: Cowboy
        < upgrade: websocket
        """,
    ),
    Incident(
        "opennextjs/opennextjs-aws#392",
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        <! Keep-Alive: timeout=5
        < Content-Length: 5
        """,
        behind_an_edge=("keep-alive",),
    ),
    Incident(
        "serverless-nextjs/serverless-next.js#898",
        """
        > GET /api/stream HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Type: text/event-stream
        <! Connection: keep-alive
        < Transfer-Encoding: chunked
        """,
        behind_an_edge=("event-stream",),
    ),
    Incident(
        "CodeGenieApp/serverless-express#369",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Via: 2.0 edge.cloudfront.example (CloudFront)
        < HTTP/1.1 200 OK
        < X-Powered-By: Express
        < Connection: close
        < Transfer-Encoding: chunked
        """,
    ),
)

FRAMING = (
    Incident(
        "kubernetes/ingress-nginx#11162",
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200
        < Content-Type: application/json
        < Transfer-Encoding: chunked
        <! Transfer-Encoding: chunked
        """,
        (CHUNKED_TWICE,),
    ),
    Incident(
        "freenginx/nginx#14",
        """
        > GET /status HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < transfer-encoding: chunked
        < connection: close
        <! Transfer-Encoding: chunked
        """,
        (CHUNKED_TWICE,),
    ),
    Incident(
        "nginx/nginx#304",
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        <! Transfer-Encoding: chunked, chunked
        """,
        (CHUNKED_TWICE,),
    ),
    Incident(
        "haproxy/haproxy#2677",
        """
        > GET /myapi HTTP/1.1
        > host: myfqdn.example
        > user-agent: myuseragent
        < HTTP/1.1 200
        < vary: Origin
        < date: Thu, 25 Jul 2024 08:26:53 GMT
        <! keep-alive: timeout=60
        < transfer-encoding: chunked
        < x-content-type-options: nosniff
        < cache-control: no-cache, no-store, max-age=0, must-revalidate
        < content-type: application/json
        <! transfer-encoding: chunked
        """,
        (CHUNKED_TWICE, ("keep-alive-without-connection-option", "")),
        behind_an_edge=("keep-alive",),
    ),
    Incident(
        "spring-projects/spring-boot#37646",
        """
        > GET /actuator/health HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200
        < Transfer-Encoding: chunked
        < Content-Type: application/json
        <! Transfer-Encoding: chunked
        < Connection: keep-alive
        """,
        (CHUNKED_TWICE,),
    ),
    Incident(
        "spring-cloud/spring-cloud-gateway#217",
        """
        > GET /route HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < transfer-encoding: chunked
        <! Transfer-Encoding: chunked
        < Content-Type: text/plain
        """,
        (CHUNKED_TWICE,),
    ),
    Incident(
        "localstack/rolo#24",
        """
        > GET /bucket HTTP/1.1
        > Host: localhost:4566
        < HTTP/1.1 200 OK
        < Server: TwistedWeb/24.3.0
        < transfer-encoding: chunked
        <! Transfer-Encoding: chunked
        """,
        (CHUNKED_TWICE,),
    ),
    Incident(
        "haproxy/haproxy#2623",
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        <! Transfer-Encoding: gzip, chunked
        < Content-Type: text/html
        """,
        (("transfer-coding-not-offered", ""),),
    ),
    Incident(
        "dotnet/aspnetcore#4382",
        """
        > DELETE /item/1 HTTP/1.1
        > Host: localhost:5000
        < HTTP/1.1 204 No Content
        < Server: Kestrel
        <! Transfer-Encoding: chunked
        """,
        (("framing-field-in-bodiless-response", "te"),),
    ),
    Incident(
        "litespeedtech/openlitespeed#392",
        """
        > POST / HTTP/1.1
        > Host: a
        >! Content-Length: 0
        > Transfer-Encoding: chunked
        """,
        (TE_AND_CL,),
    ),
    Incident(
        "sozu-proxy/sozu#726",
        r"""
        > POST / HTTP/1.1
        > Host: localhost
        > transfer-encoding: chunked\t
        >! content-length: 60
        """,
        (TE_AND_CL,),
    ),
    Incident(
        "benoitc/gunicorn#2176",
        """
        > POST / HTTP/1.1
        > Host: localhost
        >! Content-Length: 6
        > TRANSFER-ENCODING: chunked
        """,
        (TE_AND_CL,),
    ),
    Incident(
        "diennea/carapaceproxy#533",
        """
        > POST / HTTP/1.1
        > Host: localhost
        > Transfer-Encoding: chunked
        >! Content-Length: 0
        """,
        (TE_AND_CL,),
    ),
    Incident(
        "NixOS/nixpkgs#166671",
        """
        > POST / HTTP/1.1
        > Host: localhost
        > Content-Length: 4
        >! Transfer-Encoding : chunked
        """,
        (("connection-field-name-malformed", "whitespace"),),
    ),
)

ABUSE = (
    Incident(
        "golang/go#46313",
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection:
        >! Connection: X-Forwarded-For
        """,
        (("connection-empty-value", "masking"), HIDES_CLIENT),
    ),
    Incident(
        "golang/go#50580",
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: close, X-Forwarded-For
        """,
        (HIDES_CLIENT,),
    ),
    Incident(
        "traefik/traefik#8319",
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: x-real-ip
        """,
        (HIDES_CLIENT,),
    ),
    Incident(
        "golang/vulndb#3143",
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: close, X-Forwarded-Host
        >! Connection: X-Real-Ip
        """,
        (HIDES_CLIENT, HIDES_CLIENT),
    ),
    Incident(
        "golang/vulndb#4597",
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: X-FORWARDED-PROTO
        """,
        (HIDES_CLIENT,),
    ),
    Incident(
        "haproxy/haproxy#2928",
        """
        > GET / HTTP/3
        > host: www.example
        >! upgrade: websocket
        """,
        (IN_HTTP3,),
    ),
    Incident(
        "cloudfoundry/gorouter#356",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-App-Context
        > X-App-Context: 7
        """,
    ),
    Incident(
        "dotnet/yarp#877",
        """
        * TLS
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        >! Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        (SMUGGLED_OVER_TLS,),
    ),
    Incident(
        "traefik/traefik#9341",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        >! Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA
        > X-Forwarded-For: 192.0.2.1
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        <! Upgrade: h2c
        """,
        (SMUGGLED_THROUGH, H2C_ACCEPTED),
    ),
    Incident(
        "golang/go#45785",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Via: 1.1 proxy
        > Connection: Upgrade, HTTP2-Settings
        >! Upgrade: H2C
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        (SMUGGLED_THROUGH,),
    ),
    Incident(
        "golang/go#68729",
        """
        * TLS
        > GET /admin HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        >! Upgrade: websocket, h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        (SMUGGLED_OVER_TLS,),
    ),
    Incident(
        "dadrus/heimdall#653",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > X-Forwarded-For: 192.0.2.1
        > Connection: keep-alive
        >! TE: trailers
        """,
        (("te-without-connection-option", ""), ("hop-by-hop-field-leaked", "via")),
    ),
    Incident(
        "cloudflare/pingora#734",
        """
        < HTTP/1.1 200 OK
        < Via: 1.1 proxy
        <! Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        (("keep-alive-without-connection-option", ""), ("hop-by-hop-field-leaked", "via")),
        behind_an_edge=("keep-alive",),
    ),
)

KEEP_ALIVE = (
    *(
        Incident(
            thread,
            f"""
            > GET / HTTP/1.1
            > Host: www.example
            > X-Forwarded-For: 192.0.2.1
            > Connection: keep-alive
            < HTTP/1.1 200 OK
            < X-Powered-By: {product}
            < Connection: keep-alive
            <! Keep-Alive: timeout={seconds}
            < Content-Length: 5
            """,
            behind_an_edge=("keep-alive",),
        )
        for thread, product, seconds in (
            ("PublicMapping/districtbuilder#448", "Express", 5),
            ("guardian/dotcom-rendering#10450", "Express", 5),
            ("seek-oss/skuba#1111", "Koa", 5),
            ("medplum/medplum#2253", "Express", 5),
            ("OpenCTI-Platform/opencti#17943", "Express", 65),
            ("growthbook/growthbook-proxy#134", "Express", 5),
            ("growthbook/growthbook-proxy#135", "Express", 5),
            ("modelence/modelence#346", "Express", 5),
            ("stella/stella#1697", "Bun", 10),
        )
    ),
    Incident(
        "orientechnologies/orientdb#3037",
        """
        > GET /server HTTP/1.1
        > Host: localhost:2480
        > Connection: close
        < HTTP/1.1 200 OK
        < Server: OrientDB Server v.2.0-rc1
        <! Connection: Keep-Alive
        < Content-Length: 2
        """,
        (("response-missing-close-echo", ""),),
    ),
    Incident(
        "hyperium/hyper#1614",
        """
        > GET / HTTP/1.0
        > Connection: Keep-Alive
        > Host: 127.0.0.1:3000
        > User-Agent: ApacheBench/2.3
        < HTTP/1.0 200 OK
        < content-length: 12
        """,
    ),
    Incident(
        "hyperium/hyper#1393",
        """
        > GET /bar HTTP/1.0
        > Connection: Keep-Alive
        > Host: 127.0.0.1:8080
        > User-Agent: ApacheBench/2.3
        < HTTP/1.1 406 Not Acceptable
        < Content-Length: 42
        < Date: Thu, 30 Nov 2017 04:56:01 GMT
        """,
    ),
    Incident(
        "envoyproxy/envoy#10769",
        """
        > GET /test HTTP/1.0
        > Connection: Keep-Alive
        > Host: 127.0.0.1
        > User-Agent: ApacheBench/2.3
        < HTTP/1.0 200 OK
        < server: envoy
        < date: Tue, 14 Apr 2020 07:52:22 GMT
        < content-type: application/octet-stream,text/html
        < x-envoy-upstream-service-time: 1
        """,
    ),
    Incident(
        "NanoHttpd/nanohttpd#46",
        """
        > GET / HTTP/1.0
        > Host: 127.0.0.1:8080
        > User-Agent: ApacheBench/2.3
        < HTTP/1.1 200 OK
        < Content-Type: text/html
        < Date: Fri, 12 Jul 2013 16:51:20 GMT
        < Connection: keep-alive
        < Content-Length: 144
        """,
    ),
    Incident(
        "scylladb/seastar#3",
        """
        > GET / HTTP/1.0
        > Host: localhost:10000
        > User-Agent: ApacheBench/2.3
        < HTTP/1.1 200 OK
        < Server: Seastar httpd
        < Content-Length: 5
        """,
    ),
    Incident(
        "netty/netty#241",
        """
        > GET / HTTP/1.0
        > Connection: Keep-Alive
        > Host: localhost:8080
        < HTTP/1.1 200 OK
        < Content-Length: 5
        """,
    ),
    Incident(
        "aio-libs/aiohttp#526",
        """
        > GET / HTTP/1.0
        > Connection: keep-alive
        > Host: localhost:8080
        < HTTP/1.0 200 OK
        <! Connection: keep-alive
        < Content-Type: text/plain
        """,
        (("close-delimited-response", "contradicted"),),
    ),
    Incident(
        "golang/go#62450",
        """
        > POST / HTTP/2
        > host: www.example
        > user-agent: Go-http-client/2.0
        >! connection: close
        > content-length: 2
        """,
        (IN_HTTP2,),
    ),
)

OVER_HTTP3 = (
    Incident(
        "alibaba/xquic#749",
        """
        > GET / HTTP/3
        > host: www.example
        >! connection: keep-alive
        >! transfer-encoding: chunked
        < HTTP/3 200
        <! connection: close
        <! keep-alive: timeout=5
        """,
        (IN_HTTP3,) * 4,
    ),
    Incident(
        "alibaba/xquic#793",
        """
        > POST / HTTP/3
        > host: www.example
        >! Transfer-Encoding: chunked
        > content-length: 5
        """,
        (IN_HTTP3,),
    ),
    Incident(
        "quic-go/quic-go#4647",
        """
        > GET / HTTP/3
        > host: www.example
        >! Connection: upgrade
        >! TE: gzip
        >! Keep-Alive: timeout=5
        >! Proxy-Connection: keep-alive
        >! Upgrade: websocket
        """,
        (IN_HTTP3,) * 4 + (TE_VALUE,),
    ),
    Incident(
        "cloudflare/quiche#838",
        """
        > GET / HTTP/3
        > host: www.example
        >! upgrade: websocket
        >! transfer-encoding: chunked
        """,
        (IN_HTTP3,) * 2,
    ),
)

INCIDENTS = (
    FIELDS_IN_HTTP2_RESPONSES
    + FIELDS_IN_HTTP2_REQUESTS
    + TE_AND_TRAILERS
    + UPGRADES
    + FRAMING
    + ABUSE
    + KEEP_ALIVE
    + OVER_HTTP3
)

EDGE_RULE = "field-fatal-behind-http2-edge"


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.thread)
def test_incident(incident: Incident) -> None:
    """The cause is found where it is, by name, and nothing else is."""
    judged = judge(incident.text, Checker({*DEFAULT_PROFILES, "http2-edge"}))
    faults = [(finding, at) for finding, at in judged if finding.severity >= WARNING]
    ahead = [(finding, at) for finding, at in judged if finding.rule == EDGE_RULE]
    found = [(finding.rule, finding.variant) for finding, _ in faults]
    assert sorted(found) == sorted(incident.found)
    assert sorted(finding.variant for finding, _ in ahead) == sorted(incident.behind_an_edge)
    assert {at for _, at in faults + ahead} == set(parse(incident.text).marks)
    for finding, _ in faults + ahead:
        if finding.line is not None:
            assert printable(finding.line.name).lower() in finding.text.lower()


def test_every_thread_is_told_once() -> None:
    """A thread has one case."""
    threads = [incident.thread for incident in INCIDENTS]
    assert len(threads) == len(set(threads))
    assert len(threads) >= 100
