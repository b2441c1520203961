import re
from collections.abc import Iterator

from hopguard import grammar
from hopguard.message import HTTP1, FieldLine, Message
from hopguard.rule import INFO, WARNING, Evidence, Requirement, Variant, message_rule
from hopguard.text import quote

# timeout = delta-seconds, max = 1*DIGIT                   (draft-thomson-hybi-http-timeout-01)
# A quoted number is taken for a number: the value of a parameter may be a quoted-string.
INTEGER = re.compile(rb'[0-9]+|"(?:\\?[0-9])+"')

NUMBERS = frozenset({b"timeout", b"max"})
"""The parameters whose values are numbers; the later draft defines timeout alone."""

MOST_FINDINGS = 5
"""Parameters that are reported for one message."""

DRAFT = Requirement(
    document="draft-thomson-hybi-http-timeout-03",
    section="2",
    link="https://datatracker.ietf.org/doc/html/draft-thomson-hybi-http-timeout-03#section-2",
)

WRONG = {
    "syntax": "which is no parameter of the form name=value",
    "bare-token": "which has no value",
    "legacy-number": "a number without the name timeout",
    "bad-integer": "whose value is not a whole number",
    "duplicate": "although the parameter has occurred before",
    "unknown-parameter": "which is neither timeout nor max",
}


@message_rule(
    requirement=Requirement(2068, "19.7.1.1"),
    also=(DRAFT,),
    variants={
        "syntax": WARNING,
        "bare-token": WARNING,
        "legacy-number": WARNING,
        "bad-integer": Variant(WARNING, requirement=DRAFT),
        "duplicate": WARNING,
        "unknown-parameter": INFO,
    },
    profiles=("rfc2068",),
    versions=HTTP1,
    fields=(b"keep-alive",),
    violating={
        "syntax": [
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: idle timeout
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: "timeout"=5
            <! Keep-Alive: hint=
            <! Keep-Alive: hint=a b, hint="a
            < Content-Length: 0
            """,
        ],
        "bare-token": [
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5, max
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.0
            > Connection: Keep-Alive
            >! Keep-Alive: true
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5, 100
            < Content-Length: 0
            """,
        ],
        "legacy-number": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            >! Keep-Alive: 300
            """,
        ],
        "bad-integer": [
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5s
            <! Keep-Alive: MAX=-1
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5 max=100
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=1.5
            <! keep-alive: max=""
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            >! Keep-Alive: timeout=, max=100
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5m, max=a, max=b, timeout=c, max=d, max=e, max=f
            < Content-Length: 0
            """,
        ],
        "duplicate": [
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5, max=100, Timeout=60
            < Content-Length: 0
            """,
            """
            < HTTP/1.0 200 OK
            < Connection: keep-alive
            < Keep-Alive: max=100
            <! Keep-Alive: max=100
            < Content-Length: 0
            """,
        ],
        "unknown-parameter": [
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5, min=1
            <! Keep-Alive: idle-timeout="5, 6"
            < Content-Length: 0
            """,
        ],
    },
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Connection: Keep-Alive
        < Keep-Alive: timeout=5, max=100
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: TIMEOUT = "15" ,
        <  Max=0
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > Connection: keep-alive
        > Keep-Alive:
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=60,
        < Keep-Alive: ,max=1000,
        < Content-Length: 0
        """,
        r"""
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout="\\6\\0"
        < Content-Length: 0
        """,
        r"""
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=5\x00
        < Content-Length: 0
        """,
        """
        < HTTP/2 200
        < keep-alive: 300
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Keep-Alive does not parse, or its parameters make no sense.

    Keep-Alive tells the peer how many seconds an idle connection stays open (timeout) and how many
    more requests it takes (max). A client that cannot read it falls back to its own guess. If that
    is longer than the server's, the next request meets a closing connection: Node reports
    ECONNRESET or "socket hang up" (nodejs/node#20256, nodejs/node#47130), a load balancer answers
    502. Readers differ, too: some take 5 from timeout=5s, others nothing.

    Both values are plain decimal numbers, timeout in seconds and without a unit, and parameters
    are separated by commas. Keep-Alive: 300 (legacy-number) is what old Mozilla browsers sent. A
    name alone (bare-token) is at best an extension that nobody knows, and of two values for one
    parameter (duplicate) nobody can tell which one counts. Other parameters (unknown-parameter)
    are harmless, and ignored.

    Let the server write the field instead of the application: Apache httpd takes it from
    KeepAliveTimeout and MaxKeepAliveRequests, Node from server.keepAliveTimeout, and nginx from the
    second argument of keepalive_timeout.

    An empty field and empty list members are tolerated, and so is a number in quotes. Values with
    control octets are left to the rule about those. At most five parameters are reported.
    """
    seen: set[bytes] = set()
    found = 0
    for member in message.members(b"keep-alive"):
        if not member.value or grammar.has_control(member.value):
            continue
        name, value = _split(member.value)
        variant = _fault_of(member.line, name, value, repeated=name in seen)
        seen.add(name)
        if variant:
            text = f"{member.line} holds {quote(member.value)}, {WRONG[variant]}."
            yield Evidence(text, member.line, variant)
            found += 1
        if found == MOST_FINDINGS:
            return


def _split(parameter: bytes) -> tuple[bytes, bytes | None]:
    """Split a parameter into its name, in lower case, and its value, if it has one."""
    name, equals, value = parameter.partition(b"=")
    return name.rstrip(grammar.OWS).lower(), value.lstrip(grammar.OWS) if equals else None


def _fault_of(line: FieldLine, name: bytes, value: bytes | None, *, repeated: bool) -> str:
    """Tell what is wrong with a parameter; "" if nothing is."""
    if not grammar.is_token(name):
        return "syntax"
    if value is None:
        alone = grammar.unfold(line.value).strip(grammar.OWS).lower() == name
        return "legacy-number" if alone and name.isdigit() else "bare-token"
    if name in NUMBERS:
        if not INTEGER.fullmatch(value):
            return "bad-integer"
        return "duplicate" if repeated else ""
    if not (grammar.is_token(value) or grammar.is_quoted_string(value)):
        return "syntax"
    return "unknown-parameter"
