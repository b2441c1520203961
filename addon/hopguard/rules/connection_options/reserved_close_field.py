from collections.abc import Iterator

from hopguard import editing
from hopguard.message import EVERY_VERSION, Message
from hopguard.rule import WARNING, Evidence, Requirement, message_rule


@message_rule(
    requirement=Requirement(9112, "9.6"),
    also=(Requirement(9112, "12.1"),),
    severity=WARNING,
    profiles=("rfc9110",),
    versions=EVERY_VERSION,
    fields=(b"close",),
    in_trailers=True,
    repair="Remove the field line; the name has no meaning and may vanish at any hop.",
    edit=editing.remove_field,
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Close: yes
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: close
        <! CLOSE:
        < Content-Length: 0
        """,
        """
        < HTTP/2 200
        <! close: 1
        """,
        """
        < HTTP/3 200
        < trailer: close
        <
        <! close: 1
        """,
        """
        > GET / HTTP/1.0
        >! close: a
        >! Close: b
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        """,
        """
        < HTTP/1.1 200 OK
        < X-Close: 1
        < Closed: 1
        < Close-Notify: 1
        < Content-Length: 0
        """,
        """
        < HTTP/2 200
        < trailer: close
        <
        < x-sum: 7
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A field called Close is sent.

    The name is reserved, so that it never means anything: in HTTP/1.1 the option close stands in
    Connection, Connection names the fields that the next hop deletes, and so a field called Close
    would disappear at every hop of a connection that is about to be closed. Whatever it says
    arrives some of the time.

    Nobody closes a connection because of it either. If that was the intention, send Connection:
    close in HTTP/1.1. In HTTP/2 and HTTP/3 a server ends connections with GOAWAY and no field is
    needed at all. If it carries data of an application, give it another name.
    """
    for line in [*message.lines(b"close"), *message.trailer_lines(b"close")]:
        yield Evidence(
            f"{line} uses a reserved field name, which any hop may have to delete.", line
        )
