"""Whatever stands in a HAR or WARC file: what cannot be read is a CaptureError, at little cost."""

import contextlib
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hopguard.captures import jsonparts
from hopguard.captures.capture import CaptureError, Reader
from hopguard.captures.har import HarReader
from hopguard.captures.warc import WarcReader
from tests.captures.archives import entry, found_in, har, read, record, software

JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["HTTP/1.1", "h2", "GET", "http://a/", "Connection", "close", "\ud800"]),
    lambda junk: (
        st.lists(junk, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "value", "send", "a"]), junk, max_size=3)
    ),
    max_leaves=5,
)
HEADERS = st.lists(st.fixed_dictionaries({"name": JUNK, "value": JUNK}), max_size=2)


def like(template: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Make objects like `template`, in which a few members have become something else."""
    return st.fixed_dictionaries(
        {},
        optional={
            name: st.just(value)
            | JUNK
            | (like(value) if isinstance(value, dict) else HEADERS if name == "headers" else JUNK)
            for name, value in template.items()
        },
    )


ENTRY = entry(
    ("Connection", "close, x"),
    connection="12",
    timings={"blocked": 1, "send": 2.5, "wait": -1},
    _fromCache="",
)
WHOLE_HAR = json.dumps(har(ENTRY, ENTRY, creator="WebInspector")).encode()
WHOLE_WARC = (
    software("Wget/1")
    + record("request", b"GET / HTTP/1.1\r\n\r\n", warc_record_id="1", warc_target_uri="http://a/")
    + record("response", b"HTTP/1.1 200 x\r\nA: b\r\n\r\nc", warc_concurrent_to="1")
)
FORMATS: list[tuple[type[HarReader] | type[WarcReader], bytes]] = [
    (HarReader, WHOLE_HAR),
    (WarcReader, WHOLE_WARC),
]


def survives(reader: Reader, octets: bytes, most: int = 1 << 30) -> None:
    """Read it and judge it; what cannot be read says so in one line."""
    captured, errors = read(reader, octets, most)
    found_in(captured)
    assert len(list(reader.lost)) == len(set(reader.lost))
    for error in errors:
        assert len(str(error).splitlines()) == 1
        assert error.offset is not None
        assert 0 <= error.offset <= len(octets)


@settings(deadline=None)
@given(st.lists(like(ENTRY) | JUNK, max_size=3), JUNK)
def test_any_types_in_a_har(entries: list[Any], creator: Any) -> None:
    document = har(*entries)
    document["log"]["creator"] = creator
    survives(HarReader(), json.dumps(document).encode())


@settings(deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_changed_files(
    kind: tuple[type[HarReader] | type[WarcReader], bytes], data: st.DataObject
) -> None:
    reader, octets = kind
    start = data.draw(st.integers(0, len(octets)))
    stop = data.draw(st.integers(start, min(len(octets), start + 40)) | st.just(len(octets)))
    new = data.draw(
        st.binary(max_size=9) | st.sampled_from([b"\r\n", b"\n\n", b"WARC/", b'"', b"{"])
    )
    survives(reader(), octets[:start] + new + octets[stop:], data.draw(st.integers(1, 5000)))


@settings(deadline=None)
@given(st.sampled_from([HarReader, WarcReader]), st.binary())
def test_any_octets(reader: type[HarReader] | type[WarcReader], octets: bytes) -> None:
    survives(reader(), octets)
    survives(reader(), b"WARC/1.0\r\nContent-Length: 9\r\n\r\n" + octets)


class Endless:
    """A stream whose content is never in memory as a whole."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int, /) -> bytes:
        while len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        octets, self._rest = self._rest[:size], self._rest[size:]
        return octets


def many(first: bytes, piece: bytes, last: bytes, times: int) -> Iterator[bytes]:
    yield first
    for _ in range(times):
        yield piece
    yield last


ONE = json.dumps(entry(content="a" * 30_000)).encode()
BODY = ONE[:-1] + b', "content": "'
PIECE = b"a" * 50_000


@pytest.mark.parametrize(
    ("reader", "first", "piece", "last"),
    [
        pytest.param(HarReader, b'{"log": {"entries": [' + ONE, b"," + ONE, b"]}}", id="entries"),
        pytest.param(HarReader, b'{"log": {"entries": [' + BODY, PIECE, b'"}]}}', id="a body"),
        pytest.param(
            HarReader,
            b'{"log": {"entries": [[',
            PIECE.replace(b"a", b"1,"),
            b"1]]}}",
            id="an entry",
        ),
        pytest.param(
            HarReader, b'{"log": {"pages": [', PIECE.replace(b"a", b"1,"), b"1]}}", id="pages"
        ),
        pytest.param(HarReader, b'{"log": ', PIECE, b"}", id="a word"),
        pytest.param(HarReader, b'{"log": ', PIECE.replace(b"a", b" "), b"}", id="white space"),
        pytest.param(HarReader, b'{"log": ', PIECE.replace(b"a", b"["), b"}", id="depth"),
        pytest.param(
            WarcReader,
            b"",
            record("response", b"HTTP/1.1 200 a\r\n\r\n" + PIECE),
            b"",
            id="records",
        ),
        pytest.param(
            WarcReader, b"WARC/1.0\r\nContent-Length: 999999999\r\n\r\n", PIECE, b"", id="a block"
        ),
        pytest.param(WarcReader, b"WARC/1.0\r\nA: ", PIECE, b"", id="a line"),
        pytest.param(WarcReader, b"", PIECE, b"", id="no record"),
        pytest.param(WarcReader, b"", PIECE.replace(b"a", b"\r\n"), b"", id="line ends"),
    ],
)
def test_memory_does_not_grow_with_the_file(
    monkeypatch: pytest.MonkeyPatch,
    reader: type[HarReader] | type[WarcReader],
    first: bytes,
    piece: bytes,
    last: bytes,
) -> None:
    monkeypatch.setattr(jsonparts, "MOST_OCTETS", 1 << 18)
    monkeypatch.setattr(jsonparts, "_LONGEST_STRING", 1 << 18)

    def peak(octets: int) -> int:
        stream = Endless(many(first, piece, last, octets // len(piece)))
        tracemalloc.start()
        with contextlib.suppress(CaptureError):
            for _ in reader().read(stream, "a file"):
                pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(8 << 20) < peak(2 << 20) + (2 << 20)


@pytest.mark.parametrize(
    "piece", [b"\nWARC/", b"\nWARC/1.0\n", b"WARC/\n\n", b"\nWARC/1.0\nContent-Length: 1\n\n"]
)
def test_damage_costs_time_in_proportion(piece: bytes) -> None:
    """A mark in every line of a header without an end: it is not read once for every mark."""
    reads = 0

    class Counted(Endless):
        def read(self, size: int, /) -> bytes:
            nonlocal reads
            octets = super().read(size)
            reads += len(octets)
            return octets

    stream = Counted(many(b"", piece * 1000, b"", 20))
    with contextlib.suppress(CaptureError):
        for _ in WarcReader().read(stream, "a file"):
            pass
    assert reads == len(piece) * 20_000
