"""What the end of a message may settle that its header section left open."""

from hopguard.fields import PERSISTENCE_OPTIONS
from hopguard.message import RawFields
from hopguard.selection import Selection


def leaves_open(fields: RawFields) -> bool:
    """Tell whether the end of a message may settle what its header section `fields` left open.

    Trailer announces fields; and a field that Connection nominates may still come as a trailer.
    """
    for name, value in _TELLING.of(fields):
        if name.lower() == b"trailer" or value.lower() not in PERSISTENCE_OPTIONS:
            return True
    return False


_TELLING = Selection(lambda name: name.lower() in (b"trailer", b"connection"))
