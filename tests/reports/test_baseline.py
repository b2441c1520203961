"""What is accepted, and what is the same finding."""

import json
from pathlib import Path

import pytest

from hopguard.reports import baseline as module
from hopguard.reports.baseline import Baseline, BaselineError, BaselineMaker, read_baseline
from hopguard.reports.fingerprint import fingerprint
from tests.reports.making import HOSTILE, make

SAME: list[dict[str, object]] = [
    {"time": "2026-06-01T00:00:00.000000Z"},
    {"flow": "f2", "connection": "c2", "client": "192.0.2.9:1", "line": 7, "status": 404},
    {"url": "https://www.example/events?page=2", "method": "POST"},
    {"field": "Connection", "value": "close", "message": "other words", "severity": "info"},
]
OTHER: list[dict[str, object]] = [
    {"rule": "te-in-response"},
    {"variant": "x"},
    {"sender": "client"},
    {"field": "upgrade"},
    {"url": "https://www.example/other"},
    {"url": "https://b.example/events"},
]


@pytest.mark.parametrize("changes", SAME)
def test_the_same_finding(changes: dict[str, object]) -> None:
    """Neither ids nor the time make it another one."""
    assert fingerprint(make(**changes)) == fingerprint(make())


@pytest.mark.parametrize("changes", OTHER)
def test_another_finding(changes: dict[str, object]) -> None:
    """In another place, by somebody else, about something else."""
    assert fingerprint(make(**changes)) != fingerprint(make())
    assert fingerprint(make(**changes)).digest != fingerprint(make()).digest


def test_the_digest_never_changes() -> None:
    """It stands in systems that remember results."""
    assert fingerprint(make()).digest == "36c2ae9e036c2e3082fbec283b240d17"
    assert fingerprint(make(sender=None, field=None)).digest != fingerprint(make()).digest


def test_a_baseline_accepts_what_it_was_made_of(tmp_path: Path) -> None:
    """Each entry is a line, in a fixed order; what does not occur is known."""
    path = tmp_path / "baseline.json"
    maker = BaselineMaker()
    for record in (make(rule="z"), make(), make(time=None), make(field=HOSTILE)):
        maker.add(record)
    assert maker.write(path) == 3
    assert [line[6:22] for line in path.read_text().splitlines()[3:6]] == [
        'rule": "connecti',
        'rule": "connecti',
        'rule": "z", "var',
    ]
    baseline = read_baseline(path)
    assert [baseline.accepts(make(**changes)) for changes in SAME] == [True] * len(SAME)
    assert [baseline.accepts(make(**changes)) for changes in OTHER] == [False] * len(OTHER)
    assert {entry.rule for entry in baseline.gone()} == {"z", make()["rule"]}
    assert len(baseline.gone()) == 2


def test_an_empty_baseline(tmp_path: Path) -> None:
    """It accepts nothing, and can be read back."""
    path = tmp_path / "baseline.json"
    assert BaselineMaker().write(path) == 0
    assert not read_baseline(path).accepts(make())
    assert Baseline().gone() == []


def test_a_baseline_is_not_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size has a limit."""
    monkeypatch.setattr(module, "MOST_ENTRIES", 2)
    maker = BaselineMaker()
    for rule in "aabb":
        maker.add(make(rule=rule))
    with pytest.raises(BaselineError, match="more than 2 different findings; select some"):
        maker.add(make(rule="c"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot read the baseline .*: No such file"),
        ("{", "is not JSON"),
        ("[]", "is no baseline of the kind 'hopguard-baseline/1'; make one with --write-baseline"),
        ('{"schema": "hopguard/1"}', "is no baseline of the kind"),
        ('{"schema": "hopguard-baseline/1"}', "has no list 'accepted'"),
        ('{"schema": "hopguard-baseline/1", "accepted": [7]}', "entry 1: it must have the texts"),
        (
            json.dumps(
                {
                    "schema": "hopguard-baseline/1",
                    "accepted": [fingerprint(make())._asdict() | {"more": "x"}],
                }
            ),
            "and nothing else",
        ),
        (
            json.dumps(
                {
                    "schema": "hopguard-baseline/1",
                    "accepted": [fingerprint(make())._asdict() | {"rule": None}],
                }
            ),
            "entry 1: it must have the texts rule, variant, sender, field, host, path",
        ),
    ],
)
def test_files_that_are_no_baseline(tmp_path: Path, content: str | None, said: str) -> None:
    """One sentence says why."""
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BaselineError, match=said):
        read_baseline(path)
