"""Findings in the event log: lines, counts, and the end."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from mitmproxy.test import taddons

from hopguard.mitm.eventlog import EventLog
from hopguard.mitm.repeats import INTERVAL, LINES
from hopguard.record import Record
from tests.mitm.test_lines import record


class Loop:
    """An event loop, as far as timers go."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: object) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.now + delay, callback, (), self)  # type: ignore[arg-type]
        self.timers.append(handle)
        return handle

    def get_debug(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self.timers.remove(handle)

    def advance(self) -> None:
        """Go to the next timer."""
        timer = self.timers.pop(0)
        self.now = timer.when()
        timer._run()


@pytest.fixture
def loop(caplog: pytest.LogCaptureFixture) -> Iterator[Loop]:
    made = Loop()
    with taddons.context() as context, caplog.at_level(logging.INFO):
        own, context.master.event_loop = context.master.event_loop, made
        yield made
        context.master.event_loop = own


def tell(log: EventLog, number: int, one: Record) -> None:
    for _ in range(number):
        log.tell(one)


def test_counts_come_when_traffic_has_ended(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    """There is one timer at most, and none where nothing waits."""
    log = EventLog(loop.time)
    log.start()
    tell(log, LINES, record())
    assert loop.timers == []
    tell(log, 5, record())
    loop.now = 4.0
    tell(log, LINES + 2, record(rule="b-rule"))
    assert [timer.when() for timer in loop.timers] == [INTERVAL]
    assert len(caplog.messages) == 2 * LINES
    loop.advance()
    assert caplog.messages[2 * LINES :] == [
        "hopguard: ... 5 more of a-rule from h in the last 10 seconds"
    ]
    loop.advance()
    assert caplog.messages[2 * LINES + 1 :] == [
        "hopguard: ... 2 more of b-rule from h in the last 10 seconds"
    ]
    assert loop.timers == []
    assert {entry.levelno for entry in caplog.records} == {logging.WARNING}


def test_what_is_left_is_told_at_the_end(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    """And no timer stays behind."""
    log = EventLog(loop.time)
    log.start()
    tell(log, LINES + 3, record(severity="info"))
    loop.now = 2.0
    log.stop()
    assert loop.timers == []
    assert caplog.messages[LINES:] == [
        "hopguard: ... 3 more of a-rule from h in the last 2 seconds"
    ]
    assert {entry.levelno for entry in caplog.records} == {logging.INFO}
    log.stop()
    assert len(caplog.messages) == LINES + 1
