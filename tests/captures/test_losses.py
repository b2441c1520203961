"""What captures have lost."""

from hopguard.captures import losses
from hopguard.captures.capture import Loss
from hopguard.rules import load_rules

LOSSES = [value for value in vars(losses).values() if isinstance(value, Loss)]


def test_they_name_rules_and_variants_that_there_are() -> None:
    rules = {rule.id: rule for rule in load_rules()}
    for loss in LOSSES:
        for name in loss.rules:
            rule, _, variant = name.partition("/")
            assert not variant or variant in rules[rule].variants, name


def test_together_they_silence_each_rule_once_or_more() -> None:
    assert losses.rules_without([losses.TRAILERS, losses.ROUTE]) == (
        losses.TRAILERS.rules | losses.ROUTE.rules
    )
    assert losses.rules_without([]) == frozenset()
