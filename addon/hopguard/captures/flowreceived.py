"""What peers sent, in flows of which the addon has edited a message before they were saved."""

from contextlib import suppress

from hopguard.captures.tnetstrings import (
    DICTIONARY,
    LIST,
    DamageError,
    Members,
    Span,
    items,
    members,
    pair,
)
from hopguard.message import RawFields
from hopguard.restoring import KEY, RECEIVED, SENT, Which, restore


def received(data: bytes, flow: Members, which: Which, now: RawFields) -> RawFields:
    """Return the field lines that a peer sent, of a message that has the lines `now`.

    The metadata of a flow may hold anything, also under our key: what is not as the addon writes it
    counts for nothing.
    """
    if b"metadata" not in flow:  # nearly always: it is empty, and was not taken apart
        return now
    with suppress(DamageError):
        span: Span | None = flow[b"metadata"]
        for name in (KEY, which):
            span = _dictionary(data, span).get(name.encode())
        sides = _dictionary(data, span)
        before, sent = (_lines(data, sides.get(side.encode())) for side in (RECEIVED, SENT))
        return restore(before, sent, now)
    return now


def _dictionary(data: bytes, span: Span | None) -> Members:
    if span is None or data[span[1]] != DICTIONARY:
        raise DamageError("this is no dictionary")
    return members(data, *span)


def _lines(data: bytes, span: Span | None) -> RawFields:
    if span is None or data[span[1]] != LIST:
        raise DamageError("these are no field lines")
    return tuple(pair(data[start:stop]) for start, stop in items(data, *span))
