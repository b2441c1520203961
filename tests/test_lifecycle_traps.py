"""Connections that are in order, or of which too little is known: nobody may speak."""

import pytest

from hopguard.checker import Checker
from hopguard.events import Closed, Key, Opened, RequestHead, ResponseEnd, ResponseHead
from hopguard.happenings import is_happening
from hopguard.idle_settings import setting_of
from hopguard.lifecycle import Lifecycle
from hopguard.rule import DEFAULT_PROFILES
from hopguard.transcript import TranscriptError, parse
from tests.judging import judge_connections

EXCHANGE = """
> GET / HTTP/1.1
> Host: www.example
< HTTP/1.1 200 OK
< Content-Length: 0
"""
ANNOUNCED = EXCHANGE + "< Connection: keep-alive\n< Keep-Alive: timeout=5, max=100\n"
POST = EXCHANGE.replace("GET / HTTP/1.1", "POST / HTTP/1.1")

TRAPS = {
    "the server's idle timeout, which it does not announce": f"* opened{EXCHANGE}* 75 s later\n"
    "* server closes",
    "the announced idle timeout": f"* opened{ANNOUNCED}* 5 s later\n* server closes",
    "a second more than announced, as Node does": f"* opened{ANNOUNCED}* 6 s later\n"
    "* server closes",
    "a promise that is kept over and over": f"* a new connection{ANNOUNCED}* 5 s later\n"
    f"* server closes\n* a new connection{ANNOUNCED}* 5.1 s later\n* server closes\n"
    f"* a new connection{ANNOUNCED}* 4.9 s later\n* server closes",
    "a clean restart: idle connections end after any time": "".join(
        f"* a new connection{ANNOUNCED}* {idle} s later\n* server closes\n"
        for idle in (1.2, 3.1, 2.2, 4.9, 1.7)
    ),
    "an HTTP/2 client over HTTP/1: mitmproxy closes after each exchange": "".join(
        f"* a new connection\n* server leg{EXCHANGE}* proxy closes\n" for _ in range(5)
    ),
    "the client has gone": f"* opened{EXCHANGE}* client closes",
    "nobody knows who closed": f"* opened{EXCHANGE}* somebody closes",
    "nobody knows when": f"* at an unknown time\n* opened{EXCHANGE}{EXCHANGE}* server closes",
    "a tunnel ends": "* opened\n> CONNECT a.example:443 HTTP/1.1\n> Host: a.example:443\n"
    "< HTTP/1.1 200 OK\n* 90 s later\n* server closes",
    "a WebSocket ends": "* opened\n> GET / HTTP/1.1\n> Host: a.example\n> Connection: Upgrade\n"
    "> Upgrade: foo\n< HTTP/1.1 101 Switching Protocols\n< Connection: Upgrade\n< Upgrade: foo\n"
    "* 90 s later\n* server closes",
    "an upgrade after close, whose octets look like requests": "* opened\n> GET / HTTP/1.1\n"
    "> Host: a.example\n> Connection: Upgrade, close\n> Upgrade: foo\n"
    "< HTTP/1.1 101 Switching Protocols\n< Connection: Upgrade\n< Upgrade: foo\n* 9 s later\n"
    f"* still open{EXCHANGE}* server closes",
    "answers of the proxy itself": "* client leg\n* opened\n* answered by the proxy\n"
    "> GET / HTTP/1.1\n> Host: a.example\n< HTTP/1.1 502 Bad Gateway\n< Connection: Close\n"
    "< Content-Length: 0\n* 60 s later\n> GET / HTTP/1.1\n> Host: a.example\n* client closes",
    "requests on the wire when close came": f"* opened{EXCHANGE}* 5 s later\n"
    "> GET /a HTTP/1.1\n> Host: a.example\n> GET /b HTTP/1.1\n> Host: a.example\n"
    "< HTTP/1.1 200 OK\n< Connection: close\n< Content-Length: 0\n* server closes",
    "the promise of a server, relayed to a client that cannot see the close": f"* client leg\n"
    f"* opened{ANNOUNCED}* 30 s later{ANNOUNCED}* client closes",
    "a response until the end of the connection": "* opened\n> GET / HTTP/1.1\n> Host: a.example\n"
    "< HTTP/1.1 200 OK\n* server closes",
    "an exchange that fails for another reason": f"* opened{EXCHANGE}> GET /2 HTTP/1.1\n"
    "> Host: a.example\n* the exchange fails\n* proxy closes",
    "seen from the middle, closed at once by somebody": f"{EXCHANGE}* somebody closes",
    "a POST that a person repeats": "* every body: x\n* opened\n> POST / HTTP/1.1\n"
    "> Host: a.example\n* server closes\n* 4 s later\n* a new connection" + POST,
    "a client that opens a connection for each request and says so": "".join(
        "* a new connection\n* client leg\n> GET / HTTP/1.1\n> Host: a.example\n"
        "> Connection: close\n< HTTP/1.1 200 OK\n< Connection: close\n< Content-Length: 0\n"
        "* proxy closes\n"
        for _ in range(5)
    ),
    "nothing at all": "* opened\n* 60 s later\n* server closes",
    "max that is used up": "* opened" + EXCHANGE.rstrip() + "\n< Connection: keep-alive\n"
    "< Keep-Alive: max=1" + EXCHANGE + "* server closes",
}
"""What is going on, and how it looks."""

RIGHTLY = {"requests on the wire when close came": {"pipelined-requests"}}
"""Who may speak all the same."""


@pytest.mark.parametrize("trap", TRAPS)
def test_traps(trap: str) -> None:
    """No finding of any severity."""
    checker = Checker(DEFAULT_PROFILES)
    found = [judged.finding for judged in judge_connections(parse(TRAPS[trap]), checker)]
    assert [one.text for one in found if one.rule not in RIGHTLY.get(trap, ())] == []


def test_a_restart_ends_connections_that_were_idle_for_equally_long() -> None:
    """Ten at the same moment are no more than one observation."""
    lifecycle = Lifecycle(Checker(), idle_timeout=60.0)
    head = ResponseHead(1.0, "HTTP/1.1", 200, timeout=75, keep_alive=True, delimited=True)
    keys = [Key("server", str(number)) for number in range(10)]
    found = [
        judged.finding.text
        for event in (
            Opened(0.0, server="a:80"),
            RequestHead(1.0, "HTTP/1.1", b"GET"),
            head,
            ResponseEnd(1.0),
            Closed(3.0, "server"),
        )
        for key in keys
        for judged in lifecycle.feed(key, event)
    ]
    assert found == []


LOST = "> GET /2 HTTP/1.1\n> Host: a.example\n* 2 ms later\n* server closes\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"* opened{EXCHANGE}{LOST}",
            "Request 2 was lost: the server closed the connection 2 ms after it was sent, 0 ms "
            "after the response before it.",
        ),
        (
            "".join(
                f"* a new connection{EXCHANGE}* {idle} s later\n* server closes\n"
                for idle in (4.9, 5.0, 5.1)
            )
            + f"* a new connection{EXCHANGE}* 5 s later\n{LOST}",
            "Request 2 was lost: the server closed the connection 2 ms after it was sent, 5.0 s "
            "after the response before it; it closes idle connections after 5.0 s (4.90 to 5.10 s,"
            " 3 times).",
        ),
        (
            "> GET /1 HTTP/1.1\n> Host: a.example\n< HTTP/1.1 200 OK\n< Content-Length: 0\n"
            f"* opened{EXCHANGE}> GET /a HTTP/1.1\n> Host: a.example\n{LOST}",
            "Request 3 was lost: the server closed the connection 2 ms after it was sent.",
        ),
    ],
)
def test_a_race_is_told_with_its_history(text: str, said: str) -> None:
    """As far as there is one."""
    found = [judged.finding for judged in judge_connections(parse(text), Checker())]
    assert [one.text for one in found if one.rule == "request-raced-idle-close"] == [said]


def test_times_of_a_race_may_be_unknown() -> None:
    """Then nobody can tell that it was one."""
    text = f"* at an unknown time\n* opened{EXCHANGE}{LOST}"
    assert list(judge_connections(parse(text), Checker())) == []


def test_a_failed_exchange_is_no_pipeline() -> None:
    """What follows on the connection does not overlap with it."""
    text = f"* opened{EXCHANGE}> GET /2 HTTP/1.1\n* the exchange fails\n> GET /3 HTTP/1.1\n"
    assert list(judge_connections(parse(text), Checker())) == []


def test_promise_that_was_broken_before_anybody_learned_is_told_once() -> None:
    """And not for every connection that follows."""
    text = "* server leg\n" + f"* a new connection{ANNOUNCED}* 2 s later\n* server closes\n" * 6
    found = [judged.finding for judged in judge_connections(parse(text), Checker())]
    assert [(one.rule, one.variant) for one in found] == [
        ("keep-alive-promise-mismatch", "timeout-short")
    ]


def test_idle_timeout_that_is_long_enough() -> None:
    """Observed to be longer than what is in front."""
    text = "* in front: 60 s\n* server leg\n" + (
        f"* a new connection{EXCHANGE}* 75 s later\n* server closes\n" * 3
    )
    assert list(judge_connections(parse(text), Checker())) == []


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (b"nginx/1.22.1", "keepalive_timeout (nginx)"),
        (b"Apache/2.4.57 (Debian)", "KeepAliveTimeout (Apache)"),
        (b"gunicorn", "--keep-alive (gunicorn)"),
        (b"Apache-Coyote/1.1", "keepAliveTimeout of the Connector (Apache-Coyote)"),
        (b"", "server.keepAliveTimeout in Node"),
        (b"nginx-lookalike", "the server's setting for idle connections"),
        (b"\xff", "the server's setting for idle connections"),
    ],
)
def test_the_setting_is_named_where_the_server_says_what_it_is(server: bytes, said: str) -> None:
    """And nothing is guessed."""
    assert said in setting_of(server)
    assert setting_of(server).isprintable()


@pytest.mark.parametrize(
    "text",
    ["opened", "5 s later", "20 ms later", "somebody closes", "client leg", "in front: 60 s"],
)
def test_lines_about_connections(text: str) -> None:
    assert is_happening(text)


@pytest.mark.parametrize("text", ["5 h later", "nobody closes", "both legs", "later", "closed"])
def test_other_lines_are_refused(text: str) -> None:
    """By name."""
    assert not is_happening(text)
    with pytest.raises(TranscriptError, match=text):
        parse(f"* {text}\n> GET / HTTP/1.1")


def test_a_response_that_nobody_asked_for_by_the_notation() -> None:
    """A capture may begin with one."""
    steps = parse("* 1 s later\n< HTTP/1.1 200 OK\n< Content-Length: 0").steps
    assert [step.message for step in steps] == [None, 0]
