"""Rules in two paragraphs."""

from collections.abc import Iterator
from dataclasses import replace

from hopguard.catalogue.brief import brief
from hopguard.rule import Evidence
from hopguard.rules import load_rules

RULES = load_rules()


def test_every_rule() -> None:
    """It fits beside a message, and says what to change."""
    for rule in RULES:
        text = brief(rule.id, RULES, 60)
        assert "What to change: " in text
        assert len(text.splitlines()) < 45
        assert ("Safe repair: " in text) == bool(rule.repair)


def test_why_comes_first() -> None:
    """Then what to change."""
    text = brief("connection-field-in-http2", RULES, 80)
    assert text.startswith("Why: HTTP/2 manages its connections with frames")
    assert text.index("Why: ") < text.index("What to change: ") < text.index("Safe repair: ")


def test_one_paragraph_is_not_said_twice() -> None:
    """Where the advice is all that there is."""

    def check(_: object) -> Iterator[Evidence]:
        """X is sent.

        Remove X.
        """
        yield from ()

    rule = replace(RULES[0], check=check, repair="")
    assert brief(rule.id, [rule], 60) == "What to change: Remove X."


def test_an_unknown_rule() -> None:
    """A record may be of a later version."""
    assert brief("later-rule", RULES, 60) == ""
