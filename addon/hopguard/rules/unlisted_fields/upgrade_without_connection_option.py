from collections.abc import Iterator

from hopguard.message import HTTP11, Message, Response
from hopguard.rule import ERROR, Evidence, Requirement, message_rule


@message_rule(
    requirement=Requirement(9110, "7.8", "MUST"),
    also=(Requirement(9110, "7.6.1", "MUST"),),
    severity=ERROR,
    profiles=("rfc9110",),
    silenced_by=("rfc2616",),
    versions=HTTP11,
    fields=(b"upgrade",),
    violating=[
        """
        > OPTIONS * HTTP/1.1
        > Host: www.example
        >! Upgrade: TLS/1.0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, Upgrade-Insecure-Requests
        >! UPGRADE: TLS/1.2
        > Upgrade-Insecure-Requests: 1
        """,
        """
        < HTTP/1.1 200 OK
        <! Upgrade: h2,h2c
        < Connection: Keep-Alive
        < Keep-Alive: timeout=5, max=100
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 426 Upgrade Required
        <! Upgrade: websocket
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Connection: x-upgrade
        <! Upgrade: TLS/1.2
        < Upgrade: HTTP/1.1
        """,
        """
        < HTTP/1.1 200 OK
        <! Upgrade:
        < Content-Length: 0
        """,
    ],
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
        > OPTIONS * HTTP/1.1
        > Host: www.example
        > connection: close
        > CONNECTION: UPGRADE
        > upgrade: TLS/1.0
        """,
        """
        < HTTP/1.1 426 Upgrade Required
        < Upgrade: TLS/1.2, HTTP/1.1
        < Connection: keep-alive,
        <  Upgrade
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive
        > Upgrade-Insecure-Requests: 1
        """,
        """
        > OPTIONS * HTTP/1.1
        > Host: www.example
        > Connection: "Upgrade"
        > Upgrade: TLS/1.0
        """,
        r"""
        > OPTIONS * HTTP/1.1
        > Host: www.example
        > Connection: Upgrade\x00
        > Upgrade: TLS/1.0
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Upgrade: WebSocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        """
        < HTTP/1.1 103 Early Hints
        < Upgrade: TLS/1.2
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > Upgrade: TLS/1.0
        """,
        """
        < HTTP/2 200
        < upgrade: h2,h2c
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Upgrade is sent without the connection option upgrade.

    Upgrade speaks to the next hop alone. The option in Connection is what tells that hop so: it has
    to remove the field before it forwards the message, and it may act on it. A recipient takes
    Upgrade without the option for something forwarded by mistake and ignores it, so the upgrade
    fails; a recipient that does not look talks about an upgrade with somebody who never asked.

    Mostly one of the two lines was lost on the way. Apache httpd with mod_http2 advertises
    Upgrade: h2,h2c in its responses; nginx in front of it replaces Connection, passes Upgrade on,
    and Safari fails as soon as the same response goes out over HTTP/2
    (NginxProxyManager/nginx-proxy-manager#617). In requests the usual victim is a handshake whose
    Connection line a proxy has replaced.

    In nginx, hide what the origin advertises with proxy_hide_header Upgrade, and where upgrades are
    wanted set both proxy_set_header Upgrade $http_upgrade and proxy_set_header Connection. In
    Apache httpd, a Protocols line without h2 and h2c stops the advertising. Application code that
    sets Upgrade has to set Connection: Upgrade with it; most libraries add nothing by themselves.

    A WebSocket handshake without the option is left to the rules about that handshake. The fields
    of a 103 response are hints about a later one and are not judged.
    """
    if message.lacks_option(b"upgrade") and not _is_judged_elsewhere(message):
        line = message.lines(b"upgrade")[0]
        yield Evidence(f"{line} is sent, but Connection does not list upgrade.", line)


def _is_judged_elsewhere(message: Message) -> bool:
    if isinstance(message, Response) and message.status != 101:
        return message.status == 103
    return any(member.value.lower() == b"websocket" for member in message.members(b"upgrade"))
