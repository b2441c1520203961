"""Incidents about the life of connections, from public issue trackers: the cause must be named.

The id of a test is the thread whose facts it has.
"""

from typing import NamedTuple

import pytest

from hopguard.checker import Checker
from hopguard.transcript import parse
from tests.judging import judge_connections

GET = "> GET / HTTP/1.1\n> Host: www.example\n"
OK = "< HTTP/1.1 200 OK\n< Content-Length: 0\n"
NODE = OK + "< Connection: keep-alive\n< Keep-Alive: timeout=5\n"
GUNICORN = OK + "< Server: gunicorn/19.9.0\n< Connection: keep-alive\n"


class Incident(NamedTuple):
    """What a thread reports, and what must be found in it: rules, variants, words."""

    thread: str
    text: str
    found: tuple[tuple[str, str], ...]
    says: tuple[str, ...] = ()


def idle_closes(response: str, idle: float, times: int = 3) -> str:
    """Have a server close idle connections."""
    return f"* a new connection\n{GET}{response}* {idle} s later\n* server closes\n" * times


INCIDENTS = [
    Incident(
        "guardian/dotcom-rendering#10450",
        f"* in front: 60 s\n* server leg\n* opened\n{GET}{NODE}",
        (("keep-alive-shorter-than-peer-idle", "announced"),),
        ("timeout=5", "60 s", "server.keepAliveTimeout in Node"),
    ),
    Incident(
        "medplum/medplum#2253",
        f"* server leg\n* opened\n{GET}{NODE}* 5 s later\n{GET}* 1 ms later\n* server closes\n",
        (("request-raced-idle-close", ""),),
        ("Request 2 was lost", "5.0 s after", "timeout=5"),
    ),
    Incident(
        "stella/stella#1697",
        "* in front: 60 s\n* server leg\n" + idle_closes(OK, 10),
        (("keep-alive-shorter-than-peer-idle", "observed"),),
        ("10.0 s", "60 s", "idleTimeout in Bun"),
    ),
    Incident(
        "apache/superset#20348",
        "* in front: 60 s\n* server leg\n" + idle_closes(GUNICORN, 2),
        (("keep-alive-shorter-than-peer-idle", "observed"),),
        ("2.0 s", "--keep-alive (gunicorn)"),
    ),
    Incident(
        "node-modules/agentkeepalive#23",
        f"* opened\n{GET}{NODE}* 5.5 s later\n{GET}* 1 ms later\n* server closes\n",
        (("keep-alive-promise-mismatch", "timeout-overrun"), ("request-raced-idle-close", "")),
        ("promises only Keep-Alive: timeout=5",),
    ),
    Incident(
        "orientechnologies/orientdb#3037",
        f"* opened\n{GET}> Connection: close\n{OK}< Connection: Keep-Alive\n* 15 s later\n"
        "* client closes\n",
        (("close-not-honoured", "server-open"),),
        ("15.0 s",),
    ),
    Incident(
        "http-kit/http-kit#357",
        f"* opened\n{GET}> Connection: close\n{GET}{OK}< Connection: close\n{OK}",
        (
            ("pipelined-requests", "pipelined"),
            ("request-after-close", "own-close"),
            ("close-not-honoured", "processed"),
        ),
    ),
    Incident(
        "httperf/httperf#4",
        f"* opened\n{GET}{OK}< Connection: close\n* 1 s later\n{GET}",
        (("request-after-close", "peer-close"),),
    ),
    Incident(
        "NanoHttpd/nanohttpd#46",
        "* opened\n> GET / HTTP/1.0\n> Connection: keep-alive\n< HTTP/1.0 200 OK\n"
        "< Content-Length: 0\n> GET / HTTP/1.0\n> Connection: keep-alive\n",
        (("http10-connection-reused-without-keep-alive", ""),),
        ("its response was HTTP/1.0 without keep-alive",),
    ),
    Incident(
        "kubernetes/ingress-nginx#8094",
        "* server leg\n"
        + f"* a new connection\n{GET}{OK}{GET}{OK}{GET}* 2 ms later\n* server closes\n" * 5,
        (
            *((("request-raced-idle-close", ""),) * 5),
            ("close-missing-while-draining", ""),
        ),
        ("5 connections in use",),
    ),
    Incident(
        "mitmproxy/mitmproxy#3038",
        f"* server leg\n* opened\n{GET}{OK}* 20 s later\n{GET}* 1 ms later\n* server closes\n",
        (("request-raced-idle-close", ""),),
    ),
]


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.thread)
def test_incident(incident: Incident) -> None:
    """All that is found, and what it says."""
    found = [judged.finding for judged in judge_connections(parse(incident.text), Checker())]
    assert [(one.rule, one.variant) for one in found] == list(incident.found)
    said = " ".join(one.text for one in found)
    assert [word for word in incident.says if word not in said] == []
