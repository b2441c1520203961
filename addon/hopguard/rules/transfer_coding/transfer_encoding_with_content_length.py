from collections.abc import Iterator

from hopguard.message import HTTP1, HTTP11, Message, Response
from hopguard.rule import ERROR, Evidence, Requirement, message_rule


@message_rule(
    requirement=Requirement(9112, "6.2", "MUST NOT"),
    also=(
        Requirement(9112, "6.1"),
        Requirement(9112, "6.3"),
        Requirement(9112, "11.2"),
    ),
    severity=ERROR,
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    fields=(b"transfer-encoding",),
    visible="refused",
    violating=[
        """
        > POST / HTTP/1.1
        > Host: www.example
        >! Content-Length: 5
        > Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < transfer-encoding: Chunked
        <! content-length: 0
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: gzip, chunked
        >! CONTENT-LENGTH: 11
        """,
        """
        < HTTP/1.1 304 Not Modified
        <! Content-Length: 1024
        < Transfer-Encoding: chunked
        """,
    ],
    conforming=[
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Content-Length: 5
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Content-Length: 5
        > Transfer_Encoding: chunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Content_Length: 5
        > X-Content-Length: 5
        > Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 204 No Content
        < Content-Length: 0
        < Transfer-Encoding: chunked
        """,
        """
        > POST / HTTP/2
        > host: www.example
        > content-length: 5
        > transfer-encoding: chunked
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Transfer-Encoding and Content-Length stand in one message.

    Each of the two fields says where the body ends, and they say different things. A recipient is
    to follow Transfer-Encoding, but one that does not know it, or does not recognise it in its
    unusual spelling, follows Content-Length. Two programs in a row that decide differently see
    different requests in the same octets, and one of them can be smuggled past the first.

    OpenLiteSpeed decoded such a request and forwarded it with two lengths
    (litespeedtech/openlitespeed#392). Sozu did not recognise chunked with a tab behind it, went by
    Content-Length and passed both fields on to back ends that chose the other reading, such as
    gunicorn (sozu-proxy/sozu#726). mitmproxy refuses such messages by default, as many servers do.

    Nothing that is not an attack needs both. In application code and in scripts that replay
    requests, set neither field and leave the framing to the HTTP library; a proxy that decodes
    chunked has to remove the old Content-Length. If the sender is not yours, reject the message
    and close the connection: what follows on it has two readings.

    In a response that cannot have a body each of the fields is a fault of its own, and another
    rule reports them.
    """
    lengths = message.lines(b"content-length")
    bodiless = isinstance(message, Response) and message.never_has_content
    if not lengths or (bodiless and message.version in HTTP11):
        return
    state = "" if message.transfer_codings else ", which moreover is not valid"
    yield Evidence(f"{lengths[0]} stands beside Transfer-Encoding{state}.", lengths[0])
