"""Where a finding was made, as people name it: a host and a path, and the same without ids."""

import re
from typing import NamedTuple
from urllib.parse import quote

from hopguard.record import Record
from hopguard.text import printable

UNKNOWN_HOST = "(unknown)"

HOST_LIMIT, PATH_LIMIT = 255, 300
"""Octets. What is longer is cut, with a mark."""

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?([^/?#]*)([^?#]*)")

_ID = re.compile(
    r"""
    (?:
      \d+                                                   # a number, also a date or a time
    | [0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}           # a UUID
    | (?=[a-z-]*[0-9])[0-9a-f-]{8,}                         # hexadecimal digits, such as a hash
    | (?=.*[0-9])(?=.*[a-z])[a-z0-9_=-]{20,}                # long, and no words: a token
    )
    (?:\.[a-z0-9]{1,5})?                                    # the ending of a file's name
    """,
    re.VERBOSE | re.IGNORECASE,
)

_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

_FIRST_EPHEMERAL = 32_768
"""Ports from here on are given out by chance (Linux; elsewhere from 49152)."""


class Place(NamedTuple):
    """A host, with its port if the URL has one, and a path."""

    host: str
    path: str


def place_of(record: Record) -> Place:
    """Tell where the finding of `record` was made: by its URL, else by the server's address.

    The path has no query. It is empty where the target was a host, as in CONNECT, or is unknown.
    """
    url: str | None = record["url"]
    if url is None:
        return Place(_cut(record["server"] or UNKNOWN_HOST, HOST_LIMIT), "")
    found = _URL.match(url)
    host, path = found.groups() if found else ("", "")
    return Place(_cut(host.lower() or UNKNOWN_HOST, HOST_LIMIT), _cut(path, PATH_LIMIT))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else printable(text.encode(), limit)


def without_ids(place: Place) -> Place:
    """Return `place` without what changes from one visit to the next.

    In the path that is each segment which is a number, a hash or the like; in the host, a port
    that was given out by chance.
    """
    name, colon, port = place.host.rpartition(":")
    if colon and port.isdigit() and int(port) >= _FIRST_EPHEMERAL:
        place = place._replace(host=f"{name}:*")
    segments = ["*" if _ID.fullmatch(part) else part for part in place.path.split("/")]
    return place._replace(path="/".join(segments))


def relative_uri(place: Place) -> str:
    """Return `place` as a relative URI (RFC 3986): its host as a folder, and the path in it.

    A path cannot lead out of that folder, nor can a host be taken for a scheme.
    """
    segments = [f"_{part}_" if part in (".", "..") else part for part in place.path.split("/")]
    path = _STRAY_PERCENT.sub("%25", "/".join(segments))
    return quote(place.host, safe="") + quote(path, safe="/%!$&'()*+,;=:@")
