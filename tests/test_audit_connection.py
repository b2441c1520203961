"""Whole messages with their verdicts, which were written from the standards, not from the rules.

They hold the rules about Connection, about unlisted hop-by-hop fields, and about Keep-Alive and
the proxy fields against each other: each cause is reported once, and at the line at fault.
"""

import pytest

from hopguard.checker import Checker
from hopguard.rule import WARNING, Finding
from hopguard.transcript import parse
from tests.judging import judge

CASES: list[tuple[str, str, list[str]]] = [
    (
        "a quoted list has two bad members",
        """
        > GET /p HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Connection: "close, keep-alive"
        """,
        ["connection-option-not-token error", "connection-option-not-token error"],
    ),
    (
        "an interim response",
        """
        < HTTP/1.1 100 Continue
        <! Connection: keep-alive keep-alive
        """,
        ["connection-option-not-token error"],
    ),
    (
        "a bad member that was not meant as the option that is missing",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Connection: {close}
        >! TE: trailers
        """,
        ["connection-option-not-token error", "te-without-connection-option error"],
    ),
    (
        "an empty line beside a line with an empty element",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Connection:
        >! Connection: close,
        """,
        ["connection-empty-list-member error", "connection-empty-value/masking warning"],
    ),
    (
        "a fold, an empty element and a contradiction",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Connection: keep-alive,
        >   , close
        """,
        [
            "close-with-keep-alive/options warning",
            "connection-empty-list-member error",
            "connection-field-illegal-octets/fold error",
        ],
    ),
    (
        "an empty first line hides the nomination",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: Go-http-client/1.1
        >! Connection:
        >! Connection: X-Forwarded-For
        """,
        ["connection-empty-value/masking warning", "connection-strips-forwarding-field warning"],
    ),
    (
        "two empty lines",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Connection:
        >! Connection:
        """,
        ["connection-empty-value/masking warning", "connection-empty-value/masking warning"],
    ),
    (
        "the Kelvin sign is no k",
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: Wget/1.21.4
        > Accept: */*
        > Accept-Encoding: identity
        >! Connection: keep-alive, \xe2\x84\xaaeep-alive
        """,
        ["connection-option-not-token error"],
    ),
    (
        "a value that starts with a fold",
        """
        > POST / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Transfer-Encoding:
        >  chunked
        """,
        ["connection-field-illegal-octets/fold error"],
    ),
    (
        "a bare CR",
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Connection: close\rX-Evil: 1
        """,
        ["connection-field-illegal-octets/control error"],
    ),
    (
        "white space at the edge in HTTP/2",
        r"""
        > GET / HTTP/2
        > :authority: www.example
        >! te: \x20trailers
        """,
        ["connection-field-illegal-octets/edge-space error"],
    ),
    (
        "a folded challenge is a challenge",
        """
        * through another proxy
        < HTTP/1.1 407 Proxy Authentication Required
        < Content-Length: 0
        <! Proxy-Authenticate: Basic
        <  realm="p"
        """,
        ["connection-field-illegal-octets/fold error"],
    ),
    (
        "a vertical tab after the name",
        r"""
        > POST / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        > Content-Length: 3
        >! Transfer-Encoding\x0b: chunked
        """,
        ["connection-field-name-malformed/whitespace error"],
    ),
    (
        "an underscore beside the field itself",
        """
        > POST / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! CONTENT_LENGTH: 3
        > Content-Length: 3
        """,
        ["connection-field-name-malformed/lookalike warning"],
    ),
    (
        "close and keep-alive on two lines",
        """
        < HTTP/1.1 200 OK
        < Server: nginx/1.26
        < Date: Tue, 24 Nov 2026 03:00:00 GMT
        < Content-Type: text/html
        < Content-Length: 2
        < Connection: close
        <! Connection: keep-alive
        """,
        ["close-with-keep-alive/options warning"],
    ),
    (
        "close in a list of field names",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: libwww-perl/6.77
        > TE: deflate,gzip;q=0.3
        > Connection: TE, close
        """,
        [],
    ),
    (
        "two severities in one line",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Connection: X-Api-Key, Origin
        """,
        ["connection-strips-credential-field error", "connection-strips-credential-field warning"],
    ),
    (
        "Via in a response is an end-to-end field",
        """
        < HTTP/1.1 200 OK
        < Server: nginx/1.26
        < Date: Tue, 24 Nov 2026 03:00:00 GMT
        < Content-Type: text/html
        < Content-Length: 2
        < Via: 1.1 varnish
        <! Connection: Via
        """,
        ["connection-names-end-to-end-field error"],
    ),
    (
        "the field that frames the message",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        >
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        <! Upgrade : TLS/1.2
        """,
        ["connection-field-name-malformed/whitespace error"],
    ),
    (
        "the same without the field",
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        >
        < HTTP/1.1 101 Switching Protocols
        <! Connection : Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        ["connection-field-name-malformed/whitespace error"],
    ),
    (
        "a field of the WebSocket handshake",
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, Sec-WebSocket-Key
        > Upgrade: websocket
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        """,
        [],
    ),
    (
        "three sorts of fields",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >! Connection: close, Accept, Cookie, X-Forwarded-For
        """,
        [
            "connection-names-end-to-end-field error",
            "connection-strips-credential-field error",
            "connection-strips-forwarding-field warning",
        ],
    ),
    (
        "a nominated field in trailers",
        """
        > POST / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        > Transfer-Encoding: chunked
        >! Trailer: X-Sum
        > Connection: X-Sum
        >
        >! X-Sum: 1
        """,
        [
            "connection-field-in-trailers/announced warning",
            "connection-field-in-trailers/sent error",
        ],
    ),
    (
        "Apache behind a proxy that drops Connection",
        """
        < HTTP/1.1 200 OK
        < Date: Tue, 24 Nov 2026 03:00:00 GMT
        < Server: Apache/2.4.62 (Debian)
        < Content-Length: 2
        < Content-Type: text/html; charset=UTF-8
        <! Upgrade: h2,h2c
        """,
        [
            "upgrade-token-obsolete/h2 warning",
            "upgrade-token-obsolete/h2c warning",
            "upgrade-without-connection-option error",
        ],
    ),
    (
        "an h2c offer that lacks everything",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: Java/21.0.2
        >! Upgrade: h2c
        """,
        [
            "http2-settings-invalid/missing error",
            "upgrade-token-obsolete/h2c warning",
            "upgrade-without-connection-option error",
        ],
    ),
    (
        "old Mozilla",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: Mozilla/5.0 Firefox/130.0
        > Accept: */*
        > Accept-Encoding: gzip, deflate
        >! Keep-Alive: 300
        """,
        [
            "keep-alive-syntax-invalid/legacy-number warning",
            "keep-alive-without-connection-option error",
        ],
    ),
    (
        "a misspelt option",
        """
        < HTTP/1.1 200 OK
        < Server: nginx/1.26
        < Date: Tue, 24 Nov 2026 03:00:00 GMT
        < Content-Type: text/html
        < Content-Length: 2
        < Connection: keepalive
        <! Keep-Alive: timeout=5
        """,
        ["keep-alive-without-connection-option error"],
    ),
    (
        "a quoted string without end",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: python-requests/2.32
        > Accept-Encoding: gzip, deflate
        > Accept: */*
        > Connection: keep-alive
        >! Keep-Alive: timeout="5, max=100
        """,
        ["keep-alive-syntax-invalid/bad-integer warning"],
    ),
    (
        "two faulty parameters",
        """
        < HTTP/1.1 200 OK
        < Server: nginx/1.26
        < Date: Tue, 24 Nov 2026 03:00:00 GMT
        < Content-Type: text/html
        < Content-Length: 2
        < Connection: keep-alive
        <! Keep-Alive: timeout=5s, max
        """,
        [
            "keep-alive-syntax-invalid/bad-integer warning",
            "keep-alive-syntax-invalid/bare-token warning",
        ],
    ),
    (
        "a proxy passes on what was its own",
        """
        * addressed beyond the proxy
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        > Via: 1.0 old
        >! Proxy-Connection: keep-alive
        """,
        ["hop-by-hop-field-leaked/via warning", "proxy-connection-field/beyond-proxy warning"],
    ),
    (
        "proxy credentials in HTTP/2",
        """
        * addressed beyond the proxy
        > GET / HTTP/2
        > :authority: www.example
        >! proxy-authorization: Basic dTpw
        """,
        ["proxy-authorization-beyond-proxy warning"],
    ),
    (
        "an origin's 407 without challenge",
        """
        * straight from the origin
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >
        <! HTTP/1.1 407 Proxy Authentication Required
        < Content-Length: 0
        """,
        ["proxy-407-without-challenge error", "proxy-authenticate-from-origin/status-407 warning"],
    ),
    (
        "an empty element before two challenges",
        """
        * through another proxy
        < HTTP/1.1 407 Proxy Authentication Required
        < Content-Length: 0
        < Proxy-Authenticate: , Negotiate, NTLM
        """,
        [],
    ),
    (
        "white space hides the framing",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        >
        < HTTP/1.1 200 OK
        < Content-Type: text/plain
        <! Transfer-Encoding : chunked
        """,
        ["connection-field-name-malformed/whitespace error"],
    ),
    (
        "white space hides close",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        > Connection: close
        >
        < HTTP/1.1 200 OK
        < Server: nginx/1.26
        < Date: Tue, 24 Nov 2026 03:00:00 GMT
        < Content-Type: text/html
        < Content-Length: 2
        <! Connection : close
        """,
        ["connection-field-name-malformed/whitespace error"],
    ),
    (
        "white space hides upgrade",
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        >! Connection : Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        """,
        ["connection-field-name-malformed/whitespace error"],
    ),
    (
        "white space hides the challenge",
        """
        * through another proxy
        < HTTP/1.1 407 Proxy Authentication Required
        < Content-Length: 0
        <! Proxy-Authenticate : Basic realm="x"
        """,
        ["connection-field-name-malformed/whitespace error"],
    ),
    (
        "folded settings of h2c",
        """
        > GET / HTTP/1.1
        > Host: www.example
        > User-Agent: curl/8.9.1
        > Accept: */*
        > Connection: Upgrade, HTTP2-Settings
        >! Upgrade: h2c
        >! HTTP2-Settings:
        >  AAMAAABkAAQAAP__
        """,
        ["connection-field-illegal-octets/fold error", "upgrade-token-obsolete/h2c warning"],
    ),
    (
        "Firefox opens a WebSocket",
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > User-Agent: Mozilla/5.0 Firefox/130.0
        > Accept: */*
        > Sec-WebSocket-Version: 13
        > Origin: http://www.example
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Connection: keep-alive, Upgrade
        > Sec-Fetch-Dest: empty
        > Sec-Fetch-Mode: websocket
        > Upgrade: websocket
        >
        < HTTP/1.1 101 Switching Protocols
        < Upgrade: WebSocket
        < Connection: Upgrade
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        [],
    ),
    (
        "a switch to TLS",
        """
        > OPTIONS * HTTP/1.1
        > Host: www.example
        > Upgrade: TLS/1.0
        > Connection: Upgrade
        >
        < HTTP/1.1 101 Switching Protocols
        < Upgrade: TLS/1.0, HTTP/1.1
        < Connection: Upgrade
        """,
        [],
    ),
]


@pytest.mark.parametrize(
    ("text", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_verdict(text: str, expected: list[str]) -> None:
    """The findings at warning or above, each as often as it is made, point at the marked lines."""
    judged = [one for one in judge(text, Checker()) if one.finding.severity >= WARNING]
    assert sorted(_name(one.finding) for one in judged) == expected
    assert {one.at for one in judged} == set(parse(text).marks)


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("close keep-alive", "a comma is missing between its words."),
        ("close (now)", "it holds octets that no token may hold."),
        ("Timeout=5", "such parameters belong in Keep-Alive."),
        ("=close", "options take no values."),
        ("close;q=1", "options take no parameters."),
    ],
)
def test_the_sentence_says_what_is_wrong_with_a_member(member: str, reason: str) -> None:
    """The shape of the member decides, and no sentence says more than is true."""
    [judged] = judge(f"> GET / HTTP/1.1\n> Host: www.example\n> Connection: {member}", Checker())
    assert judged.finding.text.endswith(f", which is no token: {reason}")


def _name(finding: Finding) -> str:
    variant = f"/{finding.variant}" if finding.variant else ""
    return f"{finding.rule}{variant} {finding.severity}"
