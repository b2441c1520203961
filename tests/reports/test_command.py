"""`hopguard report`, as people and scripts use it."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from hopguard.cli import main
from hopguard.extras import MissingExtraError
from hopguard.record import Record
from hopguard.reports import baseline, html, sifting
from tests.reports.making import make, write_log

INFO = make(rule="te-in-response", severity="info", url="https://b.example/")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give a log with an error and an info."""
    return write_log(tmp_path / "v.jsonl", make(), INFO)


def run(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> tuple[int, str, list[str]]:
    """Run the program; return its exit status, its output, and the lines of its complaints."""
    status = main(["report", *map(str, argv)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err.splitlines()


def records(out: str) -> list[Record]:
    """Read the records of a report in JSON Lines."""
    return [json.loads(line) for line in out.splitlines()]


def test_text_is_the_default(capsys: pytest.CaptureFixture[str], log: Path) -> None:
    """And no finding is a failure."""
    status, out, said = run(capsys, log)
    assert (status, said) == (0, [])
    assert out.startswith("2 findings by 2 rules: 1 error, 1 info\n")


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        ("--rule te-in-response", [INFO]),
        ("--rule te-in-response --rule http2-and-http3", [make(), INFO]),
        ("--severity warning", [make()]),
        ("--host B.example --host c.example", [INFO]),
        ("--since 2026-05-31T13:00:00+02:00 --until 2026-06-01", [make(), INFO]),
        ("--since 2026-06-01", []),
        ("--until 99999d", []),
    ],
)
def test_filters(
    capsys: pytest.CaptureFixture[str], log: Path, argv: str, found: list[Record]
) -> None:
    """All of them must admit a finding; options that list add to each other."""
    status, out, said = run(capsys, "--format", "jsonl", *argv.split(), log)
    assert (status, records(out), said) == (0, found, [])


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        ("--fail-on never", 0),
        ("--fail-on info", 1),
        ("--fail-on error", 1),
        ("--fail-on error --rule te-in-response", 0),
        ("--fail-on warning --severity error --host b.example", 0),
    ],
)
def test_exit_status(capsys: pytest.CaptureFixture[str], log: Path, argv: str, status: int) -> None:
    """What is selected counts."""
    assert run(capsys, *argv.split(), log)[0] == status


def test_an_empty_log_is_good(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing was found."""
    empty = write_log(tmp_path / "empty")
    assert run(capsys, "--fail-on", "info", empty) == (0, "Nothing was found.\n", [])


def test_output_to_a_file(capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path) -> None:
    """What is in it is said."""
    path = tmp_path / "report.csv"
    status, out, said = run(capsys, "--format", "csv", "--output", path, log)
    assert (status, out) == (0, "")
    assert said == [f"hopguard: 2 findings (1 error, 1 info); the report is in {path}"]
    assert len(path.read_bytes().split(b"\n")) == 4
    empty = write_log(tmp_path / "empty")
    assert run(capsys, "--output", path, empty)[2][0].startswith("hopguard: 0 findings; the rep")


def test_bad_lines_are_named_and_counted(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    """The first few by their number."""
    broken = tmp_path / "broken"
    broken.write_text("no\n" * 12)
    status, out, said = run(capsys, "--format", "jsonl", log, broken)
    assert (status, records(out)) == (0, [make(), INFO])
    assert said == [
        *[f"hopguard: {broken}, line {n}: it is not JSON; left out" for n in range(1, 11)],
        "hopguard: 12 lines of the input are not as hopguard would write it",
    ]
    broken.write_text("no\n")
    status, out, said = run(capsys, log, broken)
    assert len(said) == 1
    assert out.endswith("Note: 1 line of the input is not as hopguard would write it\n")


def test_logs_that_cannot_be_read(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    """The others are reported; the status is not that of findings."""
    none = tmp_path / "none"
    reason = f"cannot read {none}: No such file or directory"
    status, out, said = run(capsys, "--format", "jsonl", "--fail-on", "info", none, log)
    assert (status, records(out), said) == (3, [make(), INFO], [f"hopguard: {reason}"])
    assert f"Note: {reason}" in run(capsys, none, log)[1].replace("\n", " ")


def test_a_file_of_another_kind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing was found in it, but nothing was checked either."""
    other = tmp_path / "other"
    other.write_text("GET / HTTP/1.1\n")
    assert run(capsys, other)[0] == 3


def test_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a pipe."""
    octets = json.dumps(make()).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(octets)))
    assert records(run(capsys, "--format", "jsonl", "-")[1]) == [make()]


def test_a_baseline(capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path) -> None:
    """Only what is new is reported and counts."""
    accepted = tmp_path / "baseline.json"
    status, out, said = run(capsys, "--write-baseline", accepted, "--fail-on", "error", log)
    assert (status, said) == (1, [f"hopguard: 2 different findings accepted in {accepted}"])
    assert out.startswith("2 findings")
    new = make(field="upgrade")
    write_log(log, make(), make(time=None), new)
    status, out, said = run(
        capsys, "--baseline", accepted, "--format", "jsonl", "--fail-on", "error", log
    )
    assert (status, records(out)) == (1, [new])
    assert said == [
        "hopguard: 2 findings accepted by the baseline",
        "hopguard: 1 entry of the baseline did not occur: te-in-response connection from the"
        " server at b.example/",
    ]


def test_all_is_accepted(capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path) -> None:
    """With a filter, entries that are not selected are no entries that did not occur."""
    path = tmp_path / "baseline.json"
    run(capsys, "--write-baseline", path, log)
    status, out, _ = run(
        capsys,
        "--baseline",
        path,
        "--write-baseline",
        path,
        "--fail-on",
        "info",
        "--severity",
        "error",
        log,
    )
    assert status == 0
    assert out == "Nothing was found.\n\nNote: 1 finding accepted by the baseline\n"
    assert len(json.loads(path.read_text())["accepted"]) == 1


def test_entries_that_did_not_occur(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few are named."""
    monkeypatch.setattr(sifting, "MOST_GONE", 2)
    gone = [make(rule=rule, variant="v", sender=None, field=None) for rule in "abc"]
    path = tmp_path / "baseline.json"
    run(capsys, "--write-baseline", path, write_log(tmp_path / "old", *gone))
    said = run(capsys, "--baseline", path, write_log(tmp_path / "new"))[1]
    assert " ".join(said.split()).endswith(
        "3 entries of the baseline did not occur: a/v at www.example/events; b/v at"
        " www.example/events; and 1 more"
    )


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("", "the following arguments are required: LOG"),
        ("--format pdf LOG", "invalid choice: 'pdf'"),
        ("--rule te-in-respons LOG", "did you mean 'te-in-response'?"),
        ("--since now LOG", "argument --since: 'now' is no time; write a time such as"),
        ("--baseline none LOG", "cannot read the baseline none: No such file"),
        ("--output LOG LOG", "is a file that is to be read; write to another one"),
        ("--write-baseline LOG - LOG", "is a file that is to be read; write to another one"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], log: Path, argv: str, said: str) -> None:
    """One line, status 2; the log is as it was."""
    before = log.read_text()
    words = [str(log) if word == "LOG" else word for word in argv.split()]
    status, out, (line,) = run(capsys, *words)
    assert (status, out) == (2, "")
    assert line.startswith("hopguard: ")
    assert said in line
    assert log.read_text() == before


def test_a_baseline_of_everything(
    capsys: pytest.CaptureFixture[str], log: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is refused when it is too large."""
    monkeypatch.setattr(baseline, "MOST_ENTRIES", 1)
    status, _, (line,) = run(capsys, "--write-baseline", tmp_path / "b", log)
    assert (status, line[:34]) == (2, "hopguard: a baseline cannot hold m")


def test_files_that_cannot_be_written(
    capsys: pytest.CaptureFixture[str], log: Path, tmp_path: Path
) -> None:
    """One line, status 3."""
    for option in "--output", "--write-baseline":
        status, _, (line,) = run(capsys, option, tmp_path / "none" / "x", log)
        assert status == 3
        assert line == (
            f"hopguard: cannot write {tmp_path / 'none' / 'x'}: No such file or directory"
        )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk(capsys: pytest.CaptureFixture[str], log: Path) -> None:
    """One line, status 3."""
    status, _, (line,) = run(capsys, "--output", "/dev/full", log)
    assert (status, line) == (
        3,
        "hopguard: cannot write the report: No space left on device",
    )


def test_a_missing_extra(
    capsys: pytest.CaptureFixture[str], log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says what to install."""

    def missing(*_: object, **__: object) -> None:
        raise MissingExtraError("the HTML report", "report")

    monkeypatch.setattr(html, "write_html", missing)
    status, _, (line,) = run(capsys, "--format", "html", log)
    assert (status, line) == (
        2,
        "hopguard: the HTML report needs the extra 'report': pip install 'hopguard[report]'",
    )


def test_a_reader_that_stops(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no error, as in `hopguard report LOG | head`."""
    write_log(log, *[make()] * 999)
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["report", "--format", "jsonl", str(log)]) == 0


def test_junit(capsys: pytest.CaptureFixture[str], log: Path) -> None:
    """A log does not say which rules were on: all that can be have passed, or not."""
    status, out, _ = run(capsys, log, "--format", "junit")
    assert status == 0
    assert 'name="te-value-invalid"' in out
