from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP1, Request
from hopguard.rule import ERROR, Evidence, Requirement, request_rule


@request_rule(
    requirement=Requirement(9110, "10.1.4", "MUST"),
    also=(Requirement(9112, "7.4", "MUST"), Requirement(9110, "7.6.1", "MUST")),
    severity=ERROR,
    profiles=("rfc9110",),
    silenced_by=("rfc2616",),
    versions=HTTP1,
    fields=(b"te",),
    repair="Remove TE; without it the server only sends what every recipient must accept.",
    edit=editing.remove_field,
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! TE: trailers
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, TEST
        >! te: gzip;q=0.5
        > Te: trailers
        """,
        """
        > GET / HTTP/1.0
        > Connection: keep-alive
        >! TE: trailers
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! TE:
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > TE: deflate,gzip;q=0.3
        > Connection: TE, close
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive
        > Connection: te
        > TE:
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close;TE
        > TE: trailers
        """,
        """
        > POST /greeter/hello HTTP/2
        > content-type: application/grpc
        > te: trailers
        """,
        """
        > GET / HTTP/3
        > te: trailers
        """,
        """
        < HTTP/1.1 200 OK
        < TE: trailers
        < Content-Length: 0
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked
        > Trailer: X-Sum
        """,
    ],
)
def check(request: Request) -> Iterator[Evidence]:
    """TE is sent without the connection option TE.

    TE says which transfer codings, and whether trailer fields, the sender accepts on this one
    connection. Connection must list it so that the next hop removes it. Without the option, an
    intermediary that does not know TE forwards it, and the server answers with a coding that this
    hop never asked for and may not be able to decode.

    TE that travels on has hurt most where a proxy speaks HTTP/1.1 on one side and HTTP/2 on the
    other: HTTP/2 allows nothing but trailers in it, and requests failed with resets and 503
    (envoyproxy/envoy#8623, haproxy/haproxy#464).

    Send Connection: TE with it, or drop TE: most clients only want what they would get anyway.
    HTTP libraries usually send the field as the application sets it and add nothing. In HTTP/2 and
    HTTP/3, where gRPC needs te: trailers, the option must not be sent; a gateway that translates
    such a request to HTTP/1.1 has to add the option or drop the field.
    """
    if request.lacks_option(b"te"):
        line = request.lines(b"te")[0]
        yield Evidence(f"{line} is sent, but Connection does not list TE.", line)
