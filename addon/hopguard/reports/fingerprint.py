"""What makes two findings the same one: not when, in which message, or with which id in the URL."""

import hashlib
from typing import NamedTuple

from hopguard.record import Record
from hopguard.reports.places import place_of, without_ids

FIELD_LIMIT = 256
"""Characters of a field name that count."""


class Fingerprint(NamedTuple):
    """Which rule is broken by whom, in which field, where."""

    rule: str
    variant: str
    sender: str
    field: str
    """In lower case."""
    host: str
    path: str
    """Without query, and without what `without_ids` takes away, as is the host."""

    @property
    def digest(self) -> str:
        """Return a short text that stands for all of it."""
        # The parts are printable, so this separator is in none of them.
        return hashlib.sha256("\n".join(self).encode()).hexdigest()[:32]


def fingerprint(record: Record) -> Fingerprint:
    """Return the fingerprint of `record`, which is as `read_records` gives it."""
    place = without_ids(place_of(record))
    return Fingerprint(
        record["rule"],
        record["variant"] or "",
        record["sender"] or "",
        (record["field"] or "").lower()[:FIELD_LIMIT],
        place.host,
        place.path,
    )
