"""The grammar that connection-management fields share: each regular expression under its ABNF.

Everything works on octets. `str.lower()` and `str.strip()` know Unicode, and `bytes.strip()`
without arguments also takes VT and FF; both would repeat the parser bugs that the rules look for.
"""

import re
from collections.abc import Iterator

OWS = b" \t"
"""OWS = *( SP / HTAB ) (RFC 9110, section 5.6.3): the only octets that may be stripped."""

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

# obs-fold = OWS CRLF RWS                                             (RFC 9112, section 5.2)
_OBS_FOLD = re.compile(rb"[ \t]*\r\n[ \t]+")

# An element of a list whose elements may hold quoted strings: anything but a comma, where a
# quoted string counts as one piece and an unbalanced DQUOTE stands for itself.
_ELEMENT = re.compile(rb'(?:[^",]|"(?:[^"\\]|\\.)*"|")*', re.DOTALL)


def is_token(octets: bytes) -> bool:
    """Tell whether `octets` is a token (RFC 9110, section 5.6.2)."""
    return _TOKEN.fullmatch(octets) is not None


def is_quoted_string(octets: bytes) -> bool:
    """Tell whether `octets` is one quoted-string (RFC 9110, section 5.6.4)."""
    return _QUOTED_STRING.fullmatch(octets) is not None


def unfold(value: bytes) -> bytes:
    """Replace each line folding by one SP, as RFC 9112, section 5.2, has recipients do."""
    return _OBS_FOLD.sub(b" ", value) if b"\r\n" in value else value


def split_list(value: bytes) -> list[bytes]:
    """Split a list at every comma; OWS is stripped, empty elements are kept.

    For fields in whose grammar no quoted-string occurs: Connection, Upgrade, Trailer. A value
    without octets has one empty element.
    """
    return [element.strip(OWS) for element in value.split(b",")]


def split_quoted_list(value: bytes) -> list[bytes]:
    """Split a list at the commas outside of quoted strings; OWS is stripped, empties are kept.

    For TE, Transfer-Encoding and Keep-Alive. A DQUOTE without a partner is an ordinary octet:
    the element holding it fails the field's syntax, the others are still seen.
    """
    return [element.strip(OWS) for element in _elements(value)]


def _elements(value: bytes) -> Iterator[bytes]:
    position = 0
    while True:
        match = _ELEMENT.match(value, position)
        assert match is not None  # the expression matches the empty string
        yield match.group()
        position = match.end() + 1
        if position > len(value):
            return
