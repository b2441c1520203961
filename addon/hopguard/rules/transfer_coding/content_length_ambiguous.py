from collections import Counter
from collections.abc import Iterator

from hopguard import editing, grammar
from hopguard.message import HTTP1, FieldLine, Message
from hopguard.rule import ERROR, WARNING, Evidence, Finding, Requirement, Variant, message_rule

MOST_FINDINGS = 5
"""Lines of one message that are reported for the same fault."""

# Content-Length = 1*DIGIT                                             (RFC 9110, section 8.6)
TEXTS = {
    "not-digits": "is not a number of octets, written in digits",
    "list-differs": "lists different lengths",
    "list-equal": "lists the same length several times",
    "repeat-differs": "gives another length than a line before it",
    "repeat-equal": "gives the length again",
}


def _write_once[M: Message](message: M, _: Finding, /) -> M:
    """Write one line, if there is but one length and it is plain to see."""
    lines = message.lines(b"content-length")
    values = [value for _, value in message.members(b"content-length")]
    numbers = {value.lstrip(b"0") if value.isdigit() else None for value in values}
    if len(numbers) > 1 or None in numbers:
        return message
    once = [(lines[0].name, values[0])]

    def edit(name: bytes, value: bytes) -> tuple[bytes, bytes] | None:
        if name.lower() != b"content-length":
            return name, value
        return once.pop() if once else None

    return editing.edit_lines(message, edit)


@message_rule(
    requirement=Requirement(9110, "8.6"),
    also=(
        Requirement(9110, "2.2", "MUST NOT"),
        Requirement(9112, "6.3", "MUST"),
        Requirement(9112, "11.2"),
    ),
    variants={
        "repeat-differs": Variant(ERROR, requirement=Requirement(9110, "5.3", "MUST NOT")),
        "repeat-equal": Variant(WARNING, requirement=Requirement(9110, "5.3", "MUST NOT")),
        "list-differs": ERROR,
        "list-equal": WARNING,
        "not-digits": ERROR,
    },
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    fields=(b"content-length",),
    visible="refused",
    repair="Write one line with the length if it is always the same.",
    edit=dict.fromkeys(("repeat-equal", "list-equal"), _write_once),
    violating={
        "repeat-differs": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 5
            >! Content-Length: 6
            """,
            """
            < HTTP/1.0 200 OK
            < Content-Length: 5
            < Content-Type: text/plain
            <! content-length: 50
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 5
            >! Content-Length: 0
            >! Content-Length: 6
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 6
            >! Content-Length: 5, 5
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 0
            >! Content-Length: 1
            >! Content-Length: 2
            >! Content-Length: 3
            >! Content-Length: 4
            >! Content-Length: 5
            > Content-Length: 6
            """,
        ],
        "repeat-equal": [
            """
            < HTTP/1.1 200 OK
            < Content-Length: 5
            <! content-length: 5
            """,
            """
            < HTTP/1.1 200 OK
            < Content-Length: 5
            <! Content-Length: 5
            <! Content-Length: 5
            <! Content-Length: 5
            <! Content-Length: 5
            <! Content-Length: 5
            < Content-Length: 5
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 5
            >! Content-Length: 05
            """,
        ],
        "list-differs": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Content-Length: 5, 6
            """,
            """
            < HTTP/1.0 200 OK
            <! Content-Length: 5,5,6
            """,
            """
            < HTTP/1.1 200 OK
            < Content-Length: 5
            <! Content-Length: 5, 6
            """,
        ],
        "list-equal": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Content-Length: 5, 5
            """,
            """
            < HTTP/1.1 200 OK
            <! Content-Length: 42,42
            """,
        ],
        "not-digits": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Content-Length: +5
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Content-Length: -1
            """,
            """
            < HTTP/1.1 200 OK
            <! Content-Length: 0x10
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Content-Length: 1_0
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Content-Length: 1 0
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Content-Length:
            """,
            """
            < HTTP/1.1 200 OK
            <! Content-Length: 5,
            """,
            r"""
            > POST / HTTP/1.0
            > Content-Length: 5
            >! Content-Length: \xb5
            """,
            """
            < HTTP/1.1 200 OK
            <! Content-Length: undefined
            """,
        ],
    },
    conforming=[
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Content-Length: 5
        """,
        r"""
        < HTTP/1.1 200 OK
        < content-length: \t 0005 \t
        """,
        """
        < HTTP/1.0 200 OK
        < Content-Length: 0
        < X-Content-Length: 5, 6
        """,
        r"""
        > POST / HTTP/1.1
        > Host: www.example
        > Content-Length: \x0b5
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Content-Length:
        >  5
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Content-Length: 99999999999999999999999999999999999999999999999999
        """,
        """
        > POST / HTTP/2
        > host: www.example
        > content-length: 5, 6
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Content-Length can be read in more than one way.

    The length decides where the next message on the connection starts. Of several different values
    (repeat-differs, list-differs) one program takes the first, another the last; a value that is
    no plain number (not-digits) is read as 10, 1 or 0, or ignored, depending on the language's
    number parser, which may take signs, underscores and hexadecimal digits. Two such programs in a
    row and a request can be smuggled from one to the other. Even equal values (repeat-equal,
    list-equal) are refused by some recipients, and a sender may not write them.

    OpenLiteSpeed forwarded two differing lengths and went by the first, while a back end may go by
    the second (litespeedtech/openlitespeed#395). mitmproxy and most current servers refuse such a
    message.

    Equal values mostly come from an application or CGI script that sets the length although the
    server does so too, or from a proxy that adds its own: let one of them do it. "undefined" and
    "NaN" are values of JavaScript that were never computed; in Node, use
    Buffer.byteLength(body) or leave the field out. Reject all other values unless you know the
    sender.

    Each faulty line is reported once, at most five for the same fault. 05 and 5 count as equal. A
    trailing comma is not-digits. Values with control octets are left to the rule about illegal
    octets.
    """
    lines = message.lines(b"content-length")
    if len(lines) == 1 and lines[0].value.isdigit():
        return
    # Counted for each variant: a flood of harmless lines must not hide one that differs.
    reported: Counter[str] = Counter()
    for line, variant in _faults(message, lines):
        reported[variant] += 1
        if reported[variant] <= MOST_FINDINGS:
            yield Evidence(f"{line} {TEXTS[variant]}.", line, variant)


def _faults(message: Message, lines: list[FieldLine]) -> Iterator[tuple[FieldLine, str]]:
    length: bytes | None = None
    for line in lines:
        values = grammar.split_list(grammar.unfold(line.value))
        if message.has_control(line):
            continue
        if not all(value.isdigit() for value in values):
            yield line, "not-digits"
            continue
        numbers = {value.lstrip(b"0") for value in values}
        if len(numbers) > 1:
            yield line, "list-differs"
        elif length is not None and length not in numbers:
            yield line, "repeat-differs"
        elif len(values) > 1:
            yield line, "list-equal"
        elif length is not None:
            yield line, "repeat-equal"
        length = values[0].lstrip(b"0") if length is None else length
