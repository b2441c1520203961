"""What sort of field line one is: for whom it is meant, and whether it may be here at all."""

from enum import StrEnum

from hopguard.field_registry import HANDSHAKE_PREFIX
from hopguard.fields import CONNECTION_SPECIFIC, HOP_BY_HOP
from hopguard.message import HTTP1, FieldLine, Message


class FieldClass(StrEnum):
    """A sort of field line. The value is the short name that people read."""

    FORBIDDEN = "forbidden here"
    NOT_IN_TRAILERS = "not in trailers"
    HOP_BY_HOP = "hop-by-hop"
    NOMINATED = "nominated"
    END_TO_END = "end-to-end"

    @property
    def meaning(self) -> str:
        """Say in half a sentence what follows from it."""
        return _MEANINGS[self]


_MEANINGS = {
    FieldClass.FORBIDDEN: "connection-specific, which HTTP/2 and HTTP/3 do not allow.",
    FieldClass.NOT_IN_TRAILERS: "about framing, routing or the connection; a trailer section comes"
    " too late for that.",
    FieldClass.HOP_BY_HOP: "for the next recipient alone, not to be forwarded blindly.",
    FieldClass.NOMINATED: "listed in Connection: an intermediary has to remove it.",
    FieldClass.END_TO_END: "for the final recipient; intermediaries pass it on.",
}


def classify(line: FieldLine, message: Message) -> FieldClass:
    """Return the class of `line`, a field line of `message`.

    What must not be there comes before what it would mean. On HTTP/2 and HTTP/3 that is the closed
    list of RFC 9113, section 8.2.2, with what Connection names beside it; TE has leave to say
    `trailers` and is hop-by-hop. `close` is an option only: a field of that name is hop-by-hop as a
    reserved name, not by nomination (RFC 9110, section 9.6).
    """
    name = line.name.lower()
    nominated = name in message.options - {b"close", b"te"}
    if message.version not in HTTP1 and (name in CONNECTION_SPECIFIC or nominated):
        return FieldClass.FORBIDDEN
    if line.section == "trailer" and name in message.forbidden_in_trailers:
        return FieldClass.NOT_IN_TRAILERS
    if name in HOP_BY_HOP or name.startswith(HANDSHAKE_PREFIX):
        return FieldClass.HOP_BY_HOP
    return FieldClass.NOMINATED if nominated else FieldClass.END_TO_END
