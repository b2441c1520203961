"""What was received, of a message that the addon has edited: it keeps both beside the flow."""

from typing import Literal

from hopguard.message import RawFields

KEY = "hopguard_received"
"""In a flow's metadata: for each message that was edited, its field lines before and after."""

RECEIVED, SENT = "received", "sent"
"""Of an entry under that key: the field lines that came, and those that were sent instead."""

Which = Literal["request", "response"]


def restore(before: RawFields, sent: RawFields, now: RawFields) -> RawFields:
    """Return the field lines that a peer sent, of a message that has the lines `now`.

    They were the lines `before`, until the addon made those that it has `sent` of them. Where
    somebody else has edited the message since, it is what it is now, without what the addon added.
    """
    if now == sent:
        return before
    ours = [line for line in sent if line not in before]
    return tuple(line for line in now if line not in ours)
