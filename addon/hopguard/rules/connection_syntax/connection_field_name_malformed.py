from collections.abc import Iterator

from hopguard import editing
from hopguard.fields import CONNECTION_MANAGEMENT
from hopguard.grammar import NAME_PADDING
from hopguard.message import HTTP1, Message
from hopguard.rule import (
    ERROR,
    INFO,
    WARNING,
    Evidence,
    Finding,
    Requirement,
    Variant,
    message_rule,
)
from hopguard.text import quote

BLANKED_OUT = frozenset({b"connectiox", b"x_cnection", b"_onnection", b"xxxxxxxxxx", b"yyyyyyyyyy"})
FRAMING = frozenset({b"transfer-encoding", b"content-length"})
LETTERS = sorted(b"connection")

WHAT = {
    "whitespace": "has white space at its start or end",
    "lookalike": "differs by underscores only from one that manages the connection",
    "mangled": "is what an intermediary has made of Connection to disable the line",
}


def variant_of(name: bytes) -> str:
    """Tell in which way `name`, as received, is malformed; "" if it is not."""
    lower = name.lower()
    if lower in CONNECTION_MANAGEMENT:
        return ""
    meant = lower.strip(NAME_PADDING).replace(b"_", b"-")
    if meant in CONNECTION_MANAGEMENT:
        return "whitespace" if lower.strip(NAME_PADDING) != lower else "lookalike"
    if lower in BLANKED_OUT or (len(lower) == len(LETTERS) and sorted(lower) == LETTERS):
        return "mangled"
    return ""


def _strip[M: Message](message: M, _: Finding, /) -> M:
    """Strip names in a response, as a proxy has to.

    But the body is read by what the framing fields said under their own names: giving them these
    names afterwards would change its meaning.
    """

    def edit(name: bytes, value: bytes) -> tuple[bytes, bytes]:
        stripped = name.strip(NAME_PADDING)
        if variant_of(name) != "whitespace" or stripped.lower() in FRAMING:
            return name, value
        return stripped, value

    return editing.edit_lines(message, edit)


@message_rule(
    requirement=Requirement(9110, "5.1"),
    also=(Requirement(9112, "5.1", "MUST"),),
    variants={
        "whitespace": Variant(ERROR, requirement=Requirement(9112, "5.1", "MUST")),
        "lookalike": WARNING,
        "mangled": INFO,
    },
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    odd_names=lambda name: bool(variant_of(name)),
    visible="refused",
    repair=(
        "In a response, remove the white space from the name, unless it is a framing field's; "
        "everything else stays as it is."
    ),
    edit={"whitespace": _strip},
    edit_in="response",
    violating={
        "whitespace": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection : close
            """,
            r"""
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 4
            >! Transfer-Encoding\x0b: chunked
            """,
            r"""
            < HTTP/1.1 200 OK
            < Content-Length: 0
            <! KEEP-ALIVE\t: timeout=5
            """,
            r"""
            > GET / HTTP/1.0
            >! \x20Connection: keep-alive
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 4
            >! Transfer_Encoding : chunked
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            >! Connection : Upgrade, TE
            > TE: trailers
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade : websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: close
            >
            < HTTP/1.1 200 OK
            <! Connection : close
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            >
            < HTTP/1.1 200 OK
            < Content-Type: text/plain
            <! Transfer-Encoding : chunked
            """,
            """
            < HTTP/1.1 426 Upgrade Required
            < Connection: Upgrade
            <! Upgrade : TLS/1.2
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: TLS/1.2
            >
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade : TLS/1.2
            """,
            r"""
            < HTTP/1.1 407 Proxy Authentication Required
            <! Proxy-Authenticate\t: Basic realm="proxy"
            < Content-Length: 0
            """,
        ],
        "lookalike": [
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Content-Length: 4
            >! Transfer_Encoding: chunked
            """,
            """
            < HTTP/1.1 200 OK
            <! keep_alive: timeout=5
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.0
            >! Proxy_Connection: keep-alive
            >! HTTP2_Settings: AAMAAABkAAQAAP__
            """,
        ],
        "mangled": [
            """
            < HTTP/1.1 200 OK
            <! Cneonction: close
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            <! nnCoection: close
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Xxxxxxxxxx: keep-alive
            """,
        ],
    },
    conforming=[
        """
        > POST / HTTP/1.1
        > Host: www.example
        > connection: close
        > TRANSFER-ENCODING: chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > X_Connection: 1
        > Upgrade-Insecure-Requests: 1
        > X-Connection: 1
        > Connections: 1
        > Collection : 1
        """,
        """
        < HTTP/1.1 200 OK
        < Content_Type: text/plain
        < Content-Length: 0
        """,
        """
        > GET / HTTP/2
        > transfer_encoding: chunked
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A connection-management field's name is spelt so that parsers disagree about it.

    One hop takes the line for the field it resembles, the next one does not, and they disagree
    about where the message ends or what happens to the connection. This is a classic ingredient
    of request smuggling.

    White space around the name (whitespace) is forbidden: a server must answer such a request
    with 400, a proxy must remove the space from a response before forwarding it. Underscores
    (lookalike) are legal, but CGI, WSGI, Rack and PHP turn every dash into an underscore, so the
    application cannot tell the two names apart. nginx drops such names from requests unless
    underscores_in_headers is on; Apache httpd since 2.4 does not pass them on to CGI. Rename the
    field if it is your own.

    A name that is Connection with its letters shuffled or crossed out (mangled) is the trace of a
    load balancer which disabled the line without changing its length. Nothing has to be done about
    it, except to know that the original said something else.

    An underscore together with white space is reported as whitespace: that is an error in any name.
    A field or an option that is missed because of the white space is not reported again. Only the
    header section is looked at.
    """
    for line in message.every_line():
        variant = variant_of(line.name) if line.section == "header" else ""
        if variant:
            yield Evidence(
                # Without the value: it may be a credential under a name that nothing redacts.
                f"The field name {quote(line.name)} {WHAT[variant]}.",
                line,
                variant,
                sender="intermediary" if variant == "mangled" else None,
            )
