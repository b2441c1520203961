from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP1, Message
from hopguard.rule import WARNING, Evidence, Requirement, message_rule


@message_rule(
    requirement=Requirement(9112, "9.3"),
    also=(Requirement(9112, "9.6"),),
    variants={"options": WARNING, "field": WARNING},
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    repair="Drop the option keep-alive and the Keep-Alive field; close stays.",
    edit=editing.say_close,
    violating={
        "options": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: keep-alive, close
            """,
            """
            < HTTP/1.1 200 OK
            <! Connection: Close, Keep-Alive
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.0
            >! Connection: Keep-Alive
            > Connection: close
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: close
            <! Connection: keep-alive
            < Keep-Alive: timeout=5
            < Content-Length: 0
            """,
        ],
        "field": [
            """
            < HTTP/1.1 200 OK
            < Connection: close
            <! Keep-Alive: timeout=5, max=100
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.0
            >! keep-alive: timeout=115
            > connection: CLOSE
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE, close
        > TE: deflate,gzip;q=0.3
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Keep-Alive
        < Keep-Alive: timeout=5, max=100
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close-notify, keep-alive
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close, keep-alive-hint
        > Proxy-Connection: keep-alive
        """,
        """
        < HTTP/1.1 200 OK
        < Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        """
        > GET / HTTP/2
        > connection: close, keep-alive
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Both close and keep-alive are announced in one message.

    The two contradict each other. For a recipient that follows the RFC close wins, wherever it
    stands in the list, but one that looks for keep-alive first keeps the connection open. Then it
    either waits for a response that never comes or sends the next request into a connection that
    is just being closed, which users see as a sporadic connection reset or 502.

    Usually two layers write the field: the HTTP library or server adds keep-alive by default, and
    the application or a proxy adds close instead of replacing it. Let one of them decide. To close
    connections, use the server's own setting where it has one (keepalive_timeout 0 in nginx,
    KeepAlive Off in Apache httpd) and remove Keep-Alive together with the option; to keep them
    open, do not send close.

    If the option keep-alive and the field Keep-Alive both stand beside close, that is one
    contradiction and is reported at the option.
    """
    if b"close" not in message.options:
        return
    if b"keep-alive" in message.options:
        for member in message.listing((b"keep-alive",)):
            yield Evidence(
                f"{member.line} announces keep-alive in a message that also announces close.",
                member.line,
                "options",
            )
        return
    for line in message.lines(b"keep-alive"):
        yield Evidence(
            f"{line} describes a persistent connection, but the message announces close.",
            line,
            "field",
        )
