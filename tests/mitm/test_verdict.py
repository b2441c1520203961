"""Whether mitmproxy ends with status 1."""

import asyncio
import atexit
import logging
import os
from typing import Any

import pytest
from mitmproxy import ctx, exceptions, options
from mitmproxy.master import Master
from mitmproxy.test import taddons

from hopguard.mitm import verdict
from hopguard.mitm.verdict import FAIL_ON, Verdict, parse_fail_on
from hopguard.rule import Severity


class Ending:
    """An addon that pronounces when mitmproxy ends."""

    def __init__(self, judging: Verdict) -> None:
        self.judging = judging

    def done(self) -> None:
        self.judging.pronounce()


class Behind:
    """An addon whose `done` comes later, and takes a while."""

    finished = False

    async def done(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        self.finished = True


def judging(fail_on: str, *severities: str) -> Verdict:
    """Make a verdict on findings."""
    made = Verdict()
    made.fail_on = parse_fail_on(fail_on)
    for severity in severities:
        made.add({"severity": severity})
    return made


def end(
    made: Verdict, behind: Behind, mode: str = "regular", error: Exception | None = None
) -> int:
    """Run a mitmproxy that ends; return its status."""

    async def main() -> None:
        master = Master(options.Options(mode=[mode]))
        master.addons.add(Ending(made), behind)
        master.shutdown()
        await master.run()
        if error:
            raise error

    try:
        asyncio.run(main())
    except SystemExit as end_:
        return int(end_.code or 0)
    return 0


@pytest.mark.parametrize(
    ("fail_on", "found", "status"),
    [
        ("never", ["error"], 0),
        ("error", [], 0),
        ("error", ["warning", "info"], 0),
        ("error", ["error", "info"], 1),
        ("warning", ["info"], 0),
        ("warning", ["info", "warning"], 1),
        ("warning", ["error"], 1),
        ("info", ["info"], 1),
    ],
)
def test_status(
    fail_on: str, found: list[str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, and the other addons' `done` hooks run to their end."""
    behind = Behind()
    with caplog.at_level(logging.INFO):
        assert end(judging(fail_on, *found), behind) == status
    assert behind.finished
    said = f"hopguard: exit status 1: something at or above severity {fail_on} was found"
    assert (said in caplog.messages) == bool(status)


def test_another_reason_to_end_is_left_alone() -> None:
    """It has its own status, and its own traceback."""
    with pytest.raises(ValueError, match="mine"):
        end(judging("error", "error"), Behind(), error=ValueError("mine"))


@pytest.mark.parametrize(("found", "status"), [([], 0), (["error"], 1)])
def test_after_udp_the_interpreter_is_not_taken_apart(
    found: list[str], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mitmproxy's threads would crash it; what others registered still runs."""
    registered: list[tuple[Any, ...]] = []
    monkeypatch.setattr(atexit, "register", lambda *call: registered.append(call))
    assert end(judging("error", *found), Behind(), "reverse:http3://127.0.0.1:1") == status
    assert registered == [(verdict._leave, status)]
    happened: list[object] = []
    monkeypatch.setattr(atexit, "unregister", happened.append)
    monkeypatch.setattr(atexit, "_run_exitfuncs", lambda: happened.append("others"))
    monkeypatch.setattr(os, "_exit", happened.append)
    verdict._leave(status)
    assert happened == [verdict._leave, "others", status]


def test_a_script_that_is_loaded_again_is_no_end(caplog: pytest.LogCaptureFixture) -> None:
    """`done` is called, and mitmproxy goes on; also where there is no loop."""
    with taddons.context() as context, caplog.at_level(logging.INFO):
        judging("error", "error").pronounce()
        assert caplog.messages == []
        assert ctx.master is context.master
        context.master.should_exit.set()
        judging("error", "error").pronounce()
    assert len(caplog.messages) == 1


def test_values() -> None:
    """mitmproxy does not check choices."""
    assert FAIL_ON == ("never", "error", "warning", "info")
    assert parse_fail_on("never") is None
    assert parse_fail_on("warning") is Severity.WARNING
    for wrong in ("", "Error", "warn", "1"):
        with pytest.raises(
            exceptions.OptionsError,
            match=f"^hopguard_fail_on: '{wrong}' is none of never, error, warning, info$",
        ):
            parse_fail_on(wrong)
