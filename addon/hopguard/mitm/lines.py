"""The lines of the event log: one for each finding, in plain text or with a terminal's colours."""

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from mitmproxy.contrib import click
from mitmproxy.log import MitmFormatter

from hopguard.record import Record

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.WARNING}
"""Of a finding in the event log. Not ERROR: at start mitmproxy takes that for its own failure."""

COLOURS = {"info": "cyan", "warning": "yellow", "error": "red"}

METHOD_LIMIT, VALUE_LIMIT, URL_LIMIT = 32, 80, 200
"""Characters of them in a line; the violation log has more."""

_HOST = re.compile(r"(?:[^/?#]*://)?(\[[^\]]*\]|[^/?#:]*)")


class Line(NamedTuple):
    """What is said of a finding. All of it is printable ASCII, as in the record."""

    severity: str
    rule: str
    text: str
    about: str
    """The sender, the leg and the version; the field line where `text` does not quote it."""
    where: str
    """Method and URL, or what else is known."""

    def __str__(self) -> str:
        """Return the line as it is in a pipe, a file, a browser."""
        return f"hopguard: {self.severity} {self.rule}: {self.text} [{self.about}] {self.where}"

    def coloured(self) -> str:
        """Return the line as it is on a terminal."""
        severity = click.style(self.severity, fg=COLOURS[self.severity], bold=True)
        rule, about = click.style(self.rule, bold=True), click.style(f"[{self.about}]", dim=True)
        return f"hopguard: {severity} {rule}: {self.text} {about} {self.where}"


def line_of(record: Record) -> Line:
    """Return the line for a record."""
    rule = record["rule"] + (f"/{record['variant']}" if record["variant"] else "")
    about = f"{record['sender']} on the {record['leg']} leg, {record['http_version']}"
    if record["action"] != "flagged":
        about += f", {record['action']}"
    method, url = _cut(record["method"], METHOD_LIMIT), _cut(record["url"], URL_LIMIT)
    where = " ".join(part for part in (method, url) if part)
    return Line(
        severity=record["severity"],
        rule=rule,
        text=record["message"],
        about=_unquoted(record) + about,
        where=where or record["client"] or "unknown client",
    )


def _unquoted(record: Record) -> str:
    """Return the field line if the sentence does not quote it; some speak of the name alone."""
    field, value = record["field"], record["value"]
    if field is None or value is None:
        return ""
    quoted = f"{field}: {value[: VALUE_LIMIT // 2]}".lower() in record["message"].lower()
    return "" if quoted else f"{field}: {_cut(value, VALUE_LIMIT) or '(empty)'}; "


def _cut(text: str | None, limit: int) -> str:
    return text if text and len(text) <= limit else f"{text[:limit]}..." if text else ""


def host_of(record: Record) -> str:
    """Return the host that a request was for, without port; where it is unknown, the client."""
    return _host(record["url"]) or _cut((record["client"] or "").rpartition(":")[0], VALUE_LIMIT)


@lru_cache(64)  # a URL is at most 2 kB long in a record
def _host(url: str | None) -> str:
    found = _HOST.match(url or "")
    return _cut(found[1].lower(), VALUE_LIMIT) if found else ""


class Colourful(Protocol):
    """A line that can also be shown in colours."""

    def coloured(self) -> str:
        """Return the line with ANSI escapes."""


def as_extra(line: Colourful) -> Mapping[str, Any]:
    """Return what goes with a log record of `line`, for terminals."""
    return {_EXTRA: line}


_EXTRA = "hopguard_line"


class ColouringFormatter(logging.Formatter):
    """Formats as mitmproxy does, but shows our lines in our colours.

    mitmproxy colours a whole line by its level. This takes the place of a formatter that colours,
    and of no other: mitmweb's and the console's event log, and pipes, have one that does not.
    """

    def __init__(self, inner: MitmFormatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Format one log record."""
        line = getattr(record, _EXTRA, None)
        if line is None:
            return self.inner.format(record)
        copy = logging.makeLogRecord(record.__dict__)  # other handlers see the same record
        copy.msg, copy.args, copy.levelno = line.coloured(), (), logging.INFO
        return self.inner.format(copy)


def start_colouring() -> None:
    """Show our lines in colours wherever mitmproxy's log goes to a terminal."""
    for handler in logging.getLogger().handlers:
        inner = handler.formatter
        if isinstance(inner, MitmFormatter) and inner.colorize:
            handler.setFormatter(ColouringFormatter(inner))


def stop_colouring() -> None:
    """Leave the handlers as they were."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, ColouringFormatter):
            handler.setFormatter(handler.formatter.inner)
