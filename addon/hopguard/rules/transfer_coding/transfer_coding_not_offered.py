from collections.abc import Iterator

from hopguard import grammar
from hopguard.fields import CODING_ALIASES, NO_TRANSFER_CODINGS
from hopguard.message import HTTP11, Request, Response
from hopguard.rule import WARNING, Evidence, Requirement, exchange_rule
from hopguard.text import quote

NEEDS_NO_OFFER = NO_TRANSFER_CODINGS | {b"chunked"}
"""chunked is always welcome; what is not a coding at all is the matter of another rule."""

MOST_FINDINGS = 5
"""Different codings of one response that are reported."""


@exchange_rule(
    requirement=Requirement(9112, "7.4"),
    also=(Requirement(9112, "6.1"), Requirement(9110, "10.1.4")),
    severity=WARNING,
    profiles=("rfc9110",),
    versions=HTTP11,
    fields=(b"transfer-encoding",),
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        <! Transfer-Encoding: gzip, chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Accept-Encoding: gzip
        < HTTP/1.1 200 OK
        <! transfer-encoding: GZIP, chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: trailers, gzip;q=0.0, deflate;q=0.5
        < HTTP/1.1 200 OK
        <! Transfer-Encoding: gzip, chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE:
        < HTTP/1.1 200 OK
        < Connection: close
        <! Transfer-Encoding: deflate
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Transfer-Encoding: Chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: gzip
        < HTTP/1.1 200 OK
        < Transfer-Encoding: gzip, chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: x-compress;q=0, X-GZIP;q=0.001
        < HTTP/1.1 200 OK
        < Transfer-Encoding: gzip, chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: compress
        < HTTP/1.1 200 OK
        < Transfer-Encoding: x-compress, chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: gzip;q=high
        < HTTP/1.1 200 OK
        < Transfer-Encoding: gzip, chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: "gzip"
        < HTTP/1.1 200 OK
        < Transfer-Encoding: gzip, chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Transfer-Encoding: identity
        """,
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Transfer-Encoding: ,"gzip", chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 204 No Content
        < Transfer-Encoding: gzip, chunked
        """,
        """
        > GET / HTTP/1.0
        < HTTP/1.1 200 OK
        < Transfer-Encoding: gzip, chunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: gzip, chunked
        < HTTP/1.1 200 OK
        < Content-Encoding: gzip
        < Content-Length: 20
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """The response uses a transfer coding that the client did not offer.

    A server may apply chunked to any HTTP/1.1 response. Every other transfer coding has to be
    offered by the client in TE, because hardly any program can undo it: most clients and proxies
    know chunked alone, and hand the compressed octets on as if they were the content.

    HAProxy 2.5 and later answers 502 to a response with any transfer coding but chunked, so an
    upgrade of the proxy can take down a service that worked for years (haproxy/haproxy#2623).

    The server almost certainly meant Content-Encoding, for which the client's Accept-Encoding is
    the offer: send "Content-Encoding: gzip" and let the server frame the message by itself. In
    application code, never set Transfer-Encoding; servlet containers, Node, Go and WSGI servers
    set it when it is needed.

    gzip and x-gzip, and compress and x-compress, count as the same. Accept-Encoding is no offer of
    a transfer coding. A weight that does not parse counts as an offer. At most five are reported.
    Answers to HTTP/1.0, where no transfer coding is allowed at all, are the matter of another rule.
    """
    if request.version not in HTTP11 or response.never_has_content:
        return
    offered, reported = _offered(request), 0
    for line, member in response.members(b"transfer-encoding"):
        coding = grammar.parse_coding(member)
        if coding is None or coding.name in NEEDS_NO_OFFER:
            continue
        name = CODING_ALIASES.get(coding.name, coding.name)
        if name not in offered and reported < MOST_FINDINGS:
            offered.add(name)  # reported once
            reported += 1
            yield Evidence(
                f"{line} applies {quote(coding.name)}, which the request does not offer in TE.",
                line,
            )


def _offered(request: Request) -> set[bytes]:
    offered: set[bytes] = set()
    for _, member in request.members(b"te"):
        coding = grammar.parse_coding(member)
        if coding is None:  # what it was meant to offer
            names = [token.lower() for token in grammar.tokens_in(member)]
        else:
            refused = any(
                name == b"q" and not value.strip(b"0.") for name, value in coding.parameters
            )
            names = [] if refused else [coding.name]
        offered.update(CODING_ALIASES.get(name, name) for name in names)
    return offered
