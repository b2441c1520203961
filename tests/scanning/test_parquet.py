"""Findings as Parquet files."""

import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hopguard.cli import main
from hopguard.extras import MissingExtraError
from hopguard.reports.reading import KEYS
from hopguard.scanning import parquet
from hopguard.scanning.parquet import open_parquet
from tests.reports.making import make
from tests.scanning.captures import write


def rows(query: str) -> list[tuple[Any, ...]]:
    """Return the result of a query."""
    found: Any = duckdb.sql(query)
    result: list[tuple[Any, ...]] = found.fetchall()
    return result


def test_scan_to_parquet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What columns are for: a query over the folder, with types."""
    captures, folder = write(tmp_path / "a.flows", 1, 2), tmp_path / "found"
    assert main(["scan", str(captures), "--format", "parquet", "--output", str(folder)]) == 0
    found = rows(
        f"select severity, rule, count(*), max(requirement.rfc), max(epoch(time))"
        f" from '{folder}/*/*.parquet' group by all order by rule"
    )
    assert found == [
        ("warning", "close-with-keep-alive", 2, 9112, 946681200),
        ("warning", "response-missing-close-echo", 2, 9112, 946681202),
    ]
    columns = {row[0] for row in rows(f"describe select * from '{folder}/*/*.parquet'")}
    assert columns == set(KEYS)
    assert main(["scan", str(captures), "--format", "parquet", "--output", str(folder)]) == 2
    assert "is not an empty folder" in capsys.readouterr().err


def test_many_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go to several files, and never all of them are in memory."""
    monkeypatch.setattr(parquet, "ROWS", 3)
    monkeypatch.setattr(parquet, "ROWS_OF_FILE", 6)
    with open_parquet(tmp_path / "found") as report:
        for number in range(14):
            report.add(make(flow=str(number), time=None))
        assert report.finish(["a note"]) == ["a note"]
    files = sorted((tmp_path / "found" / "severity=error").iterdir())
    assert [file.name for file in files] == [f"part-{number:05d}.parquet" for number in range(3)]
    found = rows(f"select flow, time from '{tmp_path}/found/severity=error/*.parquet'")
    assert [int(flow) for flow, time in found if time is None] == list(range(14))


def test_as_many_records_as_are_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left to write."""
    monkeypatch.setattr(parquet, "ROWS", 3)
    with open_parquet(tmp_path / "found") as report:
        for _ in range(3):
            report.add(make())
        report.finish([])
    assert rows(f"select count(*) from '{tmp_path}/found/*/*.parquet'") == [(3,)]


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said, and no folder is made."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="scale"), open_parquet(tmp_path / "found"):
        pass
    assert not (tmp_path / "found").exists()
