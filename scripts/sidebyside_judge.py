"""Hold what arrived against what RFC 9110, section 7.6.1, asks for, and against each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.sidebyside_case import FRAMING, Case, Line, parse, parsed
from scripts.sidebyside_exchange import CONNECTION_FIELDS, Seen

OWN_OPTIONS = frozenset({"close", "keep-alive"})
"""What every sender may say of its own connection."""


@dataclass(frozen=True, order=True)
class Fault:
    """Something that is not as the RFC has it, or not as with somebody else."""

    kind: str
    """By which reasons are found."""
    says: str


def faults(case: Case, seen: Seen) -> list[Fault]:
    """List what is wrong with what came of a case."""
    if not seen.arrived:
        refused = seen.status is None or seen.status >= 400
        if case.refusal and refused:
            return []
        return [Fault("refusal", f"answers {seen.status or 'nothing'}")]
    found = [
        *_relayed(case, seen),
        *_lost(case, seen),
        *_options(case, seen),
        *_framing(case, seen),
    ]
    return sorted(set(found))


def _relayed(case: Case, seen: Seen) -> Iterator[Fault]:
    fine = {*parsed(case.on), *parsed(case.may), *parsed(case.protected)}
    for name, value in parsed(case.lines):
        if name in FRAMING | {"connection"} or (name, value) in fine:
            continue
        if (name, value) in seen.lines:
            yield Fault(kind_of(case, name), f"relays {name}")


def _lost(case: Case, seen: Seen) -> Iterator[Fault]:
    for line in parsed(case.on):
        if line not in seen.lines:
            yield Fault("loss", f"loses {line[0]}")


def _options(case: Case, seen: Seen) -> Iterator[Fault]:
    options = set(seen.options())
    re_issued = {name for name in ("te", "upgrade") if seen.values(name)}
    if seen.version in ("HTTP/2", "HTTP/3"):
        for name in ("connection", "keep-alive", "proxy-connection", "upgrade"):
            if seen.values(name):
                yield Fault(f"http2-{name}", f"sends {name} on {seen.version}")
        return
    for option in sorted(options - OWN_OPTIONS - re_issued):
        yield Fault("option", f"relays the option {option}")
    if "" in seen.values("connection"):
        yield Fault("option", "relays an empty Connection")
    for name in sorted(re_issued - options):
        yield Fault("unlisted", f"sends {name} without its option")
    if options >= OWN_OPTIONS:
        yield Fault("option", "relays both close and keep-alive")


def _framing(case: Case, seen: Seen) -> Iterator[Fault]:
    names = [name for name, _ in seen.framing]
    codings = [value.lower() for name, value in seen.framing if name == "transfer-encoding"]
    if seen.messages > 1:
        yield Fault("split", f"makes {seen.messages} requests of one")
    if len(set(names)) > 1 or codings not in ([], ["chunked"]):
        yield Fault("framing", "sends framing that can be read in two ways")
    if codings and (seen.version == "HTTP/1.0" or case.version == "HTTP/1.0"):
        yield Fault("chunked-to-1.0", "sends chunks to HTTP/1.0")
    if seen.body != case.body:
        yield Fault("body", "changes the content")
    if case.kind == "request" and seen.hosts != 1:
        yield Fault("host", f"sends {seen.hosts} lines of Host")


def kind_of(case: Case, name: str) -> str:
    """Class a field of a case."""
    if name in CONNECTION_FIELDS:
        return name
    if name in case.options():
        return (
            "protected" if name in {found for found, _ in parsed(case.protected)} else "nominated"
        )
    return name


def unsafe(case: Case, seen: Seen) -> list[Fault]:
    """List the protected lines that are gone."""
    gone = [parse(line) for line in case.protected if parse(line) not in seen.lines]
    return [Fault("protected", f"lets Connection delete {name}") for name, _ in gone]


def differences(case: Case, seen: Seen, reference: Seen) -> list[Fault]:
    """List where what came of a case differs from what came of it with `reference`."""
    if not seen.arrived and not reference.arrived:
        return []
    if seen.arrived != reference.arrived:
        how = "forwards it" if seen.arrived else "does not forward it"
        return [Fault("forwards" if seen.arrived else "refusal", how)]
    found = {
        Fault(kind_of(case, name), f"{word} {name}") for name, word in _unlike(seen, reference)
    }
    found |= set(_unlike_options(seen, reference))
    if seen.messages > reference.messages:
        found.add(Fault("split", f"makes {seen.messages} requests of one"))
    if seen.version != reference.version:
        found.add(Fault(seen.version, f"speaks {seen.version}"))
    if _shape(seen) != _shape(reference):
        found.add(Fault("framing", f"frames with {' and '.join(_shape(seen)) or 'nothing'}"))
    if seen.body != reference.body:
        found.add(Fault("body", "changes the content"))
    return sorted(found)


def _unlike(seen: Seen, reference: Seen) -> Iterator[tuple[str, str]]:
    for name in sorted({name for name, _ in (*seen.lines, *reference.lines)} - {"connection"}):
        mine, other = seen.values(name), reference.values(name)
        if mine != other:
            yield name, "sends" if not other else "lacks" if not mine else "changes"


def _unlike_options(seen: Seen, reference: Seen) -> Iterator[Fault]:
    mine, other = set(seen.options()), set(reference.options())
    for option in sorted(mine - other):
        kind = f"own {option}" if option in OWN_OPTIONS else "option"
        yield Fault(kind, f"sends the option {option}")
    for option in sorted(other - mine):
        yield Fault(f"no {option}", f"does not send the option {option}")
    if "" in seen.values("connection") and "" not in reference.values("connection"):
        yield Fault("option", "relays an empty Connection")


def _shape(seen: Seen) -> list[str]:
    lines: list[Line] = [(name, value.lower()) for name, value in seen.framing]
    return sorted({name for name, _ in lines})
