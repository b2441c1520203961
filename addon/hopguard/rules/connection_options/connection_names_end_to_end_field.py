from collections.abc import Iterator, Mapping

from hopguard import editing
from hopguard.field_registry import END_TO_END, REGISTERED
from hopguard.fields import ROUTE, ROUTE_BY_CONVENTION
from hopguard.message import HTTP1, Message, Response
from hopguard.rule import ERROR, Evidence, Finding, Requirement, message_rule
from hopguard.text import quote

EXPLICIT: Mapping[bytes, str] = {
    b"early-data": "which RFC 8470 forbids by name",
    b"priority": "which RFC 9218 defines as end-to-end",
}
"""Fields whose own specifications speak about Connection, or about the hops they cross."""


def _named(message: Message) -> frozenset[bytes]:
    table = END_TO_END
    if isinstance(message, Response):
        table = END_TO_END | (REGISTERED & (ROUTE | ROUTE_BY_CONVENTION))
    return message.options & table


def _drop[M: Message](message: M, _: Finding, /) -> M:
    return editing.drop_options(message, _named(message))


@message_rule(
    requirement=Requirement(9110, "7.6.1", "MUST NOT"),
    also=(
        Requirement(8470, "5.1", "MUST NOT"),
        Requirement(9218, "5"),
        Requirement(
            document="HTTP Field Name Registry",
            link="https://www.iana.org/assignments/http-fields/http-fields.xhtml",
        ),
    ),
    # The unnamed variant is every field that is not in the table above.
    variants={"": ERROR, "explicit": ERROR},
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    repair="Remove the option from Connection and keep the field that it names.",
    edit=_drop,
    violating={
        "": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: User-Agent
            > User-Agent: example/1
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: close
            <! Connection: server, STRICT-TRANSPORT-SECURITY
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.0
            >! Connection: keep-alive, Accept-Charset
            """,
            """
            < HTTP/1.1 200 OK
            <! Connection: Via, traceparent
            < Content-Length: 0
            """,
        ],
        "explicit": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: Early-Data
            > Early-Data: 1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            >! Connection: keep-alive, priority
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive
        > User-Agent: example/1
        > Priority: u=1
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Hop-Token, User-Agents, Priority-Hint
        > X-Hop-Token: 7
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: C-Man, C-PEP-Info, Alt-Used, Proxy-Authorization
        > C-Man: "http://www.example/ext"
        """,
        """
        < HTTP/1.1 401 Unauthorized
        < Connection: Proxy-Support
        < Proxy-Support: Session-Based-Authentication
        < WWW-Authenticate: Negotiate
        < Content-Length: 0
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, Sec-WebSocket-Extensions
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: X-Request-Id, Permissions-Policy, Digest, *
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Forwarded, Via
        """,
        """
        > GET / HTTP/2
        > connection: user-agent
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Connection nominates an end-to-end field.

    Connection is for what concerns the two ends of one connection. The next intermediary deletes
    every field that is named in it, so a field that is meant for the server, or for the client,
    never arrives there if it is named. Senders must not do that.

    It comes from two sides. Some authors believe that Connection lists the header fields of the
    message, as old descriptions of it suggest. And scanners name one field after the other to see
    which of them a server misses; Cloud Foundry's gorouter had to protect the fields that it and
    its applications rely on (cloudfoundry/gorouter#356).

    Send close, keep-alive, or the names of hop-by-hop fields such as Upgrade and TE, and nothing
    else. If the line is written in a configuration (proxy_set_header in nginx, RequestHeader in
    Apache httpd, http-request set-header in HAProxy) or by a client library's options, take the
    name out; the field itself can stay.

    What counts is the registry of HTTP field names: permanent and deprecated entries, except for
    hop-by-hop fields, for those of the WebSocket handshake, and for fields for which a rule of its
    own exists (caching, credentials, framing, and in requests the route). Provisional and obsoleted
    entries are reported as unrecognised options.
    """
    for line, value in message.listing(_named(message)):
        why = EXPLICIT.get(value.lower())
        yield Evidence(
            f"{line} nominates {quote(value)} for removal,"
            f" {why or 'which is an end-to-end field'}.",
            line,
            "explicit" if why else "",
        )
