"""Findings on a flow: marker, comment, metadata."""

from typing import Any

from mitmproxy import flow as mitmflow

from hopguard.record import Record, identity

KEY = "hopguard"
"""Of the records in `flow.metadata`; the filter `~meta RULE` looks there."""

MOST = 500
"""Records of one flow that are shown."""

PREFIX = "hopguard: "
"""Of our line in a flow's comment; other lines are a person's."""

MARKERS = {"info": ":information_source:", "warning": ":orange_circle:", "error": ":red_circle:"}
_ORDER = list(MARKERS)
_OURS = frozenset(MARKERS.values())


def attach(flow: mitmflow.Flow, records: list[Record]) -> list[Record]:
    """Add `records` to the flow's metadata; return those that it did not hold already."""
    held: list[Record] = flow.metadata.get(KEY, [])
    known = {identity(record) for record in held}
    fresh = [record for record in records if identity(record) not in known] if held else records
    if fresh:
        flow.metadata[KEY] = held + fresh
    return fresh


def replace(flow: mitmflow.Flow, records: list[Record]) -> None:
    """Put `records` in the place of those about the same findings, and add the others."""
    fresh = {identity(record): record for record in records}
    held: list[Record] = flow.metadata.get(KEY, [])
    kept = [fresh.pop(identity(record), record) for record in held]
    flow.metadata[KEY] = [*kept, *fresh.values()]


def read(flow: mitmflow.Flow) -> tuple[list[Record], int]:
    """Read the records of a flow; also return how many entries were left out.

    A saved flow may hold anything under our key. What is returned here is as `normalise` says,
    each finding once, and no more than `MOST`.
    """
    from hopguard.reports.reading import NoRecordError, normalise  # only where people look

    held: Any = flow.metadata.get(KEY)
    entries = list(held) if isinstance(held, list | tuple) else [held] if held else []
    records: dict[tuple[object, ...], Record] = {}
    left_out = len(entries[MOST:])
    for entry in entries[:MOST]:
        try:
            record, _ = normalise(entry)
        except NoRecordError:
            left_out += 1
        else:
            records.setdefault(identity(record), record)
    return list(records.values()), left_out


def detach(flow: mitmflow.Flow) -> None:
    """Remove what an earlier run left on a saved flow, which is about to be judged anew."""
    if flow.metadata.pop(KEY, None) is not None:
        flow.comment = _others(flow.comment)
        if flow.marked in _OURS:
            flow.marked = ""


def mark(flow: mitmflow.Flow) -> None:
    """Mark the flow by its worst finding; a person's own marker stays."""
    if not flow.marked or flow.marked in _OURS:
        severities = {record["severity"] for record in flow.metadata[KEY]}
        flow.marked = MARKERS[max(severities, key=_ORDER.index)]


def comment(flow: mitmflow.Flow) -> None:
    """Name the rules in the flow's comment, in one line below what a person wrote."""
    rules = dict.fromkeys([record["rule"] for record in flow.metadata[KEY]])
    own = PREFIX + ", ".join(rules)
    if flow.comment != own:
        others = _others(flow.comment) if flow.comment else ""
        flow.comment = f"{others}\n{own}" if others else own


def _others(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith(PREFIX))
