from collections.abc import Iterator

from hopguard.fields import NO_TRANSFER_CODINGS, TRANSFER_CODINGS
from hopguard.message import HTTP11, FieldLine, Message, Response
from hopguard.rule import ERROR, WARNING, Evidence, Requirement, Variant, message_rule

CHUNKED = b"chunked"


@message_rule(
    requirement=Requirement(9112, "6.1", "MUST"),
    also=(Requirement(9112, "6.3", "MUST"), Requirement(9112, "11.2")),
    variants={
        "repeated": Variant(ERROR, requirement=Requirement(9112, "6.1", "MUST NOT")),
        "not-last": ERROR,
        "request-missing": ERROR,
        "response-missing": WARNING,
    },
    profiles=("rfc9110", "security"),
    versions=HTTP11,
    fields=(b"transfer-encoding",),
    visible="refused",
    violating={
        "repeated": [
            """
            < HTTP/1.1 200 OK
            < Transfer-Encoding: chunked
            <! Transfer-Encoding: chunked
            """,
            """
            < HTTP/1.1 200
            < keep-alive: timeout=60
            < connection: keep-alive
            < transfer-encoding: chunked
            < content-type: application/json
            <! Transfer-Encoding: Chunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: chunked, CHUNKED
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: chunked, gzip, chunked
            """,
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: chunked, chunked, gzip
            """,
        ],
        "not-last": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: chunked, gzip
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! transfer-encoding: Chunked, X-Gzip
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: close
            <! Transfer-Encoding: chunked, deflate
            """,
        ],
        "request-missing": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            >! Transfer-Encoding: gzip
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Connection: close
            >! Transfer-Encoding: compress, gzip
            """,
        ],
        "response-missing": [
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: gzip
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            > TE: deflate
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Transfer-Encoding: deflate
            """,
        ],
    },
    conforming=[
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: gzip, chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Transfer-Encoding: gzip
        < Transfer-Encoding: Chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Close
        < Transfer-Encoding: gzip
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: "close"
        < Transfer-Encoding: gzip
        """,
        """
        < HTTP/1.1 304 Not Modified
        < Transfer-Encoding: gzip
        """,
        """
        < HTTP/1.1 204 No Content
        < Transfer-Encoding: chunked, chunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: ,chunked,
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked, "gzip"
        """,
        r"""
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: \x0bchunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked, cow
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: xchunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked, identity
        """,
        """
        < HTTP/1.1 200 OK
        < Transfer-Encoding:
        """,
        """
        > POST / HTTP/1.0
        > Transfer-Encoding: chunked, gzip
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """The last transfer coding is not chunked, or chunked is applied twice.

    chunked marks where the body ends, so it has to be the outermost coding, and once is enough. If
    it stands before another coding (not-last) or is missing in a request (request-missing), nobody
    can tell where the request ends: the server has to answer 400 and close. In a response without
    a final chunked (response-missing) the body ends with the connection, which the response ought
    to announce by close. Named twice (repeated), it says that the chunks are chunked again; in
    truth two programs have each added the field.

    That last case is the most frequent one. nginx from 1.23 on and some versions of HAProxy answer
    502 when a back end sends "Transfer-Encoding: chunked" twice, so it comes to light when the
    proxy is upgraded (kubernetes/ingress-nginx#11162, haproxy/haproxy#2677). With Spring Boot it
    happens where a controller sets the field, or passes on the header fields of another service's
    response, and the servlet container adds its own (spring-projects/spring-boot#37646).

    Never set Transfer-Encoding in application code, and remove it, like all fields about the
    connection, before header fields of another response are passed on. For a compressed body use
    Content-Encoding.

    In a response, a misplaced chunked is a warning: the body may still end by closing. Members
    that are no transfer coding, or none that is known, are the business of other rules; if the
    last coding is one of them, this rule is silent about the missing chunked. Answers to HEAD
    cannot be told from others here.
    """
    names = message.transfer_codings
    bodiless = isinstance(message, Response) and message.never_has_content
    if not names or bodiless or not NO_TRANSFER_CODINGS.isdisjoint(names):
        return
    lines = _lines_naming(message, names)
    if names.count(CHUNKED) > 1:
        line = lines[names.index(CHUNKED, names.index(CHUNKED) + 1)]
        yield Evidence(f"{line} applies chunked a second time.", line, "repeated")
    elif names[-1] == CHUNKED or names[-1] not in TRANSFER_CODINGS:
        return
    elif CHUNKED in names:
        line, weight = lines[names.index(CHUNKED)], None
        if isinstance(message, Response):
            weight = WARNING
        text = f"{line} applies chunked, but not as the last transfer coding."
        yield Evidence(text, line, "not-last", severity=weight)
    elif not isinstance(message, Response):
        text = f"{lines[-1]} does not end with chunked, so nobody can tell where the request ends."
        yield Evidence(text, lines[-1], "request-missing")
    elif not _ends_otherwise(message):
        text = (
            f"{lines[-1]} does not end with chunked, so the body ends with the connection, "
            "which is not announced."
        )
        yield Evidence(text, lines[-1], "response-missing")


def _lines_naming(message: Message, names: tuple[bytes, ...]) -> list[FieldLine]:
    """List the line of each coding of `names`."""
    lines = [line for line, member in message.members(b"transfer-encoding") if member]
    assert len(lines) == len(names)
    return lines


def _ends_otherwise(response: Response) -> bool:
    """Tell whether there is no body to end, or closing is announced, if perhaps badly."""
    announced = response.options | response.meant_options
    return response.status == 304 or b"close" in announced
