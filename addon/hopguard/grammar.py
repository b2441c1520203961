"""The grammar that connection-management fields share: each regular expression under its ABNF.

Everything works on octets. `str.lower()` and `str.strip()` know Unicode, and `bytes.strip()`
without arguments also takes VT and FF; both would repeat the parser bugs that the rules look for.
"""

import base64
import re
from typing import NamedTuple

OWS = b" \t"
"""OWS = *( SP / HTAB ) (RFC 9110, section 5.6.3): the only octets that may be stripped."""

NAME_PADDING = OWS + b"\x0b\x0c"
"""What parsers are known to strip from a field name, where nothing may stand; VT and FF are no
white space to HTTP itself."""

# tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." /
#         "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
# token = 1*tchar                                                     (RFC 9110, section 5.6.2)
_TCHAR = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_TOKEN = re.compile(_TCHAR + rb"+")

# quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE
# qdtext        = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text
# quoted-pair   = "\" ( HTAB / SP / VCHAR / obs-text )                (RFC 9110, section 5.6.4)
_QUOTED_STRING = re.compile(
    rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
)

# transfer-coding    = token *( OWS ";" OWS transfer-parameter )
# transfer-parameter = token BWS "=" BWS ( token / quoted-string )     (RFC 9112, section 7)
# BWS is left out: no sender may generate it                           (RFC 9110, section 5.6.3)
_PARAMETER = re.compile(
    rb"[ \t]*+;[ \t]*+(" + _TCHAR + rb"++)=(" + _TCHAR + rb"++|" + _QUOTED_STRING.pattern + rb")"
)
_CODING = re.compile(rb"(" + _TCHAR + rb"++)((?:" + _PARAMETER.pattern + rb")*+)")

# qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )         (RFC 9110, section 12.4.2)
_QVALUE = re.compile(rb"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")

# challenge  = auth-scheme [ 1*SP ( token68 / #auth-param ) ]          (RFC 9110, section 11.3)
# auth-param = token BWS "=" BWS ( token / quoted-string )            (RFC 9110, section 11.2)
# The start of an element that is a scheme, not the next parameter of the one before.
_CHALLENGE = re.compile(_TCHAR + rb"++(?![ \t]*+=)(?=[ \t]|$)")

# obs-fold = OWS CRLF RWS                                             (RFC 9112, section 5.2)
# The OWS is stripped separately: an expression that begins with it takes quadratic time.
_FOLD = re.compile(rb"\r\n[ \t]+")

# protocol         = protocol-name [ "/" protocol-version ]
# protocol-name    = token
# protocol-version = token                                            (RFC 9110, section 7.8)
_PROTOCOL = re.compile(rb"(" + _TCHAR + rb"++)(?:/(" + _TCHAR + rb"++))?+")

# request-line = method SP request-target SP HTTP-version             (RFC 9112, section 3)
# status-line  = HTTP-version SP status-code SP [ reason-phrase ]     (RFC 9112, section 4)
_REQUEST_LINE = re.compile(rb"[!-~]++ [!-~]++ HTTP/1\.[01]\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}")

# HTTP2-Settings = token68, by which base64url without padding is meant (RFC 7540, section 3.2.1)
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]++")

# The pieces of a list whose elements may hold quoted strings. The group is empty where a quoted
# string does not end. Nothing is tried twice (possessive quantifiers), so time grows with length.
_PIECE = re.compile(rb'"(?:[^"\\]|\\.)*+("?)|,|[^",]++', re.DOTALL)

# What no field value may hold: CTL = %x00-1F / %x7F but for HTAB       (RFC 9110, section 5.5)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def has_control(octets: bytes) -> bool:
    """Tell whether an (unfolded) value holds a control octet other than HTAB."""
    return _CONTROL.search(octets) is not None


def tokens_in(octets: bytes) -> list[bytes]:
    """List the tokens that can be found in `octets`, which are not a token themselves."""
    return _TOKEN.findall(octets)


def is_token(octets: bytes) -> bool:
    """Tell whether `octets` is a token (RFC 9110, section 5.6.2)."""
    return _TOKEN.fullmatch(octets) is not None


class Coding(NamedTuple):
    """A transfer coding: its name and the names of its parameters are in lower case."""

    name: bytes
    parameters: tuple[tuple[bytes, bytes], ...]
    """A weight, which only TE may hold, is the parameter `q`."""


def parse_coding(octets: bytes) -> Coding | None:
    """Take a transfer coding (RFC 9112, section 7) apart; None if it is not one."""
    match = _CODING.fullmatch(octets)
    if match is None:
        return None
    parameters = [(name.lower(), value) for name, value in _PARAMETER.findall(match[2])]
    return Coding(match[1].lower(), tuple(parameters))


def is_qvalue(octets: bytes) -> bool:
    """Tell whether `octets` is the value of a weight (RFC 9110, section 12.4.2)."""
    return _QVALUE.fullmatch(octets) is not None


def starts_challenge(octets: bytes) -> bool:
    """Tell whether a list element starts a challenge (RFC 9110, section 11.3)."""
    return _CHALLENGE.match(octets) is not None


def is_quoted_string(octets: bytes) -> bool:
    """Tell whether `octets` is one quoted-string (RFC 9110, section 5.6.4)."""
    return _QUOTED_STRING.fullmatch(octets) is not None


class Protocol(NamedTuple):
    """An element of Upgrade. Names are in lower case, as they are compared; versions are not."""

    name: bytes
    version: bytes | None = None


def parse_protocol(octets: bytes) -> Protocol | None:
    """Take an element of Upgrade (RFC 9110, section 7.8) apart; None if it is no protocol."""
    match = _PROTOCOL.fullmatch(octets)
    return Protocol(match[1].lower(), match[2]) if match else None


def starts_request(octets: bytes) -> bool:
    """Tell whether `octets` begin with the request line of an HTTP/1.x request."""
    return _REQUEST_LINE.match(octets) is not None


def starts_response(octets: bytes) -> bool:
    """Tell whether `octets` begin with the status line of an HTTP/1.x response."""
    return _STATUS_LINE.match(octets) is not None


def decode_base64url(octets: bytes) -> bytes | None:
    """Decode base64url without padding (RFC 4648, section 5); None if `octets` are not that."""
    if _BASE64URL.fullmatch(octets) is None or len(octets) % 4 == 1:
        return None
    return base64.urlsafe_b64decode(octets + b"=" * (-len(octets) % 4))


def unfold(value: bytes) -> bytes:
    """Replace each line folding by one SP, as RFC 9112, section 5.2, has recipients do.

    What is left of a folding at either end is OWS around the value, and no part of it.
    """
    if b"\r\n" not in value:
        return value
    *folded, last = _FOLD.split(value)
    return b" ".join([*(piece.rstrip(OWS) for piece in folded), last]).strip(OWS)


def split_list(value: bytes) -> list[bytes]:
    """Split a list at every comma; OWS is stripped, empty elements are kept.

    For fields in whose grammar no quoted-string occurs: Connection, Upgrade, Trailer. A value
    without octets has one empty element.
    """
    return [element.strip(OWS) for element in value.split(b",")]


def split_quoted_list(value: bytes) -> list[bytes]:
    """Split a list at the commas outside of quoted strings; OWS is stripped, empties are kept.

    For TE, Transfer-Encoding and Keep-Alive. Where a quoted string does not end, every comma
    splits: the element with the lone DQUOTE fails the field's syntax, the others are still seen.
    """
    if b'"' not in value:
        return split_list(value)
    elements, start = [], 0
    for piece in _PIECE.finditer(value):
        if piece.group() == b",":
            elements.append(value[start : piece.start()].strip(OWS))
            start = piece.end()
        elif piece.group(1) == b"":
            return split_list(value)
    return [*elements, value[start:].strip(OWS)]
