"""The catalogue as it has to be: every rule, every variant, and what each weighs."""

from collections.abc import Mapping

import pytest

from hopguard.rule import Rule
from hopguard.rules import load_rules

CATALOGUE: dict[str, dict[str, str]] = {
    # What Connection says: syntax
    "connection-option-not-token": {"": "error"},
    "connection-empty-list-member": {"": "error"},
    "connection-empty-value": {"masking": "warning", "lone": "info"},
    "connection-option-duplicated": {"": "info"},
    "connection-field-illegal-octets": {
        "fold": "error",
        "control": "error",
        "edge-space": "error",
    },
    "connection-field-name-malformed": {
        "whitespace": "error",
        "lookalike": "warning",
        "mangled": "info",
    },
    "close-with-keep-alive": {"options": "warning", "field": "warning"},
    # What Connection says: names
    "connection-names-cache-field": {"": "error"},
    "connection-strips-credential-field": {"": "error"},
    "connection-strips-forwarding-field": {"": "error"},
    "connection-names-framing-field": {"": "error"},
    "connection-names-end-to-end-field": {"explicit": "error"},
    "connection-option-unrecognised": {"custom-field": "info", "unknown-option": "info"},
    "connection-option-without-effect": {"itself": "info", "absent-field": "info"},
    "reserved-close-field": {"": "warning"},
    # Fields that are not listed
    "upgrade-without-connection-option": {"": "error"},
    "te-without-connection-option": {"": "error"},
    "keep-alive-without-connection-option": {"": "error"},
    "http2-settings-without-connection-option": {"": "error"},
    "hop-by-hop-field-unlisted": {"declared": "error", "standard": "info"},
    # Keep-Alive and Proxy-*
    "keep-alive-syntax-invalid": {
        "bare-token": "warning",
        "legacy-number": "warning",
        "bad-integer": "warning",
        "duplicate": "warning",
        "unknown-parameter": "info",
    },
    "proxy-connection-field": {"beyond-proxy": "warning", "to-proxy": "info"},
    "proxy-authorization-beyond-proxy": {"": "warning"},
    "proxy-authenticate-from-origin": {"status-407": "warning", "field": "info"},
    "proxy-407-without-challenge": {"": "error"},
    # TE, Transfer-Encoding, Content-Length
    "te-value-invalid": {"syntax": "error", "chunked": "error"},
    "te-in-response": {"": "warning"},
    "transfer-coding-not-offered": {"": "warning"},
    "transfer-encoding-with-content-length": {"": "error"},
    "transfer-encoding-with-http10": {"message": "error", "to-client": "error"},
    "framing-field-in-bodiless-response": {"te": "error", "cl": "error", "connect": "error"},
    "transfer-encoding-chunked-misplaced": {
        "repeated": "error",
        "not-last": "error",
        "request-missing": "error",
        "response-missing": "warning",
    },
    "transfer-encoding-syntax-invalid": {"empty": "error"},
    "transfer-encoding-ambiguous": {
        "multiple-lines": "warning",
        "empty-member": "error",
        "parameters": "warning",
        "unknown-coding": "warning",
        "identity": "warning",
        "reserved": "warning",
    },
    "content-length-ambiguous": {
        "repeat-differs": "error",
        "repeat-equal": "warning",
        "list-differs": "error",
        "list-equal": "warning",
        "not-digits": "error",
    },
    # Trailers
    "connection-field-in-trailers": {"sent": "error", "announced": "warning"},
    "trailer-announcement-mismatch": {
        "unannounced": "info",
        "never-sent": "info",
        "impossible": "info",
        "syntax": "error",
    },
    # HTTP/2 and HTTP/3
    "connection-field-in-http2": {"": "error"},
    "connection-field-in-http3": {"": "error"},
    "te-not-trailers-in-http2-or-http3": {"value": "error", "response": "error"},
    "switching-protocols-in-http2-or-http3": {"": "error"},
    "extended-connect-invalid": {
        "upgrade-fields": "error",
        "incomplete": "error",
        "not-connect": "error",
        "no-setting": "error",
        "websocket-key": "info",
    },
    "field-fatal-behind-http2-edge": {
        "event-stream": "info",
        "upgrade": "info",
        "keep-alive": "info",
    },
    # Upgrade, 101, 426, h2c, WebSocket
    "upgrade-syntax-invalid": {"empty-member": "error"},
    "upgrade-with-http10": {"switched": "error", "offered": "info"},
    "switching-protocols-without-upgrade-field": {"": "error"},
    "switching-protocols-not-requested": {
        "no-offer": "error",
        "not-offered": "error",
        "option-missing": "info",
    },
    "switching-protocols-before-continue": {"": "error"},
    "upgrade-required-without-upgrade-field": {"": "error"},
    "upgrade-offer-not-taken": {"": "info"},
    "upgrade-token-obsolete": {"h2": "warning", "h2c": "warning", "unregistered": "info"},
    "h2c-upgrade-smuggling-risk": {
        "over-tls": "error",
        "accepted-through-proxy": "error",
        "through-intermediary": "warning",
    },
    "http2-settings-invalid": {
        "missing": "error",
        "repeated": "error",
        "malformed": "error",
        "in-response": "error",
        "orphan": "warning",
        "in-http2": "warning",
    },
    "websocket-handshake-incomplete": {"upgrade-stripped": "error"},
    "websocket-accept-mismatch": {"": "error"},
    "data-before-protocol-switch": {
        "websocket": "error",
        "connect-udp": "error",
        "connect": "warning",
    },
    "http-after-protocol-switch": {"": "warning"},
    # Persistence, judged on one exchange
    "response-missing-close-echo": {"": "warning"},
    "close-delimited-response": {
        "unannounced": "warning",
        "contradicted": "warning",
        "avoidable": "info",
    },
    "close-on-non-final-response": {
        "interim": "warning",
        "switch": "warning",
        "connect": "warning",
    },
    "request-timeout-without-close": {"": "info"},
    "forbidden-header-from-browser": {
        "acrh": "warning",
        "acah": "info",
        "script-request": "warning",
    },
    # The life of a connection
    "request-after-close": {"own-close": "error", "peer-close": "error"},
    "close-not-honoured": {"processed": "error", "server-open": "error", "client-open": "error"},
    "server-closed-without-announcing": {"at-once": "warning", "idle": "info"},
    "non-persistent-peer-unannounced": {"server": "error", "client": "info"},
    "http10-connection-reused-without-keep-alive": {"": "error"},
    "proxy-persistent-with-http10-client": {"": "error"},
    "keep-alive-promise-mismatch": {
        "timeout-short": "warning",
        "timeout-overrun": "info",
        "max-exceeded": "warning",
        "max-short": "info",
    },
    "request-raced-idle-close": {"": "info"},
    "response-truncated-by-close": {"": "error"},
    "faulty-framing-connection-reused": {"request": "error", "response": "error"},
    "unsolicited-response-data": {"data": "warning", "timeout-notice": "info"},
    "pipelined-requests": {
        "pipelined": "info",
        "after-non-idempotent": "warning",
        "right-after-failure": "error",
    },
    "non-idempotent-retry-after-close": {"client": "warning", "proxy": "error"},
    "connect-rejected-connection-kept": {"": "error"},
    "keep-alive-shorter-than-peer-idle": {"announced": "warning", "observed": "warning"},
    "close-missing-while-draining": {"": "warning"},
    # Forwarding, as far as one message shows it
    "hop-by-hop-field-leaked": {"via": "warning", "stored": "error"},
}
"""Rule, variant, severity. The variant "" is a rule without variants."""

REST: dict[str, dict[str, str]] = {
    # Every other end-to-end field than the two that are forbidden by name
    "connection-names-end-to-end-field": {"": "error"},
    # What has no closer description
    "keep-alive-syntax-invalid": {"syntax": "warning"},
    "transfer-encoding-syntax-invalid": {"syntax": "error"},
    "upgrade-syntax-invalid": {"syntax": "error"},
    # A part that is missing or wrong, and a version that can be negotiated
    "websocket-handshake-incomplete": {"incomplete": "error", "other-version": "info"},
}
"""Variants that name what remains of a rule beside its named ones."""

RULES: Mapping[str, Rule] = {rule.id: rule for rule in load_rules()}


def test_catalogue_has_exactly_these_rules() -> None:
    """No rule is missing, and none is there that nobody has decided on."""
    assert sorted(RULES) == sorted(CATALOGUE)
    assert len(CATALOGUE) == 79


@pytest.mark.parametrize("rule", CATALOGUE)
def test_rule_has_exactly_these_variants(rule: str) -> None:
    """Each variant weighs what it has to, and has examples of its own."""
    declared = RULES[rule].variants
    found = {name: str(variant.severity) for name, variant in declared.items()}
    assert (found or {"": str(RULES[rule].severity)}) == CATALOGUE[rule] | REST.get(rule, {})
    for variant in CATALOGUE[rule] | REST.get(rule, {}):
        assert RULES[rule].violating[variant]
    assert RULES[rule].conforming
