"""Why the others differ from conforming forwarding, by what the difference is."""

from scripts.sidebyside_case import Kind

RELAYS = "mitmproxy relays hop-by-hop fields between HTTP/1 legs as it does all others"
AS_IT_CAME = "mitmproxy relays Connection as it came, whatever it says of the other leg"

MITMPROXY = {
    "option": AS_IT_CAME,
    "own close": AS_IT_CAME,
    "own keep-alive": AS_IT_CAME,
    "nominated": "mitmproxy does not read what Connection nominates",
    "keep-alive": RELAYS,
    "proxy-connection": RELAYS,
    "te": RELAYS,
    "upgrade": RELAYS,
}

NGINX_BY_NAME = "nginx removes some fields by their names, and not this one"

REASONS: dict[str, dict[str, str]] = {
    "mitmproxy": MITMPROXY,
    "fix": MITMPROXY,
    "nginx": {
        "HTTP/1.0": "nginx speaks HTTP/1.0 to an origin unless proxy_http_version says otherwise",
        "request: own close": "nginx opens a connection for each request, and says so",
        "request: no te": "nginx removes TE and takes no trailers",
        "request: te": "nginx removes TE and takes no trailers",
        "request: upgrade": "nginx forwards no upgrade unless it is configured to",
        "own keep-alive": "nginx tells every client that its connection stays",
        "nominated": "nginx obeys no nomination",
        "http2-settings": NGINX_BY_NAME,
        "proxy-connection": NGINX_BY_NAME,
        "te": NGINX_BY_NAME,
        "response: upgrade": NGINX_BY_NAME,
        "request: framing": "nginx reads the content first, and counts it",
        "response: framing": "nginx sends chunks where it does not know the length",
    },
    "HAProxy": {
        "option": "HAProxy takes only close and keep-alive out of Connection",
        "nominated": "HAProxy obeys no nomination",
        "keep-alive": "HAProxy relays all fields but those that it was told to remove",
        "proxy-connection": "HAProxy relays all fields but those that it was told to remove",
    },
    "Apache": {
        "own keep-alive": "Apache keeps connections, and says so on HTTP/1.1, too",
        "protected": "Apache obeys every nomination, by the letter",
    },
}
"""By column, then by the kind of the difference, for requests or responses alone or for both."""


def reason(column: str, kind: str, of: Kind) -> str | None:
    """Explain a difference; None where no reason is known."""
    known = REASONS.get(column, {})
    return known.get(f"{of}: {kind}") or known.get(kind)
