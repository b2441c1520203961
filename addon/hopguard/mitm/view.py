"""Findings on a flow: marker, comment, metadata, and the line in the event log."""

import logging

from mitmproxy import flow as mitmflow

from hopguard.record import Record

KEY = "hopguard"
"""Of the records in `flow.metadata`; the filter `~meta RULE` looks there."""

PREFIX = "hopguard: "
"""Of our line in a flow's comment; other lines are a person's."""

MARKERS = {"info": ":information_source:", "warning": ":orange_circle:", "error": ":red_circle:"}
_ORDER = list(MARKERS)

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.WARNING}
"""Of a finding in the event log. Not ERROR: at start mitmproxy takes that for its own failure."""


def attach(flow: mitmflow.Flow, records: list[Record]) -> list[Record]:
    """Add `records` to the flow's metadata; return those that it did not hold already."""
    held: list[Record] = flow.metadata.get(KEY, [])
    known = {_identity(record) for record in held}
    fresh = [record for record in records if _identity(record) not in known]
    if fresh:
        flow.metadata[KEY] = held + fresh
    return fresh


def detach(flow: mitmflow.Flow) -> None:
    """Remove what an earlier run left on a saved flow, which is about to be judged anew."""
    if flow.metadata.pop(KEY, None) is not None:
        flow.comment = _others(flow.comment)
        if flow.marked in MARKERS.values():
            flow.marked = ""


def _identity(record: Record) -> tuple[object, ...]:
    return tuple(record[key] for key in ("rule", "variant", "part", "field", "line", "message"))


def mark(flow: mitmflow.Flow) -> None:
    """Mark the flow by its worst finding; a person's own marker stays."""
    worst = max((record["severity"] for record in flow.metadata[KEY]), key=_ORDER.index)
    if flow.marked in ("", *MARKERS.values()):
        flow.marked = MARKERS[worst]


def comment(flow: mitmflow.Flow) -> None:
    """Name the rules in the flow's comment, in one line below what a person wrote."""
    rules = dict.fromkeys(record["rule"] for record in flow.metadata[KEY])
    own = PREFIX + ", ".join(rules)
    others = _others(flow.comment)
    flow.comment = f"{others}\n{own}" if others else own


def _others(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith(PREFIX))


def event_line(record: Record) -> str:
    """Return the line of the event log: what was found, where, and the requirement."""
    rule = record["rule"] + (f"/{record['variant']}" if record["variant"] else "")
    where = " ".join(record[key] for key in ("method", "url") if record[key])
    who = f"{record['sender']} on the {record['leg']} leg, {record['http_version']}"
    peer = where or record["client"] or "unknown client"
    action = "" if record["action"] == "flagged" else f", {record['action']}"
    return f"{record['severity']} {rule}: {record['message']} [{who}{action}] {peer}"
