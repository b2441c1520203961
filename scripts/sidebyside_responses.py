"""The forty responses."""

from typing import Any

from scripts.sidebyside_case import BODY, CHUNKED, OK, WEBSOCKET, Case

RESPONSES: list[Case] = []

LENGTH = f"Content-Length: {len(BODY)}"
CODED = "Transfer-Encoding: chunked"
END = "X-End: 2"
ACCEPT = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HANDSHAKE = ("Connection: Upgrade", *WEBSOCKET)
WAITS = "The origin closes here: Apache, which removes the length, gives no answer before that."
CHALLENGE = 'Proxy-Authenticate: Basic realm="x"'


def topic(title: str, *rows: tuple[str, tuple[str, ...], dict[str, Any]]) -> None:
    """Add the rows: a name, the lines, what else. BODY follows, if nothing else is said."""
    for name, lines, more in rows:
        given = {"start": OK, "sends": BODY, "body": BODY, **more}
        counted = given["sends"] == BODY and not given.get("closes")
        sent = (*lines, LENGTH) if counted else lines
        RESPONSES.append(Case(kind="response", topic=title, name=name, lines=sent, **given))


def bare(start: str, **more: Any) -> dict[str, Any]:
    """Say that the response has no content."""
    return {"start": start, "sends": b"", "body": b"", **more}


topic(
    "Connection's own options",
    ("close", ("Connection: close",), {}),
    ("keep-alive", ("Connection: keep-alive",), {}),
    ("both", ("Connection: keep-alive, close",), {}),
    ("CLOSE in capitals", ("Connection: CLOSE", END), {"on": (END,)}),
    ("an option that is no field", ("Connection: x-nothing", END), {"on": (END,)}),
    ("an empty value", ("Connection:", END), {"on": (END,)}),
)
topic(
    "Nominated fields",
    ("one field", ("Connection: X-Hop", "X-Hop: 1", END), {"on": (END,)}),
    ("in another case", ("connection: x-HOP", "X-Hop: 1", END), {"on": (END,)}),
    ("white space", ("Connection: \tX-Hop \t, close ", "X-Hop: 1", END), {"on": (END,)}),
    (
        "several lines of Connection",
        ("Connection: close", END, "Connection: X-Hop", "X-Hop: 1"),
        {"on": (END,)},
    ),
    ("the first line empty", ("Connection:", "Connection: X-Hop", "X-Hop: 1"), {}),
    ("empty elements", ("Connection: , ,X-Hop,,", "X-Hop: 1", END), {"on": (END,)}),
)
topic(
    "Nominated though forbidden",
    (
        "Set-Cookie",
        ("Connection: Set-Cookie", "Set-Cookie: a=b", END),
        {"on": (END,), "protected": ("Set-Cookie: a=b",)},
    ),
    (
        "Content-Type",
        ("Connection: content-type", "Content-Type: text/plain", END),
        {"on": (END,), "protected": ("Content-Type: text/plain",)},
    ),
    (
        "Content-Length",
        ("Connection: Content-Length", END, LENGTH),
        {
            "on": (END,),
            "closes": True,
            "note": WAITS,
        },
    ),
    (
        "Transfer-Encoding",
        ("Connection: Transfer-Encoding", CODED, END),
        {"on": (END,), "sends": CHUNKED},
    ),
)
topic(
    "Keep-Alive and the Proxy fields",
    (
        "Keep-Alive",
        ("Connection: keep-alive", "Keep-Alive: timeout=60, max=7", END),
        {"on": (END,)},
    ),
    ("Keep-Alive, not listed", ("Keep-Alive: timeout=60", END), {"on": (END,)}),
    ("Proxy-Connection", ("Proxy-Connection: keep-alive", END), {"on": (END,)}),
    (
        "Proxy-Authenticate",
        (CHALLENGE, END),
        {
            "start": "HTTP/1.1 407 Proxy Authentication Required",
            "on": (END,),
            "may": (CHALLENGE,),
            "note": "A proxy may relay it (section 11.7.1).",
        },
    ),
    (
        "Proxy-Support",
        ("Connection: Proxy-Support", "Proxy-Support: Session-Based-Authentication", END),
        {"on": (END,)},
    ),
)
topic(
    "TE and Trailer",
    ("TE in a response", ("TE: trailers", END), {"on": (END,)}),
    (
        "Trailer",
        ("Trailer: X-Sum", CODED),
        {"sends": CHUNKED, "may": ("Trailer: X-Sum",), "note": "It may be forwarded (6.6.2)."},
    ),
)
topic(
    "Upgrade",
    ("h2 and h2c advertised", ("Upgrade: h2,h2c", "Connection: Upgrade", END), {"on": (END,)}),
    ("advertised, not listed", ("Upgrade: h2,h2c", END), {"on": (END,)}),
    (
        "426",
        ("Upgrade: TLS/1.3, HTTP/1.1", "Connection: Upgrade", END),
        {
            "start": "HTTP/1.1 426 Upgrade Required",
            "on": (END,),
            "may": ("Upgrade: TLS/1.3, HTTP/1.1",),
            "note": "It says what the origin wants; a gateway may want the same.",
        },
    ),
    (
        "a WebSocket handshake",
        ("Upgrade: websocket", "Connection: Upgrade", ACCEPT),
        bare(
            "HTTP/1.1 101 Switching Protocols",
            asks=HANDSHAKE,
            on=("Upgrade: websocket", ACCEPT),
            refusal=True,
            note="Who forwards handshakes sends Upgrade anew; who does not has no 101 to forward.",
        ),
    ),
)
topic(
    "Framing",
    (
        "Transfer-Encoding and Content-Length",
        (CODED, "Content-Length: 3", END),
        {"on": (END,), "sends": CHUNKED, "refusal": True},
    ),
    ("chunked twice", (CODED, CODED), {"sends": CHUNKED, "refusal": True, "closes": True}),
    ("Chunked in capitals", ("Transfer-Encoding: CHUNKED",), {"sends": CHUNKED}),
    ("until the connection closes", (END,), {"on": (END,), "closes": True}),
    (
        "of HTTP/1.0",
        (CODED,),
        {"start": "HTTP/1.0 200 OK", "sends": CHUNKED, "refusal": True, "closes": True},
    ),
    ("204", ("Connection: X-Hop", "X-Hop: 1"), bare("HTTP/1.1 204 No Content")),
    (
        "304",
        ("Connection: X-Hop", "X-Hop: 1", 'ETag: "a"'),
        bare("HTTP/1.1 304 Not Modified", on=('ETag: "a"',), asks=('If-None-Match: "a"',)),
    ),
    (
        "to HEAD",
        ("Connection: X-Hop, close", "X-Hop: 1", "Content-Length: 9"),
        bare(OK, asked="HEAD"),
    ),
)
topic(
    "HTTP/1.0",
    (
        "from HTTP/1.0, keep-alive",
        ("Connection: keep-alive", "Keep-Alive: timeout=60", END),
        {"start": "HTTP/1.0 200 OK", "on": (END,)},
    ),
    (
        "to an HTTP/1.0 client, chunked",
        ("Connection: X-Hop", "X-Hop: 1", CODED, END),
        {"version": "HTTP/1.0", "on": (END,), "sends": CHUNKED},
    ),
    (
        "to an HTTP/1.0 client, keep-alive",
        ("Connection: keep-alive", "Keep-Alive: timeout=60", END),
        {"version": "HTTP/1.0", "asks": ("Connection: keep-alive",), "on": (END,)},
    ),
)
topic(
    "HTTP/2",
    (
        "to an HTTP/2 client, nominated",
        ("Connection: keep-alive, X-Hop", "Keep-Alive: timeout=60", "X-Hop: 1", END),
        {"version": "HTTP/2", "on": (END,)},
    ),
    (
        "to an HTTP/2 client, h2 advertised",
        ("Upgrade: h2,h2c", "Connection: Upgrade", END),
        {"version": "HTTP/2", "on": (END,)},
    ),
)
