"""Captures to scan."""

from pathlib import Path

from mitmproxy import http
from mitmproxy.test import tflow

from tests.captures.flows import saved


def flow(number: int = 0, *, bad: bool = True, body: int = 10) -> http.HTTPFlow:
    """Make a flow, which breaks two rules if it is `bad`."""
    made = tflow.tflow(resp=True)
    assert made.response is not None
    made.id = f"{number:036d}"
    made.request.path = f"/{number}"
    made.request.headers = http.Headers([(b"Host", b"www.example")])
    made.response.headers = http.Headers([(b"Content-Length", b"%d" % body)])
    made.response.content = bytes(body)
    if bad:
        made.request.headers["Connection"] = "keep-alive, close"
    return made


def write(path: Path, *numbers: int, bad: bool = True, body: int = 10) -> Path:
    """Write a flow file with flows of these numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(saved([flow(number, bad=bad, body=body) for number in numbers]))
    return path
