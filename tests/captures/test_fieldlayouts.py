"""Header sections that resemble others are read like all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.io import tnetstring

from hopguard.captures import fieldlayouts
from hopguard.captures.fieldlayouts import FieldLayouts
from hopguard.captures.fieldlines import FieldLines
from hopguard.captures.tnetstrings import DamageError
from hopguard.message import RawFields

VALUES = st.sampled_from([b"", b"a", b"b", b"abcd", b"b,]c", b"1:x,", b"\0:]~"])
SECTIONS = st.lists(st.tuples(st.sampled_from([b"A", b"B", b"", b"C,]"]), VALUES), max_size=4)


def section_of(fields: list[tuple[bytes, bytes]]) -> bytes:
    """Write a section as mitmproxy does, with its type."""
    octets: bytes = tnetstring.dumps([list(line) for line in fields])
    return octets.partition(b":")[2]


def read(octets: bytes, layouts: FieldLayouts | None = None) -> RawFields | str:
    """Read a section, by layouts or line by line; return what is wrong with it."""
    span = 0, len(octets) - 1
    try:
        if layouts is not None:
            return layouts.read(octets, span, b"")
        return FieldLines().read(octets, span) or ()
    except DamageError as error:
        return str(error)


@given(st.lists(SECTIONS, max_size=8))
def test_any_sections(sections: list[list[tuple[bytes, bytes]]]) -> None:
    """Each is what was written."""
    layouts = FieldLayouts(FieldLines())
    for fields in sections * 2:
        assert read(section_of(fields), layouts) == tuple(fields)


@given(st.data())
def test_damaged_sections(data: st.DataObject) -> None:
    """Each is read as if no other had been."""
    fields = [(b"A", b"abcd"), (b"B", b"x"), (b"C", b"b,]c")]
    layouts = FieldLayouts(FieldLines())
    for _ in range(6):
        name, _ = fields[at := data.draw(st.integers(0, 2))]
        fields[at] = name, data.draw(st.binary(min_size=len(fields[at][1]), max_size=4))
        octets = section_of(fields)
        place = data.draw(st.integers(0, len(octets) - 2))
        damaged = octets[:place] + data.draw(st.binary(max_size=2)) + octets[place + 1 :]
        for each in (octets, damaged, octets):
            assert read(each, layouts) == read(each)


def test_a_section_that_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two that differ in a value, it is not read line by line any more."""
    layouts = FieldLayouts(FieldLines())
    for value in (b"abcd", b"efgh"):
        assert read(section_of([(b"A", value), (b"B", b"x")]), layouts)
    monkeypatch.setattr(FieldLines, "read", lambda *_: pytest.fail("it is not recognised"))
    for value in (b"1,]2", b"    "):
        fields = [(b"A", value), (b"B", b"x")]
        assert read(section_of(fields), layouts) == tuple(fields)


def test_lengths_that_are_written_in_another_way() -> None:
    """A zero in front is no reason to read another value."""
    layouts = FieldLayouts(FieldLines())
    for value in (b"abcd", b"efgh", b"ijkl"):
        octets = b"12:1:A,04:" + value + b",]8:1:B,1:x,]]"
        assert read(octets, layouts) == ((b"A", value), (b"B", b"x"))


def test_null() -> None:
    """That is no section."""
    with pytest.raises(DamageError, match="no header section"):
        FieldLayouts(FieldLines()).read(b"~", (0, 0), b"")


@pytest.mark.parametrize(("name", "value"), [("_LAYOUTS_KEPT", 2), ("_CREDIT", 4)])
def test_memory_and_time(monkeypatch: pytest.MonkeyPatch, name: str, value: int) -> None:
    """Both are bounded: not every section is remembered."""
    monkeypatch.setattr(fieldlayouts, name, value)
    layouts = FieldLayouts(FieldLines())
    for size in [*range(20), *range(20)]:
        fields = [(b"A", b"x" * size), (b"B", b"%d" % size)]
        assert read(section_of(fields), layouts) == tuple(fields)
