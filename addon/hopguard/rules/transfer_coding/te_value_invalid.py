from collections.abc import Iterator

from hopguard import editing, grammar
from hopguard.message import HTTP1, Request
from hopguard.rule import ERROR, Evidence, Requirement, Variant, request_rule
from hopguard.text import quote


@request_rule(
    requirement=Requirement(9110, "10.1.4"),
    also=(
        Requirement(9110, "2.2", "MUST NOT"),
        Requirement(9110, "12.4.2"),
    ),
    variants={
        "syntax": ERROR,
        "chunked": Variant(ERROR, requirement=Requirement(9112, "7.4", "MUST NOT")),
    },
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"te",),
    repair=(
        "Reduce TE to trailers if it lists that, otherwise remove it with the option te; the "
        "server then sends chunked, which needs no permission, or no transfer coding."
    ),
    edit=editing.reduce_te,
    violating={
        "syntax": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: trailers;q=0.5
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: trailers; x=1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: gzip;q=1.5
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: gzip;q=0.1234
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: gzip;q=0.5;level=9
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: gzip;Q=1;q=0.5
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: gzip;q = 0.5
            """,
            """
            > GET / HTTP/1.0
            > Connection: TE
            >! TE: gzip;q
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: gzip deflate
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: trailers,,deflate
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: ,
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            > TE: trailers
            >! te: "gzip", <deflate>
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: foo;dictionary="a, deflate
            """,
            r"""
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: trailers\xa0
            """,
        ],
        "chunked": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: chunked
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            >! TE: trailers, Chunked;q=0.5, chunked
            """,
            """
            > GET / HTTP/1.0
            > Connection: te
            > TE: gzip
            >! TE: chunked;q=0
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: trailers, deflate;q=0.5
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE, close
        > TE: deflate,gzip;q=0.3
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE:
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE:
        > TE: Trailers
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: gzip;q=1.000, x-gzip ; Q=0., foo;a="b, \\"c\\";q=9" ;q=0.123, chunked-x
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: gzip,
        >  trailers
        """,
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: trailers\x00
        """,
        """
        > GET / HTTP/2
        > host: www.example
        > te: trailers;q=0.5
        """,
        """
        < HTTP/1.1 200 OK
        < TE: chunked
        < Content-Length: 0
        """,
    ],
)
def check(request: Request) -> Iterator[Evidence]:
    """TE does not parse, or asks for chunked.

    TE lists what a client accepts besides chunked: names of transfer codings, each with a weight
    if need be (deflate;q=0.5), and the word trailers, which takes neither parameter nor weight.
    Every HTTP/1.1 recipient accepts chunked, so a client must not name it: whoever reads the list
    could conclude from a weight of 0 that chunked is refused, which cannot be.

    A value that does not parse (syntax) is ignored at best. At worst, the one program on the way
    that looks for trailers somewhere in the value and the other that parses it come to different
    answers, and trailer fields are lost between them.

    Leave TE out unless trailer fields or a compressed transfer coding are wanted, and then send
    "TE: trailers" or "TE: gzip" with "Connection: TE". A client that only wants a compressed body
    uses Accept-Encoding. An empty value is correct and means that nothing but chunked is wanted.

    One finding of each kind is reported per field line. A weight must come last and be 0 to 1 with
    at most three decimals; white space around "=" counts as an error, since no sender may write
    it. Values with control octets are left to the rule about illegal octets.
    """
    for line in request.lines(b"te"):
        if not line.value or request.has_control(line):
            continue
        reported = {""}
        for member in grammar.split_quoted_list(grammar.unfold(line.value)):
            variant, reason = _fault(member)
            if variant not in reported:
                reported.add(variant)
                yield Evidence(f"{line} lists {quote(member)}, {reason}.", line, variant)


def _fault(member: bytes) -> tuple[str, str]:
    """Return the variant and the reason; empty where `member` is in order."""
    coding = grammar.parse_coding(member)
    if coding is None:
        return "syntax", "which is neither a transfer coding nor trailers"
    if coding.name == b"chunked":
        return "chunked", "which every recipient accepts and no client may name"
    if coding.name == b"trailers" and coding.parameters:
        return "syntax", "but trailers takes neither parameters nor a weight"
    for position, (name, value) in enumerate(coding.parameters, 1):
        last = position == len(coding.parameters)
        if name == b"q" and not (last and grammar.is_qvalue(value)):
            return "syntax", "whose weight is not the last parameter or not a number from 0 to 1"
    return "", ""
