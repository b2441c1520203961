"""Exchanges after which a connection is as before, but for their number: by far the most.

Such an exchange is complete, of a version that keeps connections, and says nothing else of the
connection. On a connection that has had no other, no rule finds anything in its three events, and
nothing is learned of the peers. So they are taken in at one go.
"""

from hopguard.connection import Connection
from hopguard.events import RequestHead, ResponseHead
from hopguard.peer import ServerPast


def is_steady(connection: Connection) -> bool:
    """Tell whether nothing that has happened on a connection matters to its next exchange."""
    request, response = connection.request, connection.response
    return not (
        connection.number != connection.answered
        or connection.replied != connection.answered
        or connection.close_asked
        or connection.close_said
        or connection.promise
        or connection.doubt
        or connection.notice
        or connection.tunnel
        or connection.switched
        or connection.failure
        or (request is not None and request.version == "HTTP/1.0")
        or (response is not None and response.version == "HTTP/1.0")
    )


def asks_plainly(event: RequestHead) -> bool:
    """Tell whether a request says nothing of its connection."""
    return event.version != "HTTP/1.0" and not event.close and not event.doubt


def answers_plainly(event: ResponseHead, server: ServerPast | None) -> bool:
    """Tell whether a response says nothing of its connection, and nothing new of `server`."""
    return (
        event.status >= 200
        and event.version != "HTTP/1.0"
        and not (event.close or event.doubt or event.to_connect)
        and event.timeout is None
        and event.most is None
        and (server is None or (not server.single and event.server in (b"", server.product)))
    )
