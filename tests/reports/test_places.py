"""Hosts and paths, with and without ids, and as relative URIs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopguard.reports.places import Place, place_of, relative_uri, without_ids
from tests.reports.making import make


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://WWW.example/a/b?q=1#f", "www.example", "/a/b"),
        ("http://www.example:8080", "www.example:8080", ""),
        ("http://[2001:db8::1]:8080/x", "[2001:db8::1]:8080", "/x"),
        ("www.example:443", "www.example:443", ""),
        ("/only/a/path", "(unknown)", "/only/a/path"),
        ("", "(unknown)", ""),
        (None, "192.0.2.2:443", ""),
    ],
)
def test_places(url: str | None, host: str, path: str) -> None:
    """By the URL, or else by the server."""
    assert place_of(make(url=url)) == (host, path)


def test_unknown_and_long_places() -> None:
    """They have a name, and an end."""
    assert place_of(make(url=None, server=None)) == ("(unknown)", "")
    host, path = place_of(make(url=f"http://{'h' * 300}/{'p' * 400}"))
    assert host.endswith("...[300 octets]")
    assert path.endswith("...[401 octets]")


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/api/v1/users/4711/orders", "/api/v1/users/*/orders"),
        ("/x/0b2e7f0c-8d5a-4f5e-9f3c-0123456789ab", "/x/*"),
        ("/assets/9f86d081884c7d65.js", "/assets/*"),
        ("/news/2026-05-31/index.html", "/news/*/index.html"),
        ("/t/eyJhbGciOiJIUzI1NiJ9abcdef", "/t/*"),
        ("/deadbeef/feedback/v2/internationalization-of-things", None),
        ("/", None),
        ("", None),
    ],
)
def test_ids_in_paths(path: str, same: str | None) -> None:
    """Numbers, hashes and tokens are ids; words and versions are not."""
    assert without_ids(Place("h", path)) == ("h", path if same is None else same)


@pytest.mark.parametrize(
    ("host", "same"),
    [
        ("127.0.0.1:45001", "127.0.0.1:*"),
        ("[::1]:60000", "[::1]:*"),
        ("www.example:8443", "www.example:8443"),
        ("www.example", "www.example"),
        ("[2001:db8::40000]", "[2001:db8::40000]"),
    ],
)
def test_ports_given_out_by_chance(host: str, same: str) -> None:
    """They differ from run to run."""
    assert without_ids(Place(host, "/")).host == same


@pytest.mark.parametrize(
    ("place", "uri"),
    [
        (Place("www.example", "/a/b"), "www.example/a/b"),
        (Place("www.example:8080", ""), "www.example%3A8080"),
        (Place("[::1]", "/%41%zz/ \\|"), "%5B%3A%3A1%5D/%41%25zz/%20%5C%7C"),
        (Place("h", "/../../etc/./x"), "h/_.._/_.._/etc/_._/x"),
        (Place("(unknown)", ""), "%28unknown%29"),
    ],
)
def test_relative_uris(place: Place, uri: str) -> None:
    """Below the host, without scheme."""
    assert relative_uri(place) == uri


@given(st.text(min_size=1), st.text())
def test_any_place_is_a_valid_relative_uri(host: str, path: str) -> None:
    """By RFC 3986, section 3.3: its first segment holds no colon."""
    uri = relative_uri(Place(host, f"/{path}".encode("ascii", "backslashreplace").decode()))
    assert re.fullmatch(r"(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})+", uri, re.ASCII)
    assert ":" not in uri.partition("/")[0]
    assert not {".", ".."} & set(uri.split("/")[1:])
