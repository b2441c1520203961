from collections.abc import Iterator

from hopguard.message import HTTP11, Request, Response
from hopguard.rule import WARNING, Evidence, Requirement, Variant, response_rule


def _connect(request: Request, response: Response) -> Iterator[Evidence]:
    if response.opens_tunnel(request):
        for line, _ in response.listing({b"close"}):
            yield Evidence(
                f"{line} is sent in a {response.status} response to CONNECT, which opens a tunnel.",
                line,
                "connect",
            )


@response_rule(
    requirement=Requirement(9112, "9.3"),
    also=(Requirement(9112, "9.6"),),
    variants={
        "interim": WARNING,
        "switch": Variant(WARNING, requirement=Requirement(9110, "15.2.2")),
        "connect": Variant(WARNING, requirement=Requirement(9110, "9.3.6")),
    },
    profiles=("rfc9110",),
    versions=HTTP11,
    fields=(b"connection",),
    in_exchange=_connect,
    violating={
        "interim": [
            """
            < HTTP/1.1 103 Early Hints
            <! Connection: close
            < Link: </a.css>; rel=preload
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > Expect: 100-continue
            > Content-Length: 5
            < HTTP/1.1 100 Continue
            <! connection: foo, CLOSE
            < HTTP/1.1 200 OK
            < Connection: close
            < Content-Length: 0
            """,
        ],
        "switch": [
            """
            < HTTP/1.1 101 Switching Protocols
            < Upgrade: foo
            <! Connection: Upgrade, close
            """,
            """
            < HTTP/1.1 101 Switching Protocols
            < Upgrade: foo
            < Connection: Upgrade
            <! Connection: Close
            """,
        ],
        "connect": [
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            < HTTP/1.1 200 Connection Established
            <! Connection: close
            """,
            """
            > CONNECT www.example:443 HTTP/1.1
            > Host: www.example:443
            > Connection: close
            < HTTP/1.1 200 OK
            <! connection: Close
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 103 Early Hints
        < Link: </a.css>; rel=preload
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        """,
        """
        < HTTP/1.1 101 Switching Protocols
        < Upgrade: foo
        < Connection: Upgrade
        """,
        """
        < HTTP/1.1 103 Early Hints
        < Connection: closed
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 407 Proxy Authentication Required
        < Proxy-Authenticate: Basic realm="proxy"
        < Connection: close
        < Content-Length: 0
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        < HTTP/1.1 200 Connection Established
        < Connection: keep-alive
        """,
        """
        > CONNECT www.example:443 HTTP/1.0
        < HTTP/1.0 200 Connection established
        < Connection: close
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 204 No Content
        < Connection: close
        """,
    ],
)
def check(response: Response) -> Iterator[Evidence]:
    """The option close stands on a response after which the connection must go on.

    close says that the connection ends after this response. After an interim response (interim)
    the final one is still to come; after 101 (switch) the new protocol follows, and after a 2xx
    answer to CONNECT (connect) the tunnel. A recipient that takes close at its word hangs up before
    the answer, or right after the handshake; one that does not ignores it. Either way the option
    says nothing true.

    It usually comes from code or a setting that adds close to every response, for instance while a
    server is drained, and that runs for interim responses and handshakes as well. Exclude statuses
    below 200 and answers to CONNECT there, and say close in the final response; in a server
    library, let its own shutdown function decide (Go: Server.Shutdown, Node: server.close). To end
    a tunnel or a WebSocket, close it by its own means.

    No requirement forbids any of the three in so many words, so this is a warning. mitmproxy itself
    takes a 103 over HTTP/1.1 for the final response, with close or without. That is why close is
    not taken away: it makes mitmproxy close the connection to the server, where the response that
    is still to come could otherwise be read as the answer to the next request. A 101 is never
    edited.
    """
    if response.status < 200:
        for line, _ in response.listing({b"close"}):
            variant = "switch" if response.status == 101 else "interim"
            yield Evidence(
                f"{line} is sent with status {response.status}: the connection goes on after it.",
                line,
                variant,
            )
