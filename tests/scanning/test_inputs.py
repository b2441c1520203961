"""Which captures are meant."""

import os
from pathlib import Path

import pytest

from hopguard.scanning.inputs import Input, find_inputs


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Depth first, in the order of names; links to nowhere and pipes are left out."""
    (tmp_path / "b").mkdir()
    for name in ("c", "a", "b/d"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    found = list(find_inputs([str(tmp_path)]))
    assert [one.path[len(str(tmp_path)) :] for one in found] == ["/a", "/b/d", "/c"]
    assert {(one.named, one.size) for one in found} == {(False, 1)}


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named; the others are listed."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(b"x")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = list(find_inputs([str(tmp_path)]))
    assert found == [
        Input(f"{tmp_path}/a", error="Permission denied"),
        Input(f"{tmp_path}/b/x", named=False, size=1),
    ]


def test_urls(tmp_path: Path) -> None:
    """A file, a folder, a pattern, nothing."""
    pytest.importorskip("fsspec", reason="needs the extra 'scale'")
    (tmp_path / "in").mkdir()
    for name in ("in/b", "in/a", "c"):
        (tmp_path / name).write_bytes(b"xy")
    url = f"file://{tmp_path}"
    assert list(find_inputs([f"{url}/c"])) == [Input(f"{url}/c", size=2)]
    expected = [Input(f"{url}/in/{name}", named=False, size=2) for name in "ab"]
    assert list(find_inputs([f"{url}/in"])) == expected
    assert list(find_inputs([f"{url}/i*"])) == expected
    assert list(find_inputs([f"{url}/x*"])) == [Input(f"{url}/x*", error="there are no files")]
    assert list(find_inputs([f"{url}/in/*"])) == expected
    (missing,) = find_inputs([f"{url}/missing"])
    assert missing.error


def test_patterns(tmp_path: Path) -> None:
    """With ** the folders that match are passed over, since their files match as well."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").write_bytes(b"x")
    for pattern in ("**", "i*", "in/*"):
        found = list(find_inputs([f"{tmp_path}/{pattern}"]))
        assert [one.path for one in found] == [f"{tmp_path}/in/x"]
