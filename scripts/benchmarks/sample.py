"""What browsers and servers say to each other, without fault: 17 field lines and 16.

It needs nothing but the standard library: other linters, in a venv of their own, get the same.
"""

import itertools
from collections.abc import Iterable

ASKED = (
    ("Host", "www.example.com"),
    ("Connection", "keep-alive"),
    ("sec-ch-ua", '"Chromium";v="142", "Not?A_Brand";v="99"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
    ("Upgrade-Insecure-Requests", "1"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/{0}.0.0.0 Safari/537.36",
    ),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
    ("Sec-Fetch-Site", "none"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
    ("Sec-Fetch-Dest", "document"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en;q=0.9"),
    ("Cookie", "session={0:016x}; theme=dark"),
    ("If-None-Match", '"{0:x}-1a2b"'),
    ("Cache-Control", "max-age=0"),
)
ANSWERED = (
    ("Server", "nginx"),
    ("Date", "Fri, 27 Nov 2026 12:{1:02}:{2:02} GMT"),
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", "{0}"),
    ("Connection", "keep-alive"),
    ("Last-Modified", "Thu, 26 Nov 2026 10:{1:02}:{2:02} GMT"),
    ("ETag", '"{0:x}-1a2c"'),
    ("Cache-Control", "private, max-age=60"),
    ("Vary", "Accept-Encoding"),
    ("Content-Encoding", "gzip"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Set-Cookie", "session={0:016x}; Path=/; Secure; HttpOnly"),
    ("Accept-Ranges", "bytes"),
)
"""Each exchange has its own browser, cookies, validators, dates and length, as in real traffic."""

OF_HTTP1 = {"Host", "Connection"}
"""Fields that HTTP/2 has no use for."""

Fields = tuple[tuple[bytes, bytes], ...]

_numbers = itertools.count(1000)


def exchange(*, http2: bool = False) -> tuple[Fields, Fields]:
    """Make the field lines of a request and its response, like no others before."""
    number = next(_numbers)
    return _fields(ASKED, number, http2=http2), _fields(ANSWERED, number, http2=http2)


def _fields(lines: Iterable[tuple[str, str]], number: int, *, http2: bool) -> Fields:
    filled = [(name, value.format(number, number // 60 % 60, number % 60)) for name, value in lines]
    if not http2:
        return tuple((name.encode(), value.encode()) for name, value in filled)
    return tuple(
        (name.lower().encode(), value.encode()) for name, value in filled if name not in OF_HTTP1
    )
