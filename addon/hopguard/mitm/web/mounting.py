"""The page comes and goes with the addon, while mitmweb runs."""

import asyncio
import json
import logging
from typing import Any

from mitmproxy.tools.web.master import WebMaster

from hopguard.mitm.web.handlers import HANDLERS
from hopguard.mitm.web.sources import Sources
from hopguard.record import Record

logger = logging.getLogger(__name__)

INTERVAL = 0.25
"""Seconds between two messages that there is news."""


class WebPage:
    """Takes findings, and shows them to whoever looks."""

    def __init__(self, master: WebMaster, sources: Sources) -> None:
        """Add the page to `master`; it shows `sources`."""
        self.sources = sources
        self._master = master
        self._timer: asyncio.TimerHandle | None = None
        router = master.app.default_router
        before = list(router.rules)
        master.app.add_handlers(
            ".*", [(path, handler, {"sources": self.sources}) for path, handler in HANDLERS]
        )
        self._added = [rule for rule in router.rules if rule not in before]

    def announce(self) -> None:
        """Say where the page is."""
        address, _, token = self._master.web_url.partition("?")
        query = f"?{token}" if token else ""
        logger.info("hopguard: what is found is shown at %shopguard%s", address, query)

    def add(self, record: Record) -> None:
        """Take a record; if somebody listens, tell them soon."""
        self.sources.store.add(record)
        if self.sources.listeners and self._timer is None:
            self._timer = self._master.event_loop.call_later(INTERVAL, self._tell)

    def _tell(self) -> None:
        self._timer = None
        message = json.dumps({"newest": self.sources.store.newest}).encode()
        for listener in list(self.sources.listeners):
            listener.send(message)

    def close(self) -> None:
        """Remove the page."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        rules: list[Any] = self._master.app.default_router.rules
        rules[:] = [rule for rule in rules if rule not in self._added]
        for listener in list(self.sources.listeners):
            listener.close()
