from collections.abc import Iterator

from hopguard.message import HTTP1, HTTP10, HTTP11, Message, Request, Response
from hopguard.rule import ERROR, Evidence, Requirement, Variant, message_rule


def _to_client(request: Request, response: Response) -> Iterator[Evidence]:
    if request.version in HTTP10 and response.version in HTTP11:
        for line in response.lines(b"transfer-encoding")[:1]:
            yield Evidence(f"{line} is sent to an HTTP/1.0 client.", line, "to-client")


@message_rule(
    requirement=Requirement(9112, "6.1", "MUST"),
    variants={
        "message": ERROR,
        "to-client": Variant(ERROR, requirement=Requirement(9112, "6.1", "MUST NOT")),
    },
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    fields=(b"transfer-encoding",),
    in_exchange=_to_client,
    visible="refused",
    violating={
        "message": [
            """
            > POST / HTTP/1.0
            > Host: www.example
            >! Transfer-Encoding: chunked
            """,
            """
            < HTTP/1.0 200 OK
            <! transfer-encoding: Chunked
            """,
            """
            > POST / HTTP/1.0
            > Content-Length: 5
            >! Transfer-Encoding: chunked
            """,
            """
            > GET / HTTP/1.0
            < HTTP/1.0 200 OK
            < Via: 1.0 cache.example
            <! Transfer-Encoding: chunked
            < Transfer-Encoding: chunked
            """,
        ],
        "to-client": [
            """
            > GET / HTTP/1.0
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: chunked
            """,
            """
            > GET / HTTP/1.0
            > Connection: keep-alive
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Transfer-Encoding: gzip, chunked
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.0
        < HTTP/1.1 200 OK
        < Connection: close
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Transfer-Encoding: chunked
        """,
        """
        > GET / HTTP/1.0
        > Transfer_Encoding: chunked
        < HTTP/1.0 200 OK
        < Content-Length: 0
        """,
        """
        > GET / HTTP/2
        > host: www.example
        < HTTP/1.1 200 OK
        < Transfer-Encoding: chunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked
        < HTTP/1.0 501 Not Implemented
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > TE: chunked
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Transfer-Encoding meets HTTP/1.0.

    HTTP/1.0 knows no transfer codings. In an HTTP/1.0 message (message) the field contradicts the
    version: either the sender does not know what it speaks, or a hop on the way has put another
    version into the start line. One recipient decodes the chunks, the next takes them for the
    body. So the framing counts as faulty, even with a Content-Length, and the connection has to be
    closed after the message. An HTTP/1.0 client that is sent chunks (to-client) shows their sizes
    among the content, or waits for more.

    nginx has long spoken HTTP/1.0 to its back ends by default; set "proxy_http_version 1.1".
    ApacheBench speaks nothing else. A server written by hand has to look at the version of the
    request before it chooses chunked; without it, send Content-Length, or end the body by closing
    the connection. Node, Go and the servlet containers do so by themselves, unless the application
    sets Transfer-Encoding.

    A Content-Length in the same message is reported too, by the rule about both fields.
    """
    if message.version in HTTP10:
        line = message.lines(b"transfer-encoding")[0]
        yield Evidence(
            f"{line} is sent in HTTP/1.0, which knows no transfer codings.",
            line,
            "message",
            sender="intermediary" if message.forwarded else None,
        )
