"""The forty requests."""

from typing import Any

from scripts.sidebyside_case import BODY, CHUNKED, WEBSOCKET, Case

REQUESTS: list[Case] = []

LENGTH = f"Content-Length: {len(BODY)}"
CODED = "Transfer-Encoding: chunked"
SETTINGS = "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"
CREDENTIALS = "Proxy-Authorization: Basic dTpw"
END = "X-End: 2"
ANEW = "An intermediary that takes trailers may say so for itself, and then lists TE."


def topic(title: str, *rows: tuple[str, tuple[str, ...], dict[str, Any]]) -> None:
    """Add the rows: a name, the lines, what else the case says."""
    for name, lines, more in rows:
        given = {"start": "GET", **more}
        REQUESTS.append(Case(kind="request", topic=title, name=name, lines=lines, **given))


def post(sends: bytes, **more: Any) -> dict[str, Any]:
    """Say that the request carries BODY, in these octets."""
    return {"start": "POST", "sends": sends, "body": BODY, **more}


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
    ("on two lines", ("Connection: X-Hop", "X-Hop: 1", END, "X-Hop: 2"), {"on": (END,)}),
    ("empty elements", ("Connection: , ,X-Hop,,", "X-Hop: 1", END), {"on": (END,)}),
    (
        "not a token",
        ('Connection: "X-Hop"', "X-Hop: 1", END),
        {"on": (END,), "may": ("X-Hop: 1",), "note": "What is no token nominates nothing."},
    ),
)
topic(
    "Nominated though forbidden",
    (
        "X-Forwarded-For",
        ("Connection: X-Forwarded-For", "X-Forwarded-For: 203.0.113.7", END),
        {"on": (END,), "protected": ("X-Forwarded-For: 203.0.113.7",)},
    ),
    (
        "Cookie and Authorization",
        ("Connection: Cookie, authorization", "Cookie: a=b", "Authorization: Basic dTpw"),
        {"protected": ("Cookie: a=b", "Authorization: Basic dTpw")},
    ),
    ("Host", ("Connection: Host", END), {"on": (END,), "note": "HTTP/1.1 requires Host."}),
    ("Content-Length", ("Connection: Content-Length", LENGTH), post(BODY)),
    ("Transfer-Encoding", ("Connection: Transfer-Encoding", CODED), post(CHUNKED)),
    (
        "Content-Type",
        ("Connection: content-type", "Content-Type: text/plain", LENGTH),
        post(BODY, protected=("Content-Type: text/plain",)),
    ),
)
topic(
    "Keep-Alive and the Proxy fields",
    ("Keep-Alive", ("Connection: keep-alive", "Keep-Alive: timeout=60", END), {"on": (END,)}),
    ("Keep-Alive, not listed", ("Keep-Alive: timeout=60", END), {"on": (END,)}),
    ("Proxy-Connection", ("Proxy-Connection: keep-alive", END), {"on": (END,)}),
    (
        "Proxy-Authorization",
        (CREDENTIALS, END),
        {"on": (END,), "may": (CREDENTIALS,), "note": "A proxy may relay it (section 11.7.2)."},
    ),
)
topic(
    "TE and Trailer",
    (
        "TE: trailers",
        ("Connection: TE", "TE: trailers", END),
        {"on": (END,), "may": ("TE: trailers",), "note": ANEW},
    ),
    ("TE: gzip", ("TE: gzip;q=0.5", "Connection: TE, close"), {}),
    ("TE, not listed", ("TE: gzip", END), {"on": (END,)}),
    (
        "Trailer",
        ("Trailer: X-Sum", CODED),
        post(CHUNKED, may=("Trailer: X-Sum",), note="It may be forwarded (section 6.6.2)."),
    ),
)
topic(
    "Upgrade",
    (
        "h2c",
        ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", SETTINGS, END),
        {"on": (END,)},
    ),
    ("h2c, not listed", ("Upgrade: h2c", SETTINGS, END), {"on": (END,)}),
    (
        "a WebSocket handshake",
        ("Connection: keep-alive, Upgrade", *WEBSOCKET, END),
        {
            "on": (END, *WEBSOCKET[1:]),
            "may": WEBSOCKET[:1],
            "note": "Who forwards the handshake sends Upgrade anew, and lists it.",
        },
    ),
    ("of HTTP/1.0", ("Connection: Upgrade", "Upgrade: TLS/1.0"), {"version": "HTTP/1.0"}),
)
topic(
    "Framing",
    (
        "Transfer-Encoding and Content-Length",
        (CODED, "Content-Length: 3", END),
        post(CHUNKED, on=(END,), refusal=True),
    ),
    ("chunked twice", (CODED, CODED), post(CHUNKED, refusal=True)),
    ("Chunked in capitals", ("Transfer-Encoding: CHUNKED",), post(CHUNKED)),
    ("of HTTP/1.0", (CODED,), post(CHUNKED, version="HTTP/1.0", refusal=True)),
)
topic(
    "HTTP/1.0",
    ("keep-alive", ("Connection: Keep-Alive", END), {"on": (END,), "version": "HTTP/1.0"}),
    (
        "a nominated field",
        ("Connection: X-Hop", "X-Hop: 1", END),
        {
            "on": (END,),
            "version": "HTTP/1.0",
            "note": "Section 7.6.1 holds for every version that has Connection.",
        },
    ),
)
topic(
    "HTTP/2",
    (
        "te: trailers",
        ("te: trailers", "x-end: 2"),
        {"version": "HTTP/2", "on": ("x-end: 2",), "may": ("te: trailers",), "note": ANEW},
    ),
    (
        "connection: x-hop",
        ("connection: x-hop", "x-hop: 1", "x-end: 2"),
        {
            "version": "HTTP/2",
            "on": ("x-end: 2",),
            "may": ("x-hop: 1",),
            "refusal": True,
            "note": "The request is malformed (RFC 9113, section 8.2.2).",
        },
    ),
)
