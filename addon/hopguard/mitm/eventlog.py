"""Findings in mitmproxy's event log: what mitmdump prints."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from mitmproxy import ctx

from hopguard.mitm.lines import LEVELS, as_extra, line_of, start_colouring, stop_colouring
from hopguard.mitm.repeats import Count, Repeats
from hopguard.record import Record

logger = logging.getLogger(__name__)


class EventLog:
    """Says each finding in a line, and counts those that come over and over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin; `clock` gives seconds."""
        self._repeats = Repeats(clock)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Prepare the terminal, if there is one."""
        start_colouring()

    def tell(self, record: Record) -> None:
        """Say what `record` holds, or count it."""
        if self._repeats.admits(record):
            line = line_of(record)
            logger.log(LEVELS[line.severity], "%s", line, extra=as_extra(line))
        elif self._timer is None:  # if one runs, it is that of the count which is due first
            self._tell_due()

    def _tell_due(self) -> None:
        wait = self._repeats.wait()
        if wait == 0.0:
            self._say(self._repeats.due())
            wait = self._repeats.wait()
        if wait is not None and self._timer is None:
            # Where traffic ends, too. It keeps nothing alive: the loop ends with its main task.
            self._timer = ctx.master.event_loop.call_later(wait, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._tell_due()

    def _say(self, counts: Iterable[Count]) -> None:
        for count in counts:
            logger.log(LEVELS[count.severity], "%s", count, extra=as_extra(count))

    def stop(self) -> None:
        """Say the counts that are left, and leave mitmproxy's log as it was."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._say(self._repeats.rest())
        stop_colouring()
