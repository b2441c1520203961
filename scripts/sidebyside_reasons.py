"""Why the others differ from conforming forwarding, by what the difference is."""

from scripts.sidebyside_case import Kind

RELAYS = "mitmproxy relays the fields of one HTTP/1 connection to the other as they are"
ENDS = "mitmproxy ends its connection all the same; only conforming forwarding says so before"
BARE = {
    "option": RELAYS,
    "own close": RELAYS,
    "own keep-alive": RELAYS,
    "keep-alive": RELAYS,
    "proxy-connection": RELAYS,
    "te": RELAYS,
    "upgrade": RELAYS,
    "nominated": "mitmproxy does not read what Connection nominates",
    "no close": ENDS,
    "no te": "mitmproxy copies te from HTTP/2, where it needs no Connection option",
    "framing": "mitmproxy relays chunks to HTTP/1.0 clients, which cannot read them",
    "refusal": "mitmproxy ends the whole HTTP/2 connection",
}
LEFT = "`fix` changes what breaks a rule and has a safe repair, and leaves the rest"
FIX = {
    **{kind: BARE[kind] for kind in ("no close", "framing")},
    **dict.fromkeys(["option", "own close", "own keep-alive", "keep-alive"], LEFT),
    **dict.fromkeys(["te", "no te", "upgrade", "nominated"], LEFT),
    "proxy-authorization": "`fix` keeps a proxy's credentials from what is no proxy",
}

NGINX_BY_NAME = "nginx removes certain fields, and this is none of them"
NGINX_UPGRADE = "nginx takes no part in upgrades unless it is configured to"
NGINX_FRAMING = "nginx takes the chunks and frames the content anew"
NGINX = {
    "HTTP/1.0": "nginx speaks HTTP/1.0 to origins unless proxy_http_version is set",
    "HTTP/1.1": "nginx answers in its own version; mitmproxy keeps the origin's",
    "request: own close": "nginx makes a connection for each request",
    "request: no keep-alive": "nginx makes a connection for each request",
    "response: own keep-alive": "nginx tells clients that it keeps their connection",
    "response: no close": "nginx keeps the client's connection: it sends chunks instead",
    "nominated": "nginx removes no field because Connection nominates it",
    "http2-settings": NGINX_BY_NAME,
    "proxy-connection": NGINX_BY_NAME,
    "response: te": NGINX_BY_NAME,
    "response: upgrade": NGINX_BY_NAME,
    "request: te": "nginx removes TE",
    "no te": "nginx removes TE",
    "request: upgrade": NGINX_UPGRADE,
    "no upgrade": NGINX_UPGRADE,
    "request: framing": "nginx reads the content before it sends the request, and counts it",
    "response: framing": NGINX_FRAMING,
    "response: forwards": NGINX_FRAMING,
}

HAPROXY_RELAYS = "HAProxy relays every field that it is not told to remove"
HAPROXY = {
    "option": "HAProxy takes close and keep-alive out of Connection, and leaves the rest",
    "nominated": "HAProxy removes no field because Connection nominates it",
    "keep-alive": HAPROXY_RELAYS,
    "proxy-connection": HAPROXY_RELAYS,
    "http2-settings": HAPROXY_RELAYS,
    "response: te": HAPROXY_RELAYS,
    "upgrade": "HAProxy tunnels whatever the two sides upgrade to",
    "no te": "HAProxy copies te from HTTP/2, where it needs no Connection option",
    "no close": "HAProxy keeps its connection to the origin when a client closes",
    "own keep-alive": "HAProxy keeps its connection to the origin, which HTTP/1.0 has to be told",
    "request: forwards": "HAProxy decides for Transfer-Encoding, and removes Content-Length",
    "response: forwards": "HAProxy decides for Transfer-Encoding, and removes Content-Length",
    "framing": "HAProxy relays chunks to HTTP/1.0 clients, and closes",
    "refusal": "HAProxy resets the stream of a malformed HTTP/2 request",
}

APACHE_OWN = "Apache keeps its connections, and says so"
APACHE_UPGRADE = "Apache forwards no upgrade unless ProxyPass says upgrade=ANY or names one"
APACHE_TRAILERS = "Apache removes TE and Trailer"
APACHE_FRAMING = "Apache takes the chunks and frames the content anew"
APACHE = {
    "HTTP/1.1": "Apache speaks its own version; mitmproxy keeps the other side's",
    "own keep-alive": APACHE_OWN,
    "no keep-alive": "Apache leaves unsaid what is so by default in HTTP/1.1",
    "keep-alive": APACHE_OWN,
    "request: no close": "Apache keeps its connection to the origin when a client closes",
    "response: no close": "Apache keeps the client's connection: it sends chunks instead",
    "protected": "Apache obeys every nomination, by the RFC's letter",
    "http2-settings": "Apache removes what is nominated, and this is not",
    "upgrade": APACHE_UPGRADE,
    "no upgrade": APACHE_UPGRADE,
    "te": APACHE_TRAILERS,
    "no te": APACHE_TRAILERS,
    "trailer": APACHE_TRAILERS,
    "proxy-authenticate": "Apache removes it as a hop-by-hop field, which RFC 2616 called it",
    "framing": APACHE_FRAMING,
    "forwards": APACHE_FRAMING,
    "request: refusal": "Apache resets the stream of a malformed HTTP/2 request",
    "response: refusal": APACHE_UPGRADE,
}

REASONS: dict[str, dict[str, str]] = {
    "mitmproxy": BARE,
    "fix": FIX,
    "nginx": NGINX,
    "HAProxy": HAPROXY,
    "Apache": APACHE,
}
"""By column, then by the kind of the difference, for requests or responses alone or for both."""


def reason(column: str, kind: str, of: Kind) -> str | None:
    """Explain a difference; None where no reason is known."""
    known = REASONS.get(column, {})
    return known.get(f"{of}: {kind}") or known.get(kind)
