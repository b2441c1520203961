"""The page /hopguard inside mitmweb. Nothing of it is imported, or kept in memory, elsewhere."""

import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from mitmproxy import contentviews
from mitmproxy.master import Master

from hopguard.record import Redaction

if TYPE_CHECKING:
    from hopguard.mitm.web.mounting import WebPage

logger = logging.getLogger(__name__)


def mount(
    master: Master, redaction: Callable[[], Redaction], closed_by: Callable[[str], str | None]
) -> "WebPage | None":
    """Add the page to mitmweb; None in any other mitmproxy.

    `redaction` says what is not shown at the moment, `closed_by` who closed a connection.
    """
    web = sys.modules.get("mitmproxy.tools.web.master")
    if web is None or not isinstance(master, web.WebMaster):
        return None
    if not hasattr(contentviews, "registry"):
        logger.info("hopguard: the page /hopguard needs mitmproxy 12 or later")
        return None
    from hopguard.mitm.web.mounting import WebPage
    from hopguard.mitm.web.sources import Sources

    return WebPage(master, Sources(redaction, closed_by))
