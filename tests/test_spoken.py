"""Which version is spoken."""

import pytest

from hopguard.message import Version
from hopguard.spoken import version_by_alpn, version_spoken


@pytest.mark.parametrize(
    ("label", "alpn", "version"),
    [
        (b"HTTP/1.1", None, "HTTP/1.1"),
        (b"HTTP/1.0", None, "HTTP/1.0"),
        (b"HTTP/0.9", None, "HTTP/1.0"),
        (b"HTTP/2.0", b"h2", "HTTP/2"),
        (b"HTTP/2.0", None, "HTTP/2"),
        (b"HTTP/2.0", b"", "HTTP/1.1"),
        (b"HTTP/2.0", b"http/1.1", "HTTP/1.1"),
        (b"HTTP/3", b"h3", "HTTP/3"),
        (b"HTTP/3", b"h3-29", "HTTP/3"),
        (b"HTTP/3", None, "HTTP/3"),
        (b"HTTP/1.1", b"h2", "HTTP/1.1"),
        (b"nonsense", None, "HTTP/1.1"),
    ],
)
def test_of_a_message(label: bytes, alpn: bytes | None, version: Version) -> None:
    """A start line may say what it likes."""
    assert version_spoken(label, alpn) == version


@pytest.mark.parametrize(
    ("alpn", "version"),
    [
        (None, "HTTP/1.1"),
        (b"", "HTTP/1.1"),
        (b"http/1.1", "HTTP/1.1"),
        (b"h2", "HTTP/2"),
        (b"h3", "HTTP/3"),
        (b"h3-29", "HTTP/3"),
    ],
)
def test_of_a_connection(alpn: bytes | None, version: Version) -> None:
    """Before anything is said on it."""
    assert version_by_alpn(alpn) == version
