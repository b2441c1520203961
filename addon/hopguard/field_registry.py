"""The HTTP field names that are registered with IANA, and which of them belong to both ends.

The HTTP Field Name Registry (https://www.iana.org/assignments/http-fields/) as of 2026-08-28. To
update: all names of status "permanent" and "deprecated", in lower case, but for the reserved `*`,
which is no field.
"""

from hopguard.fields import (
    AUTHENTICATING,
    CACHING,
    FRAMING,
    HOP_BY_HOP,
    ROUTE,
    ROUTE_BY_CONVENTION,
)

REGISTERED = frozenset(
    b"""
    a-im accept accept-additions accept-ch accept-charset accept-datetime accept-encoding
    accept-features accept-language accept-patch accept-post accept-query accept-ranges
    accept-signature access-control-allow-credentials access-control-allow-headers
    access-control-allow-methods access-control-allow-origin access-control-expose-headers
    access-control-max-age access-control-request-headers access-control-request-method age
    allow alpn alt-svc alt-used alternates apply-to-redirect-ref authentication-control
    authentication-info authorization available-dictionary c-pep-info cache-control
    cache-group-invalidation cache-groups cache-status cal-managed-id caldav-timezones
    capsule-protocol cdn-cache-control cdn-loop cert-not-after cert-not-before clear-site-data
    client-cert client-cert-chain close concealed-auth-export connect-udp-bind connection
    content-digest content-disposition content-encoding content-id content-language
    content-length content-location content-range content-security-policy
    content-security-policy-report-only content-type cookie cross-origin-embedder-policy
    cross-origin-embedder-policy-report-only cross-origin-opener-policy
    cross-origin-opener-policy-report-only cross-origin-resource-policy dasl date dav
    delta-base deprecation depth destination detached-jws dictionary-id differential-id dpop
    dpop-nonce early-data etag expect expect-ct expires forwarded from hobareg host if
    if-match if-modified-since if-none-match if-range if-schedule-tag-match
    if-unmodified-since im include-referred-token-binding-id incremental keep-alive label
    last-event-id last-modified link link-template location lock-token max-forwards
    memento-datetime meter mime-version negotiate nel odata-entityid odata-isolation
    odata-maxversion odata-version optional-www-authenticate ordering-type origin
    origin-agent-cluster oscore oslc-core-version overwrite ping-from ping-to position pragma
    prefer preference-applied priority protocol-info protocol-query proxy-authenticate
    proxy-authentication-info proxy-authorization proxy-public-address proxy-status
    public-key-pins public-key-pins-report-only range redirect-ref referer referrer-policy
    refresh replay-nonce repr-digest retry-after schedule-reply schedule-tag sec-fetch-dest
    sec-fetch-mode sec-fetch-site sec-fetch-user sec-purpose sec-token-binding
    sec-websocket-accept sec-websocket-extensions sec-websocket-key sec-websocket-protocol
    sec-websocket-version server server-timing set-cookie set-txn signature signature-input
    slug soapaction status-uri strict-transport-security sunset tcn te timeout topic
    traceparent tracestate trailer transfer-encoding ttl unencoded-digest upgrade urgency
    use-as-dictionary user-agent variant-vary vary via want-content-digest want-repr-digest
    want-unencoded-digest www-authenticate x-content-type-options x-frame-options
    """.split()
)
"""Names of status "permanent" or "deprecated"."""

HANDSHAKE_PREFIX = b"sec-websocket-"
"""RFC 6455 leaves the fields of its handshake to the two ends of a connection."""

END_TO_END = frozenset(
    name
    for name in REGISTERED - HOP_BY_HOP - CACHING - AUTHENTICATING - FRAMING
    if name not in ROUTE | ROUTE_BY_CONVENTION and not name.startswith(HANDSHAKE_PREFIX)
)
"""Registered fields that go through to the last recipient, but for those that `fields` lists under
what they are for."""
