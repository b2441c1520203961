"""How far a scan has come."""

import io
import sys
from pathlib import Path

import pytest

from hopguard.cli import main
from hopguard.scanning import progress
from hopguard.scanning.task import Batch
from tests.scanning.captures import write


class Terminal(io.StringIO):
    """Says that somebody looks."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Files, octets, speed, findings; standard output holds nothing of it."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    err, out = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["scan", str(write(tmp_path / "a.flows", 1, 2)), "--format", form]) == 0
    assert "1 files" in err.getvalue()
    assert "4 findings" in err.getvalue()
    assert "flows/s" in err.getvalue()
    assert "\x1b" not in out.getvalue()


def test_not_where_findings_scroll_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be mixed up."""
    err, out = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["scan", str(write(tmp_path / "a.flows", 1)), "--format", "jsonl"]) == 0
    assert "files" not in err.getvalue()


def test_without_rich(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once, and everything else goes on."""
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    batches = [Batch([], exchanges=1), Batch([])]
    assert list(progress.with_progress(batches, [])) == batches
    assert capsys.readouterr().err == (
        "hopguard: showing progress needs the extra 'scan': pip install 'hopguard[scan]'\n"
    )
