"""Conforming forwarding: what it consumes, and what it promises for any message."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.checker import Checker
from hopguard.field_registry import HANDSHAKE_PREFIX
from hopguard.forwarding import CONSUMED, NextLeg, forward, obstacle
from hopguard.message import HTTP1, Message, RawFields, Request, Response, Version
from hopguard.nominating import is_protected, nominated
from hopguard.rule import PROFILES, Finding, Severity
from hopguard.rules import load_rules
from hopguard.transcript import parse

CHECKER = Checker(set(PROFILES) - {"rfc2616", "mdn-current", "http2-edge", "rfc7231"})
"""All rules but those about what is legal, and who may be beyond an edge."""

VERSIONS: list[Version] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"]

OF_THE_ENDS = {
    "connection-field-name-malformed",
    "forbidden-header-from-browser",
    "h2c-upgrade-smuggling-risk",
    "proxy-407-without-challenge",
    "switching-protocols-in-http2-or-http3",
    "switching-protocols-without-upgrade-field",
    "upgrade-required-without-upgrade-field",
    "upgrade-token-obsolete",
    "upgrade-syntax-invalid",
    "websocket-handshake-incomplete",
}
"""Rules that find fault with what the two ends say to each other, which goes through."""


def one(text: str) -> Message:
    (message,) = parse(text).messages
    return message


def lines(message: Message) -> list[str]:
    return [str(line) for line in message.every_line()]


@pytest.mark.parametrize(
    ("text", "to", "expected"),
    [
        # What Connection nominates goes, case aside, from both sections; what it must not, stays.
        (
            """
            > POST / HTTP/1.1
            > Connection: x-hop, X-Forwarded-For, Authorization, cache-control
            > X-HOP: 1
            > X-Forwarded-For: 192.0.2.1
            > Authorization: Basic dTpw
            > Transfer-Encoding: chunked
            >
            > X-Hop: 2
            > X-Sum: 7
            """,
            NextLeg(version="HTTP/1.1"),
            ["X-Forwarded-For: 192.0.2.1", "Authorization: Basic dTpw",
             "Transfer-Encoding: chunked", "X-Sum: 7"],
        ),
        # Own options take the place of the field.
        (
            """
            > GET / HTTP/1.1
            > Connection: keep-alive, TE
            > TE: gzip;q=0.5, trailers
            > Accept: */*
            """,
            NextLeg(version="HTTP/1.1", closes=True),
            ["Connection: close, TE", "TE: trailers", "Accept: */*"],
        ),
        ("> GET / HTTP/1.1\n> TE: gzip\n> Connection: TE", NextLeg(version="HTTP/1.1"), []),
        ("> GET / HTTP/1.1\n> TE: trailers", NextLeg(version="HTTP/2"), ["te: trailers"]),
        ("> GET / HTTP/1.1\n> TE: trailers", NextLeg(version="HTTP/1.0"), []),
        (
            "> GET / HTTP/2\n> te: trailers",
            NextLeg(version="HTTP/1.1", closes=True),
            ["te: trailers", "Connection: close, TE"],
        ),
        # Persistence has to be said where one side is old.
        ("> GET / HTTP/1.0", NextLeg(version="HTTP/1.0", keeps_alive=True),
         ["Connection: keep-alive"]),
        ("> GET / HTTP/1.0", NextLeg(version="HTTP/1.0", keeps_alive=True, closes=True),
         ["Connection: close"]),
        # A proxy's credentials end at the proxy, unless there is another one.
        ("* addressed to the proxy\n> GET / HTTP/1.1\n> Proxy-Authorization: Basic dTpw",
         NextLeg(version="HTTP/1.1"), []),
        ("* addressed to the proxy\n> GET / HTTP/1.1\n> Proxy-Authorization: Basic dTpw",
         NextLeg(version="HTTP/1.1", is_proxy=True), ["Proxy-Authorization: Basic dTpw"]),
        ("* addressed beyond the proxy\n> GET / HTTP/1.1\n> Proxy-Authorization: Basic dTpw",
         NextLeg(version="HTTP/1.1"), ["Proxy-Authorization: Basic dTpw"]),
        # An upgrade that can be followed goes through, but for HTTP/2.
        (
            """
            > GET / HTTP/1.1
            > Connection: keep-alive, Upgrade, HTTP2-Settings
            > Upgrade: h2c, websocket
            > Upgrade: HTTP/2.0, foo/1
            > HTTP2-Settings: AAMAAABk
            > Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==
            """,
            NextLeg(version="HTTP/1.1"),
            ["Connection: Upgrade", "Upgrade: websocket, foo/1",
             "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="],
        ),
        (
            """
            > GET / HTTP/1.1
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==
            """,
            NextLeg(version="HTTP/2"),
            [],
        ),
        ("> GET / HTTP/1.1\n> Upgrade: websocket", NextLeg(version="HTTP/1.1"), []),
        ("< HTTP/1.1 200 OK\n< Upgrade: h2,h2c\n< Connection: Upgrade",
         NextLeg(version="HTTP/1.1"), []),
        ("< HTTP/1.1 101 Switching\n< Upgrade: WebSocket\n< Connection: close, upgrade",
         NextLeg(version="HTTP/1.1", closes=True), ["Upgrade: WebSocket", "Connection: Upgrade"]),
        ("< HTTP/1.1 426 Upgrade Required\n< Upgrade: TLS/1.2",
         NextLeg(version="HTTP/1.1"), ["Upgrade: TLS/1.2", "Connection: Upgrade"]),
        ("< HTTP/1.1 426 Upgrade Required\n< Upgrade: h2c", NextLeg(version="HTTP/1.1"),
         ["Upgrade: h2c", "Connection: Upgrade"]),
        ("< HTTP/1.1 426 Upgrade Required\n< Upgrade: h2c", NextLeg(version="HTTP/2"), []),
        # What is spelt so that parsers disagree is consumed under its right name.
        ("> GET / HTTP/1.1\n> Connection : close\n> Keep-Alive\\t: 5",
         NextLeg(version="HTTP/1.1", closes=True), ["Connection: close"]),
        # HTTP/2's Connection nominates nothing.
        ("> GET / HTTP/2\n> connection: x\n> x: 1", NextLeg(version="HTTP/2"), ["x: 1"]),
        ("> GET / HTTP/1.1\n> Transfer-Encoding: chunked\n> X: 1", NextLeg(version="HTTP/3"),
         ["x: 1"]),
        ("< HTTP/1.1 200 OK\n< Transfer-Encoding: chunked", NextLeg(version="HTTP/1.0"), []),
        ("< HTTP/2 200\n<\n< x-sum: 7\n< te: x", NextLeg(version="HTTP/2"), ["x-sum: 7"]),
        ("< HTTP/2 200\n<\n< x-sum: 7", NextLeg(version="HTTP/1.0"), []),
    ],
)  # fmt: skip
def test_what_is_sent_on(text: str, to: NextLeg, expected: list[str]) -> None:
    received = one(text)
    sent = forward(received, to)
    assert lines(sent) == expected
    assert sent.version == to.version
    assert sent.leg == ("server" if isinstance(received, Request) else "client")


@pytest.mark.parametrize(
    ("text", "version", "why"),
    [
        ("< HTTP/1.1 200 OK\n< Transfer-Encoding: gzip, chunked", "HTTP/1.1", ""),
        ("< HTTP/1.1 200 OK\n< Transfer-Encoding: gzip, chunked", "HTTP/2", "more than chunked"),
        ("< HTTP/1.1 200 OK\n< Transfer-Encoding: @", "HTTP/1.0", "more than chunked"),
        ("< HTTP/1.1 200 OK\n< Transfer-Encoding: Chunked", "HTTP/2", ""),
        ("< HTTP/1.1 200 OK", "HTTP/2", ""),
        ("< HTTP/1.1 101 Switching Protocols", "HTTP/2", "switches protocols"),
        ("< HTTP/1.1 101 Switching Protocols", "HTTP/1.1", ""),
    ],
)
def test_what_cannot_be_sent_on(text: str, version: Version, why: str) -> None:
    reason = obstacle(one(text), NextLeg(version=version))
    assert why in reason
    assert bool(why) == bool(reason)


NAMES = [
    *(
        b"Connection",
        b"connection",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"TE",
        b"Upgrade",
        b"Close",
    ),
    *(b"Transfer-Encoding", b"Trailer", b"HTTP2-Settings", b"Proxy-Authorization", b"Host"),
    *(b"Content-Length", b"X-Hop", b"x-hop", b"X-Forwarded-For", b"Cache-Control", b"Cookie"),
    *(b"Sec-WebSocket-Key", b"C-Man", b"Accept", b"Proxy-Authenticate", b"Via"),
]
VALUES = [
    *(b"close", b"Close", b"keep-alive", b"X-Hop", b"x-hop, TE", b"upgrade, HTTP2-Settings"),
    *(b"Transfer-Encoding", b"Cookie, close", b"X-Forwarded-For", b"a,,b", b'"close"', b""),
    *(b"trailers", b"gzip, trailers", b"chunked", b"gzip", b"websocket", b"h2c", b"h2,h2c, foo/1"),
    *(b"timeout=5, max=100", b"5", b"x\xff", b"AAMAAABk"),
]
FIELDS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.binary(max_size=8)), max_size=8
).map(tuple)
TO = st.builds(
    NextLeg,
    version=st.sampled_from(VERSIONS),
    closes=st.booleans(),
    keeps_alive=st.booleans(),
    is_proxy=st.booleans(),
)
TRAILERS = st.none() | FIELDS
REQUESTS = st.builds(
    Request,
    version=st.sampled_from(VERSIONS),
    fields=FIELDS,
    trailers=TRAILERS,
    leg=st.just("client"),
    method=st.sampled_from([b"GET", b"POST", b"HEAD"]),
    to_proxy=st.sampled_from([None, True, False]),
)
RESPONSES = st.builds(
    Response,
    version=st.sampled_from(VERSIONS),
    fields=FIELDS,
    trailers=TRAILERS,
    leg=st.just("server"),
    status=st.sampled_from([100, 101, 103, 200, 204, 304, 407, 408, 426, 502]),
)
EXAMPLES = [
    message
    for rule in load_rules()
    for texts in (*rule.violating.values(), rule.conforming)
    for text in texts
    for message in parse(text).messages
]
MESSAGES: st.SearchStrategy[Message] = REQUESTS | RESPONSES | st.sampled_from(EXAMPLES)


@given(MESSAGES, TO)
def test_once_is_enough(message: Message, to: NextLeg) -> None:
    sent = forward(message, to)
    assert forward(sent, to) == sent


@given(MESSAGES, TO)
def test_end_to_end_field_lines_stay_in_order(message: Message, to: NextLeg) -> None:
    """Whatever Connection says; also those that it nominates and must not."""
    sent = forward(message, to)
    assert kept(message, message.fields) == kept(message, sent.fields)
    if message.trailers is not None and to.version != "HTTP/1.0":
        assert sent.trailers is not None
        allowed = [line for line in message.trailers if is_free(message, line[0].lower())]
        assert [line for line in sent.trailers if is_free(message, line[0].lower())] == allowed


def kept(message: Message, pairs: RawFields) -> list[tuple[bytes, bytes]]:
    """List the lines that no intermediary may touch, names in lower case."""
    gone = {*CONSUMED, *nominated(message), b"transfer-encoding", b"proxy-authorization"}
    lower = [(name.lower(), value) for name, value in pairs]
    return [
        (name, value)
        for name, value in lower
        if name.strip(b" \t\x0b\x0c") not in gone and not name.startswith(HANDSHAKE_PREFIX)
    ]


def is_free(message: Message, name: bytes) -> bool:
    return name not in CONSUMED | nominated(message) | message.forbidden_in_trailers


@given(MESSAGES, TO)
def test_it_is_not_at_fault(message: Message, to: NextLeg) -> None:
    """It says nothing that is wrong, and makes nothing wrong that was not."""
    if obstacle(message, to):
        return
    to = ending(message, to)
    sent = forward(message, to)
    before = {
        (found.rule, found.variant)
        for version in (message.version, to.version)
        for found in findings(replace(message, version=version))
    }
    for found in findings(sent):
        known = (found.rule, found.variant) in before
        name = found.line.name.lower() if found.line is not None else b""
        assert known or found.severity == Severity.INFO or found.rule in OF_THE_ENDS, found
        assert name not in CONSUMED or found.rule in OF_THE_ENDS, found


def ending(message: Message, to: NextLeg) -> NextLeg:
    """Close where content ends with the connection, as whoever forwards must."""
    codings = message.transfer_codings
    ends = isinstance(message, Response) and codings != () and (codings or ())[-1:] != (b"chunked",)
    return replace(to, closes=True) if ends else to


def findings(message: Message) -> list[Finding]:
    found = CHECKER.check_message(message)
    return found + CHECKER.check_trailers(message) if message.trailers is not None else found


@given(MESSAGES, TO)
def test_the_rules_about_forwarding_agree(message: Message, to: NextLeg) -> None:
    """They know nothing of how it is done."""
    if obstacle(message, to) or not frames(message):
        return
    to = ending(message, to)
    assert CHECKER.check_forwarding(message, forward(message, to)) == []


def frames(message: Message) -> bool:
    """Tell whether Transfer-Encoding, which stays, tells where a message ends."""
    if not message.has(b"transfer-encoding"):
        return True
    codings = message.transfer_codings or ()
    if isinstance(message, Response):
        return bool(codings) and message.status >= 200
    return codings[-1:] == (b"chunked",)


@given(MESSAGES)
def test_what_is_protected_is_never_nominated(message: Message) -> None:
    assert not any(is_protected(name, message) for name in nominated(message))
    assert message.version in HTTP1 or not nominated(message)
