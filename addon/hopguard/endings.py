"""What the end of a message may settle that its header section left open."""

from hopguard.fields import PERSISTENCE_OPTIONS
from hopguard.message import RawFields


def leaves_open(fields: RawFields) -> bool:
    """Tell whether the end of a message may settle what its header section `fields` left open.

    Trailer announces fields; and a field that Connection nominates may still come as a trailer.
    """
    names = [name.lower() for name, _ in fields]
    if b"trailer" in names:
        return True
    return b"connection" in names and any(
        value.lower() not in PERSISTENCE_OPTIONS
        for name, (_, value) in zip(names, fields, strict=True)
        if name == b"connection"
    )
