"""Findings as plain data: one record, the same in the log, in saved flows and in reports."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from hopguard.fields import CREDENTIALS
from hopguard.message import FieldLine
from hopguard.rule import Finding
from hopguard.text import REDACTED, printable, printable_text

SCHEMA = "hopguard/1"

Action = Literal["flagged", "fixed", "blocked", "refused"]
Record = dict[str, Any]

_MOST_FACTS = 64
"""Findings whose facts are kept, and URLs and addresses as they are written, if they are ..."""

_LONGEST_KEPT = 1024
"""... no longer than so many characters."""

_NOTHING: tuple[Finding | None, Record] = (None, {})

_ODD = bytes(set(range(256)) - {*b"0123456789abcdefghijklmnopqrstuvwxyz"})
_LATER_LINES = re.compile(rb"[\r\n](.*):", re.DOTALL)
_USERINFO = re.compile(r"^((?:[a-zA-Z][a-zA-Z0-9+.-]*://)?)[^/?#]*@")


class Circumstances(NamedTuple):
    """Where and when a finding was made; None is unknown."""

    time: float | None
    """Seconds since the epoch."""
    action: Action = "flagged"
    edits: tuple[str, ...] = ()
    policy: str | None = None
    """The line of the policy that decided on the action; None is the default action."""
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
        shown = self._urls.get(url)
        if shown is None:  # in one exchange, several things are found
            shown = self._url_of(url)
            if len(self._urls) >= _MOST_FACTS:
                self._urls.clear()
            if len(url) <= _LONGEST_KEPT:
                self._urls[url] = shown
        return shown

    @cached_property
    def _urls(self) -> dict[str, str]:
        return {}

    def _url_of(self, url: str) -> str:
        shown = printable_text(url, 2048)
        if "@" in shown:  # in few
            shown = _USERINFO.sub(r"\1", shown)
        return shown if self.keep_query else shown.partition("#")[0].partition("?")[0]

    @cached_property
    def _spellings(self) -> frozenset[bytes]:
        return frozenset(map(_letters, self.fields))

    def facts(self, finding: Finding) -> Record:
        """Return what the record of a finding says, wherever and whenever it is made.

        A sentence may quote the value that it is about. Where that value is secret, a sentence
        without it takes its place.
        """
        found, facts = self._facts.get(id(finding), _NOTHING)
        if found is finding:  # the checker finds the same again and again
            return facts
        facts = self._facts_of(finding)
        if len(self._facts) >= _MOST_FACTS:
            self._facts.clear()
        self._facts[id(finding)] = finding, facts
        return facts

    @cached_property
    def _facts(self) -> dict[int, tuple[Finding | None, Record]]:
        return {}

    def _facts_of(self, finding: Finding) -> Record:
        line = finding.line
        hidden = line is not None and self.hides_line(line)
        name = printable(line.name) if line is not None else None
        value = printable(line.value) if line is not None else None
        return {
            "rule": finding.rule,
            "variant": finding.variant or None,
            "severity": str(finding.severity),
            "message": f"{name}: {REDACTED} breaks this rule." if hidden else finding.text,
            "requirement": finding.requirement.data,
            "sender": finding.sender,
            "leg": finding.leg,
            "part": finding.part,
            "http_version": finding.version,
            "field": name,
            "value": REDACTED if hidden else value,
            "line": line.position if line is not None else None,
        }

    def hides(self, name: bytes) -> bool:
        """Tell whether the value of the field called `name` is secret.

        Only letters and digits matter, not their case: somebody's parser overlooks whatever else
        may stand in the name, such as the underscore of `Proxy_Authorization`, or white space
        before the colon, and takes what follows for the credential that it is.
        """
        return _letters(name) in self._spellings

    def hides_line(self, line: FieldLine) -> bool:
        """Tell whether the value of `line` is secret, or seems to hold further lines that are."""
        if self.hides(line.name):
            return True
        later = _LATER_LINES.search(line.value)
        if later is None:
            return False
        names = _letters(later[1])
        return any(spelling in names for spelling in self._spellings)


def _letters(name: bytes) -> bytes:
    return name.lower().translate(None, _ODD)


def make_record(finding: Finding, where: Circumstances, redaction: Redaction) -> Record:
    """Make the record of `finding`: plain data, printable, in the documented order of keys."""
    return {
        "schema": SCHEMA,
        "time": format_time(where.time) if where.time is not None else None,
        **redaction.facts(finding),
        "action": where.action,
        "edits": list(where.edits),
        "policy": printable_text(where.policy) if where.policy is not None else None,
        "method": printable(where.method) if where.method is not None else None,
        "url": redaction.url(where.url) if where.url is not None else None,
        "status": where.status,
        "flow": where.flow,
        "connection": where.connection,
        "client": _address(where.client),
        "server": _address(where.server),
    }


@lru_cache(_MOST_FACTS)
def _address(address: str | None) -> str | None:
    return printable_text(address) if address is not None else None


def identity(record: Record) -> tuple[object, ...]:
    """Return what makes a finding about one flow the same as another."""
    return _identity(record)


_identity: Callable[[Record], tuple[object, ...]] = itemgetter(
    "rule", "variant", "part", "field", "line", "message"
)


def format_time(seconds: float) -> str:
    """Format seconds since the epoch as RFC 3339 in UTC, with microseconds.

    Raises:
        ValueError, OverflowError: that is in no year from 1 to 9999.
    """
    fraction, whole = math.modf(seconds)
    second, rest = divmod(int(whole) * 1_000_000 + round(fraction * 1e6), 1_000_000)
    return f"{_second(second)}.{rest:06}Z"


@lru_cache(16)  # many things are found in one second
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]
