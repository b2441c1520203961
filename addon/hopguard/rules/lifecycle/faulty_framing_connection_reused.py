from collections.abc import Iterator

from hopguard.connection import Connection
from hopguard.events import RequestHead, ResponseHead
from hopguard.history import nth, sends
from hopguard.message import HTTP1
from hopguard.rule import ERROR, Evidence, Requirement, connection_rule


@connection_rule(
    requirement=Requirement(9112, "6.1", "MUST"),
    also=(Requirement(9112, "6.3"),),
    variants={"request": ERROR, "response": ERROR},
    profiles=("rfc9110", "security"),
    versions=HTTP1,
    events=(RequestHead, ResponseHead),
    senders=("server", "client"),
    concerns=lambda connection, _: connection.doubt,
    visible="raw",
    block="leg",
    violating={
        "request": [
            """
            * opened
            > POST /1 HTTP/1.1
            > Host: www.example
            > Transfer-Encoding: chunked
            > Content-Length: 3
            < HTTP/1.1 200 OK
            < Content-Length: 0
            > GET /2 HTTP/1.1
            > Host: www.example
            <! HTTP/1.1 200 OK
            < Content-Length: 0
            """,
            """
            * server leg
            > POST /1 HTTP/1.1
            > Host: www.example
            > Transfer-Encoding: gzip
            < HTTP/1.1 200 OK
            < Content-Length: 0
            > GET /2 HTTP/1.1
            > Host: www.example
            <! HTTP/1.1 200 OK
            < Content-Length: 0
            """,
        ],
        "response": [
            """
            * opened
            > GET /1 HTTP/1.1
            > Host: www.example
            < HTTP/1.0 200 OK
            < Connection: keep-alive
            < Transfer-Encoding: chunked
            >! GET /2 HTTP/1.1
            > Host: www.example
            """
        ],
    },
    conforming=[
        """
        * opened
        > POST /1 HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked
        > Content-Length: 3
        < HTTP/1.1 400 Bad Request
        < Connection: close
        < Content-Length: 0
        * server closes
        * a new connection
        > GET /2 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        * client leg
        * opened
        > POST /1 HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: chunked
        > Content-Length: 3
        < HTTP/1.1 200 OK
        < Content-Length: 0
        > GET /2 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
        """
        * opened
        > POST /1 HTTP/1.1
        > Host: www.example
        > Transfer-Encoding: gzip, chunked
        < HTTP/1.1 200 OK
        < Content-Length: 0
        > GET /2 HTTP/1.1
        > Host: www.example
        < HTTP/1.1 200 OK
        < Content-Length: 0
        """,
    ],
)
def check(connection: Connection, event: RequestHead | ResponseHead) -> Iterator[Evidence]:
    """After a message whose framing is doubtful, the connection goes on.

    With Transfer-Encoding and Content-Length in one request, with Transfer-Encoding in HTTP/1.0, or
    without chunked as its last coding, two readers find the end of a message in two places. What
    one takes for content is the next request to the other: request smuggling. If such a message is
    processed at all, the connection must be closed after it, so that nothing can follow.

    Servers that take whichever field they like best and go on are what attacks on proxies are made
    of; several advisories for nginx, Tomcat, Node and Go's library were about this. Reject such a
    request with 400 and close. In a client, close the connection after a response of HTTP/1.0 with
    Transfer-Encoding.

    For a faulty request (request) the server should have closed, for a faulty response (response)
    the client. mitmproxy refuses such messages unless validate_inbound_headers is off, and is the
    server itself between client and proxy, so captures of other traffic show this.
    """
    doubt = connection.doubt
    assert doubt is not None, "otherwise it does not concern this rule"
    if isinstance(event, ResponseHead):
        later = doubt.by_client and connection.replying > doubt.number
        if event.final and not event.own and later and connection.server_is_peer:
            yield Evidence(
                f"The server answers {nth(connection, connection.replying)} on a connection on "
                f"which request {doubt.number} had {doubt.why}.",
                variant="request",
            )
    elif not doubt.by_client and not connection.outstanding:
        yield Evidence(
            f"{sends(connection)} on a connection on which "
            f"response {doubt.number} had {doubt.why}.",
            variant="response",
            sender=connection.requester,
        )
