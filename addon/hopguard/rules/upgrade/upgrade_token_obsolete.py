from collections.abc import Iterator

from hopguard.fields import UPGRADE_TOKENS
from hopguard.message import HTTP11, Message
from hopguard.rule import INFO, WARNING, Evidence, Requirement, Variant, message_rule
from hopguard.rules.upgrade.h2c_upgrade_smuggling_risk import risk_of
from hopguard.text import quote

MOST_FINDINGS = 5
"""Different unregistered names of one message that are reported."""


@message_rule(
    requirement=Requirement(9113, "3.1"),
    also=(
        Requirement(9113, "11.2"),
        Requirement(
            document="HTTP Upgrade Token Registry",
            link="https://www.iana.org/assignments/http-upgrade-tokens/http-upgrade-tokens.xhtml",
        ),
    ),
    variants={
        "h2": Variant(WARNING, requirement=Requirement(7540, "3.2", "MUST")),
        "h2c": WARNING,
        "unregistered": Variant(INFO, requirement=Requirement(9110, "16.7")),
    },
    profiles=("rfc9110",),
    versions=HTTP11,
    fields=(b"upgrade",),
    violating={
        "h2": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: h2
            """,
            """
            * TLS
            < HTTP/1.1 200 OK
            < Connection: Upgrade, Keep-Alive
            <! Upgrade: H2
            < Upgrade: TLS/1.2
            < Content-Length: 0
            """,
        ],
        "h2c": [
            """
            * clear text
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            >! Upgrade: h2c
            > HTTP2-Settings: AAMAAABkAAQAAP__
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade, HTTP2-Settings
            >! upgrade: websocket, H2C, h2c
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            > HTTP2-Settings: AAMAAABkAAQAAP__
            """,
            """
            < HTTP/1.1 426 Upgrade Required
            < Via: 1.1 edge
            < Connection: Upgrade
            <! Upgrade: h2c
            < Content-Length: 0
            """,
        ],
        "unregistered": [
            """
            > POST /v1.46/exec/a84c/start HTTP/1.1
            > Host: docker
            > Connection: Upgrade
            >! Upgrade: tcp
            > Content-Type: application/json
            > Content-Length: 2
            """,
            """
            < HTTP/1.1 101 Switching Protocols
            < Connection: Upgrade
            <! Upgrade: SPDY/3.1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: HTTPS/1.1, websockets, websockets
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: a, b, c, d, e
            > Upgrade: f
            """,
        ],
    },
    conforming=[
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: WebSocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2, HTTP/2.0, connect-udp, CONNECT-IP, websocket/13
        """,
        """
        * TLS
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAAP__
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: h2c
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: "h2", h2c;q=1
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Upgrade-Insecure-Requests: 1
        """,
        """
        < HTTP/2 200
        < upgrade: h2,h2c
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Upgrade names a protocol that is obsolete, cannot be upgraded to, or is not registered.

    h2 is HTTP/2 inside TLS and is chosen by ALPN before the first request; servers are told to
    ignore it in Upgrade. h2c, the upgrade to HTTP/2 in clear text, was hardly ever deployed and is
    obsolete since RFC 9113. Whoever sends them gains nothing, and others stumble over them.

    Java's HttpClient offers h2c on http:// by default, and so do programs built on it. uvicorn
    answered 400 or lost the content of a POST (Kludex/uvicorn#1501, MagicStack/httptools#124),
    Envoy and Istio 403 (envoyproxy/envoy#7161), Jetty and Helidon fail when the request has
    content (helidon-io/helidon#9354, jetty/jetty.project#3235). In responses it is Apache httpd
    with mod_http2, which advertises "Upgrade: h2,h2c": nginx copies that to HTTP/2, and Safari
    refuses the page (NginxProxyManager/nginx-proxy-manager#617).

    In Java use HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1), and hand such a client
    to Spring's RestClient. In curl use --http1.1. In Apache httpd, Protocols http/1.1 (on a
    backend) or Header unset Upgrade stops the advertising; in nginx, proxy_hide_header Upgrade
    keeps it from the client.

    A name outside the registry of IANA (unregistered) is only noted: Docker's tcp and the SPDY/3.1
    of Kubernetes are private agreements that work, websockets is a typing error. Where h2c can
    tunnel past a proxy, the rule about that speaks instead. One line that names both h2 and h2c has
    two findings: they are obsolete for different reasons.
    """
    seen: set[bytes] = set()
    unregistered = 0
    for line, protocol in message.protocols():
        name = protocol.name
        if name in seen:
            continue
        seen.add(name)
        if name == b"h2":
            yield Evidence(f"{line} names h2, which is chosen by ALPN in TLS only.", line, "h2")
        elif name == b"h2c":
            if not risk_of(message):
                text = f"{line} names h2c, which is obsolete since RFC 9113."
                yield Evidence(text, line, "h2c")
        elif name not in UPGRADE_TOKENS and unregistered < MOST_FINDINGS:
            unregistered += 1
            text = f"{line} names {quote(name)}, which is not a registered protocol."
            yield Evidence(text, line, "unregistered")
