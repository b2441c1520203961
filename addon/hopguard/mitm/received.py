"""What was received, where something else is sent on: a flow holds only one header section.

It is kept beside the flow, with what we made of it, so that the flow can be judged by what its
peers sent, now and when it is loaded from a file, and people see both.
"""

from typing import Any

from mitmproxy import http

from hopguard.message import FieldLine, RawFields
from hopguard.record import Redaction
from hopguard.restoring import KEY, RECEIVED, SENT, Which, restore
from hopguard.text import REDACTED


def remember(flow: http.HTTPFlow, which: Which, sent: RawFields, redaction: Redaction) -> None:
    """Put `sent` in the place of the header section, and keep what was received.

    A secret that is not sent on is not kept either.
    """
    message = flow.request if which == "request" else flow.response
    assert message is not None
    before: RawFields = tuple(message.headers.fields)
    if sent == before:
        return
    message.headers.fields = sent
    original = received(flow, which, before)
    if sent == original:
        forget(flow, which)
        return
    kept = [
        [name, REDACTED.encode() if _is_lost_secret(name, value, sent, redaction) else value]
        for name, value in original
    ]
    entries = flow.metadata.get(KEY)
    flow.metadata[KEY] = {
        **(entries if isinstance(entries, dict) else {}),
        which: {RECEIVED: kept, SENT: [[name, value] for name, value in sent]},
    }


def received(flow: http.HTTPFlow, which: Which, now: RawFields) -> RawFields:
    """Return the field lines that a peer sent, of a message that has the lines `now`."""
    if KEY not in flow.metadata:
        return now  # quickly, of nearly all flows
    entry = _entry(flow, which)
    return now if entry is None else restore(_lines(entry[RECEIVED]), _lines(entry[SENT]), now)


def is_edited(flow: http.HTTPFlow, which: Which) -> bool:
    """Tell whether something else is sent on than what was received."""
    return _entry(flow, which) is not None


def forget(flow: http.HTTPFlow, which: Which) -> None:
    """Forget what was received: it is sent on, or a person has put another message in its place."""
    entries: Any = flow.metadata.get(KEY)
    if not isinstance(entries, dict) or which not in entries:
        return
    others = {key: entry for key, entry in entries.items() if key != which}
    if others:
        flow.metadata[KEY] = others
    else:
        del flow.metadata[KEY]


def _is_lost_secret(name: bytes, value: bytes, sent: RawFields, redaction: Redaction) -> bool:
    line = FieldLine("header", 0, name, value)
    return (name, value) not in sent and redaction.hides_line(line)


def _entry(flow: http.HTTPFlow, which: Which) -> dict[str, Any] | None:
    """Return what is kept of a message; a saved flow may hold anything under our key."""
    entries: Any = flow.metadata.get(KEY)
    entry = entries.get(which) if isinstance(entries, dict) else None
    if not isinstance(entry, dict) or not all(_are_lines(entry.get(key)) for key in _SIDES):
        return None
    return entry


_SIDES = (RECEIVED, SENT)


def _are_lines(lines: Any) -> bool:
    return isinstance(lines, list | tuple) and all(
        isinstance(line, list | tuple)
        and len(line) == 2
        and all(isinstance(part, bytes) for part in line)
        for line in lines
    )


def _lines(lines: Any) -> RawFields:
    return tuple((name, value) for name, value in lines)
