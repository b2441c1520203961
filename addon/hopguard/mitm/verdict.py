"""The exit status: whether what was found is bad enough to fail."""

import asyncio
import atexit
import logging
import os
import sys

from mitmproxy import ctx, exceptions
from mitmproxy.proxy.mode_specs import ProxyMode

from hopguard.record import Record
from hopguard.rule import SEVERITY_OF, Severity

logger = logging.getLogger(__name__)

NEVER = "never"
FAIL_ON = (NEVER, *(str(severity) for severity in sorted(Severity, reverse=True)))
"""What `hopguard_fail_on` may be."""


def parse_fail_on(text: str) -> Severity | None:
    """Return the least severity that makes mitmdump fail; None if nothing does.

    Raises:
        OptionsError: it is neither a severity nor `never`. mitmproxy does not check choices.
    """
    if text not in FAIL_ON:
        raise exceptions.OptionsError(f"hopguard_fail_on: {text!r} is none of {', '.join(FAIL_ON)}")
    return None if text == NEVER else SEVERITY_OF[text]


class Verdict:
    """Makes mitmproxy end with status 1 if something bad enough was found, otherwise with 0.

    Nothing in mitmproxy asks an addon for the exit status, and `sys.exit` in a `done` hook would
    keep the addons behind it from theirs. So the end of mitmproxy's main task is awaited, when all
    of them are done: a SystemExit from there goes through asyncio's own clean-up to the top.
    """

    def __init__(self) -> None:
        """Begin without anything that fails."""
        self.fail_on: Severity | None = None
        """The least severity that fails; None if nothing does."""
        self._worst: Severity | None = None

    def add(self, record: Record) -> None:
        """Take note of a finding."""
        severity = SEVERITY_OF[record["severity"]]
        if self._worst is None or severity > self._worst:
            self._worst = severity

    @property
    def failed(self) -> bool:
        """Whether something bad enough was found."""
        if self.fail_on is None or self._worst is None:
            return False
        return self._worst >= self.fail_on

    def pronounce(self) -> None:
        """Say that mitmproxy fails, if it is about to, and see that it does.

        To be called in the `done` hook. That also runs when a script is loaded again: mitmproxy
        goes on then, and has no status yet.
        """
        if self.fail_on is None or not ctx.master.should_exit.is_set():
            return
        task = _current_task()
        if task is not None:
            task.add_done_callback(self._on_end)
        if self.failed:
            logger.warning(
                "hopguard: exit status 1: something at or above severity %s was found",
                self.fail_on,
            )

    def _on_end(self, task: asyncio.Task[object]) -> None:
        if task.cancelled() or task.exception() is not None:
            return  # it ends for another reason, with a status of its own
        status = int(self.failed)
        if any(ProxyMode.parse(mode).transport_protocol != "tcp" for mode in ctx.options.mode):
            atexit.register(_leave, status)
        if status:
            raise SystemExit(status)


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # there is no loop: mitmproxy itself always has one
        return None


def _leave(status: int) -> None:
    """End the process with `status`, after everything that wants to be done before.

    A mitmproxy that has served QUIC often ends with a segmentation fault, and with that status: its
    threads for UDP, which are not Python's, call into an interpreter that is being taken apart. So
    it is not taken apart. This runs first of all exit functions, and calls the others itself.
    """
    atexit.unregister(_leave)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)
