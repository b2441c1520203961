from collections.abc import Iterator

from hopguard.fields import PERSISTENCE_OPTIONS
from hopguard.message import HTTP1, Message
from hopguard.rule import ERROR, Evidence, Requirement, forwarding_rule
from hopguard.text import quote

_IMPLEMENTED = PERSISTENCE_OPTIONS | {b"upgrade", b"te"}
"""Options that an intermediary may have reason to send for itself."""


@forwarding_rule(
    requirement=Requirement(9110, "7.6.1", "MUST"),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP1,
    visible="both-legs",
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close, X-Foo
        * sent on
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: close, X-Foo
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Connection: X-A, x-b
        < Content-Length: 0
        * sent on
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        <! connection: X-B
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close, X-Foo
        * sent on
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade, TE
        > Upgrade: websocket
        > TE: trailers
        * sent on
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: upgrade, te
        > Upgrade: websocket
        > TE: trailers
        """,
        # The intermediary's own option.
        """
        > GET / HTTP/1.1
        > Host: www.example
        * sent on
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Own
        > X-Own: 1
        """,
    ],
)
def check(received: Message, sent: Message) -> Iterator[Evidence]:
    """An intermediary forwards the Connection field itself.

    The field is between two neighbours. Passed on, it makes the next one remove fields, or close
    the connection, because somebody beyond its neighbour said so: a client reaches into a network
    that it does not see.

    In nginx, set it in both directions: `proxy_set_header Connection ""` towards servers, and
    `proxy_hide_header` for what a server sends. In code of your own, replace the field by the
    options of your own connection.

    `close` and `keep-alive` are not reported, nor are `upgrade` and `TE`: an intermediary may say
    the same for itself.
    """
    options = received.options if received.version in HTTP1 else frozenset()
    for line, option in sent.listing(options - _IMPLEMENTED):
        yield Evidence(f"{line} passes on the option {quote(option)}, which was received.", line)
