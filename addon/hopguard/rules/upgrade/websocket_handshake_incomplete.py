import re
from collections.abc import Iterator

from hopguard import grammar
from hopguard.message import HTTP1, HTTP11, FieldLine, Request
from hopguard.rule import ERROR, INFO, Evidence, Requirement, Variant, request_rule
from hopguard.text import quote

# Sec-WebSocket-Key = base64-value-non-empty, of 16 octets            (RFC 6455, section 11.3.1)
# The bits that the last character has to spare are not looked at: decoders ignore them.
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")

# Sec-WebSocket-Version-Client = version, 0 to 255 without leading zeros  (RFC 6455, section 4.3)
_VERSION = re.compile(rb"[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5]")

CURRENT = b"13"
"""The version of RFC 6455."""

PARTS = (b"Host", b"Sec-WebSocket-Key", b"Sec-WebSocket-Version")


@request_rule(
    requirement=Requirement(6455, "4.1", "MUST"),
    also=(Requirement(6455, "11.3.1"), Requirement(6455, "4.2.1")),
    variants={
        "incomplete": ERROR,
        "upgrade-stripped": ERROR,
        "other-version": Variant(INFO, requirement=Requirement(6455, "4.4")),
    },
    profiles=("rfc6455",),
    versions=HTTP1,
    fields=(b"upgrade", b"sec-websocket-key"),
    violating={
        "incomplete": [
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: websocket
            """,
            """
            > GET /chat HTTP/1.1
            > Connection: Upgrade
            >! Upgrade: WebSocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > X-Forwarded-For: 192.0.2.7
            > Connection: keep-alive
            >! Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            >! Sec-WebSocket-Key: dGhlIHNhbXBsZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            >! Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            >! sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            >! Sec-WebSocket-Version: 8
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            >! Sec-WebSocket-Version: 13, 8
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            >! Sec-WebSocket-Version: 013
            """,
            """
            > POST /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: foo, websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            > Content-Length: 0
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            >! Content-Length: 64
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            >! Transfer-Encoding: chunked
            """,
        ],
        "upgrade-stripped": [
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            >! Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET /chat HTTP/1.0
            > Host: backend
            > Connection: close
            >! Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            > X-Forwarded-For: 192.0.2.7
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade:
            >! sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
            > sec-websocket-version: 13
            """,
        ],
        "other-version": [
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            >! Sec-WebSocket-Version: 8
            """,
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            > Upgrade: websocket
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            >! Sec-WebSocket-Version: 25
            """,
        ],
    },
    conforming=[
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        > GET /chat HTTP/1.1
        > host: www.example
        > connection: keep-alive
        > connection: UPGRADE
        > upgrade: h2c, WebSocket
        > sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==
        > sec-websocket-version: 13
        > content-length: 0
        > http2-settings: AAMAAABkAAQAAP__
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: "Upgrade"
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        > GET /chat HTTP/1.0
        > Connection: Upgrade
        > Upgrade: websocket
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: "websocket"
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Upgrade-Insecure-Requests: 1
        > Sec-WebSocket-Version: 13
        """,
        """
        > CONNECT /chat HTTP/2
        > :protocol: websocket
        > :scheme: https
        > :path: /chat
        > :authority: www.example
        > sec-websocket-version: 13
        """,
    ],
)
def check(request: Request) -> Iterator[Evidence]:
    """A WebSocket handshake lacks a part that it needs, or has a wrong one.

    A handshake is a GET in HTTP/1.1 with Host, "Connection: Upgrade", "Upgrade: websocket", one
    Sec-WebSocket-Key of 16 octets in base64, and "Sec-WebSocket-Version: 13"; it has no content. A
    server answers anything else with 400 or 426, and a server that does not look lets a web page
    or a proxy talk to an endpoint that was meant for WebSocket alone. HAProxy since 2.4 refuses
    incomplete handshakes with 400 (haproxy/haproxy#1642). Content is dangerous: nghttpx before 1.70
    forwarded handshakes with Content-Length on connections that it used again, so that responses
    could reach the wrong client (flatcar/Flatcar#2412).

    Browsers get all of this right. If their handshake arrives incomplete, a proxy has replaced
    Connection or removed both Connection and Upgrade as hop-by-hop fields, and the key is all that
    is left (upgrade-stripped): nginx does so unless it is told otherwise
    (hashbang/shell-server#119), and proxies written by hand do (saucelabs/forwarder#338).

    In nginx set proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and proxy_set_header
    Connection $connection_upgrade, with a map that makes the variable upgrade or close. In Apache
    httpd use upgrade=websocket on ProxyPass, from 2.4.47; in Envoy list websocket in
    upgrade_configs; in Spring Cloud Gateway route to ws://. For a test by hand, curl needs -H for
    all four fields.

    Firefox sends "Connection: keep-alive, Upgrade", which is right; servers that compare the whole
    value are wrong (websocket-client/websocket-client#626). Another version than 13
    (other-version) may be negotiated and is only noted. All parts that are missing make one
    finding, each wrong one a finding of its own; the value of the key is not shown. With Upgrade,
    HTTP/1.0 is the matter of another rule. An Upgrade field without any protocol counts as none.
    """
    offer = request.line_naming(b"websocket")
    if offer is None:
        stripped = not request.upgrades() and not request.misspelt(b"upgrade")
        for line in request.lines(b"sec-websocket-key")[:1] if stripped else ():
            text = "Sec-WebSocket-Key is sent without Upgrade; a hop may have removed it."
            yield Evidence(text, line, "upgrade-stripped", sender=request.forwarder)
    elif request.version in HTTP11:
        for text, line in _missing(request, offer):
            yield Evidence(text, line, "incomplete", sender=request.forwarder)
        for text, line in _wrong(request, offer):
            yield Evidence(text, line, "incomplete")
        versions = request.lines(b"sec-websocket-version")
        for line in versions if len(versions) == 1 else ():
            if line.value != CURRENT and _VERSION.fullmatch(line.value):
                text = f"{line} is not the version of the standard, which is 13."
                yield Evidence(text, line, "other-version")


def _missing(request: Request, offer: FieldLine) -> Iterator[tuple[str, FieldLine]]:
    missing = [part.decode() for part in PARTS if not request.has(part.lower())]
    if request.lacks_option(b"upgrade"):
        missing.append("upgrade in Connection")
    if missing:
        yield f"{offer} starts a WebSocket handshake without {', '.join(missing)}.", offer


def _wrong(request: Request, offer: FieldLine) -> Iterator[tuple[str, FieldLine]]:
    keys, versions = [request.lines(part.lower()) for part in PARTS[1:]]
    if request.method != b"GET":
        yield f"{offer} is sent with {quote(request.method)}, but a WebSocket needs GET.", offer
    # The key is a nonce that only the two ends need to know: no sentence quotes it.
    for line in keys[1:]:
        yield "Sec-WebSocket-Key is sent beside another such line.", line
    for line in keys[:1]:
        if not _KEY.fullmatch(grammar.unfold(line.value)):
            yield "Sec-WebSocket-Key is not the base64 of 16 octets.", line
    for line in versions[1:]:
        yield f"{line} is sent beside another such line.", line
    for line in versions[:1]:
        if not _VERSION.fullmatch(grammar.unfold(line.value)):
            yield f"{line} is not one version number.", line
    for line in request.lines_announcing_content()[:1]:
        yield f"{line} announces content, which a WebSocket handshake does not have.", line
