import re
from collections.abc import Iterator

from hopguard import editing
from hopguard.grammar import OWS, unfold
from hopguard.message import HTTP1, FieldLine, Message, Response
from hopguard.rule import ERROR, WARNING, Evidence, Finding, Requirement, Variant, message_rule
from hopguard.text import printable

OF_ONE_HOP = (b"upgrade", b"te", b"keep-alive", b"proxy-connection")
"""Fields that Connection has to list; a forwarder that removes it has to remove them, too."""

OF_A_PROXY = (b"proxy-authenticate", b"proxy-authentication-info", b"proxy-authorization")
"""Fields that a cache must not store, unless it does so for one proxy alone."""

# A member of Cache-Status whose parameter `hit` is true, strings taken out (RFC 9211, section 2.1)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_HIT_PARAMETER = re.compile(rb"; *hit(?:=\?1)?[ \t]*(?:[;,]|$)")

# X-Cache has no specification: "HIT", "Hit from cloudfront", "HIT, MISS", but not "hit-for-pass".
_HIT_WORD = re.compile(rb"hit(?![\w-])", re.IGNORECASE)


def _remove_unlisted[M: Message](message: M, _: Finding, /) -> M:
    return editing.remove_fields(message, {line.name.lower() for line in _unlisted(message)})


def _remove_stored[M: Message](message: M, _: Finding, /) -> M:
    unlisted = {line.name.lower() for line in _unlisted(message)}
    return editing.remove_fields(message, {*OF_A_PROXY, *(unlisted & {b"keep-alive"})})


@message_rule(
    requirement=Requirement(9110, "7.6.1", "SHOULD"),
    variants={
        "via": WARNING,
        "stored": Variant(ERROR, requirement=Requirement(9111, "3.1", "MUST NOT")),
    },
    profiles=("rfc9110", "rfc2616"),
    versions=HTTP1,
    fields=OF_ONE_HOP + OF_A_PROXY,
    repair="Remove the field line; what it says is about another connection.",
    edit={"via": _remove_unlisted, "stored": _remove_stored},
    violating={
        "via": [
            """
            < HTTP/1.1 200 OK
            < Via: 1.1 cdn
            <! Keep-Alive: timeout=30
            < Content-Length: 0
            """,
            """
            > POST /greeter/hello HTTP/1.1
            > Host: www.example
            > X-Forwarded-For: 192.0.2.1
            > Connection: keep-alive
            >! TE: trailers
            > Content-Length: 0
            """,
            """
            > GET / HTTP/1.0
            > Forwarded: for=192.0.2.1
            >! upgrade: TLS/1.2
            >! Proxy-Connection: keep-alive
            """,
            """
            < HTTP/1.1 200 OK
            < Proxy-Status: edge
            < Age: 0
            < Cache-Status: edge; fwd=miss; detail="a; hit"; hit=?0; hits=2
            < X-Cache: hit-for-pass
            <! Upgrade: TLS/1.2
            <! UPGRADE: HTTP/2.0
            <! Keep-Alive: timeout=5
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            < CDN-Loop: edge
            < Age: soon
            <! Keep-Alive: timeout=5
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            < X-Cache: HIT
            < Via: 1.1 cdn
            <! Proxy-Connection: keep-alive
            < Content-Length: 0
            """,
        ],
        "stored": [
            """
            < HTTP/1.1 200 OK
            < Age: 17
            <! Proxy-Authenticate: Basic realm="proxy"
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            < Cache-Status: "origin, a"; fwd=uri-miss, edge; hit; ttl=30
            < Connection: Proxy-Authentication-Info
            <! proxy-authentication-info: nextnonce="a"
            < Content-Length: 0
            """,
            """
            < HTTP/1.0 200 OK
            < X-Cache: Hit from cloudfront
            <! Proxy-Authorization: Basic dTpw
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            < Via: 1.1 cdn
            < Age: 00030
            <! Keep-Alive: timeout=5
            < Content-Length: 0
            """,
        ],
    },
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Via: 1.1 cdn
        < Age: 30
        < Connection: keep-alive
        < Keep-Alive: timeout=30
        < Content-Length: 0
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > X-Forwarded-For: 192.0.2.1
        > X-Forwarded-Proto: https
        > Connection: upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        < HTTP/1.1 200 OK
        < Keep-Alive: timeout=5
        < Age: 0
        < X-Cache: MISS
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Via: 1.1 cdn
        < Connection: close
        < Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Via: 1.1 cdn
        < Connection: "keep-alive"
        < Keep-Alive: timeout=5
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 103 Early Hints
        < Via: 1.1 cdn
        < Upgrade: TLS/1.2
        """,
        """
        < HTTP/1.1 407 Proxy Authentication Required
        < Via: 1.1 proxy
        < Proxy-Authenticate: Basic realm="proxy"
        < X-Cache: MISS
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Via: 1.1 proxy
        > Proxy-Authorization: Basic dTpw
        > Age: 7
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > X-Forwarded-For: 192.0.2.1
        > Upgrade-Insecure-Requests: 1
        > X-Keep-Alive: 1
        """,
        """
        < HTTP/1.1 200 OK
        < Via: 1.1 cdn
        < Transfer-Encoding: chunked
        < Trailer: X-Sum
        """,
        """
        < HTTP/2 200
        < via: 1.1 cdn
        < age: 5
        < proxy-authenticate: Basic realm="proxy"
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A hop-by-hop field has come through an intermediary, or out of a cache.

    Upgrade, TE, Keep-Alive and Proxy-Connection concern one connection, and an intermediary is to
    remove them along with what Connection lists. If a message shows that it was forwarded (Via,
    Forwarded, X-Forwarded-For and the like) and still holds one of them unlisted (via), they are
    about a connection far away: the recipient offers an upgrade to somebody who never asked, relies
    on a timeout of somebody else's, or sends trailers into a hop that drops them.

    Many proxies have removed Connection and left the rest, or kept a table with gaps:
    cloudflare/pingora#734, dadrus/heimdall#653, elazarl/goproxy#78, mitre/HTTP-Proxy-Servlet#6,
    http-party/node-http-proxy#446. As soon as the next hop speaks HTTP/2 such a message is
    malformed, and whole requests fail.

    A cache that stores fields of a proxy (stored) hands one user's proxy authentication to all; a
    stored Keep-Alive describes a connection that is long gone. A response comes from a cache if its
    Age is above 0, Cache-Status says hit, or X-Cache begins with HIT.

    The remedy is at the intermediary: remove these fields always, whether Connection lists them or
    not. In nginx use proxy_set_header TE "" and proxy_hide_header Upgrade, in HAProxy http-request
    and http-response del-header; in Varnish unset them in vcl_backend_response, before they are
    stored. Go's ReverseProxy removes them by itself; if you write a proxy, test it with all four.

    The rule about the sender's missing option speaks as well: this one points at the intermediary.
    It stays silent where Connection says close or an invalid member was meant as the option, and
    about Upgrade in a 103, which is a hint about a later response. One field line is reported once,
    as stored rather than via.
    """
    stored = isinstance(message, Response) and _is_from_cache(message)
    for line in _unlisted(message):
        if stored and line.name.lower() == b"keep-alive":
            text = f"{line} was stored by a cache and describes a connection that is gone."
            yield Evidence(text, line, "stored", sender="intermediary", severity=WARNING)
        elif message.forwarded:
            text = f"{line} has been forwarded, but concerns one connection alone."
            yield Evidence(text, line, "via", sender="intermediary")
    for line in [line for name in OF_A_PROXY if stored for line in message.lines(name)]:
        # Without the value: it may be a credential.
        text = f"{printable(line.name)} was stored by a cache, but concerns one proxy alone."
        yield Evidence(text, line, "stored", sender="intermediary")


def _unlisted(message: Message) -> list[FieldLine]:
    """List the lines of fields of one hop that Connection does not list, and nobody else judges."""
    names = {name for name in OF_ONE_HOP if message.lacks_option(name)}
    if b"close" in message.options:
        names.discard(b"keep-alive")
    if isinstance(message, Response) and message.status == 103:
        names.discard(b"upgrade")
    return sorted(line for name in names for line in message.lines(name))


def _is_from_cache(response: Response) -> bool:
    ages = [line.value.strip(OWS) for line in response.lines(b"age")]
    if ages and ages[0].isdigit() and ages[0].strip(b"0"):
        return True
    if any(_HIT_WORD.match(line.value) for line in response.lines(b"x-cache")):
        return True
    statuses = (_STRING.sub(b"", unfold(line.value)) for line in response.lines(b"cache-status"))
    return any(_HIT_PARAMETER.search(status) for status in statuses)
