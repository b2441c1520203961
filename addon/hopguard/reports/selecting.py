"""Which findings a report is about: by rule, severity, host and time."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import translate

from hopguard.catalogue.lookup import find_group, find_rule
from hopguard.record import Record
from hopguard.reports.places import place_of
from hopguard.reports.reading import SEVERITIES
from hopguard.rule import Rule

_DURATION = re.compile(r"(\d{1,9})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}

NamedRule = tuple[str, str | None]
"""A rule's id, and a variant if not all of them are meant."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a finding must be like; what is empty or None does not matter."""

    rules: Collection[NamedRule] = ()
    severity: str = SEVERITIES[-1]
    """The least."""
    hosts: Sequence[str] = ()
    """Patterns as in a shell, in lower case, of hosts with or without their port."""
    since: str | None = None
    """The first time, as in a record. With a limit, a finding of unknown time is not selected."""
    until: str | None = None
    """The first time that is too late."""

    def admits(self) -> Callable[[Record], bool]:
        """Return the function that tells whether a record is selected."""
        severities = frozenset(SEVERITIES[: SEVERITIES.index(self.severity) + 1])
        hosts = re.compile("|".join(map(translate, self.hosts))) if self.hosts else None

        def admit(record: Record) -> bool:
            return (
                record["severity"] in severities
                and self._of_rule(record)
                and self._in_time(record["time"])
                and (hosts is None or _matches(hosts, place_of(record).host))
            )

        return admit

    def concerns(self, rule: Rule) -> bool:
        """Tell whether there may be findings of `rule` that are selected."""
        severe = SEVERITIES.index(str(rule.severity)) <= SEVERITIES.index(self.severity)
        return severe and (not self.rules or rule.id in {name for name, _ in self.rules})

    def _of_rule(self, record: Record) -> bool:
        rule, variant = record["rule"], record["variant"]
        return not self.rules or not {(rule, None), (rule, variant or "")}.isdisjoint(self.rules)

    def _in_time(self, time: str | None) -> bool:
        if time is None:
            return self.since is None and self.until is None
        return (self.since is None or self.since <= time) and (
            self.until is None or time < self.until
        )


def _matches(pattern: re.Pattern[str], host: str) -> bool:
    return bool(pattern.match(host) or pattern.match(re.sub(r":[\d*]+$", "", host)))


def find_rules(names: Iterable[str], rules: Sequence[Rule]) -> frozenset[NamedRule]:
    """Return the rules that `names` mean: ids, `id/variant`, or groups.

    Raises:
        UnknownNameError: there is no such rule, variant or group.
    """
    found: set[NamedRule] = set()
    for name in names:
        group = find_group(name, rules)
        if group:
            found.update((rule.id, None) for rule in group)
        else:
            rule, variant = find_rule(name, rules)
            found.add((rule.id, variant))
    return frozenset(found)


def parse_moment(text: str, now: datetime) -> str:
    """Return the moment that `text` means, as in a record.

    It is a time as in RFC 3339, a date, which means its first moment in UTC, or a duration before
    `now`: a number of s, m, h, d or w.

    Raises:
        ValueError: it is none of these; the text is one sentence that says what is allowed.
    """
    allowed = "write a time such as 2026-05-31T12:00:00Z, a date such as 2026-05-31, or 90m, 1h, 7d"
    try:
        duration = _DURATION.fullmatch(text)
        if duration:
            number, unit = duration.groups()
            moment = now - timedelta(seconds=int(number) * _SECONDS[unit])
        else:
            moment = datetime.fromisoformat(text)
            if len(text) == len("2026-05-31"):
                moment = moment.replace(tzinfo=UTC)
        if moment.tzinfo is None:
            raise ValueError(f"{text!r} has no zone, such as Z for UTC")
        return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
    except (ValueError, OverflowError) as error:
        known = str(error) if "has no zone" in str(error) else f"{text!r} is no time"
        raise ValueError(f"{known}; {allowed}") from None
