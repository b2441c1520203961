"""Field lines are picked by their names, and no flood of names is remembered."""

from hopguard import selection
from hopguard.selection import Selection


def test_lines_are_picked_in_their_order() -> None:
    """By the names as they are spelt, the first time and later."""
    picked = Selection(lambda name: name.lower() == b"a")
    for _ in range(2):
        lines = ((b"A", b"1"), (b"b", b"2"), (b"a", b"3"))
        assert picked.of(lines) == [(b"A", b"1"), (b"a", b"3")]
    assert picked.of(()) == []


def test_many_names_at_once_and_long_ones_are_not_remembered() -> None:
    """They are picked all the same."""
    asked: list[bytes] = []

    def is_wanted(name: bytes) -> bool:
        asked.append(name)
        return name.startswith(b"a")

    picked = Selection(is_wanted)
    many = tuple((b"a%d" % number, b"") for number in range(selection._MOST_LINES + 1))
    long = ((b"a" * (selection._LONGEST_NAME + 1), b""),)
    for lines in (many, long):
        for _ in range(2):
            assert picked.of(lines) == list(lines)
    assert len(asked) == 2 * (len(many) + 1)


def test_what_is_forgotten_is_asked_for_again() -> None:
    """What is wanted may have changed."""
    wanted = {b"a"}
    picked = Selection(lambda name: name in wanted)
    assert picked.of(((b"a", b""), (b"b", b""))) == [(b"a", b"")]
    wanted.add(b"b")
    picked.forget()
    assert picked.of(((b"a", b""), (b"b", b""))) == [(b"a", b""), (b"b", b"")]
