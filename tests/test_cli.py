"""The command line, as people and scripts use it."""

import doctest
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import hopguard
from hopguard import catalogue
from hopguard.cli import main
from hopguard.rule import OPTIONAL_PROFILES
from hopguard.rules import load_rules

RULES = load_rules()
ADDON = Path(hopguard.__file__).resolve().parents[1]


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    """Run the program; return its exit status, its output, and its complaints."""
    status = main(argv)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_rules(capsys: pytest.CaptureFixture[str]) -> None:
    """Every rule is listed, also those that are off by default."""
    status, out, err = run(capsys, "rules")
    assert (status, err) == (0, "")
    listed = re.findall(r"^(?:error  |warning|info   )  (\S+)$", out, re.MULTILINE)
    assert listed == [rule.id for rule in RULES]


def test_rules_of_profiles(capsys: pytest.CaptureFixture[str]) -> None:
    """Several profiles at once or one by one; `default` is what is on anyway."""
    optional = frozenset(OPTIONAL_PROFILES)
    ids = {
        choice: {rule["id"] for rule in json.loads(run(capsys, "rules", *choice.split())[1])}
        for choice in (
            "--format json",
            "--format json --profile default",
            "--format json --profile noise rfc7231",
            "--format json --profile noise --profile rfc7231",
        )
    }
    everything, default, both, one_by_one = ids.values()
    assert everything == {rule.id for rule in RULES}
    assert default == {rule.id for rule in RULES if rule.profiles - optional}
    assert both == one_by_one
    assert both == {rule.id for rule in RULES if rule.profiles & {"noise", "rfc7231"}}


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    """Several rules, in the order in which they are asked for."""
    first, second = RULES[1], RULES[0]
    status, out, err = run(capsys, "explain", first.id, second.id)
    assert (status, err) == (0, "")
    assert out.startswith(f"{first.id}\n=")
    assert f"\n\n\n{second.id}\n=" in out


def test_explain_as_markdown_with_all_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left out then."""
    rule = max(RULES, key=lambda rule: len(rule.conforming))
    short = run(capsys, "explain", rule.id, "--format", "markdown")[1]
    long = run(capsys, "explain", rule.id, "--format", "markdown", "--all-examples")[1]
    assert short.startswith(f"# {rule.id}\n")
    assert short.count("### Conforming") < len(rule.conforming)
    assert long.count("### Conforming") == len(rule.conforming)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("", "hopguard: the following arguments are required: COMMAND (see hopguard --help)"),
        ("rulez", "invalid choice: 'rulez'"),
        ("rules --format yaml", "invalid choice: 'yaml'"),
        ("rules --form json", "unrecognized arguments: --form json"),
        ("rules --profile noize", "there is no profile 'noize'; did you mean 'noise'?"),
        ("explain", "the following arguments are required: RULE (see hopguard explain --help)"),
        (f"explain {RULES[0].id} {RULES[1].id[:-1]}", f"did you mean {RULES[1].id!r}?"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], argv: str, said: str) -> None:
    """One line on standard error, nothing on standard output, status 2."""
    status, out, err = run(capsys, *argv.split())
    assert (status, out) == (2, "")
    assert said in err
    assert err.startswith("hopguard: ")
    assert err.count("\n") == 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """The package's own."""
    assert run(capsys, "--version") == (0, f"hopguard {hopguard.__version__}\n", "")


def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """And how to start with live traffic."""
    status, out, _ = run(capsys, "--help")
    assert status == 0
    for word in ("rules", "explain", "addon-path", "mitmdump -s"):
        assert word in out


def test_addon_path(capsys: pytest.CaptureFixture[str]) -> None:
    """What mitmproxy loads is there."""
    path = Path(run(capsys, "addon-path")[1].removesuffix("\n"))
    assert path.is_absolute()
    assert "Hopguard()" in path.read_text()


@pytest.mark.parametrize(("columns", "widest"), [("1", 40), ("60", 60), ("500", 100)])
def test_width_is_that_of_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str, widest: int
) -> None:
    """Within what can be read."""
    monkeypatch.setenv("COLUMNS", columns)
    lines = run(capsys, "explain", RULES[0].id)[1].splitlines()
    prose = lines[: next(at for at, line in enumerate(lines) if line.startswith("  Severity"))]
    assert widest - 20 < max(map(len, prose)) <= widest


def test_a_reader_that_stops_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `hopguard rules | head`."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["rules"]) == 0


def test_the_module_is_the_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its exit status."""
    monkeypatch.setattr(sys, "argv", ["__main__.py", "explain", "nothing-like-it"])
    with pytest.raises(SystemExit) as finished:
        runpy.run_module("hopguard", run_name="__main__")
    assert finished.value.code == 2
    assert "there is no rule" in capsys.readouterr().err


def test_worker_processes_do_not_run_the_program() -> None:
    """They import it under another name."""
    assert "main" in runpy.run_module("hopguard.__main__", run_name="__mp_main__")


def loaded_by(statement: str) -> set[str]:
    """Return the modules that `statement` loads into a fresh interpreter."""
    code = f"import sys; old = set(sys.modules); {statement}; print(*set(sys.modules) - old)"
    environment = {**os.environ, "PYTHONPATH": str(ADDON)}
    command = [sys.executable, "-c", code]
    return set(subprocess.check_output(command, env=environment, text=True).split())


@pytest.mark.parametrize("statement", ["import hopguard", "import hopguard.cli"])
def test_nothing_but_the_standard_library_is_loaded(statement: str) -> None:
    """The addon runs in mitmproxy's standalone binaries."""
    roots = {name.partition(".")[0] for name in loaded_by(statement)}
    roots.discard("__mp_main__")  # what multiprocessing calls the main module
    assert roots <= sys.stdlib_module_names | {"hopguard"}


def test_importing_the_package_is_light() -> None:
    """No rule is loaded before it is needed, nor what only the command line needs."""
    loaded = loaded_by("import hopguard")
    assert not {name for name in loaded if name.startswith(("hopguard.rules.", catalogue.__name__))}
    assert "argparse" not in loaded


def test_public_names_are_the_documented_ones() -> None:
    """Each is in the list of the package's docstring, and nothing else is."""
    documentation = hopguard.__doc__ or ""
    documented = re.findall(r"`(\w+)`", documentation.partition("The public names:")[2])
    assert sorted(documented) == hopguard.__all__
    for name in hopguard.__all__:
        assert hasattr(hopguard, name)


def test_the_example_of_the_package_works() -> None:
    """As it stands in the docstring."""
    results = doctest.testmod(hopguard)
    assert results.attempted > 0
    assert results.failed == 0


def test_explain_tells_what_a_policy_decides(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, if all variants fare alike."""
    lines = ("--policy", "/~d a.example/all/block", "--policy", "|connection-empty-value/lone|off")
    status, out, _ = run(capsys, "explain", "connection-empty-value", *lines, "--action", "fix")
    text = " ".join(out.split())
    assert status == 0
    assert "Action, masking block for flows that match ~d a.example, by the line" in text
    assert "fix, by hopguard_action" in text
    assert "Action, lone off, by the line |connection-empty-value/lone|off" in text
    out = run(capsys, "explain", "te-in-response", "--action", "block")[1]
    assert "Action       block, by hopguard_action" in out
    assert "Action" not in run(capsys, "explain", "te-in-response")[1]


def test_explain_with_a_wrong_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, with the part at fault."""
    status, _, err = run(capsys, "explain", "te-in-response", "--policy", "/~u (/all/off")
    assert status == 2
    assert err.startswith(
        "hopguard: --policy: line 1, '/~u (/all/off': '~u (' is not a flow filter"
    )
