from collections.abc import Iterator

from hopguard.message import HTTP2, HTTP3, Request
from hopguard.rule import ERROR, INFO, Evidence, Requirement, Variant, request_rule
from hopguard.text import quote

BOOTSTRAP = Requirement(8441, "5", "MUST NOT")


@request_rule(
    requirement=Requirement(8441, "4", "MUST"),
    also=(Requirement(9220, "3"), Requirement(9113, "8.5")),
    variants={
        "not-connect": Variant(ERROR, requirement=Requirement(8441, "4")),
        "incomplete": ERROR,
        "no-setting": Variant(ERROR, requirement=Requirement(8441, "3")),
        "upgrade-fields": Variant(ERROR, requirement=BOOTSTRAP),
        "websocket-key": Variant(INFO, requirement=Requirement(8441, "5")),
    },
    profiles=("rfc9110",),
    versions=HTTP2 | HTTP3,
    extended_connect=True,
    visible="raw",
    violating={
        "not-connect": [
            """
            >! GET /chat HTTP/2
            > :protocol: websocket
            > :scheme: https
            > :path: /chat
            > :authority: www.example
            """,
            """
            >! POST / HTTP/3
            > :protocol: webtransport
            """,
        ],
        "incomplete": [
            """
            >! CONNECT www.example HTTP/2
            > :protocol: websocket
            > :authority: www.example
            """,
            """
            >! CONNECT /chat HTTP/3
            > :protocol: websocket
            > :path: /chat
            > :authority: www.example
            """,
            """
            >! CONNECT /chat HTTP/2
            > :protocol: connect-udp
            > :scheme: https
            > :authority: www.example
            """,
        ],
        "no-setting": [
            """
            * extended CONNECT not enabled
            >! CONNECT /chat HTTP/2
            > :protocol: websocket
            > :scheme: https
            > :path: /chat
            > :authority: www.example
            """,
        ],
        "upgrade-fields": [
            """
            > CONNECT /chat HTTP/2
            > :protocol: websocket
            > :scheme: https
            > :path: /chat
            > :authority: www.example
            > sec-websocket-version: 13
            >! upgrade: websocket
            """,
            """
            * extended CONNECT enabled
            > CONNECT /chat HTTP/3
            > :protocol: websocket
            > :scheme: https
            > :path: /chat
            > :authority: www.example
            > via: 1.1 edge
            >! connection: keep-alive, Upgrade
            >! upgrade: websocket
            """,
        ],
        "websocket-key": [
            """
            > CONNECT /chat HTTP/2
            > :protocol: websocket
            > :scheme: https
            > :path: /chat
            > :authority: www.example
            >! sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
            > sec-websocket-version: 13
            """,
        ],
    },
    conforming=[
        """
        * extended CONNECT enabled
        > CONNECT /chat HTTP/2
        > :protocol: websocket
        > :scheme: https
        > :path: /chat
        > :authority: www.example
        > sec-websocket-version: 13
        > origin: https://www.example
        """,
        """
        > CONNECT /.well-known/masque/udp/192.0.2.1/443/ HTTP/3
        > :protocol: connect-udp
        > :scheme: https
        > :path: /.well-known/masque/udp/192.0.2.1/443/
        > :authority: proxy.example
        > capsule-protocol: ?1
        """,
        """
        * extended CONNECT not enabled
        > CONNECT www.example:443 HTTP/2
        > :authority: www.example:443
        """,
        """
        > CONNECT www.example:443 HTTP/3
        > sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
        """,
        """
        > GET / HTTP/2
        > :scheme: https
        > :path: /
        > :authority: www.example
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        """,
    ],
)
def check(request: Request) -> Iterator[Evidence]:
    """An extended CONNECT is malformed, or carries fields of an HTTP/1.1 upgrade.

    With :protocol, a CONNECT opens a WebSocket or another protocol on one stream of HTTP/2 or
    HTTP/3. Unlike a plain CONNECT it goes to a resource, so it needs :scheme and :path
    (incomplete). The pseudo-header field belongs to CONNECT alone (not-connect), and may only be
    used after the server has offered SETTINGS_ENABLE_CONNECT_PROTOCOL (no-setting): any other
    server finds an unknown pseudo-header field and resets the stream.

    Connection and Upgrade (upgrade-fields) are left over from the HTTP/1.1 handshake, where they
    did what :protocol does now; a server rejects them as in any HTTP/2 request. Sec-WebSocket-Key
    (websocket-key) proves nothing here and is ignored. Sec-WebSocket-Version, -Protocol and
    -Extensions keep their meaning.

    Browsers and libraries get this right; gateways that translate a handshake from HTTP/1.1, and
    clients written by hand, are the usual senders. A translation drops Connection, Upgrade, Host
    and Sec-WebSocket-Key, changes GET to CONNECT and 101 to 200. The server offers the setting by
    its own configuration: allow_connect in Envoy, and GODEBUG=http2xconnect=1 for Go's
    net/http.

    Where it is not known which pseudo-header fields were sent, or what the server has offered,
    nothing is said about that. For Connection and Upgrade this rule speaks instead of the one about
    connection-specific fields.
    """
    if not request.is_extended_connect:
        protocol = quote(request.protocol or b"")
        text = f"The request has :protocol {protocol}, but its method is not CONNECT."
        yield Evidence(text, variant="not-connect")
        return
    sent = request.pseudo_fields
    missing = [name for name in (":scheme", ":path") if sent and name.encode() not in sent]
    if missing:
        text = f"The extended CONNECT is sent without {' and '.join(missing)}."
        yield Evidence(text, variant="incomplete")
    if request.protocol_enabled is False:
        text = "The extended CONNECT is sent to a server that has not offered it."
        yield Evidence(text, variant="no-setting")
    sender = request.forwarder
    for line in [*request.lines(b"connection"), *request.lines(b"upgrade")]:
        text = f"{line} belongs to HTTP/1.1 and must not be sent in an extended CONNECT."
        yield Evidence(text, line, "upgrade-fields", sender=sender)
    for line in request.lines(b"sec-websocket-key"):
        text = f"{line} has no effect in an extended CONNECT."
        yield Evidence(text, line, "websocket-key", sender=sender)
