from collections.abc import Iterator

from hopguard.fields import PERSISTENCE_OPTIONS
from hopguard.message import HTTP1, Message
from hopguard.nominating import is_protected
from hopguard.rule import ERROR, Evidence, Requirement, forwarding_rule
from hopguard.text import quote


@forwarding_rule(
    requirement=Requirement(9110, "7.6.1", "MUST"),
    also=(Requirement(9110, "7.6"), Requirement(9111, "3.1", "MUST")),
    severity=ERROR,
    profiles=("rfc9110", "rfc2616"),
    versions=HTTP1,
    visible="both-legs",
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Hop, close
        > X-Hop: 1
        * sent on
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        >! X-Hop: 1
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: x-debug
        < Transfer-Encoding: chunked
        < X-Debug: on
        <
        < X-Debug: 7
        * sent on
        < HTTP/1.1 200 OK
        < Transfer-Encoding: chunked
        <! x-debug: on
        <
        <! X-Debug: 7
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, HTTP2-Settings
        > Upgrade: h2c
        > HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA
        * sent on
        > GET / HTTP/1.0
        > Host: www.example
        >! Upgrade: h2c
        >! HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Hop, TE, keep-alive
        > X-Hop: 1
        > TE: trailers, gzip
        * sent on
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: trailers
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        * sent on
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: upgrade
        > Upgrade: websocket
        """,
        # The intermediary's own: it only has the same name.
        """
        < HTTP/1.1 200 OK
        < Connection: X-Served-By
        < X-Served-By: origin
        < Content-Length: 0
        * sent on
        < HTTP/1.1 200 OK
        < X-Served-By: edge
        < Content-Length: 0
        """,
        # Not to be nominated, and so not to be removed.
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Authorization, X-Forwarded-For
        > Authorization: Bearer x
        > X-Forwarded-For: 192.0.2.1
        * sent on
        > GET / HTTP/1.1
        > Host: www.example
        > Authorization: Bearer x
        > X-Forwarded-For: 192.0.2.1
        """,
        # HTTP/2 has no Connection field; what one says there nominates nothing.
        """
        > GET / HTTP/2
        > connection: x-hop
        > x-hop: 1
        * sent on
        > GET / HTTP/1.1
        > Host: www.example
        > X-Hop: 1
        """,
    ],
)
def check(received: Message, sent: Message) -> Iterator[Evidence]:
    """An intermediary forwards a field that Connection nominated.

    Such a field says something about one connection, and means nothing, or something else, on the
    next. Whoever passes it on tells a stranger what was meant for itself; caches store it.

    In code of your own, read all Connection lines first and remove what they name, case aside, from
    the header and the trailer section, before adding fields of your own: the other way round a
    client can have X-Forwarded-For removed (CVE-2022-31813, golang/go#50580).

    A field with the same name and another value is the intermediary's own. Fields that Connection
    must not nominate are not missed here: whoever nominates them is at fault, and an intermediary
    that keeps them does no harm.
    """
    if received.version not in HTTP1:
        return
    before = {
        (line.name.lower(), line.value)
        for name in received.options - PERSISTENCE_OPTIONS
        if not is_protected(name, received)
        for line in (*received.lines(name), *received.trailer_lines(name))
    }
    implemented = sent.options & {b"te", b"upgrade"}
    for line in sent.every_line():
        name = line.name.lower()
        if (name, line.value) in before and name not in implemented | {b"connection"}:
            yield Evidence(
                f"{line} is sent on, although Connection nominates {quote(line.name)}.", line
            )
