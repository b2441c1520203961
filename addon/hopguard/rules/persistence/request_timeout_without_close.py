from collections.abc import Iterator

from hopguard.message import HTTP11, Response
from hopguard.rule import INFO, Evidence, Requirement, response_rule


@response_rule(
    requirement=Requirement(7231, "6.5.7", "SHOULD"),
    also=(Requirement(9110, "15.5.9"),),
    severity=INFO,
    profiles=("rfc7231",),
    versions=HTTP11,
    statuses=(408,),
    violating=[
        """
        <! HTTP/1.1 408 Request Timeout
        < Content-Length: 0
        """,
        """
        <! HTTP/1.1 408 Request Timeout
        < Connection: keep-alive
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        < HTTP/1.1 408 Request Timeout
        < Connection: close
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 408 Request Timeout
        < Connection: foo, Close
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 408 Request Timeout
        < Connection: "close"
        < Content-Length: 0
        """,
        """
        < HTTP/1.0 408 Request Timeout
        < Content-Length: 0
        """,
        """
        < HTTP/2 408
        """,
        """
        < HTTP/1.1 504 Gateway Timeout
        < Content-Length: 0
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """A 408 does not announce that the connection ends.

    408 means that the server is tired of waiting for the request. RFC 7231 asked servers to send
    close with it, because the rest of a half-received request may still be on its way; RFC 9110
    has dropped the advice. So this is worth a look only where clients are seen to send their next
    request into a connection that the server is closing.

    Web servers send close with 408 by themselves, or close without any response. In an application
    that answers 408 (for a slow back end 504 would be the right status), add close if the
    connection is really closed then; in Node, res.setHeader("Connection", "close") does both.

    An option that was meant as close but is not valid is left to the rule about invalid options.
    """
    if b"close" not in response.options | response.meant_options:
        yield Evidence("The response has status 408, but does not say close in Connection.")
