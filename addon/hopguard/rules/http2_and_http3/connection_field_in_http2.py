from collections.abc import Iterator

from hopguard.fields import CONNECTION_SPECIFIC
from hopguard.message import HTTP2, Message
from hopguard.rule import ERROR, Evidence, Requirement, message_rule


@message_rule(
    requirement=Requirement(9113, "8.2.2", "MUST NOT"),
    also=(
        Requirement(9113, "8.1.1", "MUST"),
        Requirement(9110, "7.6.1", "MUST"),
        Requirement(7540, "8.1.2.2", "MUST NOT"),
    ),
    severity=ERROR,
    profiles=("rfc9110", "rfc2616"),
    versions=HTTP2,
    fields=CONNECTION_SPECIFIC,
    visible="rejected",
    repair="Remove the field line; it means nothing in HTTP/2.",
    violating=[
        """
        > GET / HTTP/2
        > host: www.example
        >! connection: keep-alive
        """,
        """
        < HTTP/2 200
        <! upgrade: h2,h2c
        <! connection: Upgrade
        """,
    ],
    conforming=[
        """
        > GET / HTTP/2
        > te: trailers
        > upgrade-insecure-requests: 1
        """,
        """
        > GET / HTTP/1.1
        > Connection: keep-alive
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A connection-specific field is sent on HTTP/2.

    RFC 9113 closes the list by name. Safari drops such a response and may take other requests on
    the connection with it; curl and nghttp2 reset the stream.
    """
    sender = "intermediary" if message.forwarded else message.sent_by
    for line in message.every_line():
        if line.section == "header" and line.name.lower() in CONNECTION_SPECIFIC:
            yield Evidence(
                f"{line} is a connection-specific field, which must not be sent on HTTP/2.",
                line,
                sender=sender,
            )
