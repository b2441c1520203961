"""Flow files of older and newer releases of mitmproxy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http, version
from mitmproxy.io import tnetstring
from mitmproxy.test import tflow

from hopguard.captures.capture import Captured, CaptureError
from hopguard.captures.flowfacts import NEWEST, OLDEST
from tests.captures.flows import http_flows, saved
from tests.captures.formats import downgrade
from tests.captures.test_flowfile import as_mitmproxy_reads, read, without_offsets

WITHOUT_TRAILERS = 7
"""The last version of the format that did not keep trailer sections."""

WITHOUT_IDS = 4


def as_saved_before(flow: http.HTTPFlow, form: int) -> bytes:
    """Save a flow in the version `form` of the format."""
    state = tnetstring.loads(saved([flow]))
    assert isinstance(state, dict)
    return tnetstring.dumps(downgrade(state, form))


def comparable(found: Captured, form: int) -> Captured:
    """Leave out what mitmproxy makes up for files that do not tell."""
    if form <= WITHOUT_IDS:
        found = found._replace(
            client=found.client._replace(id=None), server=found.server._replace(id=None)
        )
    if form <= WITHOUT_TRAILERS:
        for message in (found.request, found.response, found.asked):
            if message is not None:
                object.__setattr__(message, "trailers", None)
    return found


@given(http_flows(), st.integers(OLDEST, NEWEST))
def test_every_format(flow: http.HTTPFlow, form: int) -> None:
    """It is read as mitmproxy reads it; where the format lacks something, that is unknown."""
    octets = as_saved_before(flow, form)
    (ours,), (theirs,) = without_offsets(read(octets)), as_mitmproxy_reads(octets)
    assert comparable(ours, form) == comparable(theirs, form)


def test_the_newest_format_is_that_of_mitmproxy() -> None:
    """A new release of mitmproxy is noticed."""
    assert version.FLOW_FORMAT_VERSION == NEWEST


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (22, "its format is 22, and this hopguard knows none after 21"),
        (3, "older than mitmproxy 4"),
        ([0, 18], "older than mitmproxy 4"),
        (None, "older than mitmproxy 4"),
    ],
)
def test_other_formats(form: object, reason: str) -> None:
    """They are named."""
    octets = tnetstring.dumps({"type": "http", "version": form})
    (error,) = read(octets)
    assert isinstance(error, CaptureError)
    assert reason in str(error)


@pytest.mark.parametrize("replayed", ["request", "response", None])
def test_replays_in_old_formats(replayed: str | None) -> None:
    """Each message said so itself."""
    flow = tflow.tflow(resp=True)
    flow.is_replay = replayed
    (found,) = without_offsets(read(as_saved_before(flow, 8)))
    assert (found.request is None) == (replayed == "request")
    assert (found.response is None) == (replayed == "response")
