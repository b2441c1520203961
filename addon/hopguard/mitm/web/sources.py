"""What the handlers of the page draw on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hopguard.mitm.web.assets import Charts
from hopguard.mitm.web.store import FindingStore
from hopguard.record import Redaction


@dataclass
class Sources:
    """The findings, and what goes with them."""

    redaction: Callable[[], Redaction]
    """What is not shown at the moment."""
    closed_by: Callable[[str], str | None]
    """Tells by a connection's id who has closed it; None if it is open, or nobody knows."""
    store: FindingStore = field(default_factory=FindingStore)
    charts: Charts = field(default_factory=Charts)
    listeners: set[Any] = field(default_factory=set)
    """Open sockets to pages."""
