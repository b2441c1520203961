from collections.abc import Iterator

from hopguard import editing
from hopguard.fields import FRAMING
from hopguard.message import HTTP1, Message
from hopguard.rule import ERROR, WARNING, Evidence, Requirement, message_rule
from hopguard.text import quote

TRANSFER_ENCODING = b"transfer-encoding"


NAMED = FRAMING | {TRANSFER_ENCODING}


@message_rule(
    requirement=Requirement(9110, "7.6.1", "MUST NOT"),
    also=(Requirement(9112, "6.1"), Requirement(9112, "11.2")),
    severity=ERROR,
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    fields=(b"connection",),
    repair=(
        "Remove the option from a response's Connection and keep the field that it names; a "
        "request has no safe repair."
    ),
    edit=editing.dropping_options(NAMED),
    edit_in="response",
    violating=[
        """
        > POST / HTTP/1.1
        > Host: www.example
        >! Connection: close, Transfer-Encoding
        > Transfer-Encoding: chunked
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        >! Connection: transfer-encoding
        > Content-Length: 4
        """,
        """
        > POST / HTTP/1.1
        > Host: www.example
        >! Connection: keep-alive, CONTENT-LENGTH
        > Content-Length: 4
        """,
        """
        > GET / HTTP/1.0
        >! Connection: Host, Range
        """,
        """
        < HTTP/1.1 302 Found
        < Connection: close
        <! Connection: Location
        < Location: /login
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        > POST / HTTP/1.1
        > Host: www.example
        > Connection: close
        > Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Content-Length: 4
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE, Hosts, X-Content-Length, Transfer
        > TE: trailers
        """,
        """
        > POST / HTTP/2
        > connection: content-length
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection nominates a field that frames or routes the message.

    A hop that does as Connection says deletes the named field. Without Content-Length or
    Transfer-Encoding the octets of the body become the next request in the eyes of the server
    behind it, which is request smuggling; without Host the request reaches another site; without
    Content-Type or Content-Encoding the body is read as something else. All of these are meant for
    every recipient, except for Transfer-Encoding: that one belongs to the hop, so naming it is not
    forbidden, but nobody needs to, and it is only asked for by the same attack.

    Never honour such a nomination by deleting the field. In mitmproxy, an addon that deletes
    Transfer-Encoding makes the decoded body go out without any framing. A proxy that strips
    nominated fields must leave alone what frames, routes or describes the message, and reject a
    request that nominates it.

    Transfer-Encoding weighs as a warning, and as an error if the header section holds that field.
    """
    framing = message.options & NAMED
    for line, value in message.listing(framing):
        harmless = value.lower() == TRANSFER_ENCODING and not message.has(TRANSFER_ENCODING)
        yield Evidence(
            f"{line} nominates {quote(value)} for removal, by which the message is framed, routed"
            " or read.",
            line,
            severity=WARNING if harmless else ERROR,
        )
