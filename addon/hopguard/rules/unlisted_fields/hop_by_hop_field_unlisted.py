from collections.abc import Iterator

from hopguard.fields import HOP_BY_HOP_EXTENSIONS
from hopguard.message import HTTP1, Message
from hopguard.rule import ERROR, INFO, Evidence, Requirement, Variant, message_rule
from hopguard.text import printable

MDN = Requirement(
    document="MDN, Connection",
    link="https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Connection",
)

STANDARD = frozenset(
    {b"trailer", b"transfer-encoding", b"proxy-authenticate", b"proxy-authorization"}
)
"""Fields that RFC 2616 calls hop-by-hop and that no RFC wants to be listed."""

VARIANTS = dict.fromkeys(sorted(HOP_BY_HOP_EXTENSIONS), "declared") | dict.fromkeys(
    sorted(STANDARD), "standard"
)


@message_rule(
    requirement=Requirement(9110, "7.6.1", "MUST"),
    also=(
        Requirement(2774, "4.2", "MUST"),
        Requirement(7230, "A.2"),
        Requirement(2616, "13.5.1"),
    ),
    variants={
        "declared": Variant(ERROR, profiles=("rfc9110", "rfc2616")),
        "standard": Variant(INFO, profiles=("mdn-current",), requirement=MDN),
    },
    profiles=("rfc9110", "rfc2616", "mdn-current"),
    versions=HTTP1,
    fields=VARIANTS,
    violating={
        "declared": [
            """
            > M-GET / HTTP/1.1
            > Host: www.example
            >! C-Man: "http://www.example/extension"; ns=16
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: C-Man
            > c-man: "http://www.example/extension"
            >! c-opt: "http://www.example/another"
            """,
            """
            < HTTP/1.0 200 OK
            < Connection: keep-alive
            <! C-PEP: {{map "http://www.example/pep"}}
            < C-PEP: {{map "http://www.example/more"}}
            <! C-PEP-Info: {{id "http://www.example/pep"}}
            < Content-Length: 0
            """,
        ],
        "standard": [
            """
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: chunked
            <! Trailer: X-Sum
            """,
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            > Connection: keep-alive
            >! Proxy-Authorization: Basic dTpw
            """,
            """
            < HTTP/1.1 407 Proxy Authentication Required
            <! Proxy-Authenticate: Basic realm="proxy"
            < Content-Length: 0
            """,
        ],
    },
    conforming=[
        """
        > M-GET / HTTP/1.1
        > Host: www.example
        > connection: close, c-man
        > C-Man: "http://www.example/extension"; ns=16
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: C-Opt, C-PEP
        > Connection: C-PEP-INFO
        > C-Opt: "http://www.example/extension"
        > C-Pep: {{map "http://www.example/pep"}}
        > C-Pep-Info: {{id "http://www.example/pep"}}
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: "C-Opt"
        > C-Opt: "http://www.example/extension"
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Trailer, Transfer-Encoding
        < Transfer-Encoding: chunked
        < Trailer: X-Sum
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Man: "http://www.example/extension"
        > Opt: "http://www.example/another"
        > C-Manual: 1
        """,
        """
        < HTTP/2 407
        < c-opt: "http://www.example/extension"
        < proxy-authenticate: Basic realm="proxy"
        < trailer: x-sum
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A hop-by-hop field that has no rule of its own is not listed in Connection.

    A recipient that does not know a field forwards it. The only way to keep an unknown field on
    one hop is to list it in Connection, so whoever defines a hop-by-hop field has to require that.
    That a specification calls a field hop-by-hop makes nobody remove it.

    The fields looked at by default (declared) are those of the HTTP extension framework, C-Man and
    C-Opt, and of its predecessor PEP. If they travel on, a server far away takes an extension for
    agreed with its neighbour. Whatever still sends them should list them or stop sending them.

    Trailer, Transfer-Encoding, Proxy-Authenticate and Proxy-Authorization (standard) need not be
    listed by any RFC, and listing Transfer-Encoding is what request smuggling looks like. Only
    today's English MDN page asks for it; the profile mdn-current shows what would follow from that.
    Nothing has to be changed because of such a finding.
    """
    for name, variant in VARIANTS.items():
        if message.lacks_option(name):
            line = message.lines(name)[0]
            # Without the value: it may be a credential.
            text = f"{printable(line.name)} is sent, but Connection does not list it."
            yield Evidence(text, line, variant)
