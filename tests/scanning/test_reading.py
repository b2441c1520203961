"""What all captures of a scan say together."""

from hopguard.captures.capture import Loss
from hopguard.rules import load_rules
from hopguard.scanning.reading import MOST_REASONS, ScanReading
from hopguard.scanning.task import Batch, Settings


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
