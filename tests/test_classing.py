"""Field lines and their classes."""

import pytest

from hopguard.classing import FieldClass, classify
from hopguard.message import FieldLine, RawFields, Request, Section, Version


def class_of(
    name: bytes,
    version: Version = "HTTP/1.1",
    fields: RawFields = (),
    section: Section = "header",
) -> str:
    """Classify a field called `name` in a message that holds `fields`."""
    message = Request(version=version, fields=fields, leg="client", method=b"GET")
    return classify(FieldLine(section, 0, name, b""), message)


@pytest.mark.parametrize("name", [b"Connection", b"TE", b"te", b"Proxy-Authorization", b"Close"])
def test_hop_by_hop(name: bytes) -> None:
    """On HTTP/1, whether Connection lists it or not."""
    assert class_of(name) == "hop-by-hop"
    assert class_of(name, fields=((b"Connection", name),)) == "hop-by-hop"


def test_the_fields_of_the_websocket_handshake_are_for_one_hop() -> None:
    """The rules let Connection name them, too."""
    assert class_of(b"Sec-WebSocket-Key") == "hop-by-hop"


def test_nominated() -> None:
    """What Connection lists, in any letter case; close is no field."""
    fields = ((b"connection", b"X-Hop, close"),)
    assert class_of(b"x-hop", fields=fields) == "nominated"
    assert class_of(b"x-hop", "HTTP/1.0", fields) == "nominated"
    assert class_of(b"X-Other", fields=fields) == "end-to-end"
    assert class_of(b"close", fields=fields) == "hop-by-hop"


@pytest.mark.parametrize("version", ["HTTP/2", "HTTP/3"])
def test_forbidden(version: Version) -> None:
    """The closed list, and what Connection names beside it. TE has an exception."""
    fields = ((b"connection", b"x-hop, te, close"),)
    for name in (b"connection", b"Upgrade", b"transfer-encoding", b"x-hop"):
        assert class_of(name, version, fields) == "forbidden here"
    for name in (b"te", b"trailer", b"close"):
        assert class_of(name, version, fields) == "hop-by-hop"
    assert class_of(b"host", version, fields) == "end-to-end"
    assert class_of(b"connection", version, section="trailer") == "forbidden here"


def test_in_trailers() -> None:
    """Some fields come too late there."""
    fields = ((b"connection", b"x-hop"),)
    for name in (b"Host", b"te", b"x-hop", b"Connection"):
        assert class_of(name, "HTTP/1.1", fields, "trailer") == "not in trailers"
    assert class_of(b"etag", section="trailer") == "end-to-end"
    assert class_of(b"proxy-authentication-info", section="trailer") == "hop-by-hop"


def test_every_class_has_a_meaning() -> None:
    """In one sentence."""
    assert all(one.meaning.endswith(".") for one in FieldClass)
