"""What a line of the event log says, and where it has colours."""

import io
import logging
import re
from collections.abc import Iterator

import pytest
from mitmproxy.log import MitmFormatter

from hopguard.message import FieldLine
from hopguard.mitm import lines
from hopguard.record import Circumstances, Record, Redaction, make_record
from hopguard.rule import ERROR, Finding, Requirement

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def record(**change: object) -> Record:
    """Make a record, with some values changed."""
    finding = Finding(
        rule="a-rule",
        variant="v",
        severity=ERROR,
        text="X: 1 is bad.",
        requirement=Requirement(9110, "7.6.1"),
        sender="client",
        leg="client",
        part="request",
        version="HTTP/1.1",
        line=FieldLine("header", 0, b"X", b"1"),
    )
    where = Circumstances(time=0, method=b"GET", url="http://h:80/p", client="192.0.2.1:5")
    return {**make_record(finding, where, Redaction()), **change}


@pytest.fixture
def printed() -> Iterator[list[io.StringIO]]:
    """Give what goes to a terminal, to a pipe or a browser, and to somebody else's handler."""
    streams = [io.StringIO() for _ in range(3)]
    formatters = [MitmFormatter(True), MitmFormatter(False), None]
    handlers = [logging.StreamHandler(stream) for stream in streams]
    for handler, formatter in zip(handlers, formatters, strict=True):
        handler.setFormatter(formatter)
        logging.getLogger().addHandler(handler)
    yield streams
    assert [handler.formatter for handler in handlers] == formatters
    for handler in handlers:
        logging.getLogger().removeHandler(handler)


START = "hopguard: error a-rule/v: X: 1 is bad. [client on the client leg, HTTP/1.1"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, f"{START}] GET http://h:80/p"),
        (
            {"variant": None, "action": "refused", "method": None, "url": None},
            START.replace("/v", "") + ", refused] 192.0.2.1:5",
        ),
        ({"method": None, "url": None, "client": None}, f"{START}] unknown client"),
        (
            {"method": "M" * 40, "url": "http://h/" + "p" * 300},
            f"{START}] {'M' * 32}... http://h/{'p' * 191}...",
        ),
    ],
)
def test_a_line(change: Record, line: str) -> None:
    """It says what, who, where, and is never endless."""
    assert str(lines.line_of(record(**change))) == line
    assert ANSI.sub("", lines.line_of(record(**change)).coloured()) == line


@pytest.mark.parametrize(
    ("message", "value", "about"),
    [
        ("X: 1 is bad.", "1", "client on"),
        ("x: 1 is bad.", "1", "client on"),
        ("X is bad.", "1", "X: 1; client on"),
        ("X is bad.", "", "X: (empty); client on"),
        ("X is bad.", "v" * 99, f"X: {'v' * 80}...; client on"),
        ("X: [redacted] breaks this rule.", "[redacted]", "client on"),
        ("X is bad.", "[redacted]", "X: [redacted]; client on"),
        ("X is bad.", None, "client on"),
    ],
)
def test_field_and_value_are_there(message: str, value: str | None, about: str) -> None:
    """Where the sentence has only the name, the field line follows."""
    line = lines.line_of(record(message=message, value=value))
    assert line.about.startswith(about)


def test_no_field() -> None:
    """A status code has none."""
    assert lines.line_of(record(field=None, value=None)).about.startswith("client on")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://www.Example:8080/a:b", "www.example"),
        ("https://[2001:db8::1]:443/", "[2001:db8::1]"),
        ("www.example:443", "www.example"),
        ("http://h?q", "h"),
        ("http://" + "h" * 300, "h" * 80 + "..."),
        ("http:///path", "192.0.2.1"),
        ("*", "*"),
        (None, "192.0.2.1"),
    ],
)
def test_host(url: str | None, host: str) -> None:
    """Without port; where it is not known, the client stands for it."""
    assert lines.host_of(record(url=url)) == host
    assert lines.host_of(record(url=None, client=None)) == ""


def test_colours_are_for_terminals_alone(
    printed: list[io.StringIO], caplog: pytest.LogCaptureFixture
) -> None:
    """By severity, instead of mitmproxy's one colour for a whole line."""
    logger = logging.getLogger("hopguard.test")
    with caplog.at_level(logging.INFO):
        lines.start_colouring()
        for severity in ("error", "warning", "info"):
            line = lines.line_of(record(severity=severity))
            logger.log(lines.LEVELS[severity], "%s", line, extra=lines.as_extra(line))
        logger.warning("of others")
        lines.stop_colouring()
        logger.warning("after")
    terminal, pipe, other = [stream.getvalue() for stream in printed]
    rule = "\x1b[1ma-rule/v\x1b[0m"
    for colour, severity in ((31, "error"), (33, "warning"), (36, "info")):
        assert f" hopguard: \x1b[{colour}m\x1b[1m{severity}\x1b[0m {rule}: X" in terminal
    assert "\x1b[33mof others\x1b[0m" in terminal
    assert "\x1b[33mafter\x1b[0m" in terminal
    assert "\x1b" not in pipe + other
    for text in (ANSI.sub("", terminal), pipe):
        assert re.sub(r"^\[.*?\] ", "", text, flags=re.M) == other
