"""The processes that traffic goes through: an nginx, and mitmproxies with and without hopguard."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tests.peers import Certificates
from tests.peers.mitm import free_ports

from .sample import ANSWERED

ADDON = Path(__file__).parents[2] / "addon" / "hopguard_addon.py"
SECONDS_TO_START, SECONDS_TO_STOP = 60.0, 30.0
HOST = "127.0.0.1"

_OF_NGINX = {"Server", "Date", "Content-Type", "Content-Length", "Connection", "Content-Encoding"}
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type text/html;
    {fields}
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl http2;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{ return 200 "hello"; }}
        location /violating {{
            {fields}
            add_header Proxy-Connection keep-alive;
            return 200 "hello";
        }}
    }}
}}
"""


class NotThereError(RuntimeError):
    """Something that a figure needs is not there; the message says what."""


@contextmanager
def running_nginx(folder: Path, certificates: Certificates) -> Iterator[tuple[str, str]]:
    """Run an nginx; give its origins for HTTP/1.1 and, with TLS, for HTTP/2.

    What is at /violating has a field that a server must not send.
    """
    plain, secure = free_ports(2)
    fields = " ".join(
        f"add_header {name} {_quoted(value.format(1000, 0, 0))};"
        for name, value in ANSWERED
        if name not in _OF_NGINX
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            fields=fields,
            plain=plain,
            secure=secure,
            certificate=certificates.certificate,
            key=certificates.key,
        )
    )
    with _running(["nginx", "-c", str(configuration), "-p", str(folder)], plain):
        yield f"http://{HOST}:{plain}", f"https://{HOST}:{secure}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


class Proxy:
    """A mitmdump that is the reverse proxy of an origin; a context manager."""

    def __init__(self, origin: str, folder: Path, *, log: Path | None = None) -> None:
        """Prepare a bare mitmdump; with `log`, one that has hopguard loaded and logs there."""
        (self.port,) = free_ports(1)
        run = "from mitmproxy.tools.main import mitmdump as run; run()"
        options = [f"confdir={folder / 'mitmproxy'}", "ssl_insecure=true"]
        self._command = [sys.executable, "-P", "-c", run]
        self._command += ["--mode", f"reverse:{origin}@{HOST}:{self.port}"]
        if log is not None:
            self._command += ["-s", str(ADDON)]
            options.append(f"hopguard_log={log}")
        for option in options:
            self._command += ["--set", option]

    def __enter__(self) -> Self:
        self._running = _running(self._command, self.port)
        self._process = self._running.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.__exit__(None, None, None)

    @property
    def seconds(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def megabytes(self) -> float:
        """Memory that it uses."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) / 1024


@contextmanager
def _running(command: Sequence[str], port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the end of the block; it is ready when it listens."""
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    except FileNotFoundError:
        raise NotThereError(f"{command[0]} is not installed") from None
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NotThereError(f"a server did not start: {process.args!r}")
