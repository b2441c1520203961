"""What happens on a connection, as small plain values that can be pickled and put in order.

A `Key` says on which connection; times are seconds since the epoch, as in the messages. None is
unknown, and unknown is not absent: a rule that needs an unknown fact stays silent. Octets of
messages are not kept, only what connections live and die by.
"""

from hopguard.events.heads import (
    HASHED,
    SHORT,
    TELLING,
    TELLING_KIND,
    doubt_about,
    fingerprint,
    is_delimited,
    request_head,
    response_head,
)
from hopguard.events.kinds import (
    IDEMPOTENT,
    Aborted,
    Closed,
    ClosedBy,
    Event,
    Failure,
    Key,
    Opened,
    RequestEnd,
    RequestHead,
    ResponseEnd,
    ResponseHead,
    StillOpen,
    Unsolicited,
)

__all__ = [
    "HASHED",
    "IDEMPOTENT",
    "SHORT",
    "TELLING",
    "TELLING_KIND",
    "Aborted",
    "Closed",
    "ClosedBy",
    "Event",
    "Failure",
    "Key",
    "Opened",
    "RequestEnd",
    "RequestHead",
    "ResponseEnd",
    "ResponseHead",
    "StillOpen",
    "Unsolicited",
    "doubt_about",
    "fingerprint",
    "is_delimited",
    "request_head",
    "response_head",
]
