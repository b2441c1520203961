"""The demo's clients: the real curl where there is one, scripted ones for the rest."""

import os
import shutil
import subprocess

from scripts.demo_exchanges import Exchange
from tests.peers import (
    Http1Client,
    Http2Client,
    Http3Client,
    MalformedMessageError,
    PeerClosedError,
)
from tests.peers.waiting import Address


class Clients:
    """Sends requests, each on a connection of its own."""

    def __init__(self) -> None:
        self._curl = shutil.which("curl")
        # Not every curl speaks HTTP/2.
        self._features = self._run_curl("--version").stdout if self._curl else ""

    def send(self, exchange: Exchange, address: Address) -> int | None:
        """Give the status of the response; None if there was none."""
        host, port = address
        try:
            if isinstance(exchange.sends, bytes):
                if exchange.by_curl and self._curl:
                    return self._fetch(f"http://{host}:{port}{exchange.path}")
                with Http1Client(address) as http1:
                    return http1.exchange(exchange.sends).status
            if exchange.by_curl and "HTTP2" in self._features:
                return self._fetch(f"https://{host}:{port}{exchange.path}", "--http2")
            client = Http3Client(address) if exchange.client == "HTTP/3" else Http2Client(address)
            with client:
                return client.exchange(exchange.sends).status
        except (PeerClosedError, MalformedMessageError):
            return None

    def _fetch(self, url: str, *arguments: str) -> int | None:
        # --insecure: mitmproxy's authority is a throw-away one.
        output = ("--insecure", "--output", os.devnull, "--write-out", "%{http_code}")
        done = self._run_curl("--silent", "--show-error", *output, *arguments, url)
        print(done.stderr, end="", flush=True)
        return int(done.stdout) if done.stdout.isdigit() else None

    def _run_curl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # A curlrc or a proxy of the user's must not change what is shown. -q has to come first.
        assert self._curl
        command = [self._curl, "-q", "--noproxy", "*", "--max-time", "20", *arguments]
        return subprocess.run(command, capture_output=True, check=False, text=True)
