"""The shared grammar, on octets."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard import grammar

TCHARS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LISTS = st.text(alphabet='ab,; \t"\\=\x0b\xa0', max_size=30).map(lambda s: s.encode("latin-1"))


@pytest.mark.parametrize("octet", range(256))
def test_token_octets(octet: int) -> None:
    """A token is made of the octets that the ABNF names and of no other."""
    assert grammar.is_token(bytes([octet])) == (octet in TCHARS)


@pytest.mark.parametrize("octets", [b"", b"a b", b"close\n", b'"close"', b"clos\xc3\xa9", b"a=b"])
def test_not_a_token(octets: bytes) -> None:
    """Neither the empty string nor a line end at the end is let through."""
    assert not grammar.is_token(octets)


@pytest.mark.parametrize("octets", [b'""', b'"a, b"', b'"\\""', b'"\xe9\t"'])
def test_quoted_string(octets: bytes) -> None:
    """A quoted-string may hold commas, pairs and octets above 0x7F."""
    assert grammar.is_quoted_string(octets)


@pytest.mark.parametrize(
    "octets", [b"Basic", b"NTLM\tabc=", b'Basic realm="a"', b"a  x = y", b"Negotiate abc=="]
)
def test_challenge(octets: bytes) -> None:
    """A scheme is a token before white space or the end."""
    assert grammar.starts_challenge(octets)


@pytest.mark.parametrize("octets", [b"", b"realm=a", b'realm \t= "a"', b'"Basic"', b"a;b", b" a"])
def test_not_a_challenge(octets: bytes) -> None:
    """A parameter alone belongs to the element before it."""
    assert not grammar.starts_challenge(octets)


@pytest.mark.parametrize("octets", [b"", b'"', b'"a', b'a"', b'"a"b"', b'"\x00"', b'"\\"', b'"a""'])
def test_not_a_quoted_string(octets: bytes) -> None:
    """Unbalanced and control octets are not part of one."""
    assert not grammar.is_quoted_string(octets)


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        (b"", [b""]),
        (b",", [b"", b""]),
        (b"close", [b"close"]),
        (b" a ,\tb\t", [b"a", b"b"]),
        (b'"a, b"', [b'"a', b'b"']),
        (b"a\x0b,\xa0b", [b"a\x0b", b"\xa0b"]),
    ],
)
def test_split_list(value: bytes, elements: list[bytes]) -> None:
    """Every comma splits; only SP and HTAB are stripped."""
    assert grammar.split_list(value) == elements


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        (b"", [b""]),
        (b"a,,b", [b"a", b"", b"b"]),
        (b'a="x, y", b', [b'a="x, y"', b"b"]),
        (b'a="x\\", y", b', [b'a="x\\", y"', b"b"]),
        (b'a="x, b', [b'a="x', b"b"]),
        (b'a="x, b="y', [b'a="x, b="y']),
        (b'a="x, y", b="z, c', [b'a="x', b'y"', b'b="z', b"c"]),
        (b'"a,\\', [b'"a', b"\\"]),
        (b',"a",', [b"", b'"a"', b""]),
    ],
)
def test_split_quoted_list(value: bytes, elements: list[bytes]) -> None:
    """A comma inside a quoted string does not split; a lone quote is an octet like others."""
    assert grammar.split_quoted_list(value) == elements


@given(LISTS)
def test_lists_keep_every_octet(value: bytes) -> None:
    """Joined again, the elements are the value but for white space around them."""

    def squeezed(octets: bytes) -> bytes:
        return octets.translate(None, b" \t")

    assert squeezed(b",".join(grammar.split_list(value))) == squeezed(value)
    assert squeezed(b",".join(grammar.split_quoted_list(value))) == squeezed(value)


@given(LISTS.filter(lambda value: b'"' not in value))
def test_both_splits_agree_without_quotes(value: bytes) -> None:
    """Quoted strings are the only difference."""
    assert grammar.split_list(value) == grammar.split_quoted_list(value)


@pytest.mark.parametrize(
    ("value", "unfolded"),
    [
        (b"a,\r\n close", b"a, close"),
        (b"a \t\r\n\t b", b"a b"),
        (b"a\r\n \r\n b", b"a  b"),
        (b"\r\n a\r\n ", b"a"),
        (b"\r\n ", b""),
        (b"a\r\nb", b"a\r\nb"),
        (b"a\rb", b"a\rb"),
    ],
)
def test_unfold(value: bytes, unfolded: bytes) -> None:
    """A fold is one SP; a bare CRLF is not a fold."""
    assert grammar.unfold(value) == unfolded


@pytest.mark.parametrize(
    ("octets", "coding"),
    [
        (b"Chunked", (b"chunked", ())),
        (b"gzip;Q=0.5", (b"gzip", ((b"q", b"0.5"),))),
        (b'x ;\ta="b;\\"c=" ; D=e', (b"x", ((b"a", b'"b;\\"c="'), (b"d", b"e")))),
    ],
)
def test_transfer_coding(octets: bytes, coding: object) -> None:
    """Names are in lower case, values as they are."""
    assert grammar.parse_coding(octets) == coding


@pytest.mark.parametrize(
    "octets", [b"", b";a=b", b"a;", b"a;b", b"a;b=", b"a;b =c", b"a b", b'"a"', b'a;b="', b"a\x0b"]
)
def test_not_a_transfer_coding(octets: bytes) -> None:
    """White space stands around the semicolon only, and a parameter has a value."""
    assert grammar.parse_coding(octets) is None


@pytest.mark.parametrize("octets", [b"0", b"1", b"0.", b"1.000", b"0.123"])
def test_qvalue(octets: bytes) -> None:
    """It is from 0 to 1 and has up to three decimals."""
    assert grammar.is_qvalue(octets)


@pytest.mark.parametrize("octets", [b"", b".5", b"1.001", b"0.1234", b"2", b"-0", b"0,5", b"01"])
def test_not_a_qvalue(octets: bytes) -> None:
    """Nothing else is a weight."""
    assert not grammar.is_qvalue(octets)


@pytest.mark.parametrize(
    ("octets", "protocol"),
    [
        (b"WebSocket", grammar.Protocol(b"websocket")),
        (b"TLS/1.2X", grammar.Protocol(b"tls", b"1.2X")),
        (b"", None),
        (b"a/", None),
        (b"/a", None),
        (b"a/b/c", None),
        (b"a b", None),
        (b'"a"', None),
    ],
)
def test_protocol(octets: bytes, protocol: grammar.Protocol | None) -> None:
    """Names are in lower case, versions as they are."""
    assert grammar.parse_protocol(octets) == protocol


def test_start_lines() -> None:
    """Of HTTP/1.x only, and whole as far as it takes to know."""
    assert grammar.starts_request(b"GET / HTTP/1.1\r\nHost: a")
    assert grammar.starts_request(b"M-SEARCH * HTTP/1.0\n")
    for octets in (b"GET / HTTP/1.1", b"PRI * HTTP/2.0\r\n", b"GET  / HTTP/1.1\r\n", b"\x16\x03"):
        assert not grammar.starts_request(octets)
    assert grammar.starts_response(b"HTTP/1.0 200")
    assert not grammar.starts_response(b"HTTP/2 200")
    assert not grammar.starts_response(b"HTTP/1.1 OK")


@pytest.mark.parametrize("octets", [b"", b"AA==", b"A", b"AAAAA", b"AA/A", b"AA+A", b"AA A"])
def test_not_base64url(octets: bytes) -> None:
    """Padding, another alphabet and impossible lengths are not accepted."""
    assert grammar.decode_base64url(octets) is None


@given(st.binary(min_size=1, max_size=40))
def test_base64url_comes_back(octets: bytes) -> None:
    """Every length can be written without padding."""
    encoded = base64.urlsafe_b64encode(octets).rstrip(b"=")
    assert grammar.decode_base64url(encoded) == octets
