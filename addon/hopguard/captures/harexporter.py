"""What programs that write HAR files keep of a message. HAR itself does not say."""

from typing import Any, NamedTuple

from hopguard.captures import losses
from hopguard.captures.capture import Loss

LOST: tuple[Loss, ...] = (
    losses.TRAILERS,
    losses.INTERIM_RESPONSES,
    losses.OTHER_PROTOCOLS,
    losses.CONNECTIONS,
    losses.ROUTE,
)
"""What no HAR file holds. With some programs `connection` is one, but their times are those of a
page, not of the wire: a request seems to come before the response whose end it waited for."""


class Exporter(NamedTuple):
    """How faithful a program is."""

    lost: tuple[Loss, ...]
    """What it loses of every message."""
    is_proxy: bool = False
    """Whether it shows what came over the wire, even what a browser adds to a request after that
    has left the page, and each field line by itself."""


MITMPROXY = Exporter((losses.PSEUDO_FIELDS,), is_proxy=True)
CHROMIUM = Exporter((losses.OCTETS, losses.LINES))
OTHER = Exporter(
    (
        losses.OCTETS,
        losses.LINES,
        losses.FIELDS,
        losses.FRAMING,
        losses.VERSIONS,
        losses.AS_HTTP11,
        losses.PSEUDO_FIELDS,
    )
)

_BY_CREATOR = {
    "mitmproxy": MITMPROXY,
    "webinspector": CHROMIUM,  # the DevTools of Chrome, Edge, and others of the family
    "chrome har capturer": CHROMIUM,
}
"""By the name of the creator, in lower case. Only those that were looked at closely stand here:
others are taken for programs that leave out, join and write again what they like."""


def exporter_of(creator: Any) -> Exporter:
    """Return what is known of the program that the member `creator` of a HAR names."""
    name = creator.get("name") if isinstance(creator, dict) else None
    return _BY_CREATOR.get(name.lower(), OTHER) if isinstance(name, str) else OTHER
