from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP2, HTTP3, FieldLine, Message, Response
from hopguard.rule import ERROR, Evidence, Requirement, message_rule
from hopguard.text import quote


@message_rule(
    requirement=Requirement(9113, "8.2.2", "MUST NOT"),
    also=(Requirement(9114, "4.2", "MUST NOT"), Requirement(9110, "10.1.4")),
    variants={"value": ERROR, "response": ERROR},
    profiles=("rfc9110",),
    versions=HTTP2 | HTTP3,
    fields=(b"te",),
    visible="rejected",
    repair="Reduce TE to trailers if a request lists that; otherwise remove it.",
    edit=editing.reduce_te,
    violating={
        "value": [
            """
            > GET / HTTP/2
            >! te: gzip
            """,
            """
            > POST /greeter/hello HTTP/2
            > x-forwarded-for: 192.0.2.1
            >! te: trailers, deflate;q=0.5
            """,
            """
            > GET / HTTP/3
            > te: trailers
            >! te: trailers;q=0.5
            """,
            """
            > GET / HTTP/3
            >! te: chunked
            >! te: x;p="a, trailers"
            """,
            """
            > GET / HTTP/2
            >! te: trailers-only
            """,
        ],
        "response": [
            """
            < HTTP/2 200
            <! te: trailers
            """,
            """
            < HTTP/3 200
            < via: 1.1 edge
            <! te:
            <! te: gzip
            """,
        ],
    },
    conforming=[
        """
        > POST /greeter/hello HTTP/2
        > te: trailers
        """,
        """
        > GET / HTTP/3
        > te: Trailers
        """,
        """
        > GET / HTTP/2
        > te:
        > te: ,trailers, trailers,
        """,
        r"""
        > GET / HTTP/2
        > te: gzip\r\nx-smuggled: 1
        """,
        """
        > POST / HTTP/2
        >
        > te: gzip
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE
        > TE: gzip
        """,
        """
        < HTTP/2 200
        < trailer: x-te
        < timing-allow-origin: *
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """TE in HTTP/2 or HTTP/3 says more than trailers, or stands in a response.

    TE offers transfer codings. HTTP/2 and HTTP/3 have none, so the only thing a request may still
    say there is te: trailers, and anything else makes it malformed. A response has no use for TE,
    and the exception does not cover it.

    The usual sender is a gateway that translates TE: gzip from an HTTP/1.1 client, often with
    Connection: TE beside it. The server resets the stream or the whole connection: with Envoy the
    client got 503, and other clients' requests on the same connection failed with it
    (envoyproxy/envoy#8623, envoyproxy/envoy#30362); HAProxy and Netty had the same fault
    (haproxy/haproxy#464, netty/netty#7280).

    Keep trailers and drop the rest. Dropping the whole field breaks gRPC, whose servers insist on
    te: trailers: proxies that took TE for plainly hop-by-hop got "missing TE trailers"
    (golang/go#21096, traefik/traefik#2895). Where a gateway cannot be changed, remove TE from
    HTTP/1.1 clients before it: in nginx proxy_set_header TE "", in HAProxy http-request del-header
    TE unless { req.hdr(te) -m str -i trailers }.

    An empty value offers nothing and is not reported, nor are empty list members. Values with NUL,
    CR or LF are left to the rule about those.
    """
    if isinstance(message, Response):
        for line in message.lines(b"te"):
            text = f"{line} is sent in a response, where {message.version} has no use for it."
            yield Evidence(text, line, "response", sender=message.forwarder)
        return
    controls = {line.position for line in message.lines(b"te") if message.has_control(line)}
    first_bad: dict[FieldLine, bytes] = {}
    for line, value in message.members(b"te"):
        if value.lower() not in (b"", b"trailers") and line.position not in controls:
            first_bad.setdefault(line, value)
    for line, value in first_bad.items():
        text = f"{line} lists {quote(value)}, but {message.version} allows nothing but trailers."
        yield Evidence(text, line, "value", sender=message.forwarder)
