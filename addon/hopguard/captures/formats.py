"""The formats of captures: which there are, and which one it is."""

from hopguard.captures.capture import Format
from hopguard.captures.flowfile import FLOW_FILE

FORMATS: tuple[Format, ...] = (FLOW_FILE,)
"""They are asked in this order."""


def find_format(head: bytes) -> Format | None:
    """Return the format of a capture that begins with `head`; None if it is none of ours."""
    return next((format_ for format_ in FORMATS if format_.recognises(head)), None)
