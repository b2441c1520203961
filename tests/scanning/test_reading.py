"""What all captures of a scan say together."""

from pathlib import Path

import pytest
from mitmproxy import http

from hopguard.captures.capture import Loss
from hopguard.captures.stretch import Stretch
from hopguard.rules import load_rules
from hopguard.scanning.reading import MOST_REASONS, ScanReading
from hopguard.scanning.scanner import Scanner
from hopguard.scanning.task import Batch, Settings, Task
from tests.captures.flows import saved
from tests.captures.test_connections import CLOSE, LENGTH, exchange


def read(*batches: Batch, policy: tuple[str, ...] = ()) -> tuple[ScanReading, list[str]]:
    """Read batches; return what was told of errors as well."""
    told: list[str] = []
    reading = ScanReading(batches, Settings(policy=policy), told.append)
    assert list(reading.records()) == []
    return reading, told


def test_the_same_error_of_several_parts() -> None:
    """A file that has changed is named once."""
    reading, told = read(Batch([], exchanges=1, errors=("x",)), Batch([], errors=("x",)))
    assert (told, reading.reasons, reading.failed) == (["x"], ["x"], True)


def test_many_errors() -> None:
    """Each is told; a report names the first few, and counts the others."""
    reading, told = read(Batch([], exchanges=1, errors=tuple(map(str, range(MOST_REASONS + 5)))))
    assert len(told) == MOST_REASONS + 5
    assert len(reading.reasons) == MOST_REASONS
    assert "5 further errors" in reading.notes()


def test_what_was_lost() -> None:
    """Only rules that are on are named; one capture that has it is enough to find something."""
    loss = Loss("a thing is lost", frozenset({"te-in-response", "te-value-invalid/x", "unknown"}))
    lossy = Batch([], exchanges=1, files=1, format="HAR", lost=(loss,))
    off = ("/te-value-invalid/off",)
    reading, _ = read(lossy, policy=off)
    assert "HAR: a thing is lost; not run because of it: te-in-response" in reading.notes()
    (rule,) = [rule for rule in load_rules() if rule.id == "te-in-response"]
    assert not reading.could_find(rule)
    reading, _ = read(lossy, Batch([], format="flow file"))
    assert reading.could_find(rule)


def mixed(*, sorted_: bool) -> list[http.HTTPFlow]:
    """Make flows, some with findings of their own, on connections that go on after `close`."""
    made = []
    for number in range(60):
        server, at = f"s{number % 3}", number / 2
        response = (LENGTH, CLOSE) if number == 30 else (LENGTH,)
        bad = ((b"TE", b"gzip"),) if number % 5 == 0 else ()
        made.append(exchange(at, request=bad, response=response, server=server, closed=40))
    return made if sorted_ else [*made[30:], *made[:30]]


@pytest.mark.parametrize("sorted_", [True, False])
@pytest.mark.parametrize("size", [7, 23])
def test_exchanges_that_are_told_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sorted_: bool, size: int
) -> None:
    """Nothing else is found, and nothing comes in another order."""
    path = tmp_path / "x.flows"
    path.write_bytes(saved(mixed(sorted_=sorted_)))
    found = []
    for least in (2, 1_000):
        monkeypatch.setattr("hopguard.scanning.part.WORTHWHILE", least)
        monkeypatch.setattr("hopguard.scanning.part.EXCHANGES", size)
        batches = list(Scanner(Settings()).scan(Task(str(path))))
        told = [entry for batch in batches for entry in batch.connections]
        assert any(isinstance(entry, Stretch) for entry in told) == (least == 2)
        found.append(list(ScanReading(batches, Settings()).records()))
    assert found[0] == found[1]
    parts = {record["part"] for record in found[0]}
    assert "connection" in parts
    assert len(parts) > 1
