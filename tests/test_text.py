"""What is shown cannot act."""

from hypothesis import given
from hypothesis import strategies as st

from hopguard.text import VALUE_LIMIT, printable, quote


@given(st.binary(max_size=2000))
def test_printable_is_printable_ascii(octets: bytes) -> None:
    """No control character, no escape sequence, nothing outside ASCII."""
    shown = printable(octets)
    assert shown.isascii()
    assert shown.isprintable()


def test_octets_are_escaped_one_by_one() -> None:
    """Each octet that is not printable ASCII is shown by its number."""
    assert printable(b"a\x00\x1b[31m\r\n\xc2\xa0z") == r"a\x00\x1b[31m\x0d\x0a\xc2\xa0z"


def test_long_values_are_cut_with_a_mark() -> None:
    """The mark says how long the value was."""
    assert printable(b"a" * VALUE_LIMIT) == "a" * VALUE_LIMIT
    assert printable(b"a" * 1000) == "a" * VALUE_LIMIT + "...[1000 octets]"


def test_quote_is_short() -> None:
    """A sentence stays readable."""
    assert quote(b"close") == '"close"'
    assert len(quote(b"x" * 10_000)) < 120
