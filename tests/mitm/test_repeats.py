"""Ten lines, then counts."""

import pytest

from hopguard.mitm import repeats
from hopguard.mitm.repeats import INTERVAL, LINES, OTHERS, PAIRS, Repeats
from hopguard.record import Record


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def record(rule: str = "a-rule", host: str = "www.example", severity: str = "info") -> Record:
    """Make as much of a record as is looked at."""
    return {"rule": rule, "url": f"http://{host}/", "client": None, "severity": severity}


def flood(counted: Repeats, number: int, one: Record) -> int:
    """Find the same thing often; return how often it had a line."""
    return sum(counted.admits(one) for _ in range(number))


def test_ten_lines_and_a_count(clock: Clock) -> None:
    """For each rule and host; a count tells of those since the last one."""
    counted = Repeats(clock)
    assert counted.wait() is None
    assert flood(counted, LINES + 37, record()) == LINES
    assert flood(counted, 3, record(host="b.example")) == 3
    assert flood(counted, 3, record("b-rule")) == 3
    assert (counted.due(), counted.wait()) == ([], INTERVAL)
    clock.now += INTERVAL
    assert counted.wait() == 0
    (count,) = counted.due()
    assert str(count) == ("hopguard: ... 37 more of a-rule from www.example in the last 10 seconds")
    assert (counted.due(), counted.rest(), counted.wait()) == ([], [], None)
    assert flood(counted, 2, record()) == 0
    clock.now += 0.4
    (count,) = counted.rest()
    assert str(count).endswith("... 2 more of a-rule from www.example in the last second")
    assert counted.rest() == []


def test_a_count_weighs_as_its_worst(clock: Clock) -> None:
    """Since the last count."""
    counted = Repeats(clock)
    flood(counted, LINES, record(severity="error"))
    for severities, worst in (["info", "warning", "info"], "warning"), (["info"], "info"):
        for severity in severities:
            counted.admits(record(severity=severity))
        (count,) = counted.rest()
        assert count.severity == worst
    assert count.coloured() == (
        "hopguard: \x1b[36m... 1 more of a-rule from www.example in the last second\x1b[0m"
    )


def test_each_pair_has_its_own_time(clock: Clock) -> None:
    """No count comes early because another one is due."""
    counted = Repeats(clock)
    flood(counted, LINES + 1, record("a-rule"))
    clock.now += 4
    flood(counted, LINES + 1, record("b-rule"))
    assert counted.wait() == 6
    clock.now += 7
    assert [count.rule for count in counted.due()] == ["a-rule"]
    assert counted.wait() == 3


def test_memory_is_bounded(clock: Clock) -> None:
    """Hosts beyond are counted together, for each rule, while those known are still active."""
    counted = Repeats(clock)
    for number in range(3 * PAIRS):
        counted.admits(record(host=f"{number}.example"))
        counted.admits(record("b-rule", host=f"{number}.example"))
    assert len(counted._seen) == PAIRS + 2
    assert {(count.host, count.number) for count in counted.rest()} == {
        (OTHERS, 3 * PAIRS - PAIRS // 2 - LINES)
    }


def test_what_is_no_longer_active_is_forgotten(clock: Clock) -> None:
    """Unless a count is pending: nothing is lost."""
    counted = Repeats(clock)
    flood(counted, LINES + 1, record(host="first.example"))
    for number in range(PAIRS - 1):
        counted.admits(record(host=f"{number}.example"))
    clock.now += INTERVAL
    counted.admits(record(host="new.example"))
    assert [count.host for count in counted.due()] == ["first.example"]
    assert counted.admits(record(host="newer.example"))
    assert ("a-rule", "first.example") not in counted._seen
    assert ("a-rule", "newer.example") in counted._seen
    assert len(counted._seen) == PAIRS + 1


def test_an_unknown_host(clock: Clock) -> None:
    """It has a name, too."""
    counted = Repeats(clock)
    flood(counted, LINES + 1, {**record(), "url": None})
    assert "from an unknown host in" in str(counted.rest()[0])
    assert repeats.OTHERS != "an unknown host"
