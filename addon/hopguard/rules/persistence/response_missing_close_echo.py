from collections.abc import Iterator

from hopguard import editing
from hopguard.message import HTTP1, Request, Response
from hopguard.rule import WARNING, Evidence, Requirement, exchange_rule


@exchange_rule(
    requirement=Requirement(9112, "9.6", "SHOULD"),
    also=(Requirement(9112, "9.3"),),
    severity=WARNING,
    profiles=("rfc9110",),
    versions=HTTP1,
    fields=(b"connection",),
    repair="Add the connection option close to the response; the connection closes after it.",
    edit=editing.say_close,
    violating=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        <! HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        > GET /server HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        <! Connection: Keep-Alive
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: TE, Close
        > TE: trailers
        <! HTTP/1.1 404 Not Found
        < Transfer-Encoding: chunked
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.0 200 OK
        <! Connection: keep-alive
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.0
        > Connection: close
        <! HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        <! HTTP/1.1 200 OK
        < Content-Type: text/plain
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        > Connection: close
        <! HTTP/1.1 502 Bad Gateway
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 103 Early Hints
        < Link: </a.css>; rel=preload
        <! HTTP/1.1 200 OK
        < Content-Length: 0
        """,
    ],
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Connection: close
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Connection: upgrade
        < Upgrade: foo
        < connection: CLOSE
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.0 200 OK
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, close-ish
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: "close"
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 200 OK
        < Connection: close;
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close, Upgrade
        > Upgrade: foo
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: foo
        """,
        """
        > CONNECT www.example:443 HTTP/1.1
        > Host: www.example:443
        > Connection: close
        < HTTP/1.1 200 Connection Established
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/1.1 103 Early Hints
        < Link: </a.css>; rel=preload
        """,
        """
        > GET / HTTP/1.0
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        > GET / HTTP/2
        > host: www.example
        > connection: close
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: close
        < HTTP/2 200
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """The request said close, and the final response does not.

    A server that reads close closes the connection after its response and says so in it. Without
    that, nobody behind the client can tell whether the server has understood: a proxy may put the
    connection back into its pool and lose the next request on it, and a client that waits for the
    end of the connection hangs until a timeout.

    OrientDB answered the close of a health check with "Connection: Keep-Alive" and kept the
    connection open for 15 seconds (orientechnologies/orientdb#3037). Servers that compare the value
    as a whole, or with regard to letter case, miss close in "TE, close" and in "Close".

    Node, Go, Apache and nginx answer with close by themselves. Look for a handler that writes
    "Connection: keep-alive" into every response, frequent with event streams, and for a proxy that
    removes Connection from the response without adding its own. In a server written by hand,
    compare the options one by one and in lower case.

    Exempt are 101 and a 2xx answer to CONNECT, after which the connection is no longer HTTP, and
    an HTTP/1.0 response without keep-alive, which means close anyway. An option that was meant as
    close but is not valid is left to the rule about invalid options.
    """
    if response.owes_close(request) and b"close" not in response.meant_options:
        kept = response.listing({b"keep-alive"})
        if kept:
            text = f"{kept[0].line} answers a request that says close."
            yield Evidence(text, kept[0].line)
        else:
            yield Evidence("The request says close in Connection, but the response does not.")
