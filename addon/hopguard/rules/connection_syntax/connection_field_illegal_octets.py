from collections.abc import Iterator

from hopguard import editing, grammar
from hopguard.fields import CONNECTION_MANAGEMENT
from hopguard.message import EVERY_VERSION, HTTP1, Message
from hopguard.rule import ERROR, Evidence, Finding, Requirement, Variant, message_rule

NAMES = sorted(CONNECTION_MANAGEMENT)


def _unfold[M: Message](message: M, _: Finding, /) -> M:
    return editing.unfold(message, CONNECTION_MANAGEMENT)


@message_rule(
    requirement=Requirement(9110, "5.5", "MUST"),
    also=(
        Requirement(9112, "2.2", "MUST NOT"),
        Requirement(9113, "8.2.1", "MUST NOT"),
        Requirement(9114, "10.3", "MUST"),
    ),
    variants={
        "fold": Variant(ERROR, requirement=Requirement(9112, "5.2", "MUST NOT")),
        "control": ERROR,
        "edge-space": Variant(ERROR, requirement=Requirement(9110, "5.5")),
    },
    profiles=("rfc9110", "security"),
    versions=EVERY_VERSION,
    fields=CONNECTION_MANAGEMENT,
    repair="Replace each line folding by one space.",
    edit={"fold": _unfold},
    violating={
        "fold": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: keep-alive,
            >  TE
            > TE: trailers
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5,
            <  max=100
            < Content-Length: 0
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding:
            >  chunked
            """,
            """
            > GET / HTTP/1.0
            >! Connection: close,
            >  X-A,
            >  X-B
            """,
        ],
        "control": [
            r"""
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: close\x00
            """,
            r"""
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: close\rX-Injected: 1
            """,
            r"""
            < HTTP/1.1 200 OK
            <! Connection: clo\nse
            < Content-Length: 0
            """,
            r"""
            > POST / HTTP/1.1
            > Host: www.example
            >! Expect: 100-\x0bcontinue
            > Content-Length: 0
            """,
            r"""
            < HTTP/1.0 200 OK
            <! Connection: keep-alive\x7f
            < Content-Length: 0
            """,
            r"""
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: close\r\nX-Injected: 1
            """,
            r"""
            > GET / HTTP/2
            > host: www.example
            >! expect: 100-continue\r\n x
            """,
            r"""
            > GET / HTTP/3
            > host: www.example
            >! proxy-authorization: Basic dTpw\x00
            """,
        ],
        "edge-space": [
            r"""
            > GET / HTTP/2
            > host: www.example
            >! te: \x20trailers
            """,
            r"""
            < HTTP/3 200
            <! content-length: 5\t
            """,
            r"""
            > GET / HTTP/2
            > host: www.example
            >! expect: \x20
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, close
        > User-Agent: folded
        >  elsewhere
        """,
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive,\tclose
        """,
        r"""
        < HTTP/1.1 200 OK
        < Connection: close\xa0
        < X-Other: \x00
        < Content-Length: 0
        """,
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: \x20close\t
        """,
        r"""
        > GET / HTTP/2
        > host: www.example
        > te: trailers
        > x-other: \x20a
        > expect: 100-continue\x01
        """,
        """
        < HTTP/1.1 200 OK
        < Connection:
        < Content-Length: 0
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A connection-management field carries line folding or control octets.

    A field value is one line of visible text. A value continued on the next line (fold) is
    forbidden in HTTP/1.1: some parsers join the lines, some cut the value, some take the second
    line for a field of its own, so two hops read two different messages. NUL, CR, LF and other
    control octets (control) are worse: they hardly ever come from an honest program, and on HTTP/2
    and HTTP/3 they become field lines of their own once a gateway writes the message as HTTP/1.1.
    HTTP/2 also forbids a space or tab at either end of a value (edge-space), which HTTP/1.1 allows
    and ignores; HTTP/3 holds values to the same grammar.

    Fields that manage or frame the connection are where such a difference pays off for an
    attacker: it hides close, an upgrade or chunked from one hop and shows it to the next.

    An HTTP/1.1 server or proxy may either reject a folded value or replace the fold by a space,
    and the same goes for NUL, CR and LF; rejecting is the safer choice. In application code, never
    put input from elsewhere into a field value without checking it for CR and LF, and write long
    lists on one line or as several field lines.

    All other rules judge a folded value as if it were unfolded, and leave values with control
    octets to this one. On HTTP/2 and HTTP/3 only NUL, CR and LF count as control octets. Trailer
    sections and octets beyond ASCII are left to other rules.
    """
    for line in [line for name in NAMES for line in message.lines(name)]:
        folded = message.version in HTTP1 and grammar.unfold(line.value) != line.value
        if folded:
            yield Evidence(f"{line} is folded over several lines.", line, "fold")
        if message.has_control(line):
            yield Evidence(
                f"{line} holds control octets that no field value may hold.", line, "control"
            )
        if message.version not in HTTP1 and line.value.strip(grammar.OWS) != line.value:
            yield Evidence(
                f"{line} starts or ends with white space, which {message.version} forbids.",
                line,
                "edge-space",
            )
