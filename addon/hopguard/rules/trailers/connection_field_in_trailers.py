from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP2, HTTP3, HTTP11, Message
from hopguard.rule import ERROR, WARNING, Evidence, Finding, Requirement, message_rule
from hopguard.text import quote


def _remove[M: Message](message: M, _: Finding, /) -> M:
    return editing.remove_fields(message, message.forbidden_in_trailers, "trailer")


def _withdraw[M: Message](message: M, _: Finding, /) -> M:
    return editing.drop_members(message, b"trailer", message.forbidden_in_trailers)


@message_rule(
    requirement=Requirement(9110, "6.5.1", "MUST NOT"),
    also=(
        Requirement(9112, "7.1.2"),
        Requirement(9113, "8.2.2", "MUST NOT"),
        Requirement(9114, "4.2", "MUST NOT"),
    ),
    variants={"sent": ERROR, "announced": WARNING},
    profiles=("rfc9110",),
    versions=HTTP11 | HTTP2 | HTTP3,
    fields=(b"trailer",),
    in_trailers=True,
    visible="rejected",
    repair=(
        "Remove the field line from the trailer section, which every hop may discard, and the name "
        "from Trailer."
    ),
    edit={"sent": _remove, "announced": _withdraw},
    violating={
        "sent": [
            """
            < HTTP/1.1 200 OK
            < Transfer-Encoding: chunked
            <
            <! Transfer-Encoding: chunked
            """,
            """
            < HTTP/2 200
            < content-type: application/grpc
            <
            < grpc-status: 0
            <! connection: close
            <! keep-alive: timeout=5
            """,
            """
            > POST / HTTP/3
            > host: www.example
            >
            >! te: trailers
            >! host: other.example
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: X-Hop
            < Trailer: X-Sum
            < Transfer-Encoding: chunked
            <
            < X-Sum: 7
            <! x-hop: 1
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Transfer-Encoding: chunked
            >
            >! Content-Length: 5
            >! Trailer: X-Sum
            """,
        ],
        "announced": [
            """
            < HTTP/1.1 200 OK
            <! Trailer: Transfer-Encoding
            < Transfer-Encoding: chunked
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Trailer: X-Sum
            >! trailer: X-Other, HOST, host
            > Transfer-Encoding: chunked
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: X-Hop
            <! Trailer: X-Hop
            < Transfer-Encoding: chunked
            """,
            """
            < HTTP/2 200
            <! trailer: upgrade
            <
            """,
            """
            < HTTP/3 200
            <! trailer: grpc-status, content-length
            <
            < grpc-status: 0
            """,
        ],
    },
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Trailer: Server-Timing
        < Transfer-Encoding: chunked
        <
        < Server-Timing: db;dur=1
        """,
        """
        < HTTP/2 200
        < content-type: application/grpc
        <
        < grpc-status: 0
        < grpc-message: ok
        """,
        """
        < HTTP/1.1 200 OK
        < Trailer: Proxy-Authentication-Info
        < Transfer-Encoding: chunked
        <
        < Proxy-Authentication-Info: nextnonce="7"
        """,
        """
        < HTTP/1.1 200 OK
        < Trailer:
        < Transfer-Encoding: chunked
        <
        < Upgrade-Insecure-Requests: 1
        < Transfer_Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: close
        < Transfer-Encoding: chunked
        <
        < Close: 1
        """,
        """
        < HTTP/2 200
        < connection: x-hop
        <
        < x-hop: 1
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Trailer: Transfer-Encoding-Sum
        > Transfer-Encoding: chunked
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A connection or framing field is sent, or announced, as a trailer field.

    Trailer fields arrive after the body. By then it is settled how the message was framed, where
    it was routed and what becomes of the connection, so a field about these things comes too late
    to be obeyed. It is dangerous all the same: a recipient that merges trailer fields into the
    header section lets a sender slip Host, Content-Length or Transfer-Encoding past everybody who
    looked at the header section before.

    On HTTP/2 and HTTP/3 connection-specific fields are forbidden in trailer sections too. A strict
    recipient resets the stream, mitmproxy ends the whole connection, and a gRPC call fails at its
    very end, although the answer was complete.

    The sender is usually a program that takes over all header fields of another message as
    trailers, or a test for this kind of attack. In Go, Node and gRPC libraries, declare as
    trailers only the fields that the application computes while it sends the body: checksums,
    timings, grpc-status. A field that Connection nominates belongs to the header section as well.

    An announcement in Trailer (announced) is reported when the header section is there; whether
    the field then comes (sent) is a finding of its own, since it is only known later. The name
    close, which Connection reserves, is left to the rule about it.
    """
    names = message.forbidden_in_trailers
    announced: set[bytes] = set()
    for line, member in message.members(b"trailer"):
        if member.lower() in names and member.lower() not in announced:
            announced.add(member.lower())
            text = f"{line} announces {quote(member)}, which must not be a trailer field."
            yield Evidence(text, line, "announced")
    for line in message.every_line():
        if line.section == "trailer" and line.name.lower() in names:
            yield Evidence(f"{line} must not be sent in a trailer section.", line, "sent")
