from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP11, FieldLine, Request, Response
from hopguard.rule import ERROR, Evidence, Requirement, Variant, response_rule

VARIANTS = ((b"transfer-encoding", "te"), (b"content-length", "cl"))


def _first_lines(response: Response) -> Iterator[tuple[FieldLine, str]]:
    for name, variant in VARIANTS:
        for line in response.lines(name)[:1]:
            yield line, variant


def _connect(request: Request, response: Response) -> Iterator[Evidence]:
    if response.opens_tunnel(request) and not response.never_has_content:
        for line, _ in _first_lines(response):
            yield Evidence(
                f"{line} is sent in a {response.status} response to CONNECT, "
                "after which the tunnel begins.",
                line,
                "connect",
            )


@response_rule(
    requirement=Requirement(9112, "6.1", "MUST NOT"),
    also=(Requirement(9110, "6.4.1"), Requirement(9112, "6.3")),
    variants={
        "te": ERROR,
        "cl": Variant(ERROR, requirement=Requirement(9110, "8.6", "MUST NOT")),
        "connect": Variant(ERROR, requirement=Requirement(9110, "9.3.6", "MUST NOT")),
    },
    profiles=("rfc9110",),
    versions=HTTP11,
    # All of 2xx, because each of them may answer CONNECT: that is seen in the exchange only.
    statuses=range(100, 300),
    in_exchange=_connect,
    visible="refused",
    repair=(
        "Remove Content-Length; the response ends with its header section regardless of it. "
        "Transfer-Encoding stays, and with it the finding."
    ),
    edit={"cl": editing.remove_field, "connect": editing.remove_field},
    violating={
        "te": [
            """
            < HTTP/1.1 204 No Content
            <! Transfer-Encoding: chunked
            """,
            """
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: foo
            <! transfer-encoding: chunked
            """,
        ],
        "cl": [
            """
            < HTTP/1.1 204 No Content
            <! Content-Length: 0
            """,
            """
            < HTTP/1.1 103 Early Hints
            < Link: </a.css>; rel=preload
            <! content-length: 0
            """,
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            < HTTP/1.1 204 No Content
            <! Content-Length: 0
            """,
        ],
        "connect": [
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            < HTTP/1.1 200 Connection Established
            <! Content-Length: 0
            """,
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: chunked
            """,
        ],
    },
    conforming=[
        """
        < HTTP/1.1 204 No Content
        """,
        """
        > HEAD / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Transfer-Encoding: chunked
        """,
        """
        > HEAD / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 1024
        """,
        """
        < HTTP/1.1 304 Not Modified
        < Content-Length: 1024
        """,
        """
        < HTTP/1.1 304 Not Modified
        < Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 205 Reset Content
        < Content-Length: 0
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: Basic realm="proxy"
        < Content-Length: 0
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 200 Connection Established
        """,
        """
        > CONNECT www.example:443 HTTP/1.0
        < HTTP/1.0 200 Connection established
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 204 No Content
        < Content-Type: text/plain
        < X-Content-Length: 0
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """A response that cannot have a body carries framing fields.

    Responses with status 1xx and 204, and every 2xx answer to CONNECT, end with the empty line
    after the header section. A length or a transfer coding in them has nothing to describe. A
    recipient that goes by the field all the same waits for chunks that never come, or takes the
    first octets of the next response, of the new protocol or of the tunnel for a body.

    Kestrel resets the connection instead of answering when an application sets Transfer-Encoding
    on a 204 (dotnet/aspnetcore#4382), and mitmproxy refuses such a response. "Content-Length: 0" on
    a 204 is the most frequent form and mostly survives, until a strict recipient meets it.

    Where it comes from: middleware that sets Content-Length for every response without a look at
    the status, and proxies that answer CONNECT as if it were a GET. Set the status first and let
    the server library choose the fields; Go, Node and the servlet containers leave them out for
    204. For a body that is empty but may have one, send 200 with "Content-Length: 0".

    Responses to HEAD and 304 are exempt: there both fields may describe what GET would get. 205 is
    exempt as well, since it says by them that it is empty.
    """
    if response.never_has_content:
        for line, variant in _first_lines(response):
            yield Evidence(
                f"{line} is sent with status {response.status}, which never has a body.",
                line,
                variant,
            )
