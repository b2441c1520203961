from collections.abc import Iterator

from hopguard import grammar
from hopguard.fields import FORBIDDEN_TO_SCRIPTS
from hopguard.message import EVERY_VERSION, HTTP1, FieldLine, Message, Request
from hopguard.rule import INFO, WARNING, Evidence, Requirement, message_rule
from hopguard.text import quote

REQUESTED = b"access-control-request-headers"
ALLOWED = b"access-control-allow-headers"
MODE = b"sec-fetch-mode"

MODES_OF_SCRIPTS = frozenset({b"cors", b"no-cors", b"same-origin"})
"""Values of Sec-Fetch-Mode that fetch(), XMLHttpRequest and the page's own resources have."""

OPTIONS_OF_BROWSERS = frozenset({b"close", b"keep-alive"})
FIELDS_OF_NO_BROWSER = (b"te", b"trailer", b"keep-alive")


@message_rule(
    requirement=Requirement(
        document="Fetch standard, forbidden request-header",
        link="https://fetch.spec.whatwg.org/#forbidden-request-header",
    ),
    variants={"acrh": WARNING, "acah": INFO, "script-request": WARNING},
    profiles=("fetch", "rfc2616"),
    versions=EVERY_VERSION,
    fields=(REQUESTED, ALLOWED, MODE),
    violating={
        "acrh": [
            """
            > OPTIONS / HTTP/1.1
            > Host: www.example
            > Origin: https://app.example
            > Access-Control-Request-Method: GET
            >! Access-Control-Request-Headers: connection,x-token
            """,
            """
            > OPTIONS / HTTP/2
            > host: www.example
            > origin: https://app.example
            > access-control-request-method: GET
            >! access-control-request-headers: x-token, Proxy-Anything
            """,
        ],
        "acah": [
            """
            < HTTP/1.1 204 No Content
            < Access-Control-Allow-Origin: *
            <! Access-Control-Allow-Headers: Content-Type, Keep-Alive, Content-Length
            """,
            """
            < HTTP/3 204
            < access-control-allow-origin: *
            <! access-control-allow-headers: te
            <! access-control-allow-headers: host
            """,
        ],
        "script-request": [
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Sec-Fetch-Mode: cors
            >! Connection: close, X-Hop, X-Hop-Too
            > X-Hop: 1
            > X-Hop-Too: 1
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Sec-Fetch-Mode: no-cors
            > Connection: keep-alive, TE
            >! TE: trailers
            """,
            """
            > POST / HTTP/1.1
            > Host: www.example
            > sec-fetch-mode: same-origin
            > Connection: keep-alive
            >! Keep-Alive: timeout=5
            >! Trailer: X-Sum
            > Transfer-Encoding: chunked
            """,
            """
            > GET / HTTP/1.0
            > Sec-Fetch-Mode: cors
            >! Connection: Keep-Alive, X-Other
            """,
            """
            > GET / HTTP/1.1
            > Host: www.example
            > Sec-Fetch-Mode: cors
            >! Connection: Upgrade
            > Upgrade: TLS/1.2
            """,
        ],
    },
    conforming=[
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Sec-Fetch-Mode: cors
        > Connection: Keep-Alive
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Sec-Fetch-Mode: websocket
        > Connection: keep-alive, Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Sec-Fetch-Mode: navigate
        > Connection: TE
        > TE: trailers
        """,
        """
        > GET / HTTP/1.0
        > Host: www.example
        > X-Real-IP: 192.0.2.1
        > Sec-Fetch-Mode: cors
        > Connection: upgrade
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Via: 1.1 edge.example
        > Sec-Fetch-Mode: cors
        > Connection: TE, X-Hop
        > TE: trailers
        """,
        """
        > GET / HTTP/2
        > host: www.example
        > sec-fetch-mode: cors
        > te: trailers
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Sec-Fetch-Mode: corsair
        > Connection: X-Hop
        """,
        """
        > OPTIONS / HTTP/1.1
        > Host: www.example
        > Access-Control-Request-Headers: upgrade-insecure-requests,x-connection,x-proxy-id
        """,
        """
        < HTTP/1.1 204 No Content
        < Access-Control-Allow-Headers: *, Content-Type, Authorization
        """,
        """
        < HTTP/1.1 204 No Content
        < Access-Control-Request-Headers: connection
        """,
        """
        > OPTIONS / HTTP/1.1
        > Host: www.example
        > Access-Control-Allow-Headers: connection
        """,
    ],
)
def check(message: Message) -> Iterator[Evidence]:
    """A browser is asked, or seems, to send a connection field that scripts cannot set.

    Browsers manage their connections alone. They let no script set Connection, Keep-Alive, TE,
    Transfer-Encoding, Upgrade, Content-Length, Host and the like, so none of these can appear in a
    preflight's list of wanted fields (acrh), and to allow one in the answer has no effect (acah).
    A request that says it comes from a script (Sec-Fetch-Mode) and carries TE, Trailer, Keep-Alive
    or other connection options than close and keep-alive was not made by a browser
    (script-request): a scanner or a bot pretends to be one, or an intermediary has changed it.

    Programs that copy a browser's fields into their own requests meet the same wall elsewhere:
    fetch in Node throws "invalid connection header" or "invalid upgrade header" at them
    (nodejs/undici#1746, nodejs/undici#1470).

    In application code, set none of these fields on fetch or XMLHttpRequest; in the server's CORS
    settings, list only fields that the application reads. When requests of a browser are replayed
    or forwarded, drop everything that Connection is about first. For access control, treat
    Sec-Fetch-* of such a request as unproven.

    A forwarded request is not judged by Sec-Fetch-Mode, since its connection fields are the
    intermediary's; nor is the option upgrade without Upgrade, which a common nginx template adds
    to all requests. One finding is made per field line.
    """
    if not isinstance(message, Request):
        for line, member in _forbidden(message, ALLOWED):
            yield Evidence(f"{line} allows {quote(member)}, which has no effect.", line, "acah")
        return
    for line, member in _forbidden(message, REQUESTED):
        text = f"{line} asks for {quote(member)}, which no browser lets a script set."
        yield Evidence(text, line, "acrh")
    if message.version in HTTP1 and not message.forwarded and _is_of_script(message):
        yield from _of_no_browser(message)


def _forbidden(message: Message, name: bytes) -> list[tuple[FieldLine, bytes]]:
    """List the lines called `name` with the first forbidden name on each."""
    found: dict[FieldLine, bytes] = {}
    for line, member in message.members(name):
        lower = member.lower()
        if lower in FORBIDDEN_TO_SCRIPTS or lower.startswith(b"proxy-"):
            found.setdefault(line, member)
    return list(found.items())


def _is_of_script(request: Request) -> bool:
    return any(line.value.strip(grammar.OWS) in MODES_OF_SCRIPTS for line in request.lines(MODE))


def _of_no_browser(request: Request) -> Iterator[Evidence]:
    for line in [line for name in FIELDS_OF_NO_BROWSER for line in request.lines(name)]:
        yield Evidence(f"{line} is sent by no browser in HTTP/1.", line, "script-request")
    # One cause, one finding: an option is not reported beside the field that it names.
    expected = OPTIONS_OF_BROWSERS.union(name for name in FIELDS_OF_NO_BROWSER if request.has(name))
    if not request.has(b"upgrade"):
        expected |= {b"upgrade"}
    lines: set[FieldLine] = set()
    for line, option in request.listing(request.options - expected):
        if line not in lines:
            lines.add(line)
            text = f"{line} lists {quote(option)}, which no browser does for a script."
            yield Evidence(text, line, "script-request")
