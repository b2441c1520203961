"""nginx, Apache and HAProxy as Debian packages them, run from a folder of their own.

Nothing of the system's own configuration or services is touched. In a configuration, `@folder@`
stands for the folder, `@user@` for the directives that root needs, `@port0@`, `@port1@`, ... for
free ports of 127.0.0.1. Apache, when root starts it, serves as `www-data`; the others serve as
whoever starts them.
"""

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .mitm import free_ports
from .origin import LOCAL
from .process import Process, ProcessFailedError
from .waiting import TIMEOUT, Address

ATTEMPTS = 3
"""Free ports may be taken by somebody else before the product listens."""
ADMINISTRATION = "/usr/sbin:/usr/local/sbin"
"""Where Debian keeps servers, which is not on everybody's PATH."""


@dataclass(frozen=True)
class Running:
    """A product that listens."""

    process: Process
    folder: Path
    """What it may serve; readable for everybody."""
    ports: tuple[int, ...]

    def address(self, number: int = 0) -> Address:
        """Give the address of `@port0@`, `@port1@`, ..."""
        return LOCAL, self.ports[number]

    def url(self, number: int = 0, scheme: str = "http") -> str:
        """Give the address as a URL, without a path."""
        return f"{scheme}://{LOCAL}:{self.ports[number]}"


@dataclass(frozen=True)
class Product:
    """How to run one of the programs."""

    program: str
    arguments: tuple[str, ...]
    """With `@config@` for the path of the configuration."""
    listening: str
    """A pattern found in the line that it prints when it accepts connections."""
    wrapping: str
    """The configuration, with `@body@` for what is particular to one use."""
    as_root: str = ""
    """What `@user@` stands for when root starts it."""

    @property
    def path(self) -> str | None:
        """Where the program is; None where it is not installed."""
        return shutil.which(self.program) or shutil.which(self.program, path=ADMINISTRATION)

    def version(self) -> str:
        """Ask the program for its version: two numbers with a dot, or more."""
        process = Process([self._found(), "-v"])
        process.wait()
        found = re.search(r"\d+\.\d+(\.\d+)*", process.output)
        return found[0] if found else "?"

    def _found(self) -> str:
        path = self.path
        if path is None:
            raise ProcessFailedError(f"{self.program} is not installed")
        return path

    @contextmanager
    def run(self, body: str, ports: int = 1) -> Iterator[Running]:
        """Run it with this configuration; end it afterwards, with all its processes."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hopguard-")))
            folder.chmod(0o755)
            yield self._started(body, folder, ports, stack)

    def _started(self, body: str, folder: Path, ports: int, stack: ExitStack) -> Running:
        for attempt in range(ATTEMPTS):
            numbers = tuple(free_ports(ports))
            config = folder / f"{self.program}.conf"
            config.write_text(self._configuration(body, folder, numbers))
            arguments = [one.replace("@config@", str(config)) for one in self.arguments]
            process = Process(
                [self._found(), *(one.replace("@folder@", str(folder)) for one in arguments)],
                folder,
            )
            try:
                process.wait_for_line(self.listening, timeout=TIMEOUT)
            except ProcessFailedError as error:
                if attempt == ATTEMPTS - 1 or "in use" not in str(error):
                    raise
            except BaseException:
                _end(process)
                raise
            else:
                stack.callback(_end, process)
                return Running(process, folder, numbers)
        raise AssertionError

    def _configuration(self, body: str, folder: Path, ports: tuple[int, ...]) -> str:
        text = self.wrapping.replace("@body@", body)
        text = text.replace("@folder@", str(folder))
        text = text.replace("@user@", self.as_root if os.geteuid() == 0 else "")
        for number, port in enumerate(ports):
            text = text.replace(f"@port{number}@", str(port))
        return text


def _end(process: Process) -> None:
    """End it with its workers, which survive a SIGKILL of their parent."""
    if process.returncode is None:
        process.stop(signal.SIGTERM)


NGINX = Product(
    program="nginx",
    arguments=("-c", "@config@", "-p", "@folder@", "-e", "stderr"),
    listening="start worker process",
    as_root="user root;",
    wrapping="""
@user@ daemon off; master_process on; worker_processes 1; pid @folder@/pid;
error_log stderr notice;
events { worker_connections 768; }
http {
  sendfile on; tcp_nopush on; gzip on; access_log off;
  client_body_temp_path @folder@/t; proxy_temp_path @folder@/t; fastcgi_temp_path @folder@/t;
  uwsgi_temp_path @folder@/t; scgi_temp_path @folder@/t;
  @body@
}
""",
)

MODULES = (
    # What Debian enables, as far as it takes part in serving and forwarding,
    *("mpm_event", "authz_core", "dir", "filter", "deflate", "mime", "reqtimeout", "setenvif"),
    # and what an administrator enables for a proxy with TLS and HTTP/2.
    *("proxy", "proxy_http", "ssl", "socache_shmcb", "http2", "headers"),
)

APACHE = Product(
    program="apache2",
    arguments=("-f", "@config@", "-D", "FOREGROUND"),
    listening="resuming normal operations",
    as_root="User www-data\nGroup www-data",
    wrapping="\n".join(
        [
            *(f"LoadModule {one}_module /usr/lib/apache2/modules/mod_{one}.so" for one in MODULES),
            "ServerRoot @folder@",
            "DefaultRuntimeDir @folder@",
            "PidFile @folder@/pid",
            "ServerName localhost",
            "@user@",
            "ErrorLog /dev/stderr",
            "LogLevel notice",
            "Timeout 300",
            "KeepAlive On",
            "MaxKeepAliveRequests 100",
            "KeepAliveTimeout 5",
            "StartServers 1",
            "TypesConfig /dev/null",
            "RequestReadTimeout header=20-40,minrate=500 body=10,minrate=500",
            "@body@\n",
        ]
    ),
)

HAPROXY = Product(
    program="haproxy",
    arguments=("-W", "-f", "@config@"),
    listening="Loading success",
    wrapping="""
defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
@body@
""",
)
