import re
from collections.abc import Iterator

from hopguard import editing, grammar
from hopguard.message import HTTP11, Message
from hopguard.rule import ERROR, Evidence, Requirement, message_rule
from hopguard.text import quote

MOST_FINDINGS = 5
"""Different invalid elements of one message that are reported."""

SHAPES = (
    (re.compile(rb"[\x80-\xff]"), "it holds octets beyond ASCII"),
    (re.compile(rb'"'), "names are not quoted"),
    (re.compile(rb";"), "Upgrade has no parameters"),
    (re.compile(rb"[ \t]"), "it holds white space, perhaps in place of a comma"),
    (re.compile(rb"/.*/"), "it has more than one slash"),
    (re.compile(rb"^/|/$"), "something is missing before or after the slash"),
)
"""What an invalid element looks like, and what is wrong with it; the first match counts."""


@message_rule(
    requirement=Requirement(9110, "7.8"),
    also=(Requirement(9110, "5.6.1.1", "MUST NOT"), Requirement(9110, "5.6.2")),
    variants={"syntax": ERROR, "empty-member": ERROR},
    profiles=("rfc9110",),
    versions=HTTP11,
    fields=(b"upgrade",),
    repair="Remove Upgrade and the connection option upgrade; the answer then comes over HTTP/1.1.",
    edit=editing.remove_field,
    violating={
        "syntax": [
            """
            > GET /chat HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: websocket; version=13
            > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
            > Sec-WebSocket-Version: 13
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: "TLS/1.2"
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: keep-alive, Upgrade
            >! Upgrade: HTTP/1.1 TLS/1.2
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: TLS/1.2/1.3, TLS/1.2
            """,
            """
            < HTTP/1.1 426 Upgrade Required
            < Connection: Upgrade
            < Upgrade: TLS/1.2
            <! Upgrade: HTTP/
            < Content-Length: 0
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: Upgrade
            <! UPGRADE: /1.2
            < Content-Length: 0
            """,
            r"""
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: TLS\xe2\x80\x9112
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: TLS(1.2)
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: Upgrade
            <! Upgrade: @a, @b, @c, @d, @e
            < Upgrade: @f
            < Content-Length: 0
            """,
        ],
        "empty-member": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: TLS/1.2,,HTTP/1.1
            """,
            """
            < HTTP/1.1 200 OK
            < Connection: Upgrade
            < Upgrade: TLS/1.2
            <! upgrade: HTTP/1.1,
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Connection: Upgrade
            >! Upgrade: ,
            """,
        ],
    },
    conforming=[
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: HTTP/2.0, SHTTP/1.3,IRC/6.9 , RTA/x11
        """,
        """
        < HTTP/1.1 426 Upgrade Required
        < Connection: Upgrade
        < Upgrade: TLS/1.2,
        <   HTTP/1.1
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade:
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Upgrade
        < Upgrade:
        < Upgrade: h2c
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Upgrade-Insecure-Requests: 1;
        """,
        r"""
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2\x00
        """,
        """
        > GET / HTTP/1.0
        > Connection: Upgrade
        > Upgrade: "TLS/1.2"
        """,
        """
        < HTTP/2 200
        < upgrade: h2,,h2c
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """Upgrade holds an element that is no protocol, or an empty one.

    An element of Upgrade is the bare name of a protocol, perhaps with a slash and a version:
    websocket, or TLS/1.2. It knows no quotes, no parameters and no spaces. A server that compares
    names does not find one in "websocket; version=13" and goes on with HTTP/1.1, so the upgrade
    fails without an error; a server that searches for a part of the value switches all the same,
    and two hops in a row may decide differently.

    Empty elements (empty-member) come from code that joins parts of which one is empty, and from
    proxies that take a protocol out of the list and leave its comma behind. Recipients have to
    tolerate some of them, but a comparison of the whole value with one name does not.

    Send nothing but names: the version of WebSocket belongs into Sec-WebSocket-Version,
    subprotocols into Sec-WebSocket-Protocol. In nginx, what stands between the quotes of
    proxy_set_header Upgrade is sent as it is, so a second pair of quotes reaches the server; pass
    $http_upgrade on instead.

    An Upgrade field without any octet is grammatical and not reported. Values with control octets
    are left to the rule about illegal octets. At most five different elements are reported.
    """
    seen: set[bytes] = set()
    for line, value in message.upgrades():
        if value in seen or grammar.parse_protocol(value) or grammar.has_control(value):
            continue
        seen.add(value)
        text = f"{line} names {quote(value)}, which is no protocol: {_reason(value)}."
        yield Evidence(text, line, "syntax")
        if len(seen) == MOST_FINDINGS:
            break
    for line in message.lines(b"upgrade"):
        elements = grammar.split_list(grammar.unfold(line.value))
        if len(elements) > 1 and b"" in elements:
            yield Evidence(f"{line} has an empty list element.", line, "empty-member")


def _reason(element: bytes) -> str:
    for shape, reason in SHAPES:
        if shape.search(element):
            return reason
    return "it holds octets that no token may hold"
