"""Logs as they may be: whole, broken, foreign, compressed, hostile."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest

from hopguard.record import Record
from hopguard.reports import reading
from hopguard.reports.reading import (
    KEYS,
    SEVERITIES,
    BadLine,
    NoRecordError,
    UnreadableLogError,
    normalise,
    read_records,
)
from tests.records import SCHEMA, faults
from tests.reports.making import HOSTILE, SAMPLE, make, write_log


def read(*paths: Path | str) -> tuple[list[Record], list[BadLine]]:
    """Read logs; return the records and the complaints."""
    complaints: list[BadLine] = []
    return list(read_records(paths, complaints.append)), complaints


def test_the_keys_are_the_documented_ones() -> None:
    """In their order; the sample for these tests has them."""
    assert not faults(SAMPLE)
    assert list(KEYS) == SCHEMA["required"]
    assert SEVERITIES == ("error", "warning", "info")


def test_whole_logs_come_back_as_they_are(tmp_path: Path) -> None:
    """In the order of the files, and of the lines in them."""
    records = [make(flow=str(number)) for number in range(5)]
    first = write_log(tmp_path / "1.jsonl", *records[:2])
    second = tmp_path / "2.jsonl.gz"
    second.write_bytes(gzip.compress(write_log(tmp_path / "2", *records[2:]).read_bytes()))
    assert read(first, str(second)) == (records, [])


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash stands for it; it may begin with a byte order mark and hold empty lines."""
    octets = b"\xef\xbb\xbf" + json.dumps(SAMPLE).encode() + b"\n\n  \n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(octets)))
    assert read("-") == ([SAMPLE], [])


def test_missing_keys_are_unknown_and_others_are_dropped(tmp_path: Path) -> None:
    """As an older or a newer hopguard may write them."""
    records, complaints = read(
        write_log(tmp_path / "log", {"rule": "r", "severity": "info", "new": 1})
    )
    assert complaints == []
    assert records == [dict.fromkeys(KEYS) | {"rule": "r", "severity": "info"}]
    assert list(records[0]) == list(KEYS)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"rule": "r", "sev', "it is not JSON, and the file ends within it"),
        (b"\xff\xfe\n", "it is not JSON"),
        (b"[" * 100_000 + b"\n", "it is not JSON"),
        (b'{"line": ' + b"1" * 10_000 + b"}\n", "it is not JSON"),
        (b"[1]\n", "it is JSON, but no object"),
        (b'{"schema": "eve/1", "rule": "r", "severity": "info"}\n', "it is of another program"),
        (b'{"schema": 1, "rule": "r", "severity": "info"}\n', "it is of another program"),
        (b'{"severity": "info"}\n', "it names no rule"),
        (b'{"rule": "", "severity": "info"}\n', "it names no rule"),
        (b'{"rule": "r"}\n', "it does not say how severe it is: error, warning, info"),
        (b'{"rule": "r", "severity": ["info"]}\n', "it does not say how severe it is"),
    ],
)
def test_lines_that_hold_no_record(tmp_path: Path, line: bytes, why: str) -> None:
    """Each is named with its number and the reason; those around it are read."""
    path = tmp_path / "log"
    good = json.dumps(SAMPLE).encode() + b"\n"
    path.write_bytes(good + line)
    records, (bad,) = read(path)
    assert records == [SAMPLE]
    assert (bad.path, bad.number) == (str(path), 2)
    assert why in bad.why
    assert str(bad) == f"{path}, line 2: {bad.why}"
    assert bad.why.endswith("; left out")


def test_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not held in memory, and is one line for the count."""
    monkeypatch.setattr(reading, "LINE_LIMIT", 2_000)
    path = tmp_path / "log"
    good = json.dumps(SAMPLE).encode()
    path.write_bytes(b"x" * 9_000 + b"\n" + good + b"\n" + b"y" * 5_000)
    records, complaints = read(path)
    assert records == [SAMPLE]
    assert [(bad.number, bad.why) for bad in complaints] == [
        (number, "it is longer than 2000 octets; left out") for number in (1, 3)
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("time", "yesterday"),
        ("time", 1_790_000_000),
        ("time", "2026-05-31T12:00:00"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("time", "9999-12-31T23:59:59-14:00"),
        ("url", ["https://www.example/"]),
        ("status", "200"),
        ("line", True),
        ("edits", "one"),
        ("requirement", "RFC 9110"),
    ],
)
def test_values_of_the_wrong_kind_are_unknown(tmp_path: Path, key: str, value: object) -> None:
    """The rest of the record counts."""
    records, (bad,) = read(write_log(tmp_path / "log", {**SAMPLE, key: value}))
    assert records == [{**SAMPLE, key: None}]
    assert bad.why == f"{key} is not what it should be; taken as unknown"


def test_a_newer_schema_is_used_as_far_as_possible(tmp_path: Path) -> None:
    """And that is said."""
    records, (bad,) = read(write_log(tmp_path / "log", {**SAMPLE, "schema": "hopguard/2"}))
    assert records == [{**SAMPLE, "schema": "hopguard/2"}]
    assert bad.why == "it is hopguard/2, not hopguard/1; used as far as that is known"


def test_times_are_brought_to_utc(tmp_path: Path) -> None:
    """So that they can be compared as texts."""
    records, complaints = read(
        write_log(tmp_path / "log", {**SAMPLE, "time": "2026-05-31T14:00:00+02:00"})
    )
    assert (records, complaints) == ([SAMPLE], [])


def test_texts_become_harmless() -> None:
    """Printable ASCII of limited length, also within the requirement and the edits."""
    hostile = {
        "rule": HOSTILE * 1_000,
        "severity": "info",
        "requirement": {"rfc": True, "section": HOSTILE, "keyword": 1},
        "edits": [HOSTILE, 1],
        "message": HOSTILE * 1_000,
        "url": "https://name:secret@www.example/" + HOSTILE * 1_000,
    }
    record, odd = normalise(hostile)
    assert odd == []
    assert record["requirement"]["rfc"] is record["requirement"]["keyword"] is None
    assert record["edits"][1] == ""
    assert "secret" not in record["url"]
    texts = json.dumps(list(record.values()), ensure_ascii=False)
    assert texts.isascii()
    assert texts.isprintable()
    assert len(texts) < 100_000
    assert "\\x1b[31m\\x00\\xe2\\x80\\xae\\xed\\xa0\\x80" in record["edits"][0]


def test_what_is_no_record_is_told_from_what_is() -> None:
    """Whoever has data already gets the same answer."""
    with pytest.raises(NoRecordError, match="no object"):
        normalise(None)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """They are named at the end, when everything else has been read."""
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"".join(b"%d\n" % n for n in range(9_999)))[:-100])
    corrupt = tmp_path / "corrupt.gz"
    corrupt.write_bytes(gzip.compress(b"x" * 999)[:10] + b"\xff" * 99)
    plain = tmp_path / "plain.gz"
    plain.write_bytes(b"no gzip")
    good = write_log(tmp_path / "good", SAMPLE)
    records: list[Record] = []
    with pytest.raises(UnreadableLogError) as raised:
        records.extend(
            read_records([tmp_path / "none", tmp_path, broken, corrupt, plain, good], print)
        )
    assert records == [SAMPLE]
    reasons = raised.value.reasons
    assert reasons[0] == f"cannot read {tmp_path / 'none'}: No such file or directory"
    assert reasons[1] == f"cannot read {tmp_path}: Is a directory"
    for path, reason in zip((broken, corrupt, plain), reasons[2:], strict=True):
        assert reason.startswith(f"cannot read {path}: ")
    assert str(raised.value) == "; ".join(reasons)
