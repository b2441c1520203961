from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP1, Message
from hopguard.rule import ERROR, Evidence, Requirement, message_rule


@message_rule(
    requirement=Requirement(2068, "19.7.1.1", "MUST"),
    also=(Requirement(9110, "7.6.1", "MUST"),),
    severity=ERROR,
    profiles=("rfc9110", "rfc2068"),
    silenced_by=("rfc2616",),
    versions=HTTP1,
    fields=(b"keep-alive",),
    repair="Remove Keep-Alive; a recipient has to ignore it in this case.",
    edit=editing.remove_field,
    violating=[
        """
        < HTTP/1.1 200 OK
        <! Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE, keep-alive-hint
        > TE: trailers
        >! keep-alive: timeout=115
        """,
        """
        < HTTP/1.0 200 OK
        <! Keep-Alive: timeout=5
        < KEEP-ALIVE: max=7
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Connection:
        <! Keep-Alive:
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Keep-Alive: timeout=5, max=100
        < Connection: Keep-Alive
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > Keep-Alive: timeout=115
        > CONNECTION: te, KEEP-ALIVE
        > TE: trailers
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: close
        < Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: keep-alive; timeout=5
        < Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < X-Keep-Alive: timeout=5
        < Keep-Alive-Timeout: 5
        < Content-Length: 0
        """,
        """
        < HTTP/2 200
        < keep-alive: timeout=5
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Keep-Alive is sent without the connection option keep-alive.

    Keep-Alive describes one connection: how long it stays open when idle, how many requests it
    serves. The option in Connection ties it to that connection. Without it, a recipient must ignore
    the field, and the next proxy may forward it, so that a client learns the timeout of a
    connection it does not have: it then reuses its own for too long, or not at all.

    The usual cause is a proxy that removes Connection, as it must, and does not know Keep-Alive
    (h2o/h2o#195). Over HTTP/2 what is left makes curl and other clients that use nghttp2 reject the
    response (nghttp2/nghttp2#1674).

    Let the server software write both lines: Node does so for its keepAliveTimeout and Apache httpd
    for KeepAliveTimeout. Do not set Keep-Alive in application code, and let a proxy remove it
    together with Connection.

    If Connection says close instead, that contradiction is the one fault that is reported.
    """
    if message.lacks_option(b"keep-alive") and b"close" not in message.options:
        line = message.lines(b"keep-alive")[0]
        yield Evidence(f"{line} is sent, but Connection does not list keep-alive.", line)
