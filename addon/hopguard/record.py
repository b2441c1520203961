"""Findings as plain data: one record, the same in the log, in saved flows and in reports."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from hopguard.fields import CREDENTIALS
from hopguard.rule import Finding
from hopguard.text import REDACTED, printable

SCHEMA = "hopguard/1"

Action = Literal["flagged", "fixed", "blocked", "refused"]
Record = dict[str, Any]

_USERINFO = re.compile(r"^((?:[a-zA-Z][a-zA-Z0-9+.-]*://)?)[^/?#]*@")


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """Where and when a finding was made; None is unknown."""

    time: float
    """Seconds since the epoch."""
    action: Action = "flagged"
    edits: tuple[str, ...] = ()
    method: bytes | None = None
    url: str | None = None
    status: int | None = None
    flow: str | None = None
    connection: str | None = None
    client: str | None = None
    server: str | None = None


@dataclass(frozen=True)
class Redaction:
    """What is never written anywhere."""

    fields: frozenset[bytes] = field(
        default_factory=lambda: frozenset(name.encode() for name in CREDENTIALS)
    )
    """Names, in lower case, of fields whose values are secret."""
    keep_query: bool = False
    """Whether the query part of URLs is written."""

    @classmethod
    def of(cls, names: Iterable[str], *, keep_query: bool) -> "Redaction":
        """Make one from field names in any letter case."""
        return cls(frozenset(name.strip().lower().encode() for name in names), keep_query)

    def url(self, url: str) -> str:
        """Return `url` in printable ASCII without user information and, usually, without query."""
        shown = _USERINFO.sub(r"\1", printable(url.encode("utf-8", "surrogateescape"), 2048))
        return shown if self.keep_query else shown.partition("#")[0].partition("?")[0]

    def hides(self, name: bytes) -> bool:
        """Tell whether the value of the field called `name` is secret.

        Letter case does not matter, nor do the misspellings that a careless parser overlooks: what
        is sent as `Proxy_Authorization` or with white space before the colon is as secret.
        """
        return name.lower().strip().replace(b"_", b"-") in self.fields


def make_record(finding: Finding, where: Circumstances, redaction: Redaction) -> Record:
    """Make the record of `finding`: plain data, printable, in the documented order of keys.

    A sentence may quote the value that it is about. Where that value is secret, a sentence
    without it takes its place.
    """
    line, requirement = finding.line, finding.requirement
    hidden = line is not None and redaction.hides(line.name)
    name = printable(line.name) if line is not None else None
    value = printable(line.value) if line is not None else None
    return {
        "schema": SCHEMA,
        "time": format_time(where.time),
        "rule": finding.rule,
        "variant": finding.variant or None,
        "severity": str(finding.severity),
        "message": f"{name}: {REDACTED} breaks this rule." if hidden else finding.text,
        "requirement": {
            "rfc": requirement.rfc,
            "section": requirement.section or None,
            "keyword": requirement.keyword or None,
            "url": requirement.url,
        },
        "sender": finding.sender,
        "leg": finding.leg,
        "part": finding.part,
        "http_version": finding.version,
        "field": name,
        "value": REDACTED if hidden else value,
        "line": line.position if line is not None else None,
        "action": where.action,
        "edits": list(where.edits),
        "method": printable(where.method) if where.method is not None else None,
        "url": redaction.url(where.url) if where.url is not None else None,
        "status": where.status,
        "flow": where.flow,
        "connection": where.connection,
        "client": where.client,
        "server": where.server,
    }


def format_time(seconds: float) -> str:
    """Format seconds since the epoch as RFC 3339 in UTC, with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"
