"""A mitmproxy with the addon between scripted clients and origins of every version."""

import json
import shutil
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.peers import (
    Certificates,
    Http1Origin,
    Http2Origin,
    Http3Origin,
    Mitm,
    answer,
    message,
)
from tests.records import read_log

ADDON = Path(__file__).parents[2] / "addon" / "hopguard_addon.py"

OK = message(b"HTTP/1.1 200 OK", b"Content-Length: 2", body=b"ok")


class Site(NamedTuple):
    """The proxy, its origins, and its violation log."""

    mitm: Mitm
    http1: Http1Origin
    http2: Http2Origin
    http3: Http3Origin
    log: Path

    def records(self, path: str) -> list[dict[str, Any]]:
        """Read what the log says of the flow with this path. Findings are logged before messages
        are sent on: who has the answer need not wait."""
        found = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [record for record in found if record["url"] and record["url"].endswith(path)]

    def found(self, path: str) -> list[tuple[str, str, str]]:
        """Reduce the records of a path to rule, part and version."""
        return [
            (record["rule"], record["part"], record["http_version"])
            for record in self.records(path)
        ]


@contextmanager
def started_site(
    folder: Path, certificates: Certificates, http2_tls: ssl.SSLContext, confdir: Path
) -> Iterator[Site]:
    """Start everything; end it afterwards."""
    log = folder / "violations.jsonl"
    with ExitStack() as stack:
        http1 = stack.enter_context(Http1Origin(default=OK))
        http2 = stack.enter_context(Http2Origin(default=answer(body=b"ok"), tls=http2_tls))
        http3 = stack.enter_context(
            Http3Origin(default=answer(body=b"ok"), certificates=certificates)
        )
        mitm = Mitm(
            "regular",
            *(f"reverse:{origin.url}" for origin in (http1, http2, http3)),
            scripts=[ADDON],
            options={"hopguard_log": str(log), "connection_strategy": "lazy"},
            confdir=confdir,
        )
        yield Site(stack.enter_context(mitm), http1, http2, http3, log)
        read_log(log)


def find(program: str) -> str | None:
    """Return the path of a program; None if it is not installed."""
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


def need(program: str) -> str:
    """Return the path of a program, or skip the test."""
    path = find(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path
