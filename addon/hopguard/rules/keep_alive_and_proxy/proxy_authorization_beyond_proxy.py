from collections.abc import Iterator

from hopguard import editing
from hopguard.message import EVERY_VERSION, Request
from hopguard.rule import WARNING, Evidence, Requirement, request_rule
from hopguard.text import printable


@request_rule(
    requirement=Requirement(9110, "11.7.2"),
    also=(Requirement(9110, "17.16.1"),),
    severity=WARNING,
    profiles=("rfc9110", "security"),
    versions=EVERY_VERSION,
    fields=(b"proxy-authorization",),
    repair="Remove the field from what goes to an origin server; not where a proxy follows.",
    edit=editing.remove_field,
    violating=[
        """
        * addressed beyond the proxy
        > GET / HTTP/1.1
        > Host: www.example
        >! Proxy-Authorization: Basic dTpw
        """,
        """
        * addressed beyond the proxy
        * TLS
        > GET / HTTP/2
        > via: 1.1 gateway
        >! proxy-authorization: Basic dTpw
        """,
        """
        * addressed beyond the proxy
        > GET / HTTP/1.0
        >! PROXY-AUTHORIZATION: Basic dTpw
        >! Proxy-Authorization: Basic YTpi
        """,
        """
        * addressed beyond the proxy
        > GET / HTTP/3
        >! proxy-authorization: Bearer abc
        """,
    ],
    conforming=[
        """
        * addressed to the proxy
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        > Proxy-Authorization: Basic dTpw
        """,
        """
        * addressed to the proxy
        > GET http://www.example/ HTTP/1.1
        > Host: www.example
        > Proxy-Authorization: Basic dTpw
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Proxy-Authorization: Basic dTpw
        """,
        """
        * addressed beyond the proxy
        > GET / HTTP/2
        > authorization: Basic dTpw
        > x-proxy-authorization: 1
        """,
        """
        < HTTP/1.1 200 OK
        < Proxy-Authorization: Basic dTpw
        < Content-Length: 0
        """,
    ],
)
def check(request: Request) -> Iterator[Evidence]:
    """Proxy credentials are sent to something that is not the proxy.

    Proxy-Authorization is for the next proxy that has asked for it. Inside a tunnel, or in a
    request that goes to a server, it hands the password of the proxy to a stranger, who can then
    use the proxy as that user. Basic credentials are readable as they are.

    It happens where a program keeps the field among the default fields of all its requests, and
    where a library follows a redirect from http to https and sends its proxy credentials through
    the tunnel: Python's requests did so before 2.31 (CVE-2023-32681).

    Give the credentials to the proxy setting of the HTTP library, not to its header fields: in
    curl --proxy-user or --proxy-header instead of -H, in requests the proxy's URL. A gateway in
    front of a server should remove the field: with proxy_set_header Proxy-Authorization "" in
    nginx, with http-request del-header Proxy-Authorization in HAProxy. Change the password if it
    has reached a server that you do not run.

    The field is allowed in HTTP/2 and HTTP/3. Nothing is said where it is not known whether the
    request is addressed to a proxy; a proxy may also relay the credentials to the next proxy.
    """
    if request.to_proxy is not False:
        return
    for line in request.lines(b"proxy-authorization"):
        # The value is a password: it must not stand in the sentence.
        text = f"{printable(line.name)} is sent to something that is not the proxy."
        yield Evidence(text, line, sender=request.forwarder)
