"""Which fields Connection takes away with it, and which stay whatever it says."""

from hopguard import fields
from hopguard.field_registry import END_TO_END, HANDSHAKE_PREFIX
from hopguard.message import HTTP1, Message

_FOR_THE_RECIPIENT = (
    END_TO_END
    | fields.AUTHENTICATING
    | fields.CACHING
    | fields.FRAMING
    | fields.ROUTE
    | fields.ROUTE_BY_CONVENTION
    | {b"transfer-encoding"}
)


def is_protected(name: bytes, message: Message) -> bool:
    """Tell whether a field called `name` (lower case) stays although Connection nominates it.

    Nobody may nominate a field that is for the final recipient: a rule says so for each of them.
    To obey would let a client take away credentials or its own address, or the framing of the
    message.
    """
    return (
        name in _FOR_THE_RECIPIENT
        or fields.authenticates_by_convention(name)
        or (name.startswith(HANDSHAKE_PREFIX) and message.has(b"upgrade"))
    )


def nominated(message: Message) -> frozenset[bytes]:
    """List the fields (lower case) that are to be removed because Connection nominates them."""
    if message.version not in HTTP1:
        return frozenset()
    return frozenset(
        name
        for name in message.options - fields.PERSISTENCE_OPTIONS
        if not is_protected(name, message)
    )
