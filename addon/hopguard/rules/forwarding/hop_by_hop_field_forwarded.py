from collections.abc import Iterator

from hopguard.message import HTTP1, FieldLine, Message, Response
from hopguard.rule import INFO, WARNING, Evidence, Requirement, Variant, forwarding_rule

OF_ONE_HOP = (b"proxy-connection", b"keep-alive", b"te", b"transfer-encoding", b"upgrade")
OF_RFC_2616 = (b"trailer", b"proxy-authenticate", b"proxy-authorization")
"""Those that RFC 2616 counted as hop-by-hop, and RFC 9110 lets intermediaries pass on."""


@forwarding_rule(
    requirement=Requirement(9110, "7.6.1", "SHOULD"),
    also=(Requirement(2616, "13.5.1"),),
    # The unnamed variant is every field that is not to be passed on today.
    variants={"": WARNING, "relayed": Variant(INFO, profiles=("rfc2616",))},
    profiles=("rfc9110",),
    versions=HTTP1,
    visible="both-legs",
    violating={
        "": [
            """
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            < Keep-Alive: timeout=5
            < Content-Length: 0
            * sent on
            < HTTP/1.1 200 OK
            < Connection: keep-alive
            <! Keep-Alive: timeout=5
            < Content-Length: 0
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Proxy-Connection: keep-alive
            > TE: gzip
            > Upgrade: TLS/1.2
            * sent on
            > GET / HTTP/1.1
            > Host: www.example
            >! Proxy-Connection: keep-alive
            >! TE: gzip
            >! Upgrade: TLS/1.2
            """,
            """
            < HTTP/1.1 200 OK
            < Transfer-Encoding: identity
            < Content-Length: 0
            * sent on
            < HTTP/1.1 200 OK
            <! Transfer-Encoding: identity
            < Content-Length: 0
            """,
        ],
        "relayed": [
            """
            < HTTP/1.1 407 Proxy Authentication Required
            < Proxy-Authenticate: Basic realm="p"
            < Content-Length: 0
            * sent on
            < HTTP/1.1 407 Proxy Authentication Required
            <! Proxy-Authenticate: Basic realm="p"
            < Content-Length: 0
            """,
        ],
    },
    conforming=[
        """
        < HTTP/1.1 200 OK
        < Keep-Alive: timeout=5
        < Content-Length: 0
        * sent on
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 200 OK
        < Keep-Alive: timeout=5
        < Transfer-Encoding: chunked
        * sent on
        < HTTP/1.1 200 OK
        < Connection: keep-alive
        < Keep-Alive: timeout=60
        < Transfer-Encoding: chunked
        """,
        """
        < HTTP/1.1 200 OK
        < Transfer-Encoding: gzip
        * sent on
        < HTTP/1.1 200 OK
        < Connection: close
        < Transfer-Encoding: gzip
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
        > Connection: Upgrade, TE
        > Upgrade: websocket
        > TE: trailers
        """,
    ],
)
def check(received: Message, sent: Message) -> Iterator[Evidence]:
    """An intermediary forwards a standard hop-by-hop field.

    What such a field says is about the connection that it came on. Keep-Alive promises a timeout
    that the next connection does not have; an Upgrade that was only advertised, h2 above all, is
    fatal once it is copied to HTTP/2 (Apache with mod_http2 behind nginx); Proxy-Connection makes
    old proxies hold connections open that nobody will use.

    In nginx, use `proxy_hide_header Upgrade` and the like for what servers send; in Apache httpd
    unset the field where it arises, with `Header unset Upgrade`.

    Nothing is said where the intermediary may mean it for itself: TE: trailers and Upgrade with
    their options, and Transfer-Encoding that frames the message anew.
    """
    for variant, names in (("", OF_ONE_HOP), ("relayed", OF_RFC_2616)):
        for name in names:
            values = [line.value for line in received.lines(name)]
            for line in sent.lines(name):
                if line.value in values and not _is_own(line, received, sent):
                    yield Evidence(f"{line} is sent on as it was received.", line, variant)


def _is_own(line: FieldLine, received: Message, sent: Message) -> bool:
    """Tell whether the intermediary may speak for itself, or another rule speaks of the line."""
    name = line.name.lower()
    if name == b"te":
        own = name in sent.options and line.value.lower() == b"trailers"
    elif name == b"transfer-encoding":
        codings = sent.transfer_codings or ()
        ends_with = isinstance(sent, Response) and b"close" in sent.options
        own = codings[-1:] == (b"chunked",) or (ends_with and bool(codings))
    else:
        own = name == b"upgrade" and name in sent.options
    nominated = name in received.options and name not in (b"keep-alive", b"transfer-encoding")
    return own or nominated
