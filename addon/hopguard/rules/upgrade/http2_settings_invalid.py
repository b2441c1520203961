from collections.abc import Iterator

from hopguard import editing, grammar
from hopguard.message import HTTP2, HTTP3, HTTP11, Message, Request, Response
from hopguard.rule import ERROR, WARNING, Evidence, Requirement, Variant, message_rule

SETTING = 6
"""Octets of one setting: an identifier of two and a value of four (RFC 7540, section 6.5.1)."""


@message_rule(
    requirement=Requirement(7540, "3.2.1", "MUST"),
    also=(Requirement(7540, "6.5.1"), Requirement(9113, "11.1")),
    variants={
        "missing": ERROR,
        "repeated": ERROR,
        "malformed": ERROR,
        "in-response": Variant(ERROR, requirement=Requirement(7540, "3.2.1", "MUST NOT")),
        "orphan": Variant(WARNING, requirement=Requirement(7540, "3.2.1")),
        "in-http2": Variant(WARNING, requirement=Requirement(9113, "11.1")),
    },
    profiles=("rfc7540",),
    versions=HTTP11 | HTTP2 | HTTP3,
    fields=(b"http2-settings", b"upgrade"),
    repair=(
        "Remove HTTP2-Settings, h2c from Upgrade, and their connection options; the answer then "
        "comes over HTTP/1.1."
    ),
    edit=editing.withdraw_h2c,
    violating={
        "missing": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: h2c
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: TLS/1.2
            >! upgrade: foo, H2C
            """,
        ],
        "repeated": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            > HTTP2-Settings: AAMAAABkAAQAAP__
            >! http2-settings: AAMAAABkAAQAAP__
            """,
        ],
        "malformed": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            >! HTTP2-Settings: ???
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            >! HTTP2-Settings: AAMAAABkAAQ=
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            >! HTTP2-Settings: AAMAAABkAAQAAP//
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            >! HTTP2-Settings: AAMAAABkAAQAA
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            >! HTTP2-Settings: AAMAAABkAAQA
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            >! HTTP2-Settings:
            """,
        ],
        "in-response": [
            """
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade, HTTP2-Settings
            < Upgrade: TLS/1.2
            <! HTTP2-Settings: AAMAAABkAAQAAP__
            """,
            """
            < HTTP/2 200
            <! http2-settings: AAMAAABkAAQAAP__
            """,
        ],
        "orphan": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive, HTTP2-Settings
            >! HTTP2-Settings: AAMAAABkAAQAAP__
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Via: 1.1 edge
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            >! HTTP2-Settings: AAMAAABkAAQAAP__
            """,
        ],
        "in-http2": [
            """
            > GET / HTTP/2
            > host: www.example
            >! http2-settings: AAMAAABkAAQAAP__
            """,
            """
            > GET / HTTP/3
            > host: www.example
            > via: 1.1 edge
            >! http2-settings: ???
            """,
        ],
    },
    conforming=[
        """
        * clear text
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > connection: upgrade, http2-settings
        > upgrade: websocket, H2C
        > http2-settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAA
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: h2
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: "h2c"
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMA\x00ABkAAQAAP__
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade: h2,h2c
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > HTTP2-Settings: ???
        """,
        """
        > GET / HTTP/2
        > host: www.example
        > upgrade: h2c
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """HTTP2-Settings is missing, repeated, malformed or out of place.

    A request that offers h2c carries, in exactly one HTTP2-Settings, the settings of the HTTP/2
    connection that would follow: six octets each, in base64url without padding. A server must not
    upgrade where the field is missing or there are several; one that does, or that reads a
    malformed value as it likes, starts HTTP/2 with other settings than the client, and the
    connection breaks at some later frame.

    curl and Java's HttpClient get it right. A wrong value comes from scripts and test tools that
    use base64 with "/", "+" or "=", from a proxy that joined two lines, and from scanners that
    look for servers which upgrade all the same. Without an offer of h2c (orphan), mostly a filter
    has removed Upgrade and left this field behind. In a response, on HTTP/2 and on HTTP/3 the field
    means nothing and tells only what a gateway forgot to remove; Node's http2 module refuses to
    send it.

    The remedy is to stop offering h2c, which RFC 9113 has made obsolete: in Java,
    HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1); in curl, --http1.1, or
    --http2-prior-knowledge where the server is known to speak HTTP/2 in clear text. A proxy that
    removes h2c removes HTTP2-Settings and both connection options with it.

    An empty value is malformed: the grammar asks for at least one character. Values with control
    octets are left to the rule about illegal octets, and an h2c that is not written as one to the
    rule about the syntax of Upgrade. Without h2c only its being there is reported.
    """
    lines = message.lines(b"http2-settings")
    if isinstance(message, Request) and message.version in HTTP11:
        yield from _in_offer(message)
    elif isinstance(message, Response):
        for line in lines:
            text = f"{line} is sent by a server, but only clients may."
            yield Evidence(text, line, "in-response", sender=message.forwarder)
    else:
        for line in lines:
            text = f"{line} means nothing on {message.version}."
            yield Evidence(text, line, "in-http2", sender=message.forwarder)


def _in_offer(request: Request) -> Iterator[Evidence]:
    lines, offer = request.lines(b"http2-settings"), request.line_naming(b"h2c")
    if offer is None:
        for line in lines[:1] if b"h2c" not in request.meant_protocols else ():
            text = f"{line} is sent, but the request does not offer h2c."
            yield Evidence(text, line, "orphan", sender=request.forwarder)
        return
    if not lines and not request.misspelt(b"http2-settings"):
        yield Evidence(f"{offer} is sent without HTTP2-Settings.", offer, "missing")
    for line in lines[1:]:
        yield Evidence(f"{line} is sent beside another such line.", line, "repeated")
    for line in lines:
        fault = "" if request.has_control(line) else _fault(grammar.unfold(line.value))
        if fault:
            yield Evidence(f"{line} {fault}.", line, "malformed")


def _fault(value: bytes) -> str:
    settings = grammar.decode_base64url(value)
    if settings is None:
        return "is not base64url without padding"
    if len(settings) % SETTING:
        return f"holds {len(settings)} octets, but each setting has {SETTING}"
    return ""
