"""What browsers and servers say to each other, without fault: 18 field lines each.

It needs nothing but the standard library: other linters, in a venv of their own, get the same.
"""

import itertools
from collections.abc import Iterable

ASKED = (
    ("Host", "www.example.com"),
    ("Connection", "keep-alive"),
    ("Cache-Control", "max-age=0"),
    ("sec-ch-ua", '"Chromium";v="{0}", "Google Chrome";v="{0}", "Not_A Brand";v="99"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Windows"'),
    ("Upgrade-Insecure-Requests", "1"),
    (
        "User-Agent",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/{0}.0.0.0 Safari/537.36",
    ),
    (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
        "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    ),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
    ("Sec-Fetch-Dest", "document"),
    ("Referer", "https://www.example.com/articles/{0}"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-GB,en-US;q=0.9,en;q=0.8"),
    ("Cookie", "session={0:032x}; consent=all; _ga=GA1.1.{0}.1764230000; theme=dark"),
    ("If-None-Match", 'W/"{0:x}-19ac"'),
)
ANSWERED = (
    ("Server", "nginx"),
    ("Date", "Fri, 27 Nov 2026 12:{1:02}:{2:02} GMT"),
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", "{0}"),
    ("Connection", "keep-alive"),
    ("Last-Modified", "Thu, 26 Nov 2026 10:{1:02}:{2:02} GMT"),
    ("ETag", 'W/"{0:x}-19ad"'),
    ("Cache-Control", "private, max-age=60, stale-while-revalidate=600"),
    ("Vary", "Accept-Encoding, Cookie"),
    ("Content-Encoding", "gzip"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data: https:; script-src 'self' 'nonce-{0:016x}'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Permissions-Policy", "geolocation=(), camera=(self)"),
    (
        "Set-Cookie",
        "session={0:032x}; Expires=Sat, 28 Nov 2026 12:{1:02}:{2:02} GMT; Path=/; Secure;"
        " HttpOnly; SameSite=Lax",
    ),
    ("Alt-Svc", 'h3=":443"; ma=86400'),
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
