from collections.abc import Collection, Iterator

from hopguard import editing
from hopguard.fields import CONNECTION_SPECIFIC
from hopguard.message import HTTP2, Message, Request
from hopguard.rule import ERROR, Edit, Evidence, Finding, Requirement, message_rule
from hopguard.text import printable

OF_HANDSHAKE = frozenset({b"connection", b"upgrade"})
"""In an extended CONNECT, the rule about that request speaks of these."""

MOST_NAMES = 5
"""Nominated fields that are named in one sentence."""


def removing_strays(names: frozenset[bytes]) -> Edit:
    """Make a repair that removes the fields with `names` where `stray_fields` finds them."""

    def edit[M: Message](message: M, _: Finding, /) -> M:
        return editing.remove_fields(message, _out_of_place(message, names))

    return edit


def _out_of_place(message: Message, names: frozenset[bytes]) -> frozenset[bytes]:
    if isinstance(message, Request) and message.is_extended_connect:
        return names - OF_HANDSHAKE
    return names


@message_rule(
    requirement=Requirement(9113, "8.2.2", "MUST NOT"),
    also=(
        Requirement(9113, "8.1.1", "MUST"),
        Requirement(9110, "7.6.1", "MUST"),
        Requirement(7540, "8.1.2.2", "MUST NOT"),
    ),
    severity=ERROR,
    profiles=("rfc9110", "rfc2616"),
    versions=HTTP2,
    fields=CONNECTION_SPECIFIC,
    visible="rejected",
    repair=(
        "Remove the field line; it means nothing in HTTP/2. A message with Transfer-Encoding stays "
        "refused."
    ),
    edit=removing_strays(CONNECTION_SPECIFIC),
    violating=[
        """
        > GET / HTTP/2
        > host: www.example
        >! connection: keep-alive
        """,
        """
        < HTTP/2 200
        <! upgrade: h2,h2c
        <! connection: Upgrade
        """,
        """
        < HTTP/2 200
        < content-type: text/event-stream
        < via: 1.1 edge
        <! connection: keep-alive
        <! keep-alive: timeout=5
        """,
        """
        > POST / HTTP/2
        >! transfer-encoding: chunked
        >! proxy-connection: keep-alive
        """,
        """
        < HTTP/2 103
        <! connection: x-hop, x-next, x-absent
        <! connection: te
        < x-hop: 1
        < x-next: 2
        """,
        """
        > CONNECT /chat HTTP/2
        > :protocol: websocket
        > :scheme: https
        > :path: /chat
        > :authority: www.example
        >! keep-alive: timeout=5
        """,
        """
        > CONNECT www.example:443 HTTP/2
        >! connection:
        """,
    ],
    conforming=[
        """
        > GET / HTTP/2
        > te: trailers
        > upgrade-insecure-requests: 1
        """,
        """
        > POST /greeter/hello HTTP/2
        > content-type: application/grpc
        > te: trailers
        > grpc-timeout: 1S
        """,
        """
        < HTTP/2 407
        < proxy-authenticate: Basic realm="proxy"
        < trailer: x-sum
        """,
        """
        > CONNECT www.example:443 HTTP/2
        > proxy-authorization: Basic dTpw
        > x-connection: 1
        > keep-alive-timeout: 5
        """,
        """
        > GET / HTTP/2
        > http2-settings: AAMAAABkAAQAAP__
        """,
        """
        < HTTP/2 200
        < trailer: connection
        <
        < connection: close
        """,
        """
        > CONNECT /chat HTTP/2
        > :protocol: websocket
        > :scheme: https
        > :path: /chat
        > :authority: www.example
        > connection: Upgrade
        > upgrade: websocket
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A connection-specific field is sent on HTTP/2.

    HTTP/2 manages its connections with frames, so fields about the connection mean nothing there,
    and a message with one of them is malformed. What happens then depends on the recipient, and
    this is why the fault goes unnoticed: Chrome and Firefox show the page, while Safari drops the
    response and may take other requests on the connection with it (source-academy/frontend#2235,
    bartblast/hologram#1262). curl fails with exit code 92 (yesodweb/wai#707), Netty since 4.1.81
    rejects the message (diennea/carapaceproxy#583), Kestrel (improbable-eng/grpc-web#404) and
    Google's front end (golang/go#15085) refuse such requests. With transfer-encoding even Chrome
    gives up (yesodweb/wai#457).

    Two causes are common. A gateway copies fields from HTTP/1.1: Apache httpd behind nginx
    advertises Upgrade: h2,h2c (NginxProxyManager/nginx-proxy-manager#617). Or an application sets
    Connection: keep-alive itself, mostly for an event stream (nestjs/nest#17588, ktorio/ktor#4581),
    and was only tested over HTTP/1.1 without TLS.

    Do not set these fields in application code or middleware; the server adds what HTTP/1.1 needs.
    In nginx use proxy_hide_header Upgrade; in Apache httpd, Protocols http/1.1 or Header unset
    Upgrade; in HAProxy, http-response del-header. In Node, guard with req.httpVersionMajor === 1:
    its http2 module throws ERR_HTTP2_INVALID_CONNECTION_HEADERS. A proxy that is being written has
    to remove what Connection names, Connection itself, and the other four fields.

    The list is closed: Proxy-Authorization, Trailer and HTTP2-Settings are not on it, and TE has a
    rule of its own, as have trailer sections and what an extended CONNECT must not carry. Fields
    that Connection names are mentioned with it, not reported again.
    """
    yield from stray_fields(message, CONNECTION_SPECIFIC)


def stray_fields(message: Message, names: frozenset[bytes]) -> Iterator[Evidence]:
    """Yield one evidence for each field line of the header section that has one of `names`."""
    names = _out_of_place(message, names)
    remark = _remark(message, names)
    for line in sorted(line for name in names for line in message.lines(name)):
        text = f"{line} is a connection-specific field, which must not be sent on {message.version}"
        if line.name.lower() == b"connection":
            text, remark = text + remark, ""
        yield Evidence(f"{text}.", line, sender=message.forwarder)


def _remark(message: Message, names: Collection[bytes]) -> str:
    """Name the fields that Connection makes connection-specific, too."""
    others = [name for name in message.nominated() if name not in names and name != b"te"]
    shown = ", ".join(printable(name) for name in others[:MOST_NAMES])
    more = f" and {len(others) - MOST_NAMES} more" if len(others) > MOST_NAMES else ""
    return f", and neither must the fields that it lists: {shown}{more}" if others else ""
