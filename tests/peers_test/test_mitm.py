"""The driver of mitmproxy processes."""

import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.peers import (
    Http1Client,
    Http1Origin,
    Mitm,
    Process,
    ProcessFailedError,
    WaitTimeoutError,
)
from tests.peers.mitm import Option

pytestmark = pytest.mark.live

SCRIPT = """
from collections.abc import Sequence
from mitmproxy import ctx
def load(loader):
    loader.add_option("words", Sequence[str], [], "")
def running():
    print("words:", *ctx.options.words)
    print("any octets: \\N{SNOWMAN}")
def done():
    print("done")
"""


def test_scripts_and_options(tmp_path: Path, confdir: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    options: dict[str, Option] = {"words": ["a", "b c"], "http2": False}
    with Mitm(scripts=[tmp_path / "script.py"], options=options, confdir=confdir) as mitm:
        assert mitm.wait_for_line("^words: (.*)$")[1] == "a b c"
        position = mitm.process.position()
        mitm.wait_for_line("any octets: \N{SNOWMAN}")
        assert mitm.stop() == 0
        mitm.wait_for_line("done", since=position)
    assert mitm.process.returncode == 0
    assert [line.time for line in mitm.process.lines] == sorted(
        line.time for line in mitm.process.lines
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping(confdir: Path, number: signal.Signals) -> None:
    with Mitm(confdir=confdir) as mitm:
        assert mitm.ca.exists()
        assert mitm.stop(number) == 0


def test_a_failure_to_start_shows_the_output(tmp_path: Path, confdir: Path) -> None:
    (tmp_path / "faulty.py").write_text("raise ValueError('so it is')")
    with pytest.raises(ProcessFailedError, match="so it is") as failed:
        Mitm(scripts=[tmp_path / "faulty.py"], confdir=confdir).__enter__()
    assert "exit status 1" in str(failed.value)


def test_a_line_that_does_not_come(confdir: Path) -> None:
    with Mitm(confdir=confdir) as mitm:
        with pytest.raises(WaitTimeoutError, match="a line like 'never'"):
            mitm.wait_for_line("never", timeout=0.01)
        mitm.process.kill()
        with pytest.raises(ProcessFailedError, match=f"exit status {-signal.SIGKILL}"):
            mitm.wait_for_line("never")


def test_a_port_that_was_taken_is_given_up(confdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.peers import mitm as module

    with Http1Origin() as origin:
        offers = iter([[origin.port, origin.port], module.free_ports(2)])
        monkeypatch.setattr(module, "free_ports", lambda _: next(offers))
        with Mitm(f"reverse:{origin.url}", confdir=confdir) as mitm:
            assert mitm.address() != origin.address


def test_mitmweb(confdir: Path) -> None:
    with (
        Http1Origin() as origin,
        Mitm(f"reverse:{origin.url}", tool="mitmweb", confdir=confdir) as mitm,
    ):
        assert mitm.web_url.startswith("http://127.0.0.1:")
        with Http1Client(mitm.address()) as client:
            assert client.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").status == 404


def test_nothing_is_left_behind_after_an_exception(confdir: Path) -> None:
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), Mitm(confdir=confdir) as mitm, Http1Origin():
        raise KeyboardInterrupt
    assert mitm.process.returncode == 0
    assert set(threading.enumerate()) <= before


def test_any_process() -> None:
    process = Process([sys.executable, "-c", "import sys; print('o'); print('e', file=sys.stderr)"])
    try:
        assert process.wait() == 0
    finally:
        process.kill()
    assert sorted((line.stream, line.text) for line in process.lines) == [
        ("stderr", "e"),
        ("stdout", "o"),
    ]
