"""Opening captures: files, streams of other file systems, and what is missing for them."""

import gzip
import io
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zstandard

from hopguard.captures import opening
from hopguard.captures.decompression import CompressionError, uncompressed
from hopguard.captures.opening import Capture, is_url, open_capture, stamp_of
from hopguard.extras import MissingExtraError

fsspec: Any = pytest.importorskip("fsspec", reason="needs the extra 'scale'")


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("s3://bucket/x", True),
        ("file:///x", True),
        ("zip::file://x.zip", True),
        ("a.flows", False),
        ("/a:b/c", False),
        ("C:\\captures", False),
        ("-", False),
    ],
)
def test_urls(path: str, url: bool) -> None:
    """A letter before a colon is a drive."""
    assert is_url(path) == url


def test_other_file_systems() -> None:
    """Whatever fsspec knows."""
    with fsspec.open("memory://captures/x", "wb") as file:
        file.write(b"0123456789")
    with open_capture("memory://captures/x", 4) as capture:
        assert (capture.head, capture.read(3), capture.read(9)) == (b"456789", b"456", b"789")
        assert not capture.changed
        assert (capture.offset, capture.consumed, capture.compressed) == (6, 6, False)


def test_an_unknown_file_system() -> None:
    """It cannot be read."""
    with pytest.raises(OSError, match="nonsense"), open_capture("nonsense://x"):
        pass


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said."""
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match="scale"), open_capture("s3://x"):
        pass


def test_without_zstandard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said."""
    compressed = zstandard.compress(b"x")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match="scan"):
        Capture(io.BytesIO(compressed), None)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    """It has no stamp: a pipe, or what has no descriptor."""
    assert stamp_of(io.BytesIO()) is None
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert stamp_of(pipe) is None
    (tmp_path / "x").write_bytes(b"x")
    with (tmp_path / "x").open("rb") as file:
        assert opening.stamp_of(file) is not None


def test_several_frames_of_zstd() -> None:
    """They are one file, and are read in pieces."""
    content = os.urandom(5_000)
    octets = zstandard.compress(content) + zstandard.compress(b"") + zstandard.compress(b"end")
    stream = uncompressed(io.BytesIO(octets), octets[:9])
    pieces = iter(lambda: stream.read(700), b"")
    assert b"".join(pieces) == content + b"end"


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("size", [7, 5_000, 1 << 20])
def test_what_is_before_the_damage(compress: Callable[[bytes], bytes], size: int) -> None:
    """It is good, and is read first, however much is asked for at a time."""
    good, rest = os.urandom(3_000), os.urandom(300_000)
    for octets in (compress(good) + compress(rest)[:-9], compress(good) + compress(rest)[:1] * 9):
        stream = uncompressed(io.BytesIO(octets), octets)
        pieces: list[bytes] = []
        with pytest.raises(CompressionError):
            pieces.extend(iter(partial(stream.read, size), b""))
        found = b"".join(pieces)
        assert len(found) >= len(good)
        assert (good + rest).startswith(found)
        with pytest.raises(CompressionError):
            stream.read(size)
