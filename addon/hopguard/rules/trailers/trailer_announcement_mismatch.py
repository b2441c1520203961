from collections.abc import Iterator, Sequence
from itertools import islice

from hopguard import grammar
from hopguard.message import HTTP2, HTTP3, HTTP11, FieldLine, Member, Message, Response
from hopguard.rule import ERROR, INFO, Evidence, Requirement, Variant, message_rule
from hopguard.text import quote

GRPC = b"application/grpc"

MOST_FINDINGS = 5
"""Different names of one message that are reported as unannounced, and as never sent."""


@message_rule(
    requirement=Requirement(9110, "6.6.2", "SHOULD"),
    also=(Requirement(9110, "6.5.2"), Requirement(9112, "7.1.2")),
    variants={
        "unannounced": INFO,
        "never-sent": INFO,
        "impossible": Variant(INFO, requirement=Requirement(9110, "6.5.1")),
        "syntax": Variant(ERROR, requirement=Requirement(9110, "6.6.2")),
    },
    profiles=("rfc9110",),
    versions=HTTP11 | HTTP2 | HTTP3,
    fields=(b"trailer",),
    in_trailers=True,
    violating={
        "unannounced": [
            """
            < HTTP/1.1 200 OK
            < Transfer-Encoding: chunked
            <
            <! X-Sum: 7
            < x-sum: 8
            """,
            """
            < HTTP/2 200
            <
            <! a: 1
            <! b: 1
            <! c: 1
            <! d: 1
            <! e: 1
            < f: 1
            """,
            """
            < HTTP/2 200
            < trailer: x-sum, x-sum-2
            < content-type: text/plain
            <
            < x-sum: 7
            < x-sum-2: 7
            <! server-timing: db;dur=1
            """,
        ],
        "never-sent": [
            """
            < HTTP/1.1 200 OK
            <! Trailer: X-Sum, X-Other, x-other
            < Transfer-Encoding: chunked
            <
            < x-sum: 7
            """,
            """
            > POST / HTTP/3
            > host: www.example
            >! trailer: x-sum
            >
            """,
        ],
        "impossible": [
            """
            < HTTP/1.1 200 OK
            <! Trailer: X-Sum
            < Content-Length: 5
            <
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Trailer: X-Sum, X-Other
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 5
            >! Trailer: X-Sum
            > Trailer: X-Other
            """,
            """
            < HTTP/1.1 204 No Content
            <! Trailer: X-Sum
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: close
            < Transfer-Encoding: gzip
            <! Trailer: X-Sum
            """,
        ],
        "syntax": [
            """
            < HTTP/1.1 200 OK
            <! Trailer: X-Sum, ;bad
            < Transfer-Encoding: chunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Trailer: "X-Sum"
            > Transfer-Encoding: chunked
            >
            > X-Sum: 7
            """,
            """
            < HTTP/2 200
            <! trailer: x-sum x-other
            """,
            """
            < HTTP/1.1 200 OK
            <! Trailer: X-Sum,
            < Transfer-Encoding: chunked
            """,
            """
            < HTTP/3 200
            <! trailer: :status
            """,
        ],
    },
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Trailer: X-Sum
        < trailer: x-other
        < Transfer-Encoding: chunked
        <
        < x-sum: 7
        < X-Other: 7
        """,
        """
        < HTTP/1.1 200 OK
        < Trailer: X-Sum
        < Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Trailer:
        < Transfer-Encoding: gzip, Chunked
        """,
        """
        < HTTP/2 200
        < content-type: application/grpc+proto
        <
        < grpc-status: 0
        < grpc-message:
        """,
        """
        < HTTP/1.1 200 OK
        < Trailer: Content-Length, X-Sum
        < Transfer-Encoding: chunked
        <
        < Connection: close
        < X-Sum: 7
        """,
        """
        > HEAD / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Trailer: X-Sum
        """,
        """
        < HTTP/1.1 304 Not Modified
        < Trailer: X-Sum
        <
        """,
        """
        < HTTP/1.1 103 Early Hints
        < Trailer: X-Sum
        """,
        """
        < HTTP/2 304
        < trailer: x-sum
        <
        """,
        """
        < HTTP/1.1 200 OK
        < Trailer: X-Sum
        < Transfer-Encoding: "chunked"
        """,
        r"""
        < HTTP/1.1 200 OK
        < Trailer: X-Sum\x00
        < Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.0 200 OK
        < Trailer: ;bad
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Trailer and the trailer section do not fit together.

    Trailer tells recipients before the body which trailer fields may follow. A field that was not
    announced (unannounced) is lost more easily: a proxy or client that has to decide by the header
    section whether to keep trailer fields decides against them. A field that was announced and
    does not come (never-sent) costs nothing, but may be the trace of a hop that dropped the
    trailer section. The proxy Couper removed Trailer and forwarded no trailer fields, which broke
    every gRPC call through it (coupergateway/couper#968).

    An HTTP/1.1 message has no trailer section without the chunked coding, so Trailer cannot come
    true in it (impossible). Frequently a hop has buffered the message, replaced chunked by
    Content-Length and kept Trailer. What is not a field name in the list (syntax) announces
    nothing; only this is an error, everything else is a hint that did not hold.

    Announce trailer fields where they are made: in Go, set the Trailer field before the first
    write; in Node, call res.setHeader("Trailer", ...) before res.addTrailers. In a proxy, forward
    the trailer section, or remove Trailer along with it.

    gRPC never announces and is not reported for it. A response with neither Content-Length nor
    Transfer-Encoding is not called impossible, since it may answer HEAD, and neither is a message
    whose transfer codings are at fault themselves. At most five names are reported of either.
    Fields that no trailer section may hold are left to the rule about them, control octets to the
    rule about illegal octets.
    """
    members = message.members(b"trailer")
    yield from _syntax(message)
    forbidden = message.forbidden_in_trailers
    announced = {
        member.lower(): line
        for line, member in reversed(members)
        if grammar.is_token(member) and member.lower() not in forbidden
    }
    if announced and _is_impossible(message):
        line = next(line for line, member in members if member.lower() in announced)
        text = f"{line} announces trailer fields in a message that cannot have any without chunked."
        yield Evidence(text, line, "impossible")
    elif message.trailers is not None and _has_body(message):
        absent = [name for name in announced if not message.trailer_lines(name)]
        for name in absent[:MOST_FINDINGS]:
            line = announced[name]
            text = f"{line} announces {quote(name)}, which the trailer section does not hold."
            yield Evidence(text, line, "never-sent")
    yield from _unannounced(message, forbidden.union(announced, _meant(members)))


def _syntax(message: Message) -> Iterator[Evidence]:
    """Report the first bad element of each line."""
    for line in message.lines(b"trailer"):
        # A line without a value is an empty list, which is allowed.
        if not line.value or message.has_control(line):
            continue
        members = grammar.split_list(grammar.unfold(line.value))
        for member in [member for member in members if not grammar.is_token(member)][:1]:
            text = f"{line} lists {quote(member)}, which is not a field name."
            yield Evidence(text, line, "syntax")


def _meant(members: Sequence[Member]) -> set[bytes]:
    """Return the names that bad elements may have been meant to announce."""
    return {token.lower() for member in members for token in grammar.tokens_in(member.value)}


def _unannounced(message: Message, known: frozenset[bytes]) -> Iterator[Evidence]:
    if any(line.value.lower().startswith(GRPC) for line in message.lines(b"content-type")):
        return
    first: dict[bytes, FieldLine] = {}
    for line in message.every_trailer_line():
        if line.name.lower() not in known:
            first.setdefault(line.name.lower(), line)
    for line in islice(first.values(), MOST_FINDINGS):
        yield Evidence(f"{line} is not announced in Trailer.", line, "unannounced")


def _has_body(message: Message) -> bool:
    """Tell whether a trailer section can follow, as far as the status says."""
    if not isinstance(message, Response):
        return True
    return message.status != 304 and not message.never_has_content


def _is_impossible(message: Message) -> bool:
    """Tell whether it is certain that no trailer section can follow, and rightly so."""
    if message.version not in HTTP11:
        return False
    if not isinstance(message, Response):
        return not message.has(b"transfer-encoding")
    if message.has(b"transfer-encoding"):
        names = message.transfer_codings or (b"chunked",)  # if at fault, that is another matter
        return b"chunked" not in names and b"close" in message.options
    return message.status == 204 or (message.has(b"content-length") and _has_body(message))
