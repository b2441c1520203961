from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP11, Message, Response
from hopguard.rule import ERROR, WARNING, Evidence, Requirement, Variant, message_rule

RISKS = {
    "over-tls": "offers an upgrade to HTTP/2 inside TLS, where it is not defined",
    "through-intermediary": "offers an upgrade to HTTP/2 through an intermediary",
    "accepted-through-proxy": "accepts an upgrade to HTTP/2 that no proxy on the way can look into",
}
"""The variants, and what they say of the field line."""


@message_rule(
    requirement=Requirement(9113, "3.2", "MUST NOT"),
    also=(
        Requirement(9113, "3.1"),
        Requirement(7540, "3.3", "MUST NOT"),
        Requirement(9110, "7.6.1", "MUST"),
    ),
    variants={
        "over-tls": ERROR,
        "accepted-through-proxy": Variant(ERROR, requirement=Requirement(9113, "3.1")),
        "through-intermediary": Variant(WARNING, requirement=Requirement(9110, "7.6.1", "MUST")),
    },
    profiles=("rfc9110", "security"),
    versions=HTTP11,
    fields=(b"upgrade",),
    repair=(
        "Remove h2c from Upgrade, HTTP2-Settings, and their connection options; the answer then "
        "comes over HTTP/1.1. A 101 stays as it is."
    ),
    edit=dict.fromkeys(("over-tls", "through-intermediary"), editing.withdraw_h2c),
    violating={
        "over-tls": [
            """
            * TLS
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            >! Upgrade: h2c
            > HTTP2-Settings: AAMAAABkAAQAAP__
            """,
            """
            * TLS
            > GET /chat HTTP/1.1
            > Host: www.example
            > Via: 1.1 edge
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: websocket
            >! upgrade: foo/1, H2C
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            > HTTP2-Settings: AAMAAABkAAQAAP__
            """,
        ],
        "through-intermediary": [
            """
            * clear text
            > GET / HTTP/1.1
            > Host: www.example
            > X-Forwarded-For: 192.0.2.7
            > Connection: Upgrade, HTTP2-Settings
            >! Upgrade: h2c
            > HTTP2-Settings: AAMAAABkAAQAAP__
            """,
            """
            * addressed to the proxy
            > GET http://www.example/ HTTP/1.1
            > Host: www.example
            > Proxy-Connection: Keep-Alive
            > Connection: Upgrade, HTTP2-Settings
            >! Upgrade: h2c
            > HTTP2-Settings: AAMAAABkAAQAAP__
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > cdn-loop: edge
            > connection: upgrade, http2-settings
            >! upgrade: h2c
            > http2-settings: AAMAAABkAAQAAP__
            > content-length: 2
            """,
        ],
        "accepted-through-proxy": [
            """
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: h2c
            """,
            """
            * clear text
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            > Upgrade: h2c
            > HTTP2-Settings: AAMAAABkAAQAAP__
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: h2c
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
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        """
        * TLS
        > GET /chat HTTP/1.1
        > Host: www.example
        > Via: 1.1 edge
        > Connection: Upgrade
        > Upgrade: websocket, h2c-14
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        * TLS
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: h2
        """,
        """
        * TLS
        < HTTP/1.1 200 OK
        < Via: 1.1 edge
        < Connection: Upgrade
        < Upgrade: h2,h2c
        < Content-Length: 0
        """,
        """
        * TLS
        > GET / HTTP/2
        > host: www.example
        < HTTP/2 200
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """An h2c upgrade is offered or accepted where it can tunnel past a proxy.

    With "Upgrade: h2c" a client asks to go on in HTTP/2 on the same connection. A proxy that passes
    the offer on and relays the 101 becomes a blind pipe: all further requests reach the server
    behind it without the proxy's access rules, authentication or logging. This is request
    smuggling without any ambiguity in the framing.

    The offer is only defined for clear text and the first hop. Inside TLS (over-tls) HTTP/2 is
    negotiated by ALPN, so nobody but an attacker or a scanner sends h2c there. With signs of
    forwarding (through-intermediary) a proxy has passed on what it had to keep. A 101 that names
    h2c and passes through a proxy (accepted-through-proxy) means that the tunnel is open.

    Go's httputil.ReverseProxy passed such offers on, and Traefik with it until it took them out by
    itself (traefik/traefik#13797); YARP had to learn to (dotnet/yarp#877). Go's h2c handler accepts
    them and cannot be told not to (golang/go#68729), as did Traefik's entry points
    (traefik/traefik#9341). curl --http2 and Java's HttpClient offer h2c on every http:// request;
    in clear text and to the first hop that is harmless, and only reported as obsolete.

    Do not forward Upgrade except for protocols that you want: in nginx set proxy_set_header Upgrade
    only where WebSocket is served; in HAProxy deny or remove it with http-request del-header
    upgrade; in Envoy do not list h2c in upgrade_configs. Compare the elements of the list one by
    one: a filter for the whole value misses "websocket, h2c". On the server, switch h2c off, in
    Apache httpd with Protocols h2 http/1.1, in Go by using http.Server.Protocols with
    UnencryptedHTTP2 instead of the h2c handler. A client that knows its server speaks HTTP/2 needs
    no upgrade: curl --http2-prior-knowledge.

    One finding a message, inside TLS also if the message was forwarded. What a server advertises
    without switching is left to the rule about obsolete tokens.
    """
    line, risk = message.line_naming(b"h2c"), risk_of(message)
    if line is not None and risk:
        yield Evidence(f"{line} {RISKS[risk]}.", line, risk, sender=message.forwarder)


def risk_of(message: Message) -> str:
    """Return the variant that the token h2c is in `message`, empty if there it is only obsolete."""
    if isinstance(message, Response):
        return "accepted-through-proxy" if message.status == 101 else ""
    if message.tls:
        return "over-tls"
    passed_on = message.forwarded or message.has(b"proxy-connection")
    return "through-intermediary" if passed_on else ""
