from collections.abc import Iterator

from hopguard.message import HTTP11, Request, Response
from hopguard.rule import ERROR, Evidence, Requirement, exchange_rule


@exchange_rule(
    requirement=Requirement(9110, "7.8", "MUST"),
    also=(Requirement(9110, "10.1.1"),),
    severity=ERROR,
    profiles=("rfc9110",),
    versions=HTTP11,
    statuses=(101,),
    visible="raw",
    violating=[
        """
        > POST /upload HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > Expect: 100-continue
        > Content-Length: 12
        <! HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        """
        > PUT /upload HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > expect: 100-Continue
        > Transfer-Encoding: chunked
        < HTTP/1.1 103 Early Hints
        < Link: </a.css>; rel=preload
        <! HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
    ],
    conforming=[
        """
        > POST /upload HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > Expect: 100-continue
        > Content-Length: 12
        < HTTP/1.1 100 Continue
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        """
        > POST /upload HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > Expect: 100-continue
        > Content-Length: 0
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > Expect: 100-continue
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        """
        > POST /upload HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > Content-Length: 12
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        """
        > POST /upload HTTP/1.1
        > Host: www.example
        > Expect: 100-continue
        > Content-Length: 12
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2, HTTP/1.1
        """,
        """
        > POST /upload HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        > Expect: 100-continue
        > Content-Length: 12
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        > POST /upload HTTP/1.0
        > Upgrade: TLS/1.2
        > Expect: 100-continue
        > Content-Length: 12
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """A 101 is sent although the client waits for a 100 first.

    A client that sends "Expect: 100-continue" holds its content back until the server asks for it.
    The content still belongs to HTTP/1.1, so it has to come before the switch: first 100, then the
    content, then 101. A server that answers 101 at once leaves it open whether the content follows
    in the old protocol or not at all; both sides then read different messages on one connection,
    or wait for each other.

    Hardly any client combines an upgrade with content, and hardly any server expects it: servers
    that upgrade only when a GET asks for it, or ignore Upgrade in a request with content, never get
    here. Where it occurs, it is a test or an attack, or a library that adds Expect to every large
    upload: curl does for big ones, and .NET Framework did for each POST.

    Ignore Upgrade in a request that has content; a server always may. In the client, make the
    switch with a request of its own, OPTIONS or GET. In curl, -H "Expect:" leaves the expectation
    out.

    Nothing is said where the content is not announced, because a server may then leave out the 100,
    or where it is not known which interim responses came before. mitmproxy answers the expectation
    itself, so live traffic does not show this.
    """
    if request.version not in HTTP11 or response.interim is None:
        return
    continued = any(interim.status == 100 for interim in response.interim)
    expects = any(value.lower() == b"100-continue" for _, value in request.members(b"expect"))
    holds_back = expects and bool(request.lines_announcing_content())
    if holds_back and request.upgrades() and not continued:
        text = "The status 101 is sent before the 100 (Continue) that the request expects."
        yield Evidence(text)
