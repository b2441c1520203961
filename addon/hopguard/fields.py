"""The tables of field names, all in lower case. Every other module takes them from here."""

from typing import NamedTuple

CONNECTION_SPECIFIC = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
"""Must not be sent in HTTP/2 (RFC 9113, section 8.2.2: a closed list) and HTTP/3 (RFC 9114,
section 4.2, by way of RFC 9110, section 7.6.1). TE is a case of its own."""

CONNECTION_MANAGEMENT = CONNECTION_SPECIFIC | {
    b"te",
    b"trailer",
    b"http2-settings",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-authentication-info",
    b"content-length",
    b"expect",
}
"""The fields on which the management and the framing of a connection rest."""

PERSISTENCE_OPTIONS = frozenset({b"close", b"keep-alive"})
"""Connection options that are not the names of fields to be consumed with them (RFC 9110, section
7.6.1): what nearly every Connection field says."""

HOP_BY_HOP_EXTENSIONS = frozenset({b"c-man", b"c-opt", b"c-pep", b"c-pep-info"})
"""Fields that declare an extension of one hop (RFC 2774, section 4.2, and PEP before it)."""

HOP_BY_HOP = HOP_BY_HOP_EXTENSIONS | frozenset(
    {
        b"connection",
        b"close",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"trailer",
        b"upgrade",
        b"http2-settings",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-authentication-info",
        b"proxy-support",
        b"alt-used",
        b"c-ext",
    }
)
"""Options and fields that may be listed in Connection: some specification makes each of them a
matter of one hop. Names starting with `sec-websocket-` count too (RFC 6455 leaves them to the
handshake)."""


class NameKind(NamedTuple):
    """Names of one kind, in lower case: these, and all that start in one way."""

    names: frozenset[bytes]
    prefix: bytes

    def includes(self, name: bytes) -> bool:
        """Tell whether `name` (lower case) is of this kind."""
        return name in self.names or name.startswith(self.prefix)


FORWARDING_EVIDENCE = NameKind(
    frozenset({b"via", b"forwarded", b"cdn-loop", b"proxy-status"}), b"x-forwarded-"
)
"""Fields that an intermediary adds, and nobody else: with one of them a message has been
forwarded."""

STAND_INS = NameKind(frozenset(), b"x-hopguard-")
"""Names of ours, under which a field comes past those who would not let it pass as it is."""

CACHING = frozenset(
    {
        b"cache-control",
        b"pragma",
        b"expires",
        b"age",
        b"vary",
        b"etag",
        b"last-modified",
        b"warning",
        b"date",
        b"if-match",
        b"if-none-match",
        b"if-modified-since",
        b"if-unmodified-since",
        b"if-range",
        b"cdn-cache-control",
        b"surrogate-control",
        b"cache-status",
    }
)
"""Fields that decide what a cache stores and reuses."""

AUTHENTICATING = frozenset(
    {
        b"authorization",
        b"cookie",
        b"set-cookie",
        b"www-authenticate",
        b"authentication-info",
        b"origin",
        b"referer",
        b"dpop",
        b"sec-fetch-site",
        b"access-control-allow-origin",
        b"access-control-allow-credentials",
        b"signature",
        b"signature-input",
        b"content-digest",
        b"repr-digest",
        b"client-cert",
    }
)
"""Standard fields on which authentication, sessions, integrity or the same-origin policy rest."""

_AUTHENTICATING_STEMS = frozenset(
    {
        b"x-auth",
        b"x-user",
        b"x-remote-user",
        b"x-api-key",
        b"x-csrf",
        b"x-xsrf",
        b"x-amz",
        b"x-goog",
    }
)
_AUTHENTICATING_NAMES = _AUTHENTICATING_STEMS | {b"x-csrftoken"}
_AUTHENTICATING_PREFIXES = tuple(sorted(stem + b"-" for stem in _AUTHENTICATING_STEMS))


def authenticates_by_convention(name: bytes) -> bool:
    """Tell whether `name` is one by which proxies and frameworks pass on who a user is.

    X-Auth and X-Auth-Token, not X-Author. Django writes its X-CSRFToken as one word.
    """
    return name in _AUTHENTICATING_NAMES or name.startswith(_AUTHENTICATING_PREFIXES)


ROUTE = frozenset({b"forwarded", b"via"})
"""Standard fields that tell a recipient which way a message came."""

ROUTE_BY_CONVENTION = frozenset(
    {
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-forwarded-port",
        b"x-forwarded-server",
        b"x-forwarded-prefix",
        b"x-forwarded-ssl",
        b"x-real-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"true-client-ip",
        b"cf-connecting-ip",
        b"fastly-client-ip",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-original-host",
        b"x-request-id",
        b"traceparent",
        b"tracestate",
        b"cdn-loop",
        b"front-end-https",
    }
)
"""Further fields by which proxies tell who the client is, what it asked for, and the route."""

FRAMING = frozenset(
    {
        b"content-length",
        b"host",
        b"content-type",
        b"content-encoding",
        b"content-range",
        b"expect",
        b"range",
        b"location",
    }
)
"""End-to-end fields by which a message is framed, routed or read."""

LISTS_WITH_QUOTED_STRINGS = frozenset(
    {
        b"te",
        b"transfer-encoding",
        b"keep-alive",
        b"proxy-authenticate",
        b"sec-websocket-extensions",
    }
)
"""List-based fields in whose grammar a quoted-string occurs: a comma inside one does not split."""

TRANSFER_CODINGS = frozenset(
    {b"chunked", b"compress", b"x-compress", b"deflate", b"gzip", b"x-gzip"}
)
"""The transfer codings that are registered and in use (RFC 9112, section 7)."""

CODING_ALIASES = {b"x-compress": b"compress", b"x-gzip": b"gzip"}
"""Names that recipients take for another one (RFC 9112, section 7.2)."""

NO_TRANSFER_CODINGS = frozenset({b"identity", b"trailers"})
"""Registered names of which none may be used as one: `identity` is withdrawn, `trailers` is
reserved because TE gives it another meaning (RFC 9112, sections 7 and 12.3)."""

UPGRADE_TOKENS = frozenset({b"http", b"tls", b"websocket", b"h2c", b"connect-udp", b"connect-ip"})
"""The protocol names of the HTTP Upgrade Token Registry
(https://www.iana.org/assignments/http-upgrade-tokens/). h2, the name in TLS, is not one of them."""

FORBIDDEN_IN_TRAILERS = CONNECTION_MANAGEMENT - {b"proxy-authentication-info"} | {b"host"}
"""Fields that decide on framing, routing or the connection, which a trailer section comes too late
for. Proxy-Authentication-Info may be sent in one (RFC 9110, section 11.7.3)."""

FORBIDDEN_TO_SCRIPTS = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"content-length",
        b"expect",
        b"host",
        b"via",
    }
)
"""Fields of connection management that browsers let no script set (Fetch standard), besides all
whose names start with `proxy-`."""

CREDENTIALS = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "proxy-authenticate",
)
"""Fields whose values are never written anywhere unless the user decides otherwise."""
