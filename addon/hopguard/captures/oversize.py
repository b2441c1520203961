"""Records of flow files that are too large to be held: copied without what no rule needs."""

from hopguard.captures.buffered import Buffered
from hopguard.captures.tnetstrings import MEMBER, MEMBER_LIMIT, DamageError

MEMBER_KEPT = 1 << 20
"""Octets of a member that is copied whatever it is."""

SECTION_LIMIT = 4 << 20
"""Octets of a header or trailer section."""

_MESSAGES, _SECTIONS = (b"request", b"response"), (b"headers", b"trailers")


def slim(source: Buffered, length: int, depth: int = 0) -> bytes:
    """Read the dictionary of `length` octets that begins here, and copy what may be of interest.

    That is all that is small, and what is small in the messages. Content above all is not. Nothing
    is skipped that counts: what is not skipped, and is too large, is an error.

    Raises:
        DamageError: it is no dictionary, or a header section is too large.
        EndsTooEarlyError: the file ends within it.
    """
    stop = source.offset + length
    copied = []
    while source.offset < stop:
        member = source.prefix(MEMBER, MEMBER_LIMIT)
        if member is None:
            raise DamageError("a member of a dictionary does not begin as it should")
        name, size = member[1], int(member[2])
        source.skip(len(member[0]))
        if source.offset + size >= stop:
            raise DamageError("a value is longer than what it is part of")
        key = b"%d:%s;" % (len(name), name)
        if size <= MEMBER_KEPT:
            copied.append(b"%s%d:%s" % (key, size, source.take(size + 1)))
        elif depth == 0 and name in _MESSAGES:
            inner = slim(source, size, depth + 1)
            copied.append(b"%s%d:%s%s" % (key, len(inner), inner, source.take(1)))
        elif name in _SECTIONS:
            if size > SECTION_LIMIT:
                raise DamageError(f"a header section has {size:,} octets")
            copied.append(b"%s%d:%s" % (key, size, source.take(size + 1)))
        else:
            source.skip(size + 1)
    return b"".join(copied)
