"""What the end of a message may settle that its header section left open."""

from collections.abc import Iterable

from hopguard.fields import PERSISTENCE_OPTIONS
from hopguard.message import RawFields
from hopguard.selection import Selection


def leaves_open(lines: Iterable[tuple[bytes, bytes]]) -> bool:
    """Tell whether the end of a message may settle what its header section left open.

    Of that, `lines` called Connection or Trailer count: Trailer announces fields; and a field that
    Connection nominates may still come as a trailer.
    """
    for name, value in lines:
        meant = name.lower()
        if meant == b"trailer":
            return True
        if meant == b"connection" and value.lower() not in PERSISTENCE_OPTIONS:
            return True
    return False


def section_leaves_open(fields: RawFields) -> bool:
    """Tell the same of a whole header section, of which nobody has chosen lines yet."""
    return leaves_open(_TELLING.of(fields))


_TELLING = Selection(lambda name: name.lower() in (b"connection", b"trailer"))
