"""Messages that say nothing of their connection but that it goes on: by far the most.

After such a request and such a response, a connection is as before, but for their number. Whether
messages are plain is remembered with what rules find in them, so all is asked of the messages.
"""

from hopguard.endings import leaves_open
from hopguard.events import doubt_about, is_delimited
from hopguard.fields import STAND_INS
from hopguard.message import HTTP10, Message, Request, Response


def asks_plainly(request: Request) -> bool:
    """Tell whether a request says nothing of its connection.

    Nor may its end settle what its header section leaves open.
    """
    return _persists(request) and not doubt_about(request)


def answers_plainly(request: Request, response: Response) -> bool:
    """Tell the same of the response to `request`; it also shows where it ends."""
    return (
        response.status >= 200
        and request.method != b"CONNECT"
        and _persists(response)
        and not response.has(b"keep-alive")
        and not response.has_any(STAND_INS)
        and not (response.version in HTTP10 or request.version in HTTP10)
        and _is_clearly_delimited(request, response)
    )


def _persists(message: Message) -> bool:
    lines = [line for name in (b"connection", b"trailer") for line in message.lines(name)]
    return (
        message.version not in HTTP10
        and b"close" not in message.options
        and not leaves_open((line.name, line.value) for line in lines)
    )


def _is_clearly_delimited(request: Request, response: Response) -> bool:
    both = response.has(b"transfer-encoding") and response.has(b"content-length")
    return not both and is_delimited(request.method, response) is True
