"""HAR files that nobody here made: those in the package har2warc, from Chrome's DevTools."""

from collections import Counter
from importlib.metadata import files
from pathlib import Path

import pytest

from hopguard.captures import losses
from hopguard.captures.har import HarReader
from tests.captures.archives import found_in, read


def sample(name: str) -> Path:
    found = [path for path in files("har2warc") or () if path.name == name]
    return Path(str(found[0].locate()))


@pytest.mark.parametrize(
    ("name", "responses", "requests"),
    [
        ("example.har", {"HTTP/1.1": 12}, 12),
        ("http2.github.io.har", {"HTTP/1.1": 6, "HTTP/2": 7}, 9),
    ],
)
def test_all_of_a_sound_har_is_read_and_nothing_is_found(
    name: str, responses: dict[str, int], requests: int
) -> None:
    reader = HarReader()
    captured, errors = read(reader, sample(name).read_bytes())
    assert not errors
    assert Counter(each.response.version for each in captured if each.response) == responses
    assert sum(each.request is not None for each in captured) == requests
    assert found_in(captured) == []
    assert all(each.requested.start is not None for each in captured)


def test_what_an_old_chrome_did_not_tell() -> None:
    reader = HarReader()
    captured, _ = read(reader, sample("http2.github.io.har").read_bytes())
    lost = {loss.what for loss in reader.lost}
    assert {losses.UNKNOWN_VERSIONS.what, losses.PROVISIONAL_REQUESTS.what} <= lost
    first = captured[0].request
    assert first is not None
    assert first.pseudo_fields == frozenset({b":method", b":authority", b":scheme", b":path"})
