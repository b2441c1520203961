"""Secrets to plant in messages, and to look for in everything that we write."""

from collections.abc import Iterator

from hopguard.fields import CREDENTIALS

SECRET = b"pl4nted-s3cret"
"""Nothing else contains it."""

NAMES = tuple(name.encode() for name in CREDENTIALS)

VALUES = (
    SECRET,
    b"Basic " + SECRET,
    b'Digest username="a", response="' + SECRET + b'"',
    b"sid=" + SECRET + b"; Path=/; HttpOnly",
    b"close, " + SECRET,
    b", ," + SECRET + b",",
    b"\x1b[31m" + SECRET + b"\x00",
    b"first\r\n " + SECRET,
    SECRET * 40,
    b"-" * 250 + SECRET,
)


def spellings(name: bytes) -> list[bytes]:
    """List ways to write a field name that one parser or another takes for the same name."""
    under = name.replace(b"-", b"_")
    return [
        *(name, name.upper(), name.title(), under, under.title()),
        *(name + b" ", name + b"\t", b" " + name, name + b"\x0b", b"\x0c" + name, under + b" "),
        *(
            name + b"\x00",
            b"\xef\xbb\xbf" + name,
            name.replace(b"-", b""),
            name[:3] + b"\r" + name[3:],
        ),
    ]


def lines_of(name: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Write a field in every spelling, and with every value."""
    yield from ((spelling, SECRET) for spelling in spellings(name))
    yield from ((name.title(), value) for value in VALUES)


def leaks(text: str) -> list[str]:
    """List the lines of `text` that hold the secret, or much of it."""
    secret = SECRET.decode()
    return [line for line in text.splitlines() if secret in line.lower()]
