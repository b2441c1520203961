from collections.abc import Iterator

from hopguard.grammar import Protocol
from hopguard.message import HTTP11, FieldLine, Request, Response
from hopguard.rule import ERROR, INFO, Evidence, Requirement, Variant, exchange_rule

LAYERED_ABOVE = Protocol(b"http", b"1.1")
"""What a switch to TLS goes on with (RFC 2817): named beside it, it need not have been offered."""


@exchange_rule(
    requirement=Requirement(9110, "7.8", "MUST NOT"),
    also=(Requirement(9110, "15.2.2"), Requirement(9110, "7.6.1")),
    variants={
        "no-offer": ERROR,
        "not-offered": ERROR,
        "option-missing": Variant(INFO, requirement=Requirement(9110, "7.6.1")),
    },
    profiles=("rfc9110",),
    versions=HTTP11,
    statuses=(101,),
    violating={
        "no-offer": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: TLS/1.2, HTTP/1.1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade:
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: foo
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Upgrade-Insecure-Requests: 1
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: websocket
            """,
        ],
        "not-offered": [
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: foo/1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: TLS/1.0
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: tls/1.2, HTTP/1.1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: TLS/1.2, IRC
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            < Upgrade: TLS/1.2
            <! upgrade: IRC/6.9
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: TLS/1.2
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: HTTP/1.1
            """,
        ],
        "option-missing": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive
            > Upgrade: TLS/1.2
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: TLS/1.2
            """,
        ],
    },
    conforming=[
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, Upgrade
        > Upgrade: h2c, WebSocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        """
        > OPTIONS * HTTP/1.1
        > Host: www.example
        > connection: UPGRADE
        > upgrade: TLS/1.0
        > UPGRADE: TLS/1.2
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: IRC/6.9, TLS/1.2
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, irc
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: "TLS"
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: "Upgrade"
        > Upgrade: TLS/1.2
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: foo
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: "bar"
        """,
        """
        > GET / HTTP/1.0
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade: h2c
        < Content-Length: 0
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """The server switches to a protocol that the client has not offered.

    The client lists in Upgrade what it can speak; a server may only take one of those, or several
    on top of each other. A client that did not ask (no-offer), or asked for something else
    (not-offered), cannot read what comes after the 101: it drops the connection, or takes the new
    protocol for the next response. A proxy that has matched no offer may go on reading HTTP where
    the server speaks something else, which is how requests are smuggled.

    Mostly the offer was lost on the way while the server's decision does not depend on it: an
    endpoint that switches for every request, or that looks for Sec-WebSocket-Key instead of
    Upgrade.

    In the server, decide by the elements of Upgrade: split at commas, compare the names without
    regard to letter case, and the version exactly. In nginx in front of it, pass the offer on with
    proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and proxy_set_header Connection
    "upgrade".

    An offer without the connection option upgrade looks like one that a proxy has forwarded by
    mistake, and ought to be ignored; taking it (option-missing) is only noted. A choice may leave
    out the version that was offered. HTTP/1.1 beside the chosen protocol, as after a switch to TLS,
    is not reported. Elements that are no protocol, a 101 that names none, and HTTP/1.0 requests are
    the matter of other rules.
    """
    chosen = response.protocols()
    if request.version not in HTTP11 or not chosen:
        return
    first = chosen[0][0]
    if not request.upgrades():
        yield Evidence(f"{first} is chosen, but the request offers nothing.", first, "no-offer")
        return
    missing = _not_offered(request, response)
    for line in missing:
        text = f"{line} chooses a protocol that the request does not offer."
        yield Evidence(text, line, "not-offered")
    if not missing and request.lacks_option(b"upgrade"):
        text = f"{first} takes an offer whose request does not list upgrade in Connection."
        yield Evidence(text, first, "option-missing")


def _not_offered(request: Request, response: Response) -> list[FieldLine]:
    """List the lines, each once, that name a protocol which was not offered."""
    chosen = response.protocols()
    lines = [
        line
        for line, protocol in chosen
        if protocol not in request.acceptable_protocols
        and protocol.name not in request.meant_protocols
        and (protocol != LAYERED_ABOVE or len(chosen) == 1)
    ]
    return list(dict.fromkeys(lines))
