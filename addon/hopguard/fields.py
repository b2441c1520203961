"""The tables of field names, all in lower case. Every other module takes them from here."""

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

HOP_BY_HOP = frozenset(
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
        b"c-man",
        b"c-opt",
        b"c-ext",
        b"c-pep",
        b"c-pep-info",
    }
)
"""Options and fields that may be listed in Connection: some specification makes each of them a
matter of one hop. Names starting with `sec-websocket-` count too (RFC 6455 leaves them to the
handshake)."""

FORWARDING_EVIDENCE = frozenset(
    {
        b"via",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-server",
        b"cdn-loop",
        b"proxy-status",
    }
)
"""Fields that an intermediary adds: with one of them a message has been forwarded."""

LISTS_WITH_QUOTED_STRINGS = frozenset({b"te", b"transfer-encoding", b"keep-alive"})
"""List-based fields in whose grammar a quoted-string occurs: a comma inside one does not split."""

CREDENTIALS = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "proxy-authenticate",
)
"""Fields whose values are never written anywhere unless the user decides otherwise."""
