"""The options of the violation log, and what people set them to."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import exceptions
from mitmproxy.test import taddons

from hopguard.mitm.addon import Hopguard
from hopguard.mitm.options import parse_rotation
from hopguard.reports.rotation import Rotation
from tests.mitm.building import live_flow
from tests.records import read_log


@pytest.fixture
def addon() -> Iterator[Hopguard]:
    """Give an addon that is not loaded yet."""
    hopguard = Hopguard()
    yield hopguard
    hopguard.done()


def violate(addon: Hopguard, times: int) -> None:
    """Send requests with a finding each."""
    for _ in range(times):
        addon.requestheaders(live_flow((b"connection", b"keep-alive"), version="HTTP/2.0"))


def logs(folder: Path) -> dict[str, int]:
    """Count the records in each file."""
    return {path.name: len(read_log(path)) for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("size", "octets"),
    [
        *[("0", 0), ("1", 1), ("50m", 50 * 1024**2), (" 2K ", 2048), ("3g", 3 * 1024**3)],
        *[("0k", 0), ("007", 7)],
    ],
)
def test_sizes(size: str, octets: int) -> None:
    """Octets, or with a unit."""
    assert parse_rotation(size, "5") == Rotation(octets, 5)


@pytest.mark.parametrize(("keep", "files"), [("1", 1), (" 12 ", 12), ("9999", 9999)])
def test_numbers_of_files(keep: str, files: int) -> None:
    """At least one."""
    assert parse_rotation("1", keep).keep == files


@pytest.mark.parametrize(
    "value", ["", "m", "-1", "+1", "1.5m", "50 m", "50mb", "1t", "1_0", "\u0661", "1\n2", "9" * 13]
)
def test_wrong_sizes(addon: Hopguard, value: str) -> None:
    """The error names the value and what is allowed."""
    with taddons.context(addon) as context, pytest.raises(exceptions.OptionsError) as refused:
        context.configure(addon, hopguard_log_max_size=value)
    assert str(refused.value) == (
        f"hopguard_log_max_size: {value!r} is not a size, such as '50m': a number of octets,"
        " perhaps with k, m or g behind it; 0 is any number"
    )


@pytest.mark.parametrize("value", ["", "0", "00", "-1", "1.0", "5k", "10000", "\u0661", "all"])
def test_wrong_numbers_of_files(addon: Hopguard, value: str) -> None:
    """The error names the value and what is allowed."""
    with taddons.context(addon) as context, pytest.raises(exceptions.OptionsError) as refused:
        context.configure(addon, hopguard_log_keep=value)
    assert str(refused.value) == (
        f"hopguard_log_keep: {value!r} is not a number of files from 1 to 9999"
    )


def test_a_wrong_value_opens_no_log(addon: Hopguard, tmp_path: Path) -> None:
    """Nor does it close the one that is open."""
    with taddons.context(addon) as context:
        context.configure(addon, hopguard_log=str(tmp_path / "1"))
        with pytest.raises(exceptions.OptionsError):
            context.configure(addon, hopguard_log=str(tmp_path / "2"), hopguard_log_keep="0")
        violate(addon, 1)
    assert logs(tmp_path) == {"1": 1}


def test_the_log_is_rotated(addon: Hopguard, tmp_path: Path) -> None:
    """The limits can be changed while mitmproxy runs."""
    with taddons.context(addon) as context:
        path = tmp_path / "v"
        context.configure(addon, hopguard_log=str(path))
        violate(addon, 3)
        assert logs(tmp_path) == {"v": 3}
        context.configure(addon, hopguard_log_max_size="1", hopguard_log_keep="2")
        violate(addon, 1)
        assert logs(tmp_path) == {"v": 1, "v.1": 3}
        violate(addon, 2)
        assert logs(tmp_path) == {"v": 1, "v.1": 1, "v.2": 1}
        context.configure(addon, hopguard_log_max_size="0")
        violate(addon, 2)
        assert logs(tmp_path) == {"v": 3, "v.1": 1, "v.2": 1}


def test_the_values_in_a_file_have_types(
    addon: Hopguard, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A number is as good as a text; mitmproxy would load no script, and not say so."""
    with taddons.context() as context, caplog.at_level(logging.ERROR):
        context.options.update_defer(
            hopguard_log=str(tmp_path / "v"),
            hopguard_log_max_size=1,
            hopguard_log_keep=3,
            hopguard_log_query=True,
            hopguard_redact=["cookie"],
            others=1,
        )
        context.master.addons.add(addon)
        addon.configure(set(context.options.keys()))  # as mitmproxy does with a script
        violate(addon, 5)
        assert context.options.hopguard_redact == ["cookie"]
    assert caplog.records == []
    assert logs(tmp_path) == {"v": 1, "v.1": 1, "v.2": 1, "v.3": 1}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("hopguard_log_keep", None, "None is not a text"),
        ("hopguard_log_keep", True, "True is not a text"),
        ("hopguard_log_max_size", 0.5, "0.5 is not a text"),
        ("hopguard_log_query", "yes", "'yes' is not true or false"),
        ("hopguard_redact", "cookie", "'cookie' is not a list of texts"),
        ("hopguard_redact", ["a", 1], "['a', 1] is not a list of texts"),
        ("hopguard_log_keeps", 1, "there is no such option; did you mean 'hopguard_log_keep'?"),
    ],
)
def test_wrong_types_in_a_file(
    addon: Hopguard, caplog: pytest.LogCaptureFixture, name: str, value: object, said: str
) -> None:
    """They are errors, and mitmproxy ends at start."""
    with taddons.context() as context, caplog.at_level(logging.ERROR):
        context.options.update_defer(**{name: value})
        context.master.addons.add(addon)
    assert [record.getMessage() for record in caplog.records] == [f"{name}: {said}"]


def test_an_option_without_its_value(addon: Hopguard, caplog: pytest.LogCaptureFixture) -> None:
    """`--set hopguard_log_keep` says nothing."""
    with taddons.context() as context, caplog.at_level(logging.ERROR):
        context.options.set("hopguard_log_keep", defer=True)
        context.master.addons.add(addon)
    assert [record.getMessage() for record in caplog.records] == [
        "hopguard_log_keep: it takes a value"
    ]


def test_the_end_says_what_is_missing(
    addon: Hopguard, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """And all else is as if there were no log."""
    path = Path("/dev/full")
    if not path.exists():
        pytest.skip("there is no /dev/full")
    with taddons.context(addon) as context, caplog.at_level(logging.ERROR):
        context.configure(addon, hopguard_log=str(path))
        judged = live_flow((b"connection", b"keep-alive"), version="HTTP/2.0")
        addon.requestheaders(judged)
        context.configure(addon, hopguard_log=str(tmp_path / "v"))
        violate(addon, 1)
    assert caplog.records[-1].getMessage() == "hopguard: 1 records are missing from /dev/full"
    assert json.loads(json.dumps(judged.metadata["hopguard"]))
    assert logs(tmp_path) == {"v": 1}
