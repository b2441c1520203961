"""The comparison as text, as Markdown, and in the short form of the README."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scripts.sidebyside_case import Case
from scripts.sidebyside_exchange import Seen
from scripts.sidebyside_judge import Fault, differences, faults, unsafe
from scripts.sidebyside_products import CONFORMING
from scripts.sidebyside_reasons import reason

UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Comparison:
    """All that was seen."""

    cases: Sequence[Case]
    versions: Mapping[str, str]
    """By column, in order."""
    seen: Mapping[str, Sequence[Seen]]

    def titles(self) -> list[str]:
        """Name the columns, with their versions."""
        return [f"{name} {version}".rstrip() for name, version in self.versions.items()]

    def wrong(self, column: str, number: int) -> list[Fault]:
        """List what is wrong with a case in a column."""
        return faults(self.cases[number], self.seen[column][number])

    def unlike(self, column: str, number: int) -> list[Fault]:
        """List where a case differs from the same with conforming forwarding."""
        reference = self.seen[CONFORMING][number]
        return differences(self.cases[number], self.seen[column][number], reference)

    def deleted(self, column: str, number: int) -> list[Fault]:
        """List the protected fields that a column lets Connection delete."""
        return unsafe(self.cases[number], self.seen[column][number])

    def bugs(self) -> list[str]:
        """List what conforming forwarding does not do as it must."""
        return [
            f"{case.kind}, {case.topic}, {case.name}: {fault.says}"
            for number, case in enumerate(self.cases)
            for fault in (*self.wrong(CONFORMING, number), *self.deleted(CONFORMING, number))
        ]

    def unexplained(self) -> list[str]:
        """List the differences for which no reason is known."""
        return sorted(
            {
                f"{column}: {fault.kind} ({fault.says}; {case.kind}, {case.topic}, {case.name})"
                for column in self.versions
                for number, case in enumerate(self.cases)
                for fault in self.unlike(column, number)
                if reason(column, fault.kind, case.kind) is None
            }
        )


def topics(cases: Sequence[Case]) -> dict[str, list[int]]:
    """Give the numbers of the cases of each topic."""
    found: dict[str, list[int]] = {}
    for number, case in enumerate(cases):
        found.setdefault(case.topic, []).append(number)
    return found


def shown(case: Case, seen: Seen) -> list[str]:
    """Write what arrived, one field line each."""
    if not seen.arrived:
        return [f"(answers {seen.status})" if seen.status else "(no response)"]
    lines = [f"{name}: {value}".rstrip() for name, value in seen.lines]
    if case.body:
        lines += [f"{name}: {value}" for name, value in seen.framing]
    return lines or ["(nothing of it)"]


def text(comparison: Comparison) -> str:
    """Write everything for a terminal."""
    width = max(map(len, [*comparison.versions, "RFC 9110"])) + 2
    lines = ["Compared: " + ", ".join(comparison.titles())]
    for number, case in enumerate(comparison.cases):
        lines += ["", f"{number + 1}. {case.kind}, {case.topic}: {case.name}"]
        lines += [f"   {'sent':{width}}{_joined(case.sent)}"]
        lines += [f"   {'RFC 9110':{width}}{_asked(case)}"]
        for column in comparison.versions:
            mark = "-" if comparison.wrong(column, number) else "+"
            lines += [f" {mark} {column:{width}}{_joined(_shown(comparison, column, number))}"]
            lines += [f"   {'':{width}}  {why}" for why in _reasons(comparison, column, number)]
    return "\n".join(lines)


def _shown(comparison: Comparison, column: str, number: int) -> list[str]:
    return shown(comparison.cases[number], comparison.seen[column][number])


def _joined(lines: Sequence[str]) -> str:
    return " | ".join(line.replace("\t", "\\t") for line in lines)


def _asked(case: Case) -> str:
    parts = [_joined(case.on) or "nothing of it"]
    if case.may:
        parts.append(f"perhaps {_joined(case.may)}")
    if case.protected:
        parts.append(f"not {_joined(case.protected)}, though nominating it is forbidden")
    if case.refusal:
        parts.append("or an error")
    return "; ".join(parts) + (f". {case.note}" if case.note else "")


def _reasons(comparison: Comparison, column: str, number: int) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for fault in comparison.unlike(column, number):
        why = reason(column, fault.kind, comparison.cases[number].kind) or UNEXPLAINED
        found.setdefault(why, []).append(fault.says)
    for why, says in found.items():
        yield f"{_together(says)}: {why}"


def markdown(comparison: Comparison) -> str:
    """Write everything as Markdown: a table for each topic, and then the reasons."""
    names = list(comparison.versions)
    lines = [f"Compared: {', '.join(comparison.titles())}."]
    for title, numbers in topics(comparison.cases).items():
        lines += ["", f"## {title}", "", f"| sent | RFC 9110 | {' | '.join(names)} |"]
        lines += ["| --- " * (len(names) + 2) + "|"]
        lines += [_row(comparison, number) for number in numbers]
    lines += ["", "## Why they differ", "", "From hopguard's conforming forwarding, that is."]
    for column in names:
        why = _why(comparison, column)
        if why:
            lines += ["", f"### {column}", "", *(f"- {one}" for one in why)]
    return "\n".join(lines) + "\n"


def _row(comparison: Comparison, number: int) -> str:
    case = comparison.cases[number]
    cells = [f"{case.kind}: {case.name}<br>{_code(case.sent)}", _escaped(_asked(case))]
    for column in comparison.versions:
        wrong = "**no:** " if comparison.wrong(column, number) else ""
        cells.append(wrong + _code(_shown(comparison, column, number)))
    return f"| {' | '.join(cells)} |"


def _code(lines: Sequence[str]) -> str:
    return "<br>".join(line if line.startswith("(") else f"`{_escaped(line)}`" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("\t", "\\t").replace("|", "/")


def _why(comparison: Comparison, column: str) -> list[str]:
    found: dict[str, set[str]] = {}
    for number, case in enumerate(comparison.cases):
        for fault in comparison.unlike(column, number):
            why = reason(column, fault.kind, case.kind) or UNEXPLAINED
            found.setdefault(why, set()).add(fault.says)
    return [f"{_together(says)}: {why}" for why, says in found.items()]


def _together(says: Iterable[str]) -> str:
    """Say what differs, with what is said in the same words said once."""
    words: dict[str, list[str]] = {}
    for one in sorted(says):
        start, _, last = one.rpartition(" ")
        words.setdefault(start, []).append(last)
    return "; ".join(f"{start} {', '.join(last)}" for start, last in words.items())


def summary(comparison: Comparison) -> str:
    """Write how many cases of each topic are as the RFC has them."""
    names = comparison.titles()
    lines = [f"| requests and responses | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
    for title, numbers in topics(comparison.cases).items():
        lines.append(_counts(title, numbers, comparison.wrong, comparison))
    everything = list(range(len(comparison.cases)))
    lines.append(_counts("all", everything, comparison.wrong, comparison))
    protected = [number for number in everything if comparison.cases[number].protected]
    title = "a field that must not be nominated stays"
    lines.append(_counts(title, protected, comparison.deleted, comparison))
    return "\n".join(lines)


def _counts(title: str, numbers: Sequence[int], wrong: object, comparison: Comparison) -> str:
    assert callable(wrong)
    right = [
        str(sum(not wrong(column, number) for number in numbers)) for column in comparison.versions
    ]
    return f"| {title} ({len(numbers)}) | {' | '.join(right)} |"
