"""What no repair may do, tried by repairs that do it."""

from dataclasses import replace

import pytest

from hopguard.hazards import hazard
from hopguard.message import Message
from hopguard.transcript import parse


def parsed(*lines: str) -> Message:
    """Parse one message."""
    return parse("\n".join(lines)).messages[0]


def without(message: Message, name: bytes) -> Message:
    """Return the message without a field."""
    return replace(message, fields=tuple(pair for pair in message.fields if pair[0] != name))


def with_value(message: Message, name: bytes, value: bytes) -> Message:
    """Return the message with another value in a field."""
    pairs = [(found, value if found == name else old) for found, old in message.fields]
    return replace(message, fields=tuple(pairs))


HANDSHAKE = parsed(
    "> GET / HTTP/1.1",
    "> Host: www.example",
    "> Connection: keep-alive, Upgrade",
    "> Upgrade: h2c, WebSocket",
    "> Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "> Sec-WebSocket-Version: 13",
)


def test_close_stays() -> None:
    """As an option, however it is spelt and wherever it stands."""
    message = parsed("< HTTP/1.1 200 OK", "< Connection: Close, x")
    assert hazard(message, with_value(message, b"Connection", b"close")) == ""
    assert hazard(message, with_value(message, b"Connection", b"x")) == "close was lost"
    assert hazard(message, without(message, b"Connection")) == "close was lost"


def test_close_that_was_meant_stays() -> None:
    """What a lenient recipient reads must not be lost either."""
    message = parsed("> GET / HTTP/1.0", '> Connection: "close"')
    assert hazard(message, with_value(message, b"Connection", b"close")) == ""
    assert hazard(message, without(message, b"Connection")) == "close was lost"


def test_close_is_nothing_on_http2() -> None:
    """There is no such option."""
    message = parsed("< HTTP/2 200", "< connection: close")
    assert hazard(message, without(message, b"connection")) == ""


def test_transfer_encoding_stays() -> None:
    """Its folding may go."""
    message = parsed("> POST / HTTP/1.1", "> Transfer-Encoding: gzip,\\r\\n chunked")
    name = b"Transfer-Encoding"
    assert hazard(message, with_value(message, name, b"gzip, chunked")) == ""
    assert hazard(message, with_value(message, name, b"chunked")) == "Transfer-Encoding was edited"
    assert hazard(message, without(message, name)) == "Transfer-Encoding was edited"


def test_transfer_encoding_does_not_come() -> None:
    """The body was read without it."""
    message = parsed("< HTTP/1.1 200 OK", "< Transfer-Encoding : chunked")
    after = replace(message, fields=((b"Transfer-Encoding", b"chunked"),))
    assert hazard(message, after) == "Transfer-Encoding was edited"


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/2"])
def test_a_101_stays(version: str) -> None:
    """Even where it is at fault."""
    message = parsed(f"< {version} 101 Switching Protocols", "< connection: upgrade, x")
    assert hazard(message, with_value(message, b"connection", b"upgrade")) == "a 101 was edited"


@pytest.mark.parametrize("name", [b"Upgrade", b"Connection", b"Sec-WebSocket-Key"])
def test_a_handshake_stays(name: bytes) -> None:
    """What it needs and what proves it."""
    after = without(HANDSHAKE, name)
    assert hazard(HANDSHAKE, after) == "a WebSocket handshake was edited"


def test_a_handshake_may_lose_what_does_not_belong_to_it() -> None:
    """Other options, and other offers."""
    assert hazard(HANDSHAKE, with_value(HANDSHAKE, b"Connection", b"upgrade")) == ""
    assert hazard(HANDSHAKE, with_value(HANDSHAKE, b"Upgrade", b"websocket")) == ""


def test_what_is_meant_as_a_handshake_stays() -> None:
    """Servers exist that understand it."""
    message = with_value(HANDSHAKE, b"Upgrade", b"websocket; version=13")
    assert hazard(message, without(message, b"Upgrade")) == "a WebSocket handshake was edited"


def test_an_upgrade_to_something_else_may_go() -> None:
    """A server may ignore it, too."""
    message = with_value(HANDSHAKE, b"Upgrade", b"foo")
    assert hazard(message, without(message, b"Upgrade")) == ""


@pytest.mark.parametrize("name", [b"Host", b"Cookie", b"Via", b"X-Hop", b"Keep_Alive", b"Te x"])
def test_end_to_end_fields_stay(name: bytes) -> None:
    """Whatever Connection says of them: gone, changed, or moved."""
    fields = ((b"Connection", b"x-hop"), (name, b"1"), (b"Accept", b"a"))
    message = replace(HANDSHAKE, fields=fields)
    told = "an end-to-end field was edited"
    assert hazard(message, without(message, name)) == told
    assert hazard(message, with_value(message, name, b"2")) == told
    assert hazard(message, replace(message, fields=(fields[0], fields[2], fields[1]))) == told


def test_trailer_fields_stay_but_for_forbidden_ones() -> None:
    """Those which are nominated are forbidden there."""
    message = parsed(
        "> POST / HTTP/1.1", "> Connection: x-hop", "> Transfer-Encoding: chunked",
        ">", "> X-Sum: 1", "> Host: a", "> X-Hop: 2", "> TE: b",
    )  # fmt: skip
    assert hazard(message, replace(message, trailers=((b"X-Sum", b"1"),))) == ""
    assert hazard(message, replace(message, trailers=())) == "an end-to-end field was edited"
