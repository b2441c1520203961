"""Which rules can be repaired, which cannot and why, and that the declared repairs work."""

import pytest

from hopguard.catalogue.explanation import explain
from hopguard.catalogue.repairs import BLOCKS
from hopguard.editing import say_close
from hopguard.message import Message
from hopguard.rule import Finding, Rule
from tests import repairs
from tests.repairs import judge_for, messages_of, repair
from tests.test_rules import checker_for

REFUSE = "The message has to be refused; there is more than one reading, or none."
HARMLESS = "Nothing is broken, and nothing to protect."
STATUS = "The status itself is at fault, or what it needs is known to the sender alone."
BODY = "Only another body would do."
OVER = "It is over: nothing that could be edited is at fault."
LATE = "The request is there; all that can be done is not to process it."
CLOSE = "No message is at fault but in that the connection goes on: it has to be closed."
SENDER = "It is evidence about the sender, not a fault of the message."

WITHOUT_REPAIR: dict[str, str] = {
    # The value of Connection
    "connection-option-duplicated": HARMLESS,
    "connection-field-illegal-octets/control": REFUSE,
    "connection-field-illegal-octets/edge-space": REFUSE,
    "connection-field-name-malformed/lookalike": "An application may use the name on purpose.",
    "connection-field-name-malformed/mangled": "It is disabled already.",
    "connection-option-unrecognised/custom-field": HARMLESS,
    "connection-option-unrecognised/unknown-option": HARMLESS,
    "connection-option-without-effect/itself": HARMLESS,
    "connection-option-without-effect/absent-field": HARMLESS,
    # Fields that are not listed
    "upgrade-without-connection-option": "Without Upgrade, sloppy WebSocket clients fail.",
    "hop-by-hop-field-unlisted/declared": "The application may need the field.",
    "hop-by-hop-field-unlisted/standard": HARMLESS,
    # Keep-Alive and Proxy-*
    **{
        f"keep-alive-syntax-invalid/{variant}": HARMLESS
        for variant in (
            "syntax",
            "bare-token",
            "legacy-number",
            "bad-integer",
            "duplicate",
            "unknown-parameter",
        )
    },
    "proxy-authenticate-from-origin/status-407": STATUS,
    "proxy-authenticate-from-origin/field": HARMLESS,
    "proxy-407-without-challenge": STATUS,
    # Framing
    "transfer-coding-not-offered": BODY,
    "transfer-encoding-with-content-length": REFUSE,
    "transfer-encoding-with-http10/message": REFUSE,
    "transfer-encoding-with-http10/to-client": BODY,
    "framing-field-in-bodiless-response/te": "Transfer-Encoding is never removed on HTTP/1.",
    **{
        f"transfer-encoding-chunked-misplaced/{variant}": REFUSE
        for variant in ("repeated", "not-last", "request-missing", "response-missing")
    },
    "transfer-encoding-syntax-invalid/syntax": REFUSE,
    "transfer-encoding-syntax-invalid/empty": REFUSE,
    **{
        f"transfer-encoding-ambiguous/{variant}": REFUSE
        for variant in (
            "multiple-lines",
            "empty-member",
            "parameters",
            "unknown-coding",
            "identity",
            "reserved",
        )
    },
    "content-length-ambiguous/repeat-differs": REFUSE,
    "content-length-ambiguous/list-differs": REFUSE,
    "content-length-ambiguous/not-digits": REFUSE,
    # Trailer is only a hint.
    **{
        f"trailer-announcement-mismatch/{variant}": HARMLESS
        for variant in ("unannounced", "never-sent", "impossible", "syntax")
    },
    # HTTP/2 and HTTP/3
    "switching-protocols-in-http2-or-http3": STATUS,
    **{
        f"extended-connect-invalid/{variant}": REFUSE
        for variant in (
            "not-connect",
            "incomplete",
            "no-setting",
            "upgrade-fields",
            "websocket-key",
        )
    },
    **{
        f"field-fatal-behind-http2-edge/{variant}": HARMLESS
        for variant in ("event-stream", "upgrade", "keep-alive")
    },
    # Upgrade
    "upgrade-with-http10/switched": STATUS,
    "switching-protocols-without-upgrade-field": STATUS,
    "switching-protocols-not-requested/no-offer": STATUS,
    "switching-protocols-not-requested/not-offered": STATUS,
    "switching-protocols-not-requested/option-missing": STATUS,
    "switching-protocols-before-continue": OVER,
    "upgrade-required-without-upgrade-field": STATUS,
    "upgrade-offer-not-taken": HARMLESS,
    "upgrade-token-obsolete/h2": "Ignoring it is the server's job.",
    "upgrade-token-obsolete/h2c": "Ignoring it is the server's job.",
    "upgrade-token-obsolete/unregistered": "It may be a private agreement.",
    "h2c-upgrade-smuggling-risk/accepted-through-proxy": STATUS,
    "websocket-handshake-incomplete/incomplete": "Editing a handshake breaks its proof.",
    "websocket-handshake-incomplete/upgrade-stripped": "Editing a handshake breaks its proof.",
    "websocket-handshake-incomplete/other-version": HARMLESS,
    "websocket-accept-mismatch": REFUSE,
    "data-before-protocol-switch/websocket": OVER,
    "data-before-protocol-switch/connect-udp": OVER,
    "data-before-protocol-switch/connect": OVER,
    "http-after-protocol-switch": OVER,
    # Persistence
    "close-delimited-response/avoidable": BODY,
    **{
        f"close-on-non-final-response/{variant}": "mitmproxy closes by the option close."
        for variant in ("interim", "switch", "connect")
    },
    "request-timeout-without-close": "Only the server knows whether it closes.",
    "forbidden-header-from-browser/acrh": SENDER,
    "forbidden-header-from-browser/acah": SENDER,
    "forbidden-header-from-browser/script-request": SENDER,
    # Connections
    "request-after-close/own-close": LATE,
    "request-after-close/peer-close": LATE,
    "close-not-honoured/processed": CLOSE,
    "close-not-honoured/server-open": CLOSE,
    "close-not-honoured/client-open": CLOSE,
    "faulty-framing-connection-reused/request": CLOSE,
    "faulty-framing-connection-reused/response": CLOSE,
    "http10-connection-reused-without-keep-alive": CLOSE,
    "unsolicited-response-data/data": CLOSE,
    "unsolicited-response-data/timeout-notice": CLOSE,
    "non-persistent-peer-unannounced/client": "mitmproxy cannot say what a client will do.",
    "server-closed-without-announcing/at-once": OVER,
    "server-closed-without-announcing/idle": OVER,
    "close-missing-while-draining": OVER,
    **{
        f"keep-alive-promise-mismatch/{variant}": "What Keep-Alive says is only a hint."
        for variant in ("timeout-short", "timeout-overrun", "max-exceeded", "max-short")
    },
    "keep-alive-shorter-than-peer-idle/announced": "A setting of the server has to change.",
    "keep-alive-shorter-than-peer-idle/observed": "A setting of the server has to change.",
    "request-raced-idle-close": "Whether to send it again is for the client to decide.",
    "response-truncated-by-close": OVER,
    "pipelined-requests/pipelined": "mitmproxy sends one after the other in any case.",
    "pipelined-requests/after-non-idempotent": "mitmproxy sends one after the other in any case.",
    "pipelined-requests/right-after-failure": "mitmproxy sends one after the other in any case.",
    "non-idempotent-retry-after-close/client": "Nobody but the server knows what it has done.",
    "non-idempotent-retry-after-close/proxy": "Nobody but the server knows what it has done.",
}
"""Rules and variants for which fix falls back to flag."""

NOT_REPAIRED: dict[str, dict[str, str]] = {
    # A 101 stays, and so does the handshake that asks for it.
    "http2-settings-invalid/in-response": {"< HTTP/1.1 101": "It is a 101."},
    "upgrade-with-http10/offered": {
        "Sec-WebSocket-Key": "The key alone would look like a handshake that lost its Upgrade."
    },
    "upgrade-syntax-invalid/syntax": {
        "Sec-WebSocket-Key": "It is meant as a handshake.",
        "< HTTP/1.1 426": "A 426 needs Upgrade.",
    },
    "connection-field-name-malformed/whitespace": {
        ">!": "A request has to be answered with 400.",
        "<! Transfer-Encoding :": "The body was read without it.",
        "< HTTP/1.1 101": "It is a 101.",
    },
    "connection-names-framing-field": {">!": "A request has to be refused."},
    "connection-field-in-http2": {"transfer-encoding": "It stays refused."},
    "connection-field-in-http3": {"transfer-encoding": "It stays refused."},
    "framing-field-in-bodiless-response/connect": {"Transfer-Encoding": "It stays."},
    "reserved-close-field": {"< trailer: close": "It would be missed: it is announced."},
}
"""Examples of repairable variants that must stay as they are: by a piece of their text, why."""


RULES = [rule for rule in repairs.RULES if rule.kind in ("message", "exchange")]
"""Rules about messages."""

OF_CONNECTIONS = [rule for rule in repairs.RULES if rule.kind == "connection"]


def name_of(rule: Rule, variant: str) -> str:
    """Return the name by which people mean the variant."""
    return f"{rule.id}/{variant}" if variant else rule.id


LIVE = RULES + OF_CONNECTIONS
"""What an intermediary has sent, of which the others are, was its own."""

VARIANTS = [(rule, variant) for rule in LIVE for variant in rule.variants or [""]]
EXAMPLES = [
    pytest.param(rule, variant, text, id=f"{rule.id}-{variant}-{number}")
    for rule in RULES
    for variant, texts in rule.violating.items()
    for number, text in enumerate(texts)
]


@pytest.mark.parametrize("rule", LIVE, ids=lambda rule: rule.id)
def test_what_is_said_is_done(rule: Rule) -> None:
    """A rule has a sentence about its repair and something that does it, or neither."""
    assert bool(rule.repair) == bool(rule.edits)
    assert rule.edits.keys() <= (set(rule.variants) or {""})
    assert rule.edits_in <= rule.directions


def test_table_is_complete() -> None:
    """Every rule and variant has a repair, or a reason why not; never both."""
    assert not any(rule.edits for rule in set(repairs.RULES).difference(LIVE))
    without = {name_of(rule, variant) for rule, variant in VARIANTS if variant not in rule.edits}
    assert without == WITHOUT_REPAIR.keys()
    assert all(WITHOUT_REPAIR.values())
    with_repair = {name_of(rule, variant) for rule, variant in VARIANTS} - without
    assert NOT_REPAIRED.keys() <= with_repair


def test_what_ends_is_announced() -> None:
    """The only repair of a connection, in a response to come; for any other, nothing does it."""
    edits = [edit for rule in OF_CONNECTIONS for edit in rule.edits.values()]
    assert set(edits) == {say_close}
    assert not any(rule.block for rule in set(repairs.RULES).difference(OF_CONNECTIONS))


def test_what_block_does_is_told() -> None:
    """Of connections only: a message is kept back, whatever the rule."""
    for rule in repairs.RULES:
        told = explain(rule.id, [rule], width=10_000)
        assert ("What block does" in told) == (rule.kind == "connection")
        assert (BLOCKS[rule.block] in told) == (rule.kind == "connection")


@pytest.mark.parametrize(("rule", "variant", "text"), EXAMPLES)
def test_examples_are_repaired(rule: Rule, variant: str, text: str) -> None:
    """Where there is a repair, unless the table says why not; nothing else is, of itself."""
    name = name_of(rule, variant)
    fixed = repair_example(rule, variant, text)
    if variant in rule.edits:
        left = any(piece in text for piece in NOT_REPAIRED.get(name, {}))
        assert fixed == {not left}


def repair_example(rule: Rule, variant: str, text: str) -> set[bool]:
    """Repair the messages of an example; say of each finding of the variant if it is fixed."""
    fixed = set()
    for message, request in messages_of(text):
        judge = judge_for(request, checker_for(rule, variant))
        findings = judge(message)
        for outcome in repair(message, findings, judge).outcomes:
            if is_of(outcome.finding, rule, variant, message):
                fixed.add(outcome.fixed)
    return fixed


def is_of(finding: Finding, rule: Rule, variant: str, message: Message) -> bool:
    """Tell whether a finding is of this rule and variant, and about this message."""
    about = finding.part in (message.part, message.trailer_part)
    return about and (finding.rule, finding.variant) == (rule.id, variant)


@pytest.mark.parametrize(("rule", "variant", "text"), EXAMPLES)
def test_examples_with_this_rule_alone_on_fix(rule: Rule, variant: str, text: str) -> None:
    """Whatever else is found stays at flag, and the promises hold all the same."""
    for message, request in messages_of(text):
        judge = judge_for(request, checker_for(rule, variant))
        repair(message, [one for one in judge(message) if one.rule == rule.id], judge)
