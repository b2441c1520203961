"""See hopguard catch real clients and misbehaving origins. Checks itself: see `main`."""

import os
import re
import signal
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.demo_clients import Clients  # noqa: E402
from scripts.demo_exchanges import EXCHANGES, Exchange, Version  # noqa: E402
from tests.peers import (  # noqa: E402
    Http1Origin,
    Http2Origin,
    Http3Origin,
    Mitm,
    ProcessFailedError,
    WaitTimeoutError,
    make_certificates,
)

USAGE = """\
usage: scripts/demo [--web]
Clients and servers break connection rules on HTTP/1.0, 1.1, 2 and 3. hopguard, loaded into a real
mitmdump between them, says so, and stays silent about what is correct. This takes some seconds.
--web: the same in mitmweb, which runs on until Ctrl-C, so that the flows can be looked at.
What was found is left in violations.jsonl (if that exists: violations-2.jsonl, and so on)."""

SERVERS: tuple[Version, ...] = ("HTTP/1", "HTTP/2", "HTTP/3")
"""What the origins speak, in the order of mitmproxy's modes."""

FINDING = re.compile(r"hopguard: (?:error|warning|info) (?P<rule>[a-z0-9-]+)(?:/[a-z0-9-]+)?: ")
TABLE = re.compile(r"hopguard: (?:what was found|nothing was found)")
OF_LOG = re.compile(r"\[\d\d:\d\d:\d\d")
"""How every line of mitmproxy's log begins; the rows of the closing table do not."""

WEB_OPTIONS = {"web_columns": ["path", "method", "version", "status", "comment"]}
"""Of mitmweb: a list of flows that shows the rules that are broken."""

SECONDS_FOR_FINDINGS = 10.0
A_YEAR = 365 * 24 * 3600.0


class Interruption:
    """Ctrl-C and its like, noticed between two steps, so that nothing is left half done."""

    def __init__(self) -> None:
        self._number = 0
        self._at_once = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self._at_once or self._number:  # who asks twice does not want to wait
            raise SystemExit(128 + number)
        self._number = number

    def check(self) -> None:
        """Exit if it has happened."""
        if self._number:
            raise SystemExit(128 + self._number)

    def wait(self, mitm: Mitm) -> None:
        """Wait until it happens; fail if mitmproxy ends by itself."""
        with suppress(SystemExit):
            self._at_once = True
            self.check()
            mitm.process.wait_for(lambda: False, "Ctrl-C", A_YEAR)
        self._at_once = False


class Demo:
    """The exchanges, one after another, through one mitmproxy."""

    def __init__(self, mitm: Mitm, log: Path, interruption: Interruption) -> None:
        self.mitm = mitm
        self.log = log
        self.faults: list[str] = []
        """What did not happen as it must."""
        self._interruption = interruption
        self._clients = Clients()
        self._shown = 0

    def run(self) -> None:
        """Do all exchanges; show what is found, each time before the next begins."""
        self._interruption.check()
        for number, exchange in enumerate(EXCHANGES, 1):
            print(f"\n{number}. {exchange.says}", flush=True)
            address = self.mitm.address(SERVERS.index(exchange.server))
            status = self._clients.send(exchange, address)
            if not exchange.finds and status != 200:
                self.faults.append(f"exchange {number} was answered with {status or 'nothing'}")
            self._judge(number, exchange)
            self._interruption.check()

    def _judge(self, number: int, exchange: Exchange) -> None:
        expected = Counter(exchange.finds)
        # The log is written before a message goes on, so it knows what is still in the pipe to us.
        recorded = self._recorded()

        def arrived() -> bool:
            found = self._findings()
            return len(found) >= recorded and expected <= _rules(found[self._shown :])

        with suppress(WaitTimeoutError):
            self.mitm.process.wait_for(arrived, "findings", SECONDS_FOR_FINDINGS)
        fresh = self._findings()[self._shown :]
        self._shown += len(fresh)
        for line in fresh:
            print(line.string, flush=True)
        for rule in (expected - _rules(fresh)).elements():
            self.faults.append(f"exchange {number}: {rule} was not reported")
        if fresh and not expected:
            self.faults.append(f"exchange {number} is correct, yet {', '.join(_rules(fresh))}")

    def _recorded(self) -> int:
        return self.log.read_bytes().count(b"\n")

    def _findings(self) -> list[re.Match[str]]:
        found = (FINDING.search(line.text) for line in self.mitm.process.lines)
        return [one for one in found if one]

    def finish(self) -> None:
        """End mitmproxy; show its closing table."""
        # The exit status says nothing: after HTTP/3, mitmproxy's threads may crash at its very end
        # (mitmproxy/mitmproxy#7409), when everything is done and written.
        self.mitm.stop()
        lines = [line.text for line in self.mitm.process.lines]
        tables = [number for number, text in enumerate(lines) if TABLE.search(text)]
        if not tables:
            self.faults.append(f"{self.mitm.tool} ended without a closing table")
            return
        print(f"\n{lines[tables[0]]}")
        for text in lines[tables[0] + 1 :]:
            if OF_LOG.match(text):
                break
            print(text)
        recorded = self._recorded()
        print(f"\nviolations: {recorded}, one JSON object a line, in {self.log.name}", flush=True)


def _rules(findings: list[re.Match[str]]) -> Counter[str]:
    return Counter(finding["rule"] for finding in findings)


def new_log() -> Path:
    """Make an empty file, never touching one that is there: it may be somebody's real log."""
    for number in count(1):
        path = Path.cwd() / (f"violations-{number}.jsonl" if number > 1 else "violations.jsonl")
        try:
            path.touch(0o600, exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise AssertionError


def perform(tool: str, log: Path, interruption: Interruption) -> list[str]:
    """Set everything up, do the exchanges, and return what is wrong."""
    print(f"Starting misbehaving servers, and {tool} with hopguard.", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hopguard-demo-")))
        certificates = make_certificates(folder)
        of = {
            version: {one.path: one.answer for one in EXCHANGES if one.server == version}
            for version in SERVERS
        }
        tls = certificates.server_context(["h2"])
        origins = (
            stack.enter_context(Http1Origin(of["HTTP/1"])),
            stack.enter_context(Http2Origin(of["HTTP/2"], tls=tls)),
            stack.enter_context(Http3Origin(of["HTTP/3"], certificates=certificates)),
        )
        mitm = Mitm(
            *(f"reverse:{origin.url}" for origin in origins),
            scripts=[ROOT / "addon" / "hopguard_addon.py"],
            options={"hopguard_log": str(log), **(WEB_OPTIONS if tool == "mitmweb" else {})},
            confdir=folder,
            tool=tool,
        )
        demo = Demo(stack.enter_context(mitm), log, interruption)
        demo.run()
        if tool == "mitmweb":
            print(f"\nLook at the flows: {mitm.web_url}\nCtrl-C ends this.", flush=True)
            interruption.wait(mitm)
        demo.finish()
        return demo.faults


def main(arguments: list[str]) -> int:
    """Return 0 if all that had to be found was found and nothing else went wrong, 1 otherwise."""
    if arguments not in ([], ["--web"]):
        wanted = arguments in (["-h"], ["--help"])
        print(USAGE, file=sys.stdout if wanted else sys.stderr)
        return 0 if wanted else 2
    interruption = Interruption()
    log: Path | None = None
    try:
        log = new_log()
        faults = perform("mitmweb" if arguments else "mitmdump", log, interruption)
    except BrokenPipeError:
        # Whoever read the output has gone. Nobody hears a complaint, not even Python's own at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ProcessFailedError) as error:
        interruption.check()  # in a terminal, Ctrl-C ends mitmproxy as well
        faults = [str(error)]
    finally:
        if log and not log.stat().st_size:
            log.unlink()
    for fault in faults:
        print(f"The demo failed: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
