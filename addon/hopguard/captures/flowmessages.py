"""Messages of flows, made of what their records say."""

from hopguard.captures.flowpeer import Way
from hopguard.message import RawFields, Request, Response, Version, made

_LATER: tuple[Version, ...] = ("HTTP/2", "HTTP/3")


def make_request(
    target: bytes,
    method: bytes,
    scheme: bytes | None,
    version: Version,
    fields: RawFields,
    trailers: RawFields | None,
    client: Way,
) -> Request:
    """Make the request that came over `client`."""
    to_proxy: bool | None = None  # it does not say whether it came through a tunnel ...
    if not client.proxied or (client.tls and scheme == b"https"):  # ... and https over TLS did
        to_proxy = False
    if client.proxied and method == b"CONNECT":
        to_proxy = True
    return made(
        Request,
        {
            "version": version,
            "fields": fields,
            "leg": "client",
            "trailers": trailers,
            "tls": client.tls,
            "method": method,
            "target": target,
            "to_proxy": to_proxy,
        },
    )


def make_response(
    status: int,
    version: Version,
    fields: RawFields,
    trailers: RawFields | None,
    server: Way,
) -> Response:
    """Make the response that came over `server`."""
    return made(
        Response,
        {
            "version": version,
            "fields": fields,
            "leg": "server",
            "trailers": trailers,
            "tls": server.tls,
            "status": status,
            "direct": not server.proxied,
        },
    )


def with_fields[M: Request | Response](message: M, fields: RawFields) -> M:
    """Return `message` with other field lines."""
    return made(type(message), {**message.__dict__, "fields": fields})


def sent_request(request: Request, response: Response, server: Way) -> Request:
    """Return the request as mitmproxy sent it to the server: the one that `response` answers."""
    version = request.version
    if response.version in _LATER:
        version = response.version
    elif version in _LATER:
        version = "HTTP/1.1"
    facts = {"version": version, "leg": "server", "tls": server.tls, "to_proxy": server.proxied}
    return made(Request, request.__dict__ | facts)
