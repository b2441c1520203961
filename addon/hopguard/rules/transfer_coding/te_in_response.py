from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP1, Response
from hopguard.rule import WARNING, Evidence, Requirement, response_rule


@response_rule(
    requirement=Requirement(9110, "10.1.4"),
    also=(Requirement(9110, "10.1"),),
    severity=WARNING,
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"te",),
    repair="Remove the field line; no recipient can use it.",
    edit=editing.remove_field,
    violating=[
        """
        < HTTP/1.1 200 OK
        <! TE: trailers
        < Content-Length: 0
        """,
        """
        < HTTP/1.0 200 OK
        <! te: deflate
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: TE
        <! TE:
        <! Te: gzip
        < Transfer-Encoding: chunked
        """,
    ],
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Vary: TE, Accept
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < X-TE: trailers
        < Trailer: TE-Sum
        < Transfer-Encoding: chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: trailers
        """,
        """
        < HTTP/2 200
        < te: trailers
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """TE appears in a response.

    TE is a request field: with it a client tells the server which transfer codings it accepts and
    whether it wants trailer fields. A server has nothing to say with it, and no client reads it.

    It usually gets there because a program copies request fields into the response, or an
    intermediary adds the same set of fields in both directions. Harmless on HTTP/1.1, the field is
    an error once an HTTP/2 or HTTP/3 hop passes it on: there only requests may carry TE, and a
    strict client rejects the response.

    Remove it where the response is built: do not echo request fields, and keep fields for requests
    apart from those for responses in the configuration (proxy_set_header and add_header in nginx,
    http-request and http-response in HAProxy, RequestHeader and Header in Apache).
    """
    for line in response.lines(b"te"):
        yield Evidence(f"{line} is a request field and means nothing in a response.", line)
