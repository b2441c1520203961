from collections.abc import Iterator

from hopguard import editing
from hopguard.fields import ROUTE, ROUTE_BY_CONVENTION
from hopguard.message import HTTP1, Request
from hopguard.rule import ERROR, WARNING, Evidence, Requirement, request_rule
from hopguard.text import quote


@request_rule(
    requirement=Requirement(9110, "7.6.1", "MUST NOT"),
    also=(
        Requirement(
            document="CVE-2022-31813", link="https://nvd.nist.gov/vuln/detail/CVE-2022-31813"
        ),
        Requirement(
            document="CVE-2024-45410", link="https://nvd.nist.gov/vuln/detail/CVE-2024-45410"
        ),
        Requirement(document="CVE-2021-33197", link="https://github.com/golang/go/issues/46313"),
    ),
    severity=ERROR,
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    fields=(b"connection",),
    repair="Remove the option from Connection before any other addon adds forwarding fields.",
    edit=editing.dropping_options(ROUTE | ROUTE_BY_CONVENTION),
    violating=[
        """
        > GET /admin HTTP/1.1
        > Host: www.example
        >! Connection: close, X-Forwarded-For
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive
        >! Connection: x-real-ip, X-FORWARDED-HOST
        """,
        """
        > GET / HTTP/1.0
        >! Connection: Forwarded
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        >! Connection: Via, CDN-Loop, traceparent
        > Via: 1.1 edge
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        > X-Forwarded-For: 192.0.2.1
        > Via: 1.1 edge
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: X-Forwarded, X-Forwarded-Form, Forwarded-For
        """,
        """
        < HTTP/1.1 200 OK
        < Connection: Via, X-Request-Id
        < Content-Length: 0
        """,
        """
        > GET / HTTP/2
        > connection: x-forwarded-for
        """,
    ],
)
def check(request: Request) -> Iterator[Evidence]:
    """Connection nominates a field that tells the client's identity or the route.

    The trick needs no such field in the request: a client names X-Forwarded-For, the proxy adds
    it, and the same proxy or the next one deletes what Connection names. The server behind them
    then sees no client address, takes the proxy's own one for it, and lets the request pass where
    internal addresses may do more, or logs and limits the wrong party.

    It worked against Apache httpd before 2.4.54 (CVE-2022-31813), Go's ReverseProxy
    (golang/go#46313, golang/go#50580) and three times against Traefik (traefik/traefik#8319,
    golang/vulndb#3143, golang/vulndb#4597); the last time letter case was enough to get around the
    earlier fix. Cloud Foundry's gorouter removes such names from Connection
    (cloudfoundry/gorouter#356).

    Update these proxies. In a proxy of your own, remove nominated fields first and add forwarding
    fields afterwards (ReverseProxy.Rewrite instead of Director in Go), and do not pass on a
    client's Connection options. A server should treat a request that lacks the expected field as
    untrusted.

    Forwarded and Via are standard fields and weigh as an error, the X-Forwarded family and its kin
    as a warning. In a response these names are no attack; the standard ones among them are then
    reported as end-to-end fields.
    """
    for line, value in request.listing(request.options & (ROUTE | ROUTE_BY_CONVENTION)):
        yield Evidence(
            f"{line} nominates {quote(value)} for removal, by which proxies tell who the client is"
            " or which way the request came.",
            line,
            severity=ERROR if value.lower() in ROUTE else WARNING,
        )
