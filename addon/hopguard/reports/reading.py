"""Violation logs, read back: whatever the files hold, what comes out is fit to be reported."""

import gzip
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from hopguard.record import SCHEMA, Record
from hopguard.rule import Severity
from hopguard.text import printable

STANDARD_INPUT = "-"
"""Stands for standard input where a path is expected."""

LINE_LIMIT = 1_000_000
"""Octets of a line. Our own are far shorter; without a limit, one line could fill the memory."""

TEXT_LIMIT = 2_000
"""Octets of a text. Our own are shorter, however much of them is escaped."""

_LIMITS = {
    **dict.fromkeys(("schema", "rule", "variant", "sender", "leg", "part", "http_version"), 100),
    **dict.fromkeys(("severity", "action"), 100),
    "url": 10_000,
}
"""Octets of other texts."""

SEVERITIES = tuple(str(severity) for severity in sorted(Severity, reverse=True))
"""The worst first."""

KEYS = (
    *("schema", "time", "rule", "variant", "severity", "message", "requirement", "sender"),
    *("leg", "part", "http_version", "field", "value", "line", "action", "edits"),
    *("policy", "method", "url", "status", "flow", "connection", "client", "server"),
)
"""Of a record, in the documented order."""

# Ours never hold any; what another program wrote must not bring a password into a report.
_USERINFO = re.compile(r"^((?:[a-zA-Z][a-zA-Z0-9+.-]*://)?)[^/?#]*@")

_YEARS = range(1990, 2200)
_NUMBERS = frozenset({"line", "status"})
_REQUIREMENT = ("rfc", "section", "keyword", "url")


class BadLine(NamedTuple):
    """A line that is not what hopguard writes."""

    path: str
    number: int
    """The first line is 1."""
    why: str
    """What is wrong, and what was done about it."""

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}, line {self.number}: {self.why}"


Complain = Callable[[BadLine], None]


class UnreadableLogError(Exception):
    """Files could not be opened, or not be read to their end; everything else has been read."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        """One sentence for each file."""
        super().__init__("; ".join(self.reasons))


class NoRecordError(ValueError):
    """Something is no record; the text says why."""


def read_records(paths: Iterable[str | Path], complain: Complain) -> Iterator[Record]:
    """Read the records in the JSON Lines files at `paths`, one at a time.

    A file whose name ends in `.gz` is uncompressed; `-` is standard input. Every record has all
    documented keys and no other, None where the line does not say; its texts are printable ASCII
    of limited length, its time is in UTC, its severity one of `SEVERITIES`. Lines from which no
    such record can be made are left out. `complain` is told of each of them, and of each line
    that was used only in part.

    Raises:
        UnreadableLogError: at the end, after the records of all other files.
    """
    reasons = []
    for path in map(str, paths):
        try:
            yield from _read_file(path, complain)
        except (OSError, EOFError, zlib.error) as error:
            why = getattr(error, "strerror", None) or error
            reasons.append(f"cannot read {path}: {why}")
    if reasons:
        raise UnreadableLogError(reasons)


def _read_file(path: str, complain: Complain) -> Iterator[Record]:
    with _open(path) as stream:
        for number, line in _lines(stream):
            try:
                record, odd = _record(line)
            except NoRecordError as error:
                complain(BadLine(path, number, f"{error}; left out"))
                continue
            if odd:
                complain(BadLine(path, number, "; ".join(odd)))
            yield record


def _open(path: str) -> Any:
    if path == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    return gzip.open(path) if path.endswith(".gz") else Path(path).open("rb")


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number the lines that hold something. One that is too long is given cut, yet above limit."""
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        rest = line
        while len(rest) > LINE_LIMIT and not rest.endswith(b"\n"):
            rest = stream.readline(LINE_LIMIT + 1)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, line


def _record(line: bytes) -> tuple[Record, list[str]]:
    if len(line) > LINE_LIMIT:
        raise NoRecordError(f"it is longer than {LINE_LIMIT} octets")
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):  # among them: it is not UTF-8
        cut = "" if line.endswith(b"\n") else ", and the file ends within it"
        raise NoRecordError(f"it is not JSON{cut}") from None
    return normalise(data)


def normalise(data: object) -> tuple[Record, list[str]]:
    """Make a record of `data` as described at `read_records`, and list what is odd about it.

    Raises:
        NoRecordError: none can be made of it.
    """
    if not isinstance(data, dict):
        raise NoRecordError("it is JSON, but no object")
    schema = data.get("schema")
    if schema is not None and not str(schema).startswith("hopguard/"):
        raise NoRecordError("it is of another program, by its schema")
    record: Record = {}
    odd = []
    for key in KEYS:
        value = data.get(key)
        record[key] = _normalised(key, value)
        if record[key] is None and value is not None:
            odd.append(f"{key} is not what it should be; taken as unknown")
    if not record["rule"]:
        raise NoRecordError("it is no finding, because it names no rule")
    if record["severity"] is None:
        raise NoRecordError(f"it does not say how severe it is: {', '.join(SEVERITIES)}")
    if record["schema"] not in (SCHEMA, None):
        odd.append(f"it is {record['schema']}, not {SCHEMA}; used as far as that is known")
    return record, odd


def _normalised(key: str, value: object) -> Any:
    """Return `value` as a record holds it under `key`; None if it cannot be that."""
    if key in _NUMBERS:
        return value if type(value) is int else None
    if key == "edits":
        return [_text(edit) or "" for edit in value] if isinstance(value, list) else None
    if key == "requirement":
        return _requirement(value)
    if key == "severity":
        return value if isinstance(value, str) and value in SEVERITIES else None
    if key == "time":
        return _time(value)
    text = _text(value, _LIMITS.get(key, TEXT_LIMIT))
    return _USERINFO.sub(r"\1", text) if key == "url" and text else text


def _text(value: object, limit: int = TEXT_LIMIT) -> str | None:
    if not isinstance(value, str):
        return None
    if len(value) <= limit and value.isascii() and value.isprintable():
        return value
    return printable(value.encode("utf-8", "surrogatepass"), limit)


def _requirement(value: object) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    parts = cast("dict[str, Any]", value)
    rfc = parts.get("rfc")
    texts = {key: _text(parts.get(key)) for key in _REQUIREMENT[1:]}
    return {"rfc": rfc if type(rfc) is int else None, **texts}


def _time(value: object) -> str | None:
    """Return the time as hopguard writes it; one without a zone is no RFC 3339.

    What is out of all reason is unknown: a timeline has to show it beside the others.
    """
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is None or time.tzinfo is None or time.year not in _YEARS:
            return None
        return time.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    except (ValueError, OverflowError):
        return None
