"""Which setting decides how long a server keeps idle connections, by its Server field.

A Server field may be missing, wrong, or that of a proxy in front; so a name that is not known here
gives no advice for one product but names what is common.
"""

import re

SETTINGS = {
    b"nginx": "keepalive_timeout",
    b"openresty": "keepalive_timeout",
    b"tengine": "keepalive_timeout",
    b"apache": "KeepAliveTimeout",
    b"gunicorn": "--keep-alive",
    b"uvicorn": "--timeout-keep-alive",
    b"hypercorn-h11": "keep_alive_timeout",
    b"apache-coyote": "keepAliveTimeout of the Connector",
    b"jetty": "idleTimeout of the ServerConnector",
    b"caddy": "servers { timeouts { idle } }",
    b"lighttpd": "server.max-keep-alive-idle",
    b"cheroot": "timeout",
    b"microsoft-iis": "connectionTimeout",
    b"kestrel": "KeepAliveTimeout",
}
"""By the product name, in lower case, with which the Server field begins."""

ANONYMOUS = (
    "server.keepAliveTimeout in Node, idleTimeout in Bun, keepAliveTimeout in Tomcat, "
    "IdleTimeout in Go"
)
"""Servers that send no Server field by themselves."""

_SECONDS = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?s?")


def seconds_of(text: str) -> float:
    """Read how long somebody keeps idle connections, such as `60` or `4.5 s`.

    Raises:
        ValueError: it is no number of seconds; the text says so.
    """
    found = _SECONDS.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        raise ValueError(f"{text!r} is not a number of seconds, such as '60'")
    return float(found[1])


def setting_of(server: bytes) -> str:
    """Say which setting to change in whoever sends the Server field `server`, which may be empty.

    Names no product that the field does not name.
    """
    product = server.partition(b"/")[0].partition(b" ")[0].lower()
    if product in SETTINGS:
        return f"{SETTINGS[product]} ({server[: len(product)].decode()})"
    if not product:
        return f"the server's setting ({ANONYMOUS})"
    return "the server's setting for idle connections"
