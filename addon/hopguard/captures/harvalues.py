"""The values in a HAR entry, as the programs that write them spell them."""

import math
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hopguard.captures.capture import UNTIMED, Seconds
from hopguard.captures.jsonparts import LONGEST_TEXT
from hopguard.message import RawFields, Version

_VERSIONS: dict[str, Version] = {
    "http/1.0": "HTTP/1.0",
    "http/1.1": "HTTP/1.1",
    "http/2": "HTTP/2",
    "http/2.0": "HTTP/2",
    "h2": "HTTP/2",
    "http/3": "HTTP/3",
    "http/3.0": "HTTP/3",
    "h3": "HTTP/3",
}
_DRAFT_OF_HTTP3 = re.compile(r"h3-[0-9]{2}")
_NEXT_LINE = re.compile(r"\r?\n(?![ \t])")
_STATUS = re.compile(r"[1-9][0-9]{2}")


class EntryError(ValueError):
    """An entry is not what HAR requires; the text is half a sentence."""


class Fields(NamedTuple):
    """The fields of a message, as HAR lists them."""

    lines: RawFields
    pseudo: dict[bytes, bytes]
    """Pseudo-header fields, which HAR has no other place for, by name with the colon."""


def version_of(label: Any) -> Version | None:
    """Return the version that `httpVersion` means; None if it is unknown, or none of HTTP's.

    There are spellings of the start line, of ALPN and of neither. SPDY and Google's own QUIC are
    other protocols.
    """
    name = label.strip().lower() if isinstance(label, str) else ""
    return "HTTP/3" if _DRAFT_OF_HTTP3.fullmatch(name) else _VERSIONS.get(name)


def fields_of(headers: Any, *, as_received: bool) -> Fields:
    """Return the fields that the member `headers` of a request or response lists.

    Args:
        headers: a list of names and values.
        as_received: whether each value is one line, and its octets were read as UTF-8, with
            surrogates for what is none. Otherwise a line feed stands between two lines, as in
            Chromium, and the octets were read as ISO 8859-1 if that can be.

    Raises:
        EntryError: it is no list of names and values.
    """
    if not isinstance(headers, list):
        raise EntryError("there is no list of fields")
    lines: list[tuple[bytes, bytes]] = []
    pseudo: dict[bytes, bytes] = {}
    for name, value in map(_pair, headers):
        octets = octets_of(name, as_utf8=as_received)
        values = [value] if as_received else [one.strip(" \t") for one in _NEXT_LINE.split(value)]
        for each in (octets_of(one, as_utf8=as_received) for one in values):
            if octets.startswith(b":"):
                pseudo[octets] = each
            else:
                lines.append((octets, each))
    return Fields(tuple(lines), pseudo)


def _pair(header: Any) -> tuple[str, str]:
    name, value = (header.get("name"), header.get("value")) if isinstance(header, dict) else (0, 0)
    if not isinstance(name, str) or not isinstance(value, str):
        raise EntryError("a field has no name, or no value that is text")
    if len(name) > LONGEST_TEXT or len(value) > LONGEST_TEXT:
        raise EntryError(f"a field is longer than {LONGEST_TEXT:,} characters")
    return name, value


def octets_of(text: str, *, as_utf8: bool) -> bytes:
    """Return the octets that `text` was read from, as UTF-8 or, where it can be, ISO 8859-1."""
    if not as_utf8:
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:
            pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def status_of(status: Any) -> int:
    """Return the status code; 0 stands for no response.

    Raises:
        EntryError: it is neither.
    """
    if status in (None, "", 0, -1, "0", "-1"):
        return 0
    if isinstance(status, int | str) and _STATUS.fullmatch(str(status)):
        return int(status)
    raise EntryError("the status is none")


def times_of(entry: dict[str, Any], *, with_connecting: bool) -> tuple[Seconds, Seconds]:
    """Return when the request and the response began and were complete.

    Args:
        entry: with `startedDateTime` and `timings`, in milliseconds, -1 for what did not happen.
        with_connecting: whether the start is that of the wish, not of the request itself.
    """
    start = _time(entry.get("startedDateTime"))
    timings = entry.get("timings")
    if start is None or not isinstance(timings, dict):
        return Seconds(start), UNTIMED
    if with_connecting:  # `ssl` is a part of `connect`
        start += sum(_duration(timings.get(name)) or 0 for name in ("blocked", "dns", "connect"))
    times: list[float | None] = [start]
    for name in ("send", "wait", "receive"):
        took = _duration(timings.get(name))
        times.append(None if took is None or times[-1] is None else times[-1] + took)
    return Seconds(times[0], times[1]), Seconds(times[2], times[3])


def _time(text: Any) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _duration(milliseconds: Any) -> float | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    return milliseconds / 1000 if 0 <= milliseconds < math.inf else None
