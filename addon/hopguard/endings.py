"""What the end of a message may settle that its header section left open."""

from hopguard.fields import PERSISTENCE_OPTIONS
from hopguard.framing import framing_lines
from hopguard.message import RawFields


def leaves_open(fields: RawFields) -> bool:
    """Tell whether the end of a message may settle what its header section `fields` left open.

    Trailer announces fields; and a field that Connection nominates may still come as a trailer.
    """
    for name, value in framing_lines(fields):
        if name == b"trailer":
            return True
        if name == b"connection" and value.lower() not in PERSISTENCE_OPTIONS:
            return True
    return False
