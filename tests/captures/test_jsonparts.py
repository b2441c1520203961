"""JSON documents, taken apart while they are read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.captures import jsonparts
from hopguard.captures.buffered import Buffered, EndsTooEarlyError
from hopguard.captures.jsonparts import JsonError, JsonReader, PartError
from tests.captures.archives import Pieces

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\{}[],:\n'), max_size=9
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(TEXTS, values, max_size=3),
    max_leaves=12,
)


@pytest.fixture(autouse=True, scope="module")
def _small() -> Iterator[None]:
    """What is long elsewhere is short here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonparts, "_GROWTH", 7)
        patch.setattr(jsonparts, "_LONGEST_STRING", 200)
        yield


def reader_of(octets: bytes, most: int = 1 << 30) -> JsonReader:
    return JsonReader(Buffered(Pieces(octets, most)))


@settings(deadline=None)
@given(st.lists(VALUES), st.integers(1, 40), st.sampled_from([None, 0, 3]))
def test_elements_are_what_was_written(values: list[Any], most: int, indent: int | None) -> None:
    octets = json.dumps(values, indent=indent, ensure_ascii=most % 2 == 0).encode()
    reader = reader_of(octets, most)
    parts = [reader.part() for _ in reader.elements()]
    assert [part.value() for part in parts] == values
    assert all(octets.startswith(part.octets, part.offset) for part in parts)
    assert reader.next() == b""


@settings(deadline=None)
@given(st.dictionaries(st.text("ab1 ", max_size=9), VALUES), st.integers(1, 40))
def test_members_are_what_was_written(values: dict[str, Any], most: int) -> None:
    octets = json.dumps(values).encode()
    reader = reader_of(octets, most)
    assert {name: reader.part().value() for name in reader.members()} == values
    reader = reader_of(octets, most)
    for _ in reader.members():
        reader.skip()
    assert reader.next() == b""


@settings(deadline=None)
@given(VALUES, st.integers(1, 40), st.data())
def test_a_cut_document_ends_too_early(value: Any, most: int, data: st.DataObject) -> None:
    octets = json.dumps([value]).encode()
    cut = octets[: data.draw(st.integers(0, len(octets) - 1))]
    reader = reader_of(cut, most)
    with pytest.raises((EndsTooEarlyError, JsonError)):
        _ = [reader.part() for _ in reader.elements()]


@settings(deadline=None)
@given(st.binary() | st.text('{}[]",:\\ \n019tfn').map(str.encode), st.integers(1, 9))
def test_anything_else_is_no_json(octets: bytes, most: int) -> None:
    reader = reader_of(octets, most)
    try:
        for _ in reader.members():
            reader.part().value()
    except (EndsTooEarlyError, JsonError, PartError):
        pass
    else:
        assert isinstance(json.loads(octets[: reader.offset], strict=False), dict)


@pytest.mark.parametrize("most", [1, 5, 64, 10_000])
def test_a_long_string_becomes_null(most: int) -> None:
    text = 'a\\"' * 400
    octets = json.dumps([{"a": text, "b": 1, "c": text}, 2]).encode()
    reader = reader_of(octets, most)
    first, second = [reader.part() for _ in reader.elements()]
    assert first.value() in ({"a": None, "b": 1, "c": None}, {"a": text, "b": 1, "c": text})
    assert most > 1000 or first.value()["a"] is None
    assert second.value() == 2
    with pytest.raises(EndsTooEarlyError):
        reader_of(octets[:900], most).skip()


def test_a_part_that_is_too_large_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonparts, "MOST_OCTETS", 20)
    reader = reader_of(b"[[1, 2, 3, [4], 5, 6, 7], 8]")
    elements = reader.elements()
    next(elements)
    with pytest.raises(PartError, match="too large"):
        reader.part()
    next(elements)
    assert reader.part().value() == 8


def test_a_part_that_is_too_deep_is_passed() -> None:
    reader = reader_of(b"[" * 200 + b"]" * 200)
    with pytest.raises(PartError, match="nested too deeply"):
        reader.part()
    assert reader.next() == b""


@pytest.mark.parametrize("octets", [b"]", b"?", b"1" * 2000])
def test_there_may_be_no_value(octets: bytes) -> None:
    with pytest.raises(JsonError, match="there is no value"):
        reader_of(octets).part()


@pytest.mark.parametrize("octets", [b'{"a" 1}', b"{1: 2}", b'{"a": 1 "b": 2}', b"[1]", b'{"a": }'])
def test_what_is_no_object(octets: bytes) -> None:
    reader = reader_of(octets)
    with pytest.raises(JsonError):
        _ = [reader.part() for _ in reader.members()]


@pytest.mark.parametrize("octets", [b"{a: 1}", b"[01]", b'{"a":}', b"[1 2]", b"{]"])
def test_a_part_that_is_no_json(octets: bytes) -> None:
    with pytest.raises(PartError, match="no JSON"):
        reader_of(octets).part().value()


def test_octets_that_are_no_utf8_are_kept() -> None:
    assert reader_of(b'"\xe9\n"').part().value() == "\udce9\n"
