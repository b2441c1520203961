"""Edits of field lines: what they change, and that they change nothing else."""

from dataclasses import replace

import pytest

from hopguard import editing
from hopguard.message import Message, RawFields, Request, Response, Version
from hopguard.rule import ERROR, Edit, Finding, Requirement
from hopguard.transcript import parse

START: dict[str, str] = {
    ">": "> GET / HTTP/1.1",
    "<": "< HTTP/1.1 200 OK",
    ">2": "> GET / HTTP/2",
    "<2": "< HTTP/2 200",
}


def message(*lines: str, start: str = ">") -> Message:
    """Make a message of field lines; an empty one begins the trailer section."""
    text = [START[start], *(f"{start[0]} {line}".rstrip() for line in lines)]
    return parse("\n".join(text)).messages[0]


def fields(*lines: str) -> RawFields:
    """Return field lines as they stand in a message."""
    return message(*lines).fields


def finding(of: Message, name: str = "") -> Finding:
    """Make a finding about the first line called `name` (lower case)."""
    lines = [line for line in of.every_line() if line.name.lower() == name.encode()]
    return Finding(
        rule="made-up",
        variant="",
        severity=ERROR,
        text="",
        requirement=Requirement(),
        sender="client",
        leg="client",
        part=of.part,
        version=of.version,
        line=lines[0] if lines else None,
    )


def edited(edit: Edit, *lines: str, about: str = "", start: str = ">") -> RawFields:
    """Edit a header section."""
    before = message(*lines, start=start)
    return edit(before, finding(before, about)).fields


def test_nothing_to_edit() -> None:
    """The message itself comes back, so that callers can tell."""
    one = message("Host: a", "Connection: keep-alive", "", "X-Sum: 1")
    assert editing.edit_lines(one, lambda name, value: (name, value)) is one
    assert editing.edit_lines(one, lambda name, value: (name, value), "trailer") is one
    assert editing.edit_members(one, b"connection", lambda member: member) is one
    assert editing.drop_options(one, {b"te"}) is one
    assert editing.remove_fields(one, {b"te"}) is one
    assert editing.unfold(one, {b"connection"}) is one


def test_untouched_lines_are_the_same() -> None:
    """Octets, spelling, order, and the very objects."""
    one = message("b: 1", "CONNECTION: Keep-Alive ,  x", "A: \\xff", "connection: y , z")
    after = editing.drop_options(one, {b"y"})
    assert after.fields == (*one.fields[:3], (b"connection", b"z"))
    assert all(after.fields[index] is one.fields[index] for index in range(3))


@pytest.mark.parametrize(
    ("lines", "options", "expected"),
    [
        (["Connection: close, Cookie"], {b"cookie"}, ["Connection: close"]),
        (["Connection: Close, Cookie"], {b"cookie"}, ["Connection: close"]),
        (["Connection: CoOkIe"], {b"cookie"}, []),
        (["Connection: cookie, Cookie, COOKIE, te"], {b"cookie"}, ["Connection: te"]),
        (
            ["Connection: Cookie", "Host: a", "connection: TE, cookie", "Connection: Upgrade"],
            {b"cookie"},
            ["Host: a", "connection: TE", "Connection: Upgrade"],
        ),
        (["Connection: a,\\r\\n cookie,\\r\\n b"], {b"cookie"}, ["Connection: a, b"]),
        (["Connection: , cookie,"], {b"cookie"}, []),
        (["Connection: cookie", "Connection:"], {b"cookie"}, ["Connection:"]),
        (['Connection: "cookie", cookie'], {b"cookie"}, ['Connection: "cookie"']),
        (["Connection: cookie, close\\r\\nx: y"], {b"cookie"}, ["Connection: close\\r\\nx: y"]),
        (["Connection: close, cookie"], {b"close"}, ["Connection: close, cookie"]),
        (["Connection: close, cookie"], {b"close", b"cookie"}, ["Connection: close"]),
    ],
)
def test_options_are_dropped(lines: list[str], options: set[bytes], expected: list[str]) -> None:
    """From all lines, in any spelling; close never."""
    assert editing.drop_options(message(*lines), options).fields == fields(*expected)
    assert edited(editing.dropping_options(options), *lines) == fields(*expected)


def test_options_mean_nothing_on_http2() -> None:
    """There, Connection is removed altogether, or not at all."""
    one = message("connection: te, cookie", start=">2")
    assert editing.drop_options(one, {b"cookie"}) is one


def test_fields_are_removed_with_their_options() -> None:
    """All their lines; what else is listed stays."""
    lines = ["Connection: TE, keep-alive", "TE: trailers", "Host: a", "te: gzip", "X-TE: b"]
    expected = fields("Connection: keep-alive", "Host: a", "X-TE: b")
    assert editing.remove_fields(message(*lines), {b"te"}).fields == expected
    assert edited(editing.remove_field, *lines, about="te") == expected


@pytest.mark.parametrize("start", [">", "<", ">2", "<2"])
def test_transfer_encoding_is_never_removed(start: str) -> None:
    """From a header section. In a trailer section it frames nothing."""
    one = message(
        "transfer-encoding: chunked", "te: x", "", "transfer-encoding: chunked", start=start
    )
    after = editing.remove_fields(one, {b"transfer-encoding", b"te"})
    assert after.fields == fields("transfer-encoding: chunked")
    assert after.trailers == one.trailers
    assert editing.remove_fields(one, {b"transfer-encoding"}, "trailer").trailers == ()


def test_trailer_fields_are_removed_without_options() -> None:
    """The header section may be gone already."""
    one = message("Connection: te", "TE: trailers", "", "X-Sum: 1", "te: gzip", "Te: a")
    about = replace(finding(one), line=one.trailer_lines(b"te")[0])
    after = editing.remove_field(one, about)
    assert after.fields == one.fields
    assert after.trailers == fields("X-Sum: 1")


def test_a_finding_without_a_line_removes_nothing() -> None:
    """It names no field."""
    one = message("TE: trailers")
    assert editing.remove_field(one, finding(one)) is one


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ["Connection: close"]),
        (["Server: a"], ["Server: a", "Connection: close"]),
        (["Connection: keep-alive", "Server: a"], ["Connection: close", "Server: a"]),
        (["connection: Upgrade, Keep-Alive"], ["connection: Upgrade, close"]),
        (["Connection: keep-alive, Keep-Alive"], ["Connection: close"]),
        (["Connection: TE", "Connection: x"], ["Connection: TE, close", "Connection: x"]),
        (["Connection:"], ["Connection: close"]),
        (["Connection: a,,"], ["Connection: a, close"]),
        (["Connection: Close"], ["Connection: close"]),
        (["Connection: close"], ["Connection: close"]),
        (["Connection: keep-alive", "Connection: CLOSE"], ["Connection: close"]),
        (["Keep-Alive: timeout=5"], ["Connection: close"]),
        (
            ["Connection: keep-alive", "Keep-Alive: timeout=5", "keep-alive: max=3", "A: b"],
            ["Connection: close", "A: b"],
        ),
        (["Connection: a\\r\\nb"], ["Connection: a\\r\\nb", "Connection: close"]),
        (["Connection: a,\\r\\n b"], ["Connection: a, b, close"]),
        (['Connection: "keep-alive"'], ['Connection: "keep-alive", close']),
    ],
)
def test_close_is_said(lines: list[str], expected: list[str]) -> None:
    """Once, in lower case, with nothing against it."""
    assert edited(editing.say_close, *lines, start="<") == fields(*expected)


def test_close_is_not_said_on_http2() -> None:
    """Nobody may."""
    one = message("connection: keep-alive", start="<2")
    assert editing.say_close(one, finding(one)) is one


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Connection:"], []),
        (["Connection:", "A: b", "connection:  ", "Connection: ,"], ["A: b"]),
        (["Connection:", "Connection: close , x"], ["Connection: close , x"]),
        (
            ["Connection: a", "Host: h", "Connection:", "connection: B", "CONNECTION: c, d"],
            ["Connection: a, B, c, d", "Host: h"],
        ),
        (["Connection:", "CONNECTION: x,", "Connection: y"], ["CONNECTION: x, y"]),
        (
            ["Connection:", "Connection: a\\r\\nb: c", "Connection: close"],
            ["Connection:", "Connection: a\\r\\nb: c", "Connection: close"],
        ),
    ],
)
def test_lines_are_joined(lines: list[str], expected: list[str]) -> None:
    """Into the first one that lists something."""
    assert edited(editing.join_lines, *lines) == fields(*expected)


def test_folding_is_replaced() -> None:
    """In the fields that are named, on HTTP/1."""
    folded = "keep-alive: a,\\r\\n b"
    one = message(folded, "X-Other: a\\r\\n b", "connection: a\\r\\n \\r\\n")
    assert editing.unfold(one, {b"keep-alive", b"connection"}).fields == (
        (b"keep-alive", b"a, b"),
        (b"X-Other", b"a\r\n b"),
        (b"connection", b"a \r\n"),
    )
    two = message(folded, start=">2")
    assert editing.unfold(two, {b"keep-alive"}) is two


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["te: trailers, gzip"], ["te: trailers"]),
        (["TE: Trailers"], ["TE: Trailers"]),
        (["te: gzip", "te: TRAILERS", "te: x, trailers"], ["te: TRAILERS", "te: trailers"]),
        (["te: gzip", "Host: a"], ["Host: a"]),
        (["te: trailers;q=1"], []),
        (['te: x;y="a, trailers"'], []),
        (["te: ,", "te:"], ["te:"]),
        (["Connection: TE, close", "TE: gzip"], ["Connection: close"]),
        (["Connection: TE, close", "TE: ,trailers"], ["Connection: TE, close", "TE: trailers"]),
    ],
)
def test_te_is_reduced(lines: list[str], expected: list[str]) -> None:
    """To trailers if a request lists that."""
    assert edited(editing.reduce_te, *lines) == fields(*expected)


@pytest.mark.parametrize("start", ["<", "<2"])
def test_te_in_a_response_is_removed(start: str) -> None:
    """Whatever it says."""
    assert edited(editing.reduce_te, "te: trailers", "a: b", start=start) == fields("a: b")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA"], []),
        (
            ["Connection: Upgrade, HTTP2-Settings, TE", "Upgrade: websocket, H2C"],
            ["Connection: Upgrade, TE", "Upgrade: websocket"],
        ),
        (["Upgrade: h2c", "Upgrade: foo/1"], ["Upgrade: foo/1"]),
        (["http2-settings: a", "HTTP2-SETTINGS: b"], []),
        (["Upgrade: h2c/1, xh2c"], ["Upgrade: h2c/1, xh2c"]),
        (["Connection: Upgrade", "HTTP2-Settings: a"], ["Connection: Upgrade"]),
    ],
)
def test_h2c_is_withdrawn(lines: list[str], expected: list[str]) -> None:
    """The offer, its settings, and their options."""
    assert edited(editing.withdraw_h2c, *lines) == fields(*expected)


@pytest.mark.parametrize("start", ["<", ">2"])
def test_who_offers_no_h2c_keeps_upgrade(start: str) -> None:
    """A server advertises, and on HTTP/2 the field has a rule of its own."""
    lines = ["upgrade: h2c", "http2-settings: AAMA"]
    assert edited(editing.withdraw_h2c, *lines, start=start) == fields("upgrade: h2c")


def test_members_are_dropped_with_the_last_the_option() -> None:
    """Of any list-based field."""
    one = message("Connection: trailer", "Trailer: A, Host")
    some = editing.drop_members(one, b"trailer", {b"host"})
    assert some.fields == fields("Connection: trailer", "Trailer: A")
    assert editing.drop_members(some, b"trailer", {b"a"}).fields == ()


def test_kinds_are_kept() -> None:
    """A request stays a request with all that is known of it."""
    version: Version = "HTTP/1.1"
    request = Request(version=version, fields=(), leg="client", method=b"PUT", to_proxy=True)
    response = Response(version=version, fields=(), leg="server", status=418, direct=False)
    after = (
        editing.say_close(request, finding(request)),
        editing.say_close(response, finding(response)),
    )
    assert (after[0].method, after[0].to_proxy) == (b"PUT", True)
    assert (after[1].status, after[1].direct) == (418, False)
