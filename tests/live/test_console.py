"""mitmproxy's console, in a real terminal: tmux holds it, types, and tells what it shows."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hopguard.rules import load_rules
from tests.peers import TIMEOUT, Http1Client, Http1Origin, Mitm, WaitTimeoutError, message

pytestmark = [
    pytest.mark.live,
    pytest.mark.peer,
    pytest.mark.skipif(not shutil.which("tmux"), reason="needs Debian's package tmux"),
]

ADDON = Path(__file__).parents[2] / "addon" / "hopguard_addon.py"
README = Path(__file__).parents[2] / "README.md"
EVIL = b"<b>\x1b[31m" + "\u202e\u200b".encode() + b"\xff"
ESCAPED = r"<b>\x1b[31m\xe2\x80\xae\xe2\x80\x8b\xff"
PAUSE = 0.05
"""Seconds between two looks: tmux does not tell when a screen has changed."""
RULE = "keep-alive-without-connection-option"


class Screen:
    """A terminal with mitmproxy in it."""

    def __init__(self, socket: Path, command: list[str]) -> None:
        self._socket = socket
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "110", "-y", "48", *command)

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._socket), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
        return done.stdout

    @property
    def text(self) -> str:
        """What is on it."""
        return self._tmux("capture-pane", "-p")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until a pattern is on it."""
        end = time.monotonic() + TIMEOUT
        while not (found := re.search(pattern, self.text, re.MULTILINE)):
            if time.monotonic() > end:
                raise WaitTimeoutError(f"{pattern!r} on the screen:\n{self.text.rstrip()}")
            time.sleep(PAUSE)
        return found

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        self._tmux("send-keys", *keys)

    def command(self, text: str) -> None:
        """Begin a command of mitmproxy's."""
        self.press(":")
        self.wait_for(r"^: *$")
        self._tmux("send-keys", "-l", text)
        self.wait_for(f"^: {re.escape(text)}")

    def close(self) -> None:
        """End it."""
        self._tmux("kill-server")


@pytest.fixture(scope="module")
def flows(confdir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flows") / "flows"
    bad = message(b"HTTP/1.1 200 OK", b"Keep-Alive: " + EVIL, b"Content-Length: 2", body=b"ok")
    good = message(b"HTTP/1.1 200 OK", b"Content-Length: 2", body=b"ok")
    with (
        Http1Origin({"/good": good}, default=bad) as origin,
        Mitm(
            f"reverse:{origin.url}", options={"save_stream_file": str(path)}, confdir=confdir
        ) as mitm,
        Http1Client(mitm.address()) as client,
    ):
        for target in (b"/bad", b"/good"):
            client.exchange(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % target)
    return path


@pytest.fixture
def screen(flows: Path, confdir: Path, tmp_path: Path) -> Iterator[Screen]:
    """Give a console that has read the flows, with the keys that the README suggests."""
    keys = README.read_text("utf-8").partition("```yaml\n")[2].partition("```")[0]
    shutil.copytree(confdir, tmp_path / "conf")  # to make its own authority would take seconds
    (tmp_path / "conf" / "keys.yaml").write_text(keys)
    run = "from mitmproxy.tools.main import mitmproxy as run; run()"
    started = Screen(
        tmp_path / "tmux",
        [
            *(sys.executable, "-P", "-c", run, "-n", "-r", str(flows), "-s", str(ADDON)),
            *("--set", f"confdir={tmp_path / 'conf'}"),
        ],
    )
    try:
        started.wait_for("/bad .*200")
        yield started
    finally:
        started.close()


def test_the_content_view(screen: Screen) -> None:
    """In the menu; hostile values are escaped."""
    screen.press("Enter")
    screen.wait_for("Flow Details")
    screen.press("Tab")
    screen.wait_for("^ok$")
    screen.press("m")
    key = screen.wait_for(r"(\w)\) hopguard")[1]
    screen.press(key)
    screen.wait_for(r"^Response 200 on the server leg, HTTP/1\.1: 2 errors\.$")
    assert f"hop-by-hop       Keep-Alive: {ESCAPED}" in screen.text
    assert f"ERROR {RULE}" in screen.text
    plain = screen.text.replace("\N{LARGE RED CIRCLE}", "")
    assert not re.search("[\x1b\u202e\u200b\x9b]", plain)


def test_the_key_that_the_readme_suggests(screen: Screen) -> None:
    """Shows both messages."""
    screen.press("Y")
    screen.wait_for(r"Data viewer")
    screen.wait_for(r"Request on the client leg, HTTP/1\.1: nothing found\.")
    screen.wait_for(rf"Keep-Alive: {re.escape(ESCAPED)}")


def test_completion_and_explanation(screen: Screen) -> None:
    """Rules have long names."""
    screen.command("hopguard.explain keep-alive-w")
    screen.press("Tab")
    screen.wait_for(f"^: hopguard.explain {RULE}")
    screen.press("Enter")
    screen.wait_for(f"│{RULE} ")
    screen.wait_for("│={36} ")


def test_commands(screen: Screen) -> None:
    """What they say."""
    for command, said in (
        ("hopguard.findings @all", f"error {RULE}: Keep-Alive"),
        ("hopguard.rules", load_rules()[0].id),
        ("hopguard.show @focus", r"Request on the client leg"),
        ("hopguard.check @all", r"hopguard: 2 findings in 1 of 2 flows"),
    ):
        screen.command(command)
        screen.press("Enter")
        screen.wait_for(said)
        if "Data viewer" in screen.text:
            screen.press("q")
            screen.wait_for("Proxy:")


def test_filters(screen: Screen) -> None:
    """Those of the README."""
    for expression in ("~marked", "~comment hopguard", f"~meta {RULE}"):
        screen.wait_for(r"/good .*200")
        for filtered, count in ((expression, "1/1"), ("", "1/2")):
            screen.command(f"set view_filter '{filtered}'")
            screen.press("Enter")
            screen.wait_for(rf"\[{count}\]")
            assert ("/good" in screen.text) == (not filtered)
            assert "/bad" in screen.text
