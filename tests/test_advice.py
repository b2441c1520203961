"""What to do about a finding."""

import pytest

from hopguard.catalogue.advice import advice
from hopguard.catalogue.lookup import find_rule
from hopguard.rule import Rule
from hopguard.rules import load_rules

RULES = load_rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_advice(rule: Rule) -> None:
    """It is one of the rule's own paragraphs, and not too long for a report."""
    paragraphs = [" ".join(text.split()) for text in rule.explanation.split("\n\n")]
    assert advice(rule) in paragraphs
    assert 50 < len(advice(rule)) < 1_200


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("connection-names-cache-field", "Ordinary software does not do this"),
        ("connection-names-framing-field", "Never honour such a nomination"),
        ("connection-field-in-http2", "Do not set these fields"),
        ("extended-connect-invalid", "Browsers and libraries get this right"),
        ("h2c-upgrade-smuggling-risk", "Do not forward Upgrade"),
        ("transfer-encoding-with-content-length", "Nothing that is not an attack needs both"),
        ("upgrade-with-http10", "In nginx set proxy_http_version 1.1"),
    ],
)
def test_advice_is_what_to_do(name: str, begins: str) -> None:
    """Not why it matters, and not what the rule leaves to others."""
    rule, _ = find_rule(name, RULES)
    assert advice(rule).startswith(begins)
