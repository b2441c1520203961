from collections.abc import Iterator

from hopguard.message import EVERY_VERSION, Response
from hopguard.rule import INFO, WARNING, Evidence, Requirement, response_rule
from hopguard.text import printable

FIELDS = (b"proxy-authenticate", b"proxy-authentication-info")


@response_rule(
    requirement=Requirement(9110, "15.5.8"),
    also=(Requirement(9110, "11.7.1"), Requirement(9110, "11.7.3")),
    variants={"status-407": WARNING, "field": INFO},
    profiles=("rfc9110", "security"),
    versions=EVERY_VERSION,
    fields=FIELDS,
    statuses=(407,),
    violating={
        "status-407": [
            """
            * straight from the origin
            <! HTTP/1.1 407 Proxy Authentication Required
            < Proxy-Authenticate: Basic realm="login"
            < Content-Length: 0
            """,
            """
            * straight from the origin
            <! HTTP/2 407
            < proxy-authenticate: Bearer
            """,
        ],
        "field": [
            """
            * straight from the origin
            < HTTP/1.1 401 Unauthorized
            < WWW-Authenticate: Basic realm="login"
            <! PROXY-AUTHENTICATE: Basic realm="login"
            < Content-Length: 0
            """,
            """
            * straight from the origin
            < HTTP/3 200
            <! proxy-authentication-info: nextnonce="a"
            """,
        ],
    },
    conforming=[
        """
        * straight from the origin
        < HTTP/1.1 401 Unauthorized
        < WWW-Authenticate: Basic realm="login"
        < Content-Length: 0
        """,
        """
        * through another proxy
        < HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: Basic realm="proxy"
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: Basic realm="proxy"
        < Content-Length: 0
        """,
        """
        * through another proxy
        < HTTP/1.1 200 OK
        < Proxy-Authentication-Info: nextnonce="a"
        < Content-Length: 0
        """,
        """
        * straight from the origin
        < HTTP/2 200
        < x-proxy-authenticate: Basic
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """An origin server asks for proxy authentication.

    407 and Proxy-Authenticate belong to proxies. A client that uses a proxy takes them for the
    proxy's own and may answer with the proxy's password, or ask the user for it: a way to steal it,
    if the server means to. A client without a proxy cannot do anything with a 407: Chrome shows
    ERR_UNEXPECTED_PROXY_AUTH instead of the page.

    A server that wants a login of its own answers 401 with WWW-Authenticate. If the 407 really
    comes from a proxy which the server uses for its own requests, that server should turn it into
    502 instead of passing it on: the client cannot authenticate to somebody else's proxy. A gateway
    that was set up as if it were a forward proxy has to be told that it acts for the server.

    A 407 is reported once, whatever fields it carries (status-407); elsewhere the fields mean
    nothing (field). Nothing is said where a further proxy, or nobody knows what, stands between.
    """
    if response.direct is not True:
        return
    if response.status == 407:
        yield Evidence(
            "The status 407 comes from an origin server, not from a proxy.", variant="status-407"
        )
        return
    for line in [line for name in FIELDS for line in response.lines(name)]:
        # Without the value, which may tell what a login needs.
        text = f"{printable(line.name)} comes from an origin server, not from a proxy."
        yield Evidence(text, line, "field")
