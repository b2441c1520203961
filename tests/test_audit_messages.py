"""Whole messages of real programs, with everything that is and is not to be found in them.

The examples beside the rules show one rule each. Here the messages are complete and the lists are,
too: what one rule finds must not make another one speak, and what is right stays silent.
"""

import pytest

from hopguard.checker import Checker
from hopguard.rule import WARNING
from hopguard.transcript import parse
from tests.judging import judge

CHECKER = Checker()

# Name, what is found at warning or above, and the messages; every line at fault is marked.
MESSAGES = [
    pytest.param(
        ["error te-value-invalid/syntax"],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        > Connection: TE
        >! TE: gzip;q=0.5;foo=bar
        """,
        id="weight-before-parameter",
    ),
    pytest.param(
        [],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        > Connection: TE
        > TE: foo;a="x,y"
        """,
        id="quoted-comma-in-te",
    ),
    pytest.param(
        [],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        > TE: deflate,gzip;q=0.3
        > Connection: TE, close
        """,
        id="libwww-perl",
    ),
    pytest.param(
        ["warning transfer-coding-not-offered"],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > Connection: keep-alive
        > sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"
        > sec-ch-ua-mobile: ?0
        > Upgrade-Insecure-Requests: 1
        > User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0 Safari/537.36
        > Accept: text/html,application/xhtml+xml,*/*;q=0.8
        > Sec-Fetch-Site: none
        > Sec-Fetch-Mode: navigate
        > Sec-Fetch-User: ?1
        > Sec-Fetch-Dest: document
        > Accept-Encoding: gzip, deflate, br, zstd
        > Accept-Language: en-US,en;q=0.9
        < HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        <! transfer-encoding: GZIP,chunked
        """,
        id="accept-encoding-is-no-offer",
    ),
    pytest.param(
        [
            "warning transfer-coding-not-offered",
            "warning transfer-encoding-ambiguous/unknown-coding",
        ],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        < HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        <! Transfer-Encoding: br, chunked
        """,
        id="coding-unknown-and-not-offered",
    ),
    pytest.param(
        [
            "error transfer-encoding-with-content-length",
            "error transfer-encoding-with-http10/to-client",
        ],
        """
        > GET / HTTP/1.0
        > Host: localhost:8080
        > User-Agent: ApacheBench/2.3
        > Accept: */*
        < HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        <! Content-Length: 5
        <! Transfer-Encoding: chunked
        """,
        id="both-framing-fields-to-http10",
    ),
    pytest.param(
        [
            "error framing-field-in-bodiless-response/cl",
            "error framing-field-in-bodiless-response/te",
        ],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        < HTTP/1.1 204 No Content
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        <! Content-Length: 0
        <! Transfer-Encoding: chunked
        """,
        id="framing-of-204",
    ),
    pytest.param(
        [],
        """
        > HEAD / HTTP/1.1
        > Host: www.example.com
        > User-Agent: Wget/1.24.5
        > Accept: */*
        > Accept-Encoding: identity
        > Connection: Keep-Alive
        < HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        < Transfer-Encoding: chunked
        < Connection: keep-alive
        """,
        id="head-with-chunked",
    ),
    pytest.param(
        ["error framing-field-in-bodiless-response/cl", "warning response-missing-close-echo"],
        """
        > GET /x HTTP/1.1
        > Accept-Encoding: identity
        > Host: www.example.com
        > User-Agent: Python-urllib/3.12
        > Connection: close
        <! HTTP/1.1 204 No Content
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        <! Content-Length: 0
        """,
        id="length-of-204-and-no-echo",
    ),
    pytest.param(
        ["warning transfer-encoding-ambiguous/identity"],
        """
        > POST / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        > Transfer-Encoding: chunked
        >! Transfer-Encoding: identity
        """,
        id="identity-beside-chunked",
    ),
    pytest.param(
        [
            "error connection-field-illegal-octets/fold",
            "error transfer-encoding-syntax-invalid/syntax",
        ],
        """
        > POST / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        >! Transfer-Encoding: chunked
        >  chunked
        """,
        id="fold-that-doubles-chunked",
    ),
    pytest.param(
        [
            "error content-length-ambiguous/repeat-differs",
            "error transfer-encoding-with-content-length",
        ],
        """
        > POST / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        >! Content-Length: 6
        >! Content-Length: 5, 5
        > Transfer-Encoding: chunked
        """,
        id="equal-list-that-differs",
    ),
    pytest.param(
        ["error connection-field-in-trailers/sent"],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        < HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        < Connection: X-Hop
        < X-Hop: 3
        < Trailer: X-Sum
        < Transfer-Encoding: chunked
        <
        < X-Sum: 7
        <! X-Hop: 3
        """,
        id="nominated-field-as-trailer",
    ),
    pytest.param(
        [],
        """
        > POST / HTTP/2
        > :method: POST
        > :scheme: http
        > :path: /helloworld.Greeter/SayHello
        > :authority: localhost:50051
        > content-type: application/grpc
        > user-agent: grpc-go/1.67.1
        > te: trailers
        > grpc-accept-encoding: gzip
        < HTTP/2 200
        < content-type: application/grpc
        <
        < grpc-status: 0
        < grpc-message:
        """,
        id="grpc-trailers",
    ),
    pytest.param(
        ["error connection-field-in-http2", "error connection-field-in-trailers/sent"],
        """
        > GET / HTTP/2
        > :method: GET
        > :scheme: https
        > :authority: www.example.com
        > :path: /
        > sec-ch-ua: "Chromium";v="130"
        > upgrade-insecure-requests: 1
        > user-agent: Mozilla/5.0 Chrome/130.0.0.0
        > accept: text/html
        > sec-fetch-mode: navigate
        > accept-encoding: gzip, deflate, br
        > priority: u=0, i
        < HTTP/2 200
        < server: nginx/1.27.2
        < date: Tue, 12 Nov 2024 10:00:00 GMT
        < content-type: text/html
        <! keep-alive: timeout=5
        <
        <! keep-alive: timeout=5
        """,
        id="two-places",
    ),
    pytest.param(
        ["error connection-field-in-http2"],
        """
        > GET /sse HTTP/2
        > :method: GET
        > :scheme: https
        > :authority: www.example.com
        > :path: /
        > sec-ch-ua: "Chromium";v="130"
        > upgrade-insecure-requests: 1
        > user-agent: Mozilla/5.0 Chrome/130.0.0.0
        > accept: text/html
        > sec-fetch-mode: navigate
        > accept-encoding: gzip, deflate, br
        > priority: u=0, i
        < HTTP/2 200
        < content-type: text/event-stream
        < cache-control: no-cache
        <! connection: keep-alive
        < x-accel-buffering: no
        """,
        id="event-stream-over-http2",
    ),
    pytest.param(
        [],
        """
        > GET / HTTP/3
        > :method: GET
        > :path: /
        > :authority: www.example.com
        > :scheme: https
        > user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0
        > accept: text/html
        > accept-encoding: gzip, deflate, br, zstd
        > upgrade-insecure-requests: 1
        > sec-fetch-mode: navigate
        > priority: u=0, i
        > te: trailers
        < HTTP/3 200
        < server: nginx/1.27.2
        < date: Tue, 12 Nov 2024 10:00:00 GMT
        < content-type: text/html
        < alt-svc: h3=":443"; ma=86400
        < proxy-authenticate: Basic
        """,
        id="firefox-over-http3",
    ),
    pytest.param(
        [],
        """
        > GET / HTTP/2
        > :method: GET
        > :scheme: https
        > :authority: www.example.com
        > :path: /
        > sec-ch-ua: "Chromium";v="130"
        > upgrade-insecure-requests: 1
        > user-agent: Mozilla/5.0 Chrome/130.0.0.0
        > accept: text/html
        > sec-fetch-mode: navigate
        > accept-encoding: gzip, deflate, br
        > priority: u=0, i
        > keep-alive-x: 1
        > connection-id: 4
        > te-x: gzip
        < HTTP/2 200
        < server: nginx/1.27.2
        < date: Tue, 12 Nov 2024 10:00:00 GMT
        < content-type: text/html
        < upgrade-insecure: 1
        < x-transfer-encoding: chunked
        """,
        id="names-that-start-alike",
    ),
    pytest.param(
        ["error connection-field-in-http3", "error switching-protocols-in-http2-or-http3"],
        """
        > GET / HTTP/3
        > :method: GET
        > :scheme: https
        > :authority: www.example.com
        > :path: /
        > sec-ch-ua: "Chromium";v="130"
        > upgrade-insecure-requests: 1
        > user-agent: Mozilla/5.0 Chrome/130.0.0.0
        > accept: text/html
        > sec-fetch-mode: navigate
        > accept-encoding: gzip, deflate, br
        > priority: u=0, i
        <! HTTP/3 101
        <! upgrade: websocket
        """,
        id="switch-in-http3",
    ),
    pytest.param(
        [
            "error connection-field-in-http2",
            "warning http2-settings-invalid/in-http2",
            "error switching-protocols-in-http2-or-http3",
            "error te-not-trailers-in-http2-or-http3/value",
        ],
        """
        > GET / HTTP/2
        > :method: GET
        > :scheme: https
        > :authority: www.example.com
        > :path: /
        > sec-ch-ua: "Chromium";v="130"
        > upgrade-insecure-requests: 1
        > user-agent: Mozilla/5.0 Chrome/130.0.0.0
        > accept: text/html
        > sec-fetch-mode: navigate
        > accept-encoding: gzip, deflate, br
        > priority: u=0, i
        >! te: gzip
        >! upgrade: h2c
        >! http2-settings: AAMAAABkAAQAAP__
        <! HTTP/2 101
        """,
        id="four-faults-in-http2",
    ),
    pytest.param(
        [
            "error connection-field-in-http2",
            "error extended-connect-invalid/incomplete",
            "error extended-connect-invalid/upgrade-fields",
        ],
        """
        >! CONNECT - HTTP/2
        > :method: CONNECT
        > :protocol: websocket
        > :authority: a
        >! upgrade: websocket
        >! keep-alive: 5
        """,
        id="upgrade-in-extended-connect",
    ),
    pytest.param(
        [],
        """
        > CONNECT /.well-known/masque/udp/1.2.3.4/443/ HTTP/3
        > :method: CONNECT
        > :protocol: connect-udp
        > :scheme: https
        > :path: /.well-known/masque/udp/1.2.3.4/443/
        > :authority: a.example
        > capsule-protocol: ?1
        < HTTP/3 200
        < capsule-protocol: ?1
        """,
        id="webtransport-like-connect-udp",
    ),
    pytest.param(
        [],
        """
        > GET /chat HTTP/1.0
        > Host: ws.example.com
        > User-Agent: Mozilla/5.0 Chrome/130.0.0.0
        > Connection: Upgrade
        > Upgrade: websocket
        > Origin: https://ws.example.com
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        < HTTP/1.1 400 Bad Request
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        < Content-Length: 5
        < Connection: close
        """,
        id="nginx-talks-http10",
    ),
    pytest.param(
        ["error websocket-handshake-incomplete/incomplete"],
        """
        > GET /chat HTTP/1.1
        > Host: a
        > Connection: keep-alive
        >! Upgrade: websocket
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        < HTTP/1.1 101 Switching Protocols
        < Upgrade: websocket
        < Connection: Upgrade
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        id="handshake-without-option-accepted",
    ),
    pytest.param(
        ["error websocket-handshake-incomplete/upgrade-stripped"],
        """
        > GET /chat HTTP/1.1
        > Host: a.example
        > Connection: close
        > X-Forwarded-For: 1.2.3.4
        > Origin: https://a.example
        > Sec-WebSocket-Version: 13
        >! Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        """,
        id="handshake-stripped",
    ),
    pytest.param(
        [],
        """
        > GET /chat HTTP/1.1
        > Host: a
        > Connection: keep-alive, Upgrade
        > Upgrade: WebSocket
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        < HTTP/1.1 101 Switching Protocols
        < Upgrade: websocket
        < Connection: Upgrade
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        id="firefox-websocket",
    ),
    pytest.param(
        ["warning close-on-non-final-response/switch", "error websocket-accept-mismatch"],
        """
        > GET /chat HTTP/1.1
        > Host: ws.example.com
        > User-Agent: Mozilla/5.0 Chrome/130.0.0.0
        > Connection: Upgrade
        > Upgrade: websocket
        > Origin: https://ws.example.com
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        < HTTP/1.1 101 Switching Protocols
        <! Upgrade: websocket
        <! Connection: close
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        id="accept-without-option-but-close",
    ),
    pytest.param(
        ["error switching-protocols-before-continue"],
        """
        > POST / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > Expect: 100-Continue
        > Transfer-Encoding: chunked
        < HTTP/1.1 103 Early Hints
        < Link: </x>
        <! HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        """,
        id="switch-owed-a-100",
    ),
    pytest.param(
        ["warning upgrade-token-obsolete/h2", "warning upgrade-token-obsolete/h2c"],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > Connection: keep-alive
        > sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"
        > sec-ch-ua-mobile: ?0
        > Upgrade-Insecure-Requests: 1
        > User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0 Safari/537.36
        > Accept: text/html,application/xhtml+xml,*/*;q=0.8
        > Sec-Fetch-Site: none
        > Sec-Fetch-Mode: navigate
        > Sec-Fetch-User: ?1
        > Sec-Fetch-Dest: document
        > Accept-Encoding: gzip, deflate, br, zstd
        > Accept-Language: en-US,en;q=0.9
        < HTTP/1.1 200 OK
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Server: Apache/2.4.62 (Debian)
        < Content-Type: text/html; charset=UTF-8
        <! Upgrade: h2,h2c
        < Connection: Upgrade, Keep-Alive
        < Keep-Alive: timeout=5, max=100
        < Content-Length: 42
        """,
        id="apache-advertises",
    ),
    pytest.param(
        ["warning upgrade-token-obsolete/h2c"],
        """
        * clear text
        > POST /r HTTP/1.1
        > Connection: Upgrade, HTTP2-Settings
        > Host: www.example.com
        > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        >! Upgrade: h2c
        > User-Agent: Java-http-client/21.0.4
        > Content-Length: 5
        < HTTP/1.1 200 OK
        < Content-Type: application/json; charset=utf-8
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Connection: keep-alive
        < Keep-Alive: timeout=5
        < Transfer-Encoding: chunked
        """,
        id="java-in-clear-text",
    ),
    pytest.param(
        ["warning h2c-upgrade-smuggling-risk/through-intermediary"],
        """
        * clear text
        > GET / HTTP/1.1
        > Connection: Upgrade, HTTP2-Settings
        > Host: www.example.com
        > HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
        >! Upgrade: h2c
        > User-Agent: Java-http-client/21.0.4
        > X-Forwarded-For: 10.0.0.1
        """,
        id="java-behind-a-proxy",
    ),
    pytest.param(
        ["error connection-option-not-token"],
        """
        > GET / HTTP/1.1
        > Accept-Encoding: identity
        > Host: www.example.com
        > User-Agent: Python-urllib/3.12
        > Connection: close
        < HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        <! Connection: "close"
        < Content-Length: 2
        """,
        id="quoted-close",
    ),
    pytest.param(
        ["warning close-on-non-final-response/interim", "warning response-missing-close-echo"],
        """
        > GET / HTTP/1.1
        > Accept-Encoding: identity
        > Host: www.example.com
        > User-Agent: Python-urllib/3.12
        > Connection: close
        < HTTP/1.1 103 Early Hints
        <! Connection: close
        <! HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        < Content-Length: 3
        """,
        id="interim-closes-final-does-not",
    ),
    pytest.param(
        [],
        """
        > GET / HTTP/1.0
        > Connection: Keep-Alive
        > Host: localhost:8080
        > User-Agent: ApacheBench/2.3
        > Accept: */*
        < HTTP/1.0 200 OK
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Server: Apache/2.4.62 (Debian)
        < Content-Type: text/html; charset=UTF-8
        < Content-Length: 615
        < Connection: Keep-Alive
        """,
        id="apachebench-keep-alive",
    ),
    pytest.param(
        ["warning close-delimited-response/contradicted"],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        < HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        <! Connection: keep-alive
        < Content-Type: text/event-stream
        """,
        id="promise-without-end",
    ),
    pytest.param(
        [
            "warning close-delimited-response/contradicted",
            "warning data-before-protocol-switch/connect",
        ],
        r"""
        * sent before the response: \x16\x03\x01
        >! CONNECT a:443 HTTP/1.1
        > Host: a:443
        < HTTP/1.1 503 Unavailable
        <! Connection: keep-alive
        """,
        id="refused-tunnel",
    ),
    pytest.param(
        [
            "error connection-strips-forwarding-field",
            "warning forbidden-header-from-browser/script-request",
        ],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        >! Connection: close, Via
        > Sec-Fetch-Mode: cors
        > Sec-Fetch-Site: same-origin
        """,
        id="script-lists-via",
    ),
    pytest.param(
        [],
        """
        > GET / HTTP/1.1
        > host: www.example.com
        > connection: keep-alive
        > accept: */*
        > accept-language: *
        > sec-fetch-mode: cors
        > user-agent: node
        > accept-encoding: gzip, deflate
        > X-Forwarded-For: 1.1.1.1
        > Connection: upgrade
        < HTTP/1.1 200 OK
        < Content-Type: application/json; charset=utf-8
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Length: 2
        """,
        id="node-fetch",
    ),
    pytest.param(
        ["warning hop-by-hop-field-leaked/stored", "error keep-alive-without-connection-option"],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        < HTTP/1.1 200 OK
        < Server: nginx/1.27.2
        < Date: Tue, 12 Nov 2024 10:00:00 GMT
        < Content-Type: text/html
        < X-Cache: Hit from cloudfront
        <! Keep-Alive: timeout=5
        < Content-Length: 2
        """,
        id="cloudfront-hit",
    ),
    pytest.param(
        [
            "warning hop-by-hop-field-leaked/via",
            "warning upgrade-token-obsolete/h2",
            "error upgrade-without-connection-option",
        ],
        """
        > GET / HTTP/1.1
        > Host: www.example.com
        > User-Agent: curl/8.10.1
        > Accept: */*
        < HTTP/1.1 200 OK
        < Via: 1.1 varnish
        <! Upgrade: h2
        < Content-Length: 1
        """,
        id="forwarded-h2-advertisement",
    ),
]

FLOODS = [
    ("Upgrade", "upgrade-token-obsolete/unregistered"),
    ("Transfer-Encoding", "transfer-encoding-ambiguous/unknown-coding"),
    ("Transfer-Encoding", "transfer-coding-not-offered"),
    ("Trailer", "trailer-announcement-mismatch/never-sent"),
]


def name(rule: str, variant: str) -> str:
    """Return the name by which a policy line knows a finding."""
    return f"{rule}/{variant}" if variant else rule


@pytest.mark.parametrize(("expected", "text"), MESSAGES)
def test_everything_is_found_and_nothing_else(expected: list[str], text: str) -> None:
    """The checker finds exactly what the table says, and points at the marked lines."""
    judged = [(found, at) for found, at in judge(text, CHECKER) if found.severity >= WARNING]
    names = {
        f"{found.severity.name.lower()} {name(found.rule, found.variant)}" for found, _ in judged
    }
    assert sorted(names) == sorted(expected)
    assert {at for _, at in judged} == set(parse(text).marks)


@pytest.mark.parametrize(("field", "expected"), FLOODS)
def test_a_long_list_does_not_flood_the_report(field: str, expected: str) -> None:
    """Of several hundred faulty members in one message, five are reported."""
    members = ", ".join(f"x{number}" for number in range(300))
    coding = "" if field == "Transfer-Encoding" else "< Transfer-Encoding: chunked"
    text = f"""
> GET / HTTP/1.1
> Host: www.example
< HTTP/1.1 200 OK
< {field}: {members}
{coding}
<
"""
    found = [name(finding.rule, finding.variant) for finding, _ in judge(text, CHECKER)]
    assert found.count(expected) == 5
