from collections.abc import Iterator

from hopguard.fields import CONNECTION_SPECIFIC, HOP_BY_HOP_EXTENSIONS
from hopguard.message import HTTP3, Message
from hopguard.rule import ERROR, Evidence, Requirement, message_rule
from hopguard.rules.http2_and_http3.connection_field_in_http2 import removing_strays, stray_fields

NAMES = CONNECTION_SPECIFIC | HOP_BY_HOP_EXTENSIONS


@message_rule(
    requirement=Requirement(9114, "4.2", "MUST NOT"),
    also=(Requirement(9114, "4.1.2"), Requirement(9110, "7.6.1", "MUST")),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP3,
    fields=NAMES,
    repair=(
        "Remove the field line; it means nothing in HTTP/3. A message with Transfer-Encoding stays "
        "refused."
    ),
    edit=removing_strays(NAMES),
    violating=[
        """
        > GET / HTTP/3
        >! keep-alive: timeout=5
        """,
        """
        < HTTP/3 200
        <! upgrade: h2,h2c
        <! connection: Upgrade
        """,
        """
        > POST / HTTP/3
        > x-forwarded-for: 192.0.2.1
        >! transfer-encoding: chunked
        >! proxy-connection: keep-alive
        """,
        """
        < HTTP/3 200
        <! connection: x-a, x-b, x-c, x-d, x-e, x-f
        < x-a: 1
        < x-b: 1
        < x-c: 1
        < x-d: 1
        < x-e: 1
        < x-f: 1
        """,
        """
        > GET / HTTP/3
        >! c-man: "http://www.example/extension"
        """,
    ],
    conforming=[
        """
        > GET / HTTP/3
        > te: trailers
        > upgrade-insecure-requests: 1
        > man: "http://www.example/extension"
        """,
        """
        < HTTP/3 407
        < proxy-authenticate: Basic realm="proxy"
        < trailer: x-sum
        < alt-svc: h3=":443"
        """,
        """
        > GET / HTTP/3
        > http2-settings: AAMAAABkAAQAAP__
        > proxy-authorization: Basic dTpw
        """,
        """
        > CONNECT /chat HTTP/3
        > :protocol: websocket
        > :scheme: https
        > :path: /chat
        > :authority: www.example
        > upgrade: websocket
        """,
        """
        < HTTP/3 200
        <
        < keep-alive: timeout=5
        """,
        """
        > GET / HTTP/2
        > c-opt: "http://www.example/extension"
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A connection-specific field is sent on HTTP/3.

    HTTP/3 leaves connections to QUIC, so fields about the connection mean nothing there, and a
    message with one of them is malformed. Several implementations did not look: xquic passed such
    fields on in both directions (alibaba/xquic#749), quic-go accepted them (quic-go/quic-go#4647).
    A gateway that then writes the message as HTTP/1.1 revives the field, and with transfer-encoding
    the next server may read one request as two.

    Where they come from: a gateway that removes them towards HTTP/2 and not towards HTTP/3, or the
    other way round. HAProxy forwarded upgrade from HTTP/3 (haproxy/haproxy#2928), cloudflared added
    transfer-encoding: chunked on its QUIC path only (cloudflare/cloudflared#479). ASP.NET Core
    removes what an application or an old proxy has left in a response and logs a warning for each
    (dotnet/aspnetcore#24543).

    Do not set these fields in application code; an HTTP/1.1 server adds what it needs itself. Hide
    them at the gateway: proxy_hide_header Upgrade in nginx, http-response del-header in HAProxy,
    Header unset Upgrade in Apache httpd. If only one recipient complains, compare what it gets with
    what curl --http2 and curl --http3 show.

    RFC 9114 gives no list of its own. Judged are the five fields that HTTP/2 names, and those of
    the HTTP extension framework (C-Man, C-Opt and their predecessors). TE has a rule of its own, as
    have trailer sections and what an extended CONNECT must not carry.
    """
    yield from stray_fields(message, NAMES)
