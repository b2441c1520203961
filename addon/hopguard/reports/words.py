"""How reports say how many, in words and short lists."""

from collections.abc import Hashable, Iterable, Mapping

from hopguard.catalogue.facts import UNNAMED
from hopguard.record import Record
from hopguard.reports.reading import SEVERITIES
from hopguard.reports.summary import BoundedCounter


def number(count: int, noun: str) -> str:
    """Say how many there are of what `noun` names in the singular."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def severities(counts: Mapping[str, int]) -> str:
    """Say how many errors, warnings and infos there are, without those of which there are none."""
    return ", ".join(number(counts[name], name) for name in SEVERITIES if counts.get(name))


def listing[K: Hashable](counter: BoundedCounter[K], most: int) -> str:
    """List the most frequent with their counts, and how many findings the rest has."""
    shown = counter.most_common(most)
    words = [f"{_name(key)} ({count:,})" for key, count in shown]
    rest = counter.total() + counter.others - sum(count for _, count in shown)
    return ", ".join([*words, f"others ({rest:,})"] if rest else words)


def _name(key: object) -> str:
    """Join a host and its path; say what stands for a variant without a name."""
    return "".join(key) if isinstance(key, tuple) else str(key) or UNNAMED


def rule_name(record: Record) -> str:
    """Name the rule, and the variant if there is one."""
    return str(record["rule"]) + (f"/{record['variant']}" if record["variant"] else "")


def sentence(record: Record) -> str:
    """Say what was found, by whom it was sent, and where."""
    who = [record["sender"], f"on the {record['leg']} leg" if record["leg"] else None]
    facts = [_joined(who, " "), record["http_version"], record["action"]]
    known = _joined(facts[: 3 if acted(record) else 2], ", ")
    where = _joined([record["method"], record["url"]], " ")
    return _joined([message(record), f"[{known}]" if known else None, where], " ")


def _joined(parts: Iterable[str | None], separator: str) -> str:
    return separator.join(part for part in parts if part)


def message(record: Record) -> str:
    """Return the record's sentence; where it has none, say which rule is broken."""
    return str(record["message"] or f"The rule {rule_name(record)} is broken.")


def acted(record: Record) -> bool:
    """Tell whether something was done about the finding, apart from reporting it."""
    return record["action"] not in (None, "flagged")
