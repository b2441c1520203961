"""The registered names fit the other tables."""

from hopguard import fields
from hopguard.field_registry import END_TO_END, REGISTERED
from hopguard.grammar import is_token


def test_registered_names_are_field_names_in_lower_case() -> None:
    """What is no token, or reserved, is no field name."""
    assert all(is_token(name) and name == name.lower() for name in REGISTERED)
    assert b"*" not in REGISTERED
    assert {b"accept", b"pragma", b"user-agent", b"x-frame-options"} <= REGISTERED


def test_end_to_end_names_are_in_no_other_table() -> None:
    """One rule speaks about each name."""
    others = fields.HOP_BY_HOP | fields.CACHING | fields.AUTHENTICATING | fields.FRAMING
    assert END_TO_END <= REGISTERED
    assert END_TO_END.isdisjoint(others | fields.ROUTE | fields.ROUTE_BY_CONVENTION)
    assert {b"early-data", b"priority", b"user-agent"} <= END_TO_END
    assert not any(name.startswith(b"sec-websocket-") for name in END_TO_END)


def test_conventions_are_whole_words() -> None:
    """X-Auth and X-Auth-Token, but not X-Author."""
    by_convention = fields.authenticates_by_convention
    assert all(map(by_convention, (b"x-auth", b"x-auth-token", b"x-amz-date", b"x-csrftoken")))
    assert not any(map(by_convention, (b"x-author", b"x-username", b"x-amzn-trace-id", b"auth")))
