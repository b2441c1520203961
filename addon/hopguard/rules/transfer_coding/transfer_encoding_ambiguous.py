from collections.abc import Iterator

from hopguard import grammar
from hopguard.fields import NO_TRANSFER_CODINGS, TRANSFER_CODINGS
from hopguard.grammar import Coding
from hopguard.message import HTTP11, FieldLine, Message
from hopguard.rule import ERROR, WARNING, Evidence, Requirement, Variant, message_rule
from hopguard.text import quote

MOST_FINDINGS = 5
"""Different unknown codings of one message that are reported."""

WITHDRAWN = {
    b"identity": ("identity", "a name that HTTP has withdrawn"),
    b"trailers": ("reserved", "a word of TE that is reserved here"),
}


@message_rule(
    requirement=Requirement(9112, "7"),
    also=(
        Requirement(9112, "6.1"),
        Requirement(9112, "7.2"),
        Requirement(9112, "12.3"),
        Requirement(9112, "11.2"),
    ),
    variants={
        "multiple-lines": Variant(WARNING, requirement=Requirement(9110, "5.3")),
        "empty-member": Variant(ERROR, requirement=Requirement(9110, "5.6.1.1", "MUST NOT")),
        "parameters": Variant(WARNING, requirement=Requirement(9112, "7.1")),
        "unknown-coding": WARNING,
        "identity": Variant(WARNING, requirement=Requirement(7230, "A.2")),
        "reserved": Variant(WARNING, requirement=Requirement(9112, "12.3")),
    },
    profiles=("security",),
    versions=HTTP11,
    fields=(b"transfer-encoding",),
    visible="refused",
    violating={
        "multiple-lines": [
            """
            < HTTP/1.1 200 OK
            < Transfer-Encoding: gzip
            <! Transfer-Encoding: chunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Transfer-Encoding: compress
            >! transfer-encoding: gzip
            > Transfer-encoding: chunked
            """,
        ],
        "empty-member": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: ,chunked
            """,
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: gzip,, chunked,
            """,
        ],
        "parameters": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: chunked;q=1
            """,
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: GZIP ; level="9,", chunked
            """,
        ],
        "unknown-coding": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: xchunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: chunked, cow
            """,
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: br;q=1, BR, chunked
            """,
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: a, b, c, d, e, f, chunked
            """,
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: utf-8
            """,
        ],
        "identity": [
            """
            < HTTP/1.1 200 OK
            < Connection: close
            <! Transfer-Encoding: identity
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: Identity;q=1, foo
            > Transfer-Encoding: chunked
            """,
        ],
        "reserved": [
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: trailers, chunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: chunked, Trailers
            """,
        ],
    },
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Transfer-Encoding: Chunked
        """,
        """
        < HTTP/1.1 200 OK
        < TRANSFER-ENCODING: X-Gzip , CHUNKED
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: compress, x-compress, deflate, gzip, chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Transfer-Encoding: chunked
        < Transfer-Encoding: chunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding:
        > Transfer-Encoding: chunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: ,
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: "chunked", chunked
        """,
        r"""
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: cow\x00,,
        > Transfer-Encoding: chunked
        """,
        """
        > POST / HTTP/1.0
        > Transfer-Encoding: identity
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Accept-Encoding: identity, br
        > Connection: TE
        > TE: trailers
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Transfer-Encoding is well-formed, but recipients disagree about it.

    Only chunked, compress, deflate and gzip are transfer codings in use, and hardly any program
    knows more of them than chunked. Every other correct spelling is read in several ways: programs
    look at the first or the last of several lines (multiple-lines), stumble over an empty list
    element (empty-member) or over parameters that no coding defines (parameters), and ignore,
    pass on or refuse a name that they do not know (unknown-coding). Ignoring it means to take
    Content-Length instead, or no body at all: a request in the middle of a body is smuggled.

    From version 2.5 on, HAProxy refuses requests with any transfer coding but chunked, and answers
    502 in place of such responses (haproxy/haproxy#2623). The right answer to a request with an
    unknown coding is 501; nginx gives it for anything but chunked.

    identity was withdrawn long ago; leave the field out instead. trailers belongs into TE and may
    not be used as the name of a coding. utf-8, br and base64 are no transfer codings either: a
    charset belongs into Content-Type, a compression into Content-Encoding. Send "Transfer-Encoding:
    chunked" on one line, or leave the field to the HTTP library.

    Letter case is never a fault. At most five unknown names are reported. identity and trailers are
    reported alone, whatever else the field holds; chunked on two lines is left to the rule about a
    repeated chunked, and lines without a coding, members that are no coding and control octets to
    the rules about those.
    """
    lines = [
        line
        for line in message.lines(b"transfer-encoding")
        if line.value.strip(b", \t") and not message.has_control(line)
    ]
    codings = _codings(message, lines)
    withdrawn = [(line, coding) for line, coding in codings if coding.name in NO_TRANSFER_CODINGS]
    for line, coding in withdrawn:
        variant, reason = WITHDRAWN[coding.name]
        yield Evidence(f"{line} lists {quote(coding.name)}, {reason}.", line, variant)
    if not withdrawn:
        yield from _names(codings)
        yield from _lists(message, lines)


def _codings(message: Message, lines: list[FieldLine]) -> list[tuple[FieldLine, Coding]]:
    """List the codings on `lines`, each name once with and once without parameters."""
    positions = {line.position for line in lines}
    first: dict[tuple[bytes, bool], tuple[FieldLine, Coding]] = {}
    for line, member in message.members(b"transfer-encoding"):
        coding = grammar.parse_coding(member)
        if coding is not None and line.position in positions:
            first.setdefault((coding.name, bool(coding.parameters)), (line, coding))
    return list(first.values())


def _names(codings: list[tuple[FieldLine, Coding]]) -> Iterator[Evidence]:
    unknown: set[bytes] = set()
    for line, coding in codings:
        if coding.name in TRANSFER_CODINGS:
            if coding.parameters:
                text = f"{line} gives parameters to {quote(coding.name)}, which has none."
                yield Evidence(text, line, "parameters")
        elif coding.name not in unknown and len(unknown) < MOST_FINDINGS:
            unknown.add(coding.name)
            text = (
                f"{line} lists {quote(coding.name)}, which no registered transfer coding is called."
            )
            yield Evidence(text, line, "unknown-coding")


def _lists(message: Message, lines: list[FieldLine]) -> Iterator[Evidence]:
    for line in lines:
        if not all(grammar.split_quoted_list(grammar.unfold(line.value))):
            yield Evidence(f"{line} has an empty list element.", line, "empty-member")
    chunked_once = (message.transfer_codings or ()).count(b"chunked") <= 1
    if len(lines) > 1 and chunked_once:
        text = f"{lines[1]} continues the list of another Transfer-Encoding line."
        yield Evidence(text, lines[1], "multiple-lines")
