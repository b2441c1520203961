"""`hopguard scan`, as people and scripts use it."""

import gzip
import io
import json
import sys
from pathlib import Path

import junitparser
import pytest
import zstandard
from mitmproxy import http

from hopguard.cli import main
from tests.captures.flows import saved
from tests.scanning.captures import flow, write

RULES = {"close-with-keep-alive", "response-missing-close-echo"}


def run(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> tuple[int, str, list[str]]:
    """Run the program; return its exit status, its output, and the lines of its complaints."""
    status = main(["scan", *map(str, argv)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err.splitlines()


def paths_found(out: str) -> list[str]:
    """Read JSON Lines; return the path of each exchange once."""
    urls = [json.loads(line)["url"] for line in out.splitlines()]
    return list(dict.fromkeys(url.rpartition("/")[2] for url in urls))


def test_text_is_the_default(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It says how much was checked, and which rules could not be."""
    status, out, said = run(capsys, write(tmp_path / "a.flows", 1, 2))
    assert (status, said) == (0, [])
    assert out.startswith("4 findings by 2 rules: 4 warnings\n")
    assert "Note: 2 exchanges checked" in out
    assert "not run because of it: data-before-protocol-switch" in " ".join(out.split())


def test_folders_patterns_and_compressed_files(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """In an order that is always the same; what is in a folder need not be a capture."""
    octets = saved([flow(3)])
    write(tmp_path / "in" / "b" / "late.flows", 2)
    write(tmp_path / "in" / "a.flows", 1)
    (tmp_path / "in" / "c.flows.gz").write_bytes(gzip.compress(octets) + gzip.compress(octets))
    (tmp_path / "in" / "d.zst").write_bytes(zstandard.compress(saved([flow(4)])))
    (tmp_path / "in" / "notes.txt").write_text("no capture")
    (tmp_path / "in" / ".hidden").write_bytes(octets)
    write(tmp_path / "out" / "x.flows", 5)
    write(tmp_path / "out" / "deep" / "y.flows", 6)
    status, out, said = run(
        capsys, tmp_path / "in", f"{tmp_path}/o*", f"{tmp_path}/out/**/y*", "--format", "jsonl"
    )
    assert status == 0
    assert paths_found(out) == ["1", "2", "3", "4", "6", "5"]
    assert "hopguard: 1 file in folders left out: no captures" in said


def test_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also compressed, whatever its name."""
    octets = gzip.compress(saved([flow(1)]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(octets)))
    status, out, _ = run(capsys, "-", "--format", "jsonl")
    assert (status, paths_found(out)) == (0, ["1"])


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ("", 0),
        ("--fail-on info", 1),
        ("--fail-on warning", 1),
        ("--fail-on error", 0),
        ("--fail-on never", 0),
        ("--rule te-in-response --fail-on info", 0),
        ("--workers 0", 2),
        ("--workers x", 2),
        ("--format xml", 2),
        ("--profile nonsense", 2),
        ("--rule nonsense", 2),
        ("--format parquet", 2),
        ("--fail-on bad", 2),
    ],
)
def test_exit_status(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: str, status: int
) -> None:
    """As the help says."""
    found, _, said = run(capsys, write(tmp_path / "a.flows", 1), *options.split())
    assert found == status
    assert bool(said) == (status == 2)


def test_profiles(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Others than those that are on by default."""
    path = write(tmp_path / "a.flows", 1)
    _, out, _ = run(capsys, path, "--format", "jsonl", "--profile", "rfc6455")
    assert out == ""
    _, out, _ = run(
        capsys, path, "--format", "jsonl", "--profile", "rfc6455", "--profile", "default"
    )
    assert {json.loads(line)["rule"] for line in out.splitlines()} == RULES


@pytest.mark.parametrize(
    ("name", "octets", "reason"),
    [
        ("empty", b"", "it is empty"),
        ("text", b"no capture", "it is none of flow file"),
        ("cut.gz", gzip.compress(saved([flow(7)]))[:-9], "the gzip file ends too early"),
        ("bad.gz", gzip.compress(saved([flow(7)]))[:-8] + bytes(8), "the gzip file is damaged"),
        ("cut.zst", zstandard.compress(saved([flow(7)]))[:-9], "the zstd file ends too early"),
        ("bad.zst", zstandard.compress(b"x")[:6] + b"\xff" * 50, "the zstd file is damaged"),
        ("cut.flows", saved([flow(7)])[:-1], "the file ends within the flow that begins here"),
    ],
)
def test_what_cannot_be_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, octets: bytes, reason: str
) -> None:
    """It is named, the others are scanned, and the status says that something is missing."""
    bad = tmp_path / name
    bad.write_bytes(octets)
    status, out, said = run(
        capsys, bad, write(tmp_path / "good", 1), "--format", "jsonl", "--fail-on", "info"
    )
    assert status == 3
    assert paths_found(out)[-1] == "1"
    assert said[0].startswith(f"hopguard: cannot read {bad}")
    assert reason in said[0]


def test_what_is_good_in_a_cut_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It is reported, also where all of it is read at one go."""
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(saved([flow(1)])) + gzip.compress(saved([flow(2)]))[:200])
    status, out, said = run(capsys, path, "--format", "jsonl")
    assert (status, paths_found(out)) == (3, ["1"])
    assert "the gzip file ends too early" in said[0]


def test_what_does_not_exist(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file, a pattern, a folder that may not be read."""
    status, _, said = run(capsys, tmp_path / "missing", f"{tmp_path}/*.flows")
    assert status == 3
    assert said == [
        f"hopguard: cannot read {tmp_path}/missing: No such file or directory",
        f"hopguard: cannot read {tmp_path}/*.flows: nothing matches",
    ]


def test_nothing_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """That is no success."""
    (tmp_path / "notes.txt").write_text("no capture")
    status, _, said = run(capsys, tmp_path)
    assert status == 3
    assert said == [
        "hopguard: nothing was checked: there is no HTTP exchange in what was read",
    ]


def test_many_errors_of_one_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The first few are told, the others counted."""
    path = tmp_path / "x.flows"
    path.write_bytes(saved([flow(1)]) + b"4:1:a,}" * 30)
    status, out, said = run(capsys, path, "--format", "jsonl")
    assert (status, paths_found(out)) == (3, ["1"])
    assert len([line for line in said if "cannot read" in line]) == 10
    assert "hopguard: ... and 20 errors more in it" in said


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["/close-with-keep-alive/off"], {"response-missing-close-echo"}),
        (["/close-with-keep-alive/block"], RULES),
        (["/all/off", "/persistence/flag"], {"response-missing-close-echo"}),
        (["/~u /1$/all/off"], RULES),
        (["|~u /2$|close-with-keep-alive|off"], {"response-missing-close-echo"}),
    ],
)
def test_policy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lines: list[str], found: set[str]
) -> None:
    """What is off is left out, whatever else a line says."""
    options = [option for line in lines for option in ("--policy", line)]
    path = write(tmp_path / "a.flows", 2)
    _, out, said = run(capsys, path, "--format", "jsonl", *options)
    assert {json.loads(line)["rule"] for line in out.splitlines()} == found
    assert said[0] == "hopguard: 1 exchange checked"


@pytest.mark.parametrize("line", ["", "/nonsense/off", "/~/all/off", "/all/nonsense"])
def test_a_wrong_policy(capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str) -> None:
    """It is named, and nothing is scanned."""
    status, out, said = run(capsys, write(tmp_path / "a.flows", 1), "--policy", line)
    assert (status, out) == (2, "")
    assert said[0].startswith("hopguard: --policy: line 1")


def test_junit_says_nothing_of_what_could_not_be_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A rule that is off, or that a capture has nothing for, has not passed."""
    _, out, _ = run(capsys, write(tmp_path / "a.flows", 1), "--format", "junit")
    assert 'name="te-in-response"' in out
    assert 'name="http-after-protocol-switch"' not in out
    off = ("--policy", "/te-in-response/off")
    _, out, _ = run(capsys, tmp_path / "a.flows", "--format", "junit", *off)
    assert 'name="te-in-response"' not in out
    _, out, _ = run(capsys, tmp_path / "a.flows", "--format", "junit", "--profile", "rfc6455")
    assert 'name="te-in-response"' not in out


def test_no_capture_is_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Neither one that is named, nor one in a folder."""
    path = write(tmp_path / "a.flows", 1)
    before = path.read_bytes()
    for where in (path, tmp_path):
        status, _, said = run(capsys, where, "--output", path)
        assert status == 2
        assert said == [f"hopguard: {path} is a file that is to be read; write to another one"]
    assert path.read_bytes() == before
    report = tmp_path / "report.txt"
    for _ in range(2):
        assert run(capsys, tmp_path, "--output", report)[0] == 0


def test_baseline(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Only what is new counts."""
    path, accepted = write(tmp_path / "a.flows", 1), tmp_path / "baseline.json"
    assert run(capsys, path, "--write-baseline", accepted)[0] == 0
    assert run(capsys, path, "--baseline", accepted, "--fail-on", "info")[0] == 0


def test_interrupted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, and the status that shells know."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hopguard.scanning.workers.scan", interrupt)
    status, _, said = run(capsys, write(tmp_path / "a.flows", 1))
    assert (status, said) == (130, ["hopguard: interrupted"])


def promising(number: int, timeout: int) -> http.HTTPFlow:
    """Make a clean flow whose server announces how long it keeps idle connections."""
    made = flow(number, bad=False)
    assert made.response is not None
    made.server_conn.timestamp_start = made.server_conn.timestamp_tcp_setup = 946681202
    made.response.headers["Connection"] = "keep-alive"
    made.response.headers["Keep-Alive"] = f"timeout={timeout}"
    return made


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], []),
        (["--idle-timeout", "60"], ["1", "3"]),
        (["--idle-timeout=8.5 s"], ["1"]),
        (["--idle-timeout=60", "--policy", "/keep-alive-shorter-than-peer-idle/off"], []),
    ],
)
def test_what_is_in_front_of_the_servers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], found: list[str]
) -> None:
    """A server that announces no more than that is named; a report says what could not be known."""
    path = tmp_path / "x.flows"
    path.write_bytes(saved([promising(1, 5), promising(2, 5), promising(3, 9), promising(4, 65)]))
    status, out, said = run(capsys, path, *arguments, "--format", "jsonl")
    assert status == 0
    assert paths_found(out) == found
    names = {json.loads(line)["rule"] for line in out.splitlines()}
    assert names <= {"keep-alive-shorter-than-peer-idle"}
    notes = " ".join(said)
    told = "--idle-timeout" in notes
    assert told == (not arguments)
    assert "who ended a connection is not told" in notes


def test_what_could_have_been_found(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A rule that finds nothing because nobody has said what it needs has not been checked."""
    path = tmp_path / "x.flows"
    path.write_bytes(saved([promising(1, 65)]))
    passed = []
    for arguments in ([], ["--idle-timeout", "60"]):
        _, out, _ = run(capsys, path, *arguments, "--format", "junit")
        (suite,) = junitparser.JUnitXml.fromstring(out.encode())
        passed.append("keep-alive-shorter-than-peer-idle" in [case.name for case in suite])
    assert passed == [False, True]


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "1e9", ""])
def test_no_number_of_seconds(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wrong: str
) -> None:
    """Wrong usage is named."""
    status, _, said = run(capsys, tmp_path, f"--idle-timeout={wrong}")
    assert status == 2
    assert f"{wrong!r} is not a number of seconds, such as '60'" in said[-1]
