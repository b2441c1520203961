"""Findings as Parquet files, for what reads columns: a folder for each severity."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from hopguard.extras import MissingExtraError
from hopguard.record import Record
from hopguard.reports.making import WrongUsageError
from hopguard.reports.reading import KEYS, SEVERITIES

ROWS, ROWS_OF_FILE = 10_000, 1_000_000
"""Records that are written at once, and records of a file."""

PARTITION = "severity"
"""The key whose value is the name of the folder, and not in the files: `severity=error`."""


class ParquetReport:
    """Writes records to files below a folder, some thousand at a time."""

    def __init__(self, folder: Path) -> None:
        """Write below `folder`.

        Raises:
            MissingExtraError: what writes them is not installed.
        """
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise MissingExtraError("--format parquet", "scale") from None
        self._arrow, self._parquet, self._folder = pyarrow, parquet, folder
        self._schema = _schema(pyarrow)
        self._rows: dict[str, list[Record]] = {severity: [] for severity in SEVERITIES}
        self._written = dict.fromkeys(SEVERITIES, 0)
        self._files: dict[str, Any] = {}

    def add(self, record: Record) -> None:
        """Take a record."""
        severity = record[PARTITION]
        self._rows[severity].append(record)
        if len(self._rows[severity]) >= ROWS:
            self._write(severity)

    def finish(self, notes: Sequence[str]) -> Sequence[str]:
        """Write what is left to write; return the notes: there is no place for them."""
        for severity, rows in self._rows.items():
            if rows or not self._written[severity]:  # an empty file says what it would hold
                self._write(severity)
        self.close()
        return notes

    def _write(self, severity: str) -> None:
        number, behind = divmod(self._written[severity], ROWS_OF_FILE)
        if not behind:
            folder = self._folder / f"{PARTITION}={severity}"
            folder.mkdir(parents=True, exist_ok=True)
            self._close(severity)
            path = folder / f"part-{number:05d}.parquet"
            self._files[severity] = self._parquet.ParquetWriter(path, self._schema)
        rows = self._rows[severity]
        timed = [{**row, "time": _moment(row["time"])} for row in rows]
        table = self._arrow.Table.from_pylist(timed, schema=self._schema)
        self._files[severity].write_table(table)
        self._written[severity] += len(rows)
        rows.clear()

    def _close(self, severity: str) -> None:
        file = self._files.pop(severity, None)
        if file is not None:
            file.close()

    def close(self) -> None:
        """Close all files."""
        for severity in SEVERITIES:
            self._close(severity)


def _moment(time: str | None) -> datetime | None:
    return datetime.fromisoformat(time) if time is not None else None


def _schema(arrow: Any) -> Any:
    text, requirement = arrow.string(), [("rfc", arrow.int32())]
    requirement += [(name, arrow.string()) for name in ("section", "keyword", "url")]
    types = {
        "requirement": arrow.struct(requirement),
        "edits": arrow.list_(text),
        "line": arrow.int64(),
        "status": arrow.int64(),
        "time": arrow.timestamp("us", "UTC"),
    }
    return arrow.schema([(key, types.get(key, text)) for key in KEYS if key != PARTITION])


@contextmanager
def open_parquet(folder: Path) -> Iterator[ParquetReport]:
    """Begin a report in `folder`, which must be new or empty.

    Raises:
        WrongUsageError: there is something in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongUsageError(f"{folder} is not an empty folder; name another one")
    report = ParquetReport(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield report
    finally:
        report.close()
