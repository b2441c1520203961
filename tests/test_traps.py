"""Healthy traffic that a naive rule reports: nothing at warning or above may be said about it.

What would need the flows of mitmproxy to be shown, such as replayed ones, is tested with them.
"""

from typing import NamedTuple

import pytest

from hopguard.checker import Checker
from hopguard.rule import DEFAULT_PROFILES, PROFILES, WARNING
from tests.judging import judge

VIEWS = {
    "default": frozenset(DEFAULT_PROFILES),
    "every profile but noise": frozenset(PROFILES) - {"noise"},
    **{
        profile: frozenset(DEFAULT_PROFILES) | {profile}
        for profile in PROFILES
        if profile not in DEFAULT_PROFILES and profile != "noise"
    },
}


class Trap(NamedTuple):
    """Traffic that is in order, in several guises."""

    about: str
    guises: tuple[str, ...]
    but_for: frozenset[str] = frozenset()
    """The one thing that rightly is said about it, and is not the trap."""


OBSOLETE = frozenset({"upgrade-token-obsolete"})

TRAPS = (
    Trap(
        "browser says keep-alive",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            > User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
            > Connection: keep-alive
            > Upgrade-Insecure-Requests: 1
            > Sec-Fetch-Mode: navigate
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Content-Length: 5
            """,
            """
            > POST /api HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            > Content-Length: 2
            > sec-fetch-mode: cors
            > User-Agent: Mozilla/5.0 (Windows NT 10.0) Chrome/126.0.0.0
            < HTTP/1.1 200 OK
            < Transfer-Encoding: chunked
            """,
        ),
    ),
    Trap(
        "keep-alive in another letter case",
        (
            """
            > GET / HTTP/1.1
            > User-Agent: Wget/1.21.3
            > Accept: */*
            > Host: www.example
            > Connection: Keep-Alive
            < HTTP/1.1 200 OK
            < Connection: Keep-Alive
            < Content-Length: 5
            """,
            """
            > GET / HTTP/1.0
            > CONNECTION: KEEP-ALIVE
            > Host: www.example
            > User-Agent: ApacheBench/2.3
            < HTTP/1.0 200 OK
            < connection: Keep-alive
            < Content-Length: 5
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Keep-Alive
            > Accept-Encoding: gzip
            > User-Agent: okhttp/4.12.0
            """,
        ),
    ),
    Trap(
        "keep-alive and upgrade in one handshake",
        (
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
            > Sec-WebSocket-Version: 13
            > Sec-WebSocket-Extensions: permessage-deflate
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Connection: keep-alive, Upgrade
            > Sec-Fetch-Mode: websocket
            > Upgrade: websocket
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: websocket
            < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
            """,
            """
            > GET /chat HTTP/1.1
            > host: www.example
            > connection: UPGRADE,keep-alive
            > upgrade: websocket
            > sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
            > sec-websocket-version: 13
            < HTTP/1.1 101 Switching Protocols
            < connection: keep-alive, upgrade
            < upgrade: websocket
            < sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
            """,
        ),
    ),
    Trap(
        "WebSocket offered, websocket chosen",
        (
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: WebSocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: websocket
            < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            < HTTP/1.1 101 Web Socket Protocol Handshake
            < Connection: Upgrade
            < Upgrade: WEBSOCKET
            < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
            """,
        ),
    ),
    Trap(
        "several protocols offered, one chosen",
        (
            """
            > OPTIONS * HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: TLS/1.2, TLS/1.0
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: TLS/1.2
            """,
            """
            > POST /containers/1/attach HTTP/1.1
            > Host: docker
            > Connection: Upgrade
            > Upgrade: tcp
            > Upgrade: connect-udp, TLS/1.2
            > Content-Length: 0
            < HTTP/1.1 101 UPGRADED
            < Connection: Upgrade
            < Upgrade: connect-udp
            """,
            """
            > OPTIONS * HTTP/1.1
            > Host: www.example
            > Connection: upgrade
            > Upgrade: TLS/1.2
            < HTTP/1.1 101 Switching Protocols
            < Connection: upgrade
            < Upgrade: TLS/1.2, HTTP/1.1
            """,
        ),
    ),
    Trap(
        "h2c offered in clear text to the first hop",
        (
            """
            * clear text
            > GET / HTTP/1.1
            > Host: www.example
            > User-Agent: curl/8.5.0
            > Accept: */*
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            > HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA
            < HTTP/1.1 200 OK
            < Content-Length: 5
            """,
            """
            * clear text
            > GET / HTTP/1.1
            > Connection: Upgrade, HTTP2-Settings
            > Content-Length: 0
            > Host: www.example
            > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
            > Upgrade: h2c
            > User-Agent: Java-http-client/17.0.1
            """,
        ),
        OBSOLETE,
    ),
    Trap(
        "protocols advertised without being asked for",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            < HTTP/1.1 200 OK
            < Server: Apache
            < Upgrade: h2,h2c
            < Connection: Upgrade, Keep-Alive
            < Keep-Alive: timeout=5, max=100
            < Content-Length: 5
            """,
            """
            > GET /missing HTTP/1.1
            > Host: www.example
            < HTTP/1.1 404 Not Found
            < Server: Apache/2.4.58 (Ubuntu)
            < upgrade: h2c
            < connection: upgrade
            < Content-Length: 0
            """,
        ),
        OBSOLETE,
    ),
    Trap(
        "another protocol advertised without being asked for",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Connection: Upgrade
            < Upgrade: TLS/1.2
            < Content-Length: 5
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            < HTTP/1.1 426 Upgrade Required
            < connection: upgrade
            < upgrade: websocket
            < Content-Length: 0
            """,
        ),
    ),
    Trap(
        "TE says trailers on HTTP/2 and HTTP/3",
        (
            """
            > POST /helloworld.Greeter/SayHello HTTP/2
            > host: www.example
            > content-type: application/grpc
            > user-agent: grpc-go/1.64.0
            > te: trailers
            < HTTP/2 200
            < content-type: application/grpc
            <
            < grpc-status: 0
            < grpc-message:
            """,
            """
            > GET / HTTP/2
            > host: www.example
            > user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0
            > te: trailers
            < HTTP/2 200
            """,
            """
            > GET / HTTP/3
            > host: www.example
            > TE: Trailers
            < HTTP/3 200
            """,
        ),
    ),
    Trap(
        "TE of an HTTP/2 request that is answered in HTTP/1.1",
        (
            """
            > GET / HTTP/2
            > host: www.example
            > te: trailers
            < HTTP/1.1 200 OK
            < Content-Length: 5
            """,
            """
            > POST /helloworld.Greeter/SayHello HTTP/3
            > host: www.example
            > te: trailers
            > content-type: application/grpc
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Transfer-Encoding: chunked
            < Trailer: grpc-status
            """,
        ),
    ),
    Trap(
        "close among names of fields",
        (
            """
            > GET / HTTP/1.1
            > TE: deflate,gzip;q=0.3
            > Connection: TE, close
            > Host: www.example
            > User-Agent: lwp-request/6.61 libwww-perl/6.67
            < HTTP/1.1 200 OK
            < Connection: close
            < Transfer-Encoding: gzip, chunked
            """,
            """
            > HEAD / HTTP/1.1
            > te: trailers
            > connection: Close,te
            > host: www.example
            < HTTP/1.1 200 OK
            < connection: close
            < content-length: 512
            """,
        ),
    ),
    Trap(
        "TE without a value",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            > TE:
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > te:
            > connection: keep-alive, te
            < HTTP/1.1 200 OK
            < Transfer-Encoding: chunked
            """,
        ),
    ),
    Trap(
        "Transfer-Encoding that is not listed",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Transfer-Encoding: chunked
            < Connection: keep-alive
            """,
            """
            > POST /upload HTTP/1.1
            > Host: www.example
            > Expect: 100-continue
            > transfer-encoding: Chunked
            < HTTP/1.1 100 Continue
            < HTTP/1.1 201 Created
            < Connection: close
            < Transfer-Encoding: chunked
            """,
        ),
    ),
    Trap(
        "framing fields of a response without a body",
        (
            """
            > HEAD / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Transfer-Encoding: chunked
            """,
            """
            > HEAD /file HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Content-Length: 4096
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > If-None-Match: "a"
            < HTTP/1.1 304 Not Modified
            < ETag: "a"
            < Content-Length: 4096
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 304 Not Modified
            < transfer-encoding: chunked
            """,
        ),
    ),
    Trap(
        "Keep-Alive on HTTP/1.1",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            < Server: Apache
            < Keep-Alive: timeout=5, max=100
            < Connection: Keep-Alive
            < Content-Length: 5
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            < HTTP/1.1 200 OK
            < X-Powered-By: Express
            < Transfer-Encoding: chunked
            < Connection: keep-alive
            < Keep-Alive: timeout=5
            """,
        ),
    ),
    Trap(
        "persistence that HTTP/1.0 negotiates",
        (
            """
            > GET / HTTP/1.0
            > Host: www.example
            > Connection: keep-alive
            < HTTP/1.0 200 OK
            < Connection: keep-alive
            < Content-Length: 5
            """,
            """
            > GET / HTTP/1.0
            > Host: www.example
            > Connection: Keep-Alive
            < HTTP/1.1 200 OK
            < Connection: Keep-Alive
            < Keep-Alive: timeout=15, max=100
            < Content-Length: 5
            """,
        ),
    ),
    Trap(
        "upgrade listed without Upgrade",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            > X-Real-IP: 192.0.2.1
            > X-Forwarded-For: 192.0.2.1
            > Connection: upgrade
            """,
            """
            > POST /api HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > X-Forwarded-Proto: https
            > Content-Length: 5
            < HTTP/1.1 200 OK
            < Content-Length: 5
            """,
        ),
    ),
    Trap(
        "close listed without a field called Close",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: close
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 5
            """,
            """
            > GET / HTTP/1.0
            > Connection: CLOSE
            < HTTP/1.0 200 OK
            < Connection: Close
            """,
        ),
    ),
    Trap(
        "Proxy-Support",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 401 Unauthorized
            < WWW-Authenticate: Negotiate
            < Proxy-Support: Session-Based-Authentication
            < Connection: Proxy-Support
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 401 Unauthorized
            < www-authenticate: NTLM
            < proxy-support: Session-Based-Authentication
            < connection: keep-alive, proxy-support
            < Content-Length: 0
            """,
        ),
    ),
    Trap(
        "Proxy-Connection to an explicit proxy",
        (
            """
            * addressed to the proxy
            > GET http://www.example/ HTTP/1.1
            > Host: www.example
            > User-Agent: curl/8.5.0
            > Accept: */*
            > Proxy-Connection: Keep-Alive
            """,
            """
            * addressed to the proxy
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            > Proxy-Connection: keep-alive
            > User-Agent: Mozilla/5.0 (Windows NT 10.0) Chrome/126.0.0.0
            < HTTP/1.1 200 Connection established
            """,
        ),
    ),
    Trap(
        "tunnel without a length",
        (
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            < HTTP/1.1 200 Connection established
            """,
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            > Connection: close
            < HTTP/1.1 200 OK
            """,
            """
            > CONNECT www.example:443 HTTP/1.0
            < HTTP/1.0 200 Connection established
            """,
        ),
    ),
    Trap(
        "extended CONNECT",
        (
            """
            > CONNECT /chat HTTP/2
            > :protocol: websocket
            > :scheme: https
            > :path: /chat
            > :authority: www.example
            > sec-websocket-version: 13
            > sec-websocket-protocol: chat
            < HTTP/2 200
            < sec-websocket-protocol: chat
            """,
            """
            * extended CONNECT enabled
            > CONNECT /.well-known/masque/udp/192.0.2.6/443/ HTTP/3
            > :protocol: connect-udp
            > :scheme: https
            > :path: /.well-known/masque/udp/192.0.2.6/443/
            > :authority: www.example
            > capsule-protocol: ?1
            < HTTP/3 200
            < capsule-protocol: ?1
            """,
            """
            > CONNECT www.example:443 HTTP/2
            > :authority: www.example:443
            < HTTP/2 200
            """,
        ),
    ),
    Trap(
        "switch of protocols without a length",
        (
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: websocket
            < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
            """,
            """
            > POST /exec HTTP/1.1
            > Host: docker
            > Connection: Upgrade
            > Upgrade: tcp
            > Content-Length: 2
            < HTTP/1.1 101 UPGRADED
            < Connection: Upgrade
            < Upgrade: tcp
            """,
        ),
    ),
    Trap(
        "event stream with keep-alive on HTTP/1.1",
        (
            """
            > GET /events HTTP/1.1
            > Host: www.example
            > Accept: text/event-stream
            < HTTP/1.1 200 OK
            < Content-Type: text/event-stream
            < Cache-Control: no-cache
            < Connection: keep-alive
            < Transfer-Encoding: chunked
            """,
            """
            > GET /events HTTP/1.0
            > Host: www.example
            > Connection: close
            < HTTP/1.0 200 OK
            < Content-Type: text/event-stream;charset=UTF-8
            """,
        ),
    ),
    Trap(
        "fields that HTTP/2 does not forbid",
        (
            """
            > GET / HTTP/2
            > host: www.example
            > proxy-authorization: Basic dTpw
            < HTTP/2 407
            < proxy-authenticate: Basic realm="proxy"
            """,
            """
            > POST / HTTP/2
            > host: www.example
            > trailer: x-sum
            >
            > x-sum: 7
            < HTTP/2 200
            < trailer: server-timing
            <
            < server-timing: db;dur=1
            """,
            """
            > GET / HTTP/3
            > host: www.example
            < HTTP/3 200
            < trailer: x-sum
            < proxy-authentication-info: nextnonce="a"
            """,
        ),
    ),
    Trap(
        "HTTP2-Settings is not connection-specific",
        (
            """
            > GET / HTTP/2
            > host: www.example
            > http2-settings: AAMAAABkAAQAAP__
            """,
            """
            > GET / HTTP/3
            > host: www.example
            > HTTP2-Settings: AAMAAABk
            """,
        ),
        frozenset({"http2-settings-invalid"}),
    ),
    Trap(
        "error responses of a proxy",
        (
            """
            > GET http://www.example/ HTTP/1.1
            > Host: www.example
            < HTTP/1.1 407 Proxy Authentication Required
            < Proxy-Authenticate: Basic realm="proxy"
            < Connection: close
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            < HTTP/1.1 502 Bad Gateway
            < Server: proxy
            < Connection: close
            < Content-Length: 120
            """,
            """
            < HTTP/1.1 400 Bad Request
            < Connection: close
            < Content-Length: 40
            """,
        ),
    ),
    Trap(
        "HTTP/1.1 server behind an HTTP/2 client",
        (
            """
            > GET / HTTP/2
            > host: www.example
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 5
            """,
            """
            > GET / HTTP/3
            > host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=5
            < Transfer-Encoding: chunked
            """,
        ),
    ),
    Trap(
        "408 that nobody asked for",
        (
            """
            < HTTP/1.1 408 Request Timeout
            < Server: Apache
            < Connection: close
            < Content-Length: 221
            """,
            """
            < HTTP/1.0 408 Request Time-out
            < Cache-Control: no-cache
            < Connection: close
            < Content-Type: text/html
            """,
        ),
    ),
    Trap(
        "idle timeout that was promised",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 204 No Content
            < Connection: keep-alive
            < Keep-Alive: timeout=1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: max=1, timeout="5"
            < Content-Length: 5
            """,
        ),
    ),
    Trap(
        "response that closes although the client would go on",
        (
            """
            > GET /1 HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 5
            """,
            """
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.1 503 Service Unavailable
            < Retry-After: 5
            < connection: Close
            < Transfer-Encoding: chunked
            """,
        ),
    ),
    Trap(
        "Connection on several lines",
        (
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > connection: close
            > TE: trailers
            > Connection: TE
            < HTTP/1.1 200 OK
            < Connection: X-Hop
            < X-Hop: 1
            < CONNECTION: close
            < Content-Length: 5
            """,
        ),
    ),
    # False alarms of other enforcers
    Trap(
        "netty/netty#12798",
        (
            """
            > GET / HTTP/2
            > host: www.example
            > upgrade-insecure-requests: 1
            > user-agent: Mozilla/5.0 (Windows NT 10.0) Chrome/104.0.0.0
            """,
            """
            > GET / HTTP/3
            > host: www.example
            > upgrade-insecure-requests: 1
            """,
        ),
    ),
    Trap(
        "netty/netty#12755",
        (
            """
            > GET / HTTP/2
            > host: www.example
            > Upgrade-Insecure-Requests: 1
            > user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:104.0) Gecko/20100101 Firefox/104.0
            > te: trailers
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            > Upgrade-Insecure-Requests: 1
            """,
        ),
    ),
    Trap(
        "tempesta-tech/tempesta#1579",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: close-notify
            > close-notify: 1
            < HTTP/1.1 200 OK
            < Content-Length: 5
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: close, keep-alive-token
            > keep-alive-token: 7
            < HTTP/1.1 200 OK
            < Connection: close, closest
            < closest: 2
            < Content-Length: 5
            """,
        ),
    ),
    Trap(
        "hyperium/hyper#2597",
        (
            """
            > GET / HTTP/2
            > host: www.example
            < HTTP/2 407
            < proxy-authenticate: Basic realm="proxy"
            """,
            """
            > GET / HTTP/2
            > host: www.example
            > proxy-authorization: Bearer a
            """,
        ),
    ),
    Trap(
        "mtrudel/bandit#632",
        (
            """
            > POST / HTTP/2
            > host: www.example
            > trailer: x-sum
            > proxy-authorization: Basic dTpw
            """,
            """
            > GET / HTTP/2
            > host: www.example
            > trailers: 1
            < HTTP/2 200
            < trailer: x-sum
            < proxy-authentication-info: nextnonce="a"
            """,
        ),
    ),
    Trap(
        "apple/swift-nio-http2#552",
        (
            """
            > POST / HTTP/2
            > host: www.example
            > te: trailers
            > trailer: grpc-status
            """,
            """
            > GET / HTTP/2
            > host: www.example
            > x-upgrade: 1
            > alt-used: www.example
            < HTTP/2 200
            < alt-svc: h3=":443"
            """,
        ),
    ),
    Trap(
        "corazawaf/coraza-nginx#76",
        (
            """
            > GET / HTTP/2
            > host: www.example
            < HTTP/2 200
            < server: nginx
            < content-type: text/html
            """,
            """
            > GET / HTTP/2
            > host: www.example
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Content-Length: 5
            """,
        ),
    ),
    Trap(
        "projectdiscovery/nuclei-templates#11265",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: close, X-Foo
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 5
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            > X-Forwarded-For: 192.0.2.1
            < HTTP/1.1 403 Forbidden
            < Content-Length: 5
            """,
        ),
    ),
    # Whether to relax the rule of HTTP/2: what it never forbade is not reported.
    Trap(
        "httpwg/http2-spec#789",
        (
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Content-Length: 5
            """,
            """
            > GET / HTTP/2
            > host: www.example
            < HTTP/1.1 200 OK
            < Connection: close
            < Transfer-Encoding: chunked
            """,
        ),
    ),
    Trap(
        "hyperium/h2#705",
        (
            """
            > GET / HTTP/2
            > host: www.example
            > te: trailers
            < HTTP/2 200
            < x-connection: keep-alive
            """,
            """
            > GET / HTTP/2
            > host: www.example
            < HTTP/2 200
            < connection-id: 7
            < keep-alive-for: 5
            """,
        ),
    ),
)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("trap", "text"),
    [
        pytest.param(trap, text, id=f"{trap.about}-{number}")
        for trap in TRAPS
        for number, text in enumerate(trap.guises, 1)
    ],
)
def test_nobody_falls_into_the_trap(trap: Trap, text: str, view: str) -> None:
    """Nothing at warning or above, whatever the view."""
    judged = judge(text, Checker(VIEWS[view]))
    said = {finding.rule for finding, _ in judged if finding.severity >= WARNING}
    assert said == trap.but_for


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.about)
def test_trap_has_several_guises(trap: Trap) -> None:
    """One guise may be silent by accident."""
    assert len(set(trap.guises)) >= 2
