from collections.abc import Iterator

from hopguard import editing
from hopguard.fields import TRANSFER_CODINGS
from hopguard.message import HTTP1, HTTP11, FieldLine, Request, Response
from hopguard.rule import INFO, WARNING, Evidence, Requirement, Variant, exchange_rule

CODINGS_BUT_CHUNKED = TRANSFER_CODINGS - {b"chunked"}


@exchange_rule(
    requirement=Requirement(9112, "9.6", "SHOULD"),
    also=(Requirement(9112, "6.3"), Requirement(9112, "9.3")),
    variants={
        "unannounced": WARNING,
        "contradicted": Variant(WARNING, requirement=Requirement(9112, "9.3")),
        "avoidable": Variant(INFO, requirement=Requirement(9112, "6.3", "SHOULD")),
    },
    profiles=("rfc9110",),
    versions=HTTP1,
    repair="Say close in Connection, and nothing about keeping the connection.",
    edit={"unannounced": editing.say_close, "contradicted": editing.say_close},
    violating={
        "unannounced": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            <! HTTP/1.1 200 OK
            < Content-Type: text/plain
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 0
            <! HTTP/1.1 205 Reset Content
            < Connection: TE
            """,
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            <! HTTP/1.1 403 Forbidden
            """,
            """
            > GET / HTTP/1.0
            <! HTTP/1.1 200 OK
            """,
        ],
        "contradicted": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            <! Connection: keep-alive
            < Content-Type: text/event-stream
            """,
            """
            > GET / HTTP/1.0
            > Connection: keep-alive
            < HTTP/1.0 200 OK
            < Connection: X-Hop
            <! connection: Keep-Alive
            < Keep-Alive: timeout=5
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            <! Keep-Alive: timeout=5
            """,
        ],
        "avoidable": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 200 OK
            <! Connection: close
            < Content-Type: text/plain
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: TE
            > TE: gzip
            < HTTP/1.1 200 OK
            <! Connection: Close
            < Transfer-Encoding: gzip
            """,
            """
            > GET / HTTP/1.0
            > Host: www.example
            < HTTP/1.1 200 OK
            <! Connection: foo, close
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Content-Length: 5
        """,
        """
        > GET /events HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Content-Type: text/event-stream
        < Transfer-Encoding: chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Connection: close
        """,
        """
        > GET / HTTP/1.0
        < HTTP/1.0 200 OK
        < Content-Type: text/plain
        """,
        """
        > GET / HTTP/1.0
        < HTTP/1.0 200 OK
        < Connection: close
        """,
        """
        > GET / HTTP/1.0
        > Connection: keep-alive
        < HTTP/1.0 200 OK
        < Connection: keep-alive
        < Content-Length: 5
        """,
        """
        > HEAD / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 304 Not Modified
        < Connection: keep-alive
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 204 No Content
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: foo
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: foo
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 200 Connection Established
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: "close"
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: five
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Transfer-Encoding: gzip
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Transfer-Encoding: foo
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: close
        < Transfer-Encoding: "chunked"
        """,
        """
        > GET / HTTP/1.0
        < HTTP/1.0 200 OK
        < Connection: keep-alive
        < Transfer-Encoding: gzip
        """,
        """
        > GET / HTTP/2
        > host: www.example
        < HTTP/2 200
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """The end of the response is the end of the connection.

    Without Content-Length and chunked, a response lasts until the server closes the connection. So
    the connection cannot be used again, and a client cannot tell a complete response from one that
    was cut off by a crash or a timeout. A server has to announce it by close; otherwise a client
    expects a reusable connection (unannounced). With keep-alive or Keep-Alive in the response it is
    told a thing that cannot come true (contradicted).

    Event streams are the usual case: the handler writes "Connection: keep-alive" by hand while the
    server cannot know a length, and a client or a proxy that takes HTTP/1.1 at its word waits for
    more. Truncated downloads that are stored as complete are the other one.

    Let the server frame the body: Node, Go, servlet containers and gunicorn use chunked on HTTP/1.1
    unless the application gives them reason not to; with Netty, add the field yourself. In nginx
    and Apache, CGI and proxied responses become chunked by themselves; do not switch it off
    (chunked_transfer_encoding in nginx). Where neither is possible, say close. That is correct
    (avoidable), but costs a new connection for each response.

    If the request said close and the response does not, that alone is reported, by the rule about
    it; if both do, the response says it because the client has asked for it, not because it has no
    length. With close in the response, a keep-alive beside it is left to the rule about both. A
    response with transfer codings is reported only if they are in order, and an option that was
    meant as close but is not valid counts as close.
    """
    if not _is_close_delimited(request, response) or response.owes_close(request):
        return
    kept = _promise(response)
    if b"close" in response.options:
        if response.version in HTTP11 and b"close" not in request.options:
            line = response.listing({b"close"})[0].line
            text = f"{line} has to say close because the body has neither a length nor chunks."
            yield Evidence(text, line, "avoidable")
    elif kept is not None:
        text = f"{kept} promises a connection that must end with the body, which has no length."
        yield Evidence(text, kept, "contradicted")
    elif response.version in HTTP11 and b"close" not in response.meant_options:
        yield Evidence(
            "The response has no Content-Length, no Transfer-Encoding and no close, so its end "
            "is the unannounced end of the connection.",
            variant="unannounced",
        )


def _promise(response: Response) -> FieldLine | None:
    options = [member.line for member in response.listing({b"keep-alive"})]
    return next(iter([*options, *response.lines(b"keep-alive")]), None)


def _is_close_delimited(request: Request, response: Response) -> bool:
    if response.has(b"content-length") or request.method == b"HEAD" or response.status == 304:
        return False
    if response.never_has_content or response.opens_tunnel(request):
        return False
    if not response.has(b"transfer-encoding"):
        return not any(
            response.misspelt(name) for name in (b"content-length", b"transfer-encoding")
        )
    # Other codings than chunked are in order in HTTP/1.1 if closing is announced.
    names = response.transfer_codings or (b"",)
    return (
        CODINGS_BUT_CHUNKED.issuperset(names)
        and b"close" in response.options
        and response.version in HTTP11
    )
