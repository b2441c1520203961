from collections.abc import Iterator

from hopguard import editing
from hopguard.fields import CACHING
from hopguard.message import HTTP1, Message
from hopguard.rule import ERROR, Evidence, Requirement, message_rule
from hopguard.text import quote


@message_rule(
    requirement=Requirement(9110, "7.6.1", "MUST NOT"),
    also=(Requirement(9111, "5.2"),),
    severity=ERROR,
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    fields=(b"connection",),
    repair="Remove the option from Connection and keep the field that it names.",
    edit=editing.dropping_options(CACHING),
    violating=[
        """
        > GET /account HTTP/1.1
        > Host: www.example
        >! Connection: close, Cache-Control
        > Cache-Control: no-store
        """,
        """
        < HTTP/1.1 200 OK
        <! Connection: keep-alive, vary
        < Vary: Cookie
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > Connection: keep-alive
        >! Connection: IF-NONE-MATCH, Pragma
        """,
        """
        < HTTP/1.1 200 OK
        <! Connection: Surrogate-Control, CDN-Cache-Control, Age
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Connection: close
        < Cache-Control: no-store
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Cache-Control, Cache, Expires-In
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: "Cache-Control"
        """,
        """
        > GET / HTTP/2
        > connection: cache-control
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection nominates a caching field for removal.

    What Connection names is deleted by the next intermediary. A caching directive is meant for
    every cache on the way, so naming it there is forbidden: once Cache-Control or Vary is gone, a
    shared cache may store a private page and serve it to strangers, and once If-None-Match is
    gone, a validation becomes a full transfer.

    RFC 9110 gives Cache-Control as its example of an option that is never right. The other fields
    of this rule are meant for all recipients by their own definitions. It does not matter whether
    the field is present: a later hop may add it.

    Ordinary software does not do this; expect someone who probes for cache poisoning. A proxy
    should not delete end-to-end fields on a client's word, and has to send a Connection field of
    its own instead of the client's (which nginx does by default).
    """
    for line, value in message.listing(message.options & CACHING):
        why = (
            "which is never appropriate there"
            if value.lower() == b"cache-control"
            else "which by its own definition is meant for every recipient"
        )
        yield Evidence(f"{line} nominates {quote(value)} for removal, {why}.", line)
