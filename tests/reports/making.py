"""Records and logs to make reports of."""

import json
from pathlib import Path

from hopguard.record import Record

SAMPLE: Record = {
    "schema": "hopguard/1",
    "time": "2026-05-31T12:00:00.000000Z",
    "rule": "connection-field-in-http2",
    "variant": None,
    "severity": "error",
    "message": "connection: keep-alive is a connection-specific field.",
    "requirement": {
        "rfc": 9113,
        "section": "8.2.2",
        "keyword": "MUST NOT",
        "url": "https://www.rfc-editor.org/rfc/rfc9113.html#section-8.2.2",
    },
    "sender": "server",
    "leg": "server",
    "part": "response",
    "http_version": "HTTP/2",
    "field": "connection",
    "value": "keep-alive",
    "line": 3,
    "action": "flagged",
    "edits": [],
    "policy": None,
    "method": "GET",
    "url": "https://www.example/events",
    "status": 200,
    "flow": "f1",
    "connection": "c1",
    "client": "192.0.2.1:50000",
    "server": "192.0.2.2:443",
}

HOSTILE = "=cmd|' /C calc'!A0;-2+3 <script>alert(1)</script> \x1b[31m\x00\u202e\ud800&]]>\"'\n"
"""What a log of another program, or an altered one, may hold anywhere."""


def make(**changes: object) -> Record:
    """Make a record: the sample with `changes`."""
    return {**SAMPLE, **changes}


def write_log(path: Path, *records: Record) -> Path:
    """Write a log."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
