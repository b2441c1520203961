"""Real mitmproxy processes.

What surprises about mitmproxy 12.2.3, as measured:

- It logs "listening" before the `running` hook of its addons. Who connects at once may be served
  before an addon has set its options; so `Mitm` loads a one-line script that speaks up last.
- It refuses two modes with port 0 ("Cannot spawn multiple servers on the same address"), so free
  ports are looked up here, and others are tried when somebody else was faster.
- A value of the wrong type for an option of a script (`--set number=abc`) ends the task that loads
  the scripts, without a word: mitmproxy runs on, without any script. (Here that is a time-out.)
  Neither a value outside an option's `choices` nor an unknown option is complained about. An
  OptionsError that a script's `configure` raises does end mitmproxy.
- `reverse:https://` listens on TCP and UDP, `reverse:http3://` on UDP only. HTTP/3 clients are only
  ever connected to HTTP/3 servers, and no others are; there is no HTTP/3 in regular mode.
- `reverse:http://` accepts TLS, and HTTP/2 in it: this is how HTTP/2 meets HTTP/1. The other way
  round takes a TLS client that offers both, HTTP/1 first, and `connection_strategy=lazy`.
- An HTTP/2 request with a body but without Content-Length goes to an HTTP/1 server without any
  framing: the server takes the body for another request.
- HTTP/2 to HTTP/1 takes a new connection to the server for each request.
- HTTP/3: an interim response is an error, and any malformed response ends all streams of its
  connection with 502. A server is not told when mitmproxy drops a connection to it: no
  CONNECTION_CLOSE comes, so that `Http3Origin.wait_for_close` waits in vain.
"""

import re
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from .origin import LOCAL
from .process import Process, ProcessFailedError
from .waiting import TIMEOUT, Address

ANNOUNCE = Path(__file__).parent / "running_script" / "announce_running.py"
RUNNING = r"^peers: mitmproxy is running$"
PORT_TAKEN = r"failed to listen on"
ATTEMPTS = 5

Option = str | int | bool | Sequence[str]


class Mitm:
    """A mitmdump or mitmweb process; a context manager.

    `modes` are mode specifications without `@`: `regular`, `reverse:http://127.0.0.1:8000`. Each
    listens on 127.0.0.1; `address(0)` is that of the first. Without `scripts` it is a bare
    mitmproxy. `options` become `--set name=value`; a list sets the option once per element.
    `confdir` may be shared, which saves making keys. Origins' certificates are not verified, unless
    `ssl_insecure` is set to False.
    """

    def __init__(
        self,
        *modes: str,
        scripts: Sequence[Path] = (),
        options: Mapping[str, Option] | None = None,
        confdir: Path | None = None,
        tool: str = "mitmdump",
        cwd: Path | None = None,
    ) -> None:
        self.modes = modes or ("regular",)
        self.scripts = [*scripts, ANNOUNCE]
        self.options: dict[str, Option] = {"ssl_insecure": True, **(options or {})}
        self.tool = tool
        self.cwd = cwd
        self._confdir = confdir
        self._ports: list[int] = []
        self._process: Process | None = None
        self._cleanup = ExitStack()

    @property
    def confdir(self) -> Path:
        """Where mitmproxy keeps its certificate authority."""
        assert self._confdir, "use Mitm as a context manager"
        return self._confdir

    @property
    def ca(self) -> Path:
        """The certificate of mitmproxy's authority."""
        return self.confdir / "mitmproxy-ca-cert.pem"

    @property
    def process(self) -> Process:
        """The process, with its output."""
        assert self._process, "use Mitm as a context manager"
        return self._process

    def address(self, mode: int = 0) -> Address:
        """Where the mode with this number listens."""
        return LOCAL, self._ports[mode]

    @property
    def web_url(self) -> str:
        """Address of mitmweb's page, with its token."""
        return self.process.wait_for_line(r"Web server listening at (\S+)")[1]

    def wait_for_line(
        self, pattern: str, *, since: int = 0, timeout: float = TIMEOUT
    ) -> re.Match[str]:
        """Wait for a line of output in which `pattern` is found."""
        return self.process.wait_for_line(pattern, since=since, timeout=timeout)

    @property
    def output(self) -> str:
        """All that it has printed."""
        return self.process.output

    def stop(self, number: int = signal.SIGINT) -> int:
        """End it as a person would; give its exit status."""
        return self.process.stop(number)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if not self._confdir:
                folder = tempfile.TemporaryDirectory(prefix="mitmproxy-")
                self._confdir = Path(stack.enter_context(folder))
            stack.callback(self._kill)
            self._start()
            self._cleanup = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._cleanup:
            if self.process.returncode is None:
                self.stop()

    def _kill(self) -> None:
        if self._process:
            self._process.kill()

    def _start(self) -> None:
        for attempt in range(ATTEMPTS):
            self._ports = free_ports(len(self.modes) + 1)
            self._process = Process(list(self.command()), self.cwd)
            try:
                self._process.wait_for_line(RUNNING)
                return
            except ProcessFailedError as error:
                if attempt + 1 == ATTEMPTS or not re.search(PORT_TAKEN, str(error)):
                    raise

    def command(self) -> Iterator[str]:
        """Make the command line, with the ports chosen."""
        run = f"from mitmproxy.tools.main import {self.tool} as run; run()"
        # -P: what lies in the current folder cannot be imported by mistake.
        yield from (sys.executable, "-P", "-c", run, "--set", f"confdir={self.confdir}")
        for mode, port in zip(self.modes, self._ports, strict=False):
            yield from ("--mode", f"{mode}@{LOCAL}:{port}")
        for script in self.scripts:
            yield from ("-s", str(script))
        options = dict(self.options)
        if self.tool == "mitmweb":
            options = {"web_open_browser": False, "web_port": self._ports[-1], **options}
        for name, value in options.items():
            for one in [value] if isinstance(value, str | int) else value:
                text = str(one).lower() if isinstance(one, bool) else str(one)
                yield from ("--set", f"{name}={text}")


def free_ports(count: int) -> list[int]:
    """Find ports of 127.0.0.1 that are free for TCP and UDP, as far as one can know."""
    ports: list[int] = []
    with ExitStack() as stack:
        while len(ports) < count:
            tcp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            tcp.bind((LOCAL, 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            ports.append(tcp.getsockname()[1])
    return ports
