"""What the rules need of a connection, and how flow files show the addresses of peers."""

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from hopguard.captures.capture import Peer, Seconds
from hopguard.captures.tnetstrings import DamageError, integer, items, octets

_ADDRESSES_KEPT = 4096

_MODES_OF_PROXIES = (b"regular", b"upstream")


class Way(NamedTuple):
    """How messages go over a connection: what of it makes a difference to them."""

    tls: bool
    alpn: bytes | None
    proxied: bool
    """Of a connection to a server: whether another proxy stands between. Of one from a client:
    whether the client speaks to mitmproxy as a proxy, and knows it."""


class Connection(NamedTuple):
    """What the rules need of a connection."""

    peer: Peer
    way: Way
    ready: float | None
    """Of a connection to a server: when octets could be sent on it; None if it was never so."""


def of_client(
    identity: bytes | None,
    tls: bool,
    alpn: bytes | None,
    mode: bytes | None,
    address: str | None,
    seconds: Seconds,
) -> Connection:
    """Return a connection from a client; `mode` is mitmproxy's, None where it does not say."""
    peer = Peer(_decoded(identity), address, None, seconds)
    return Connection(peer, Way(tls, alpn, mode is None or _is_proxy(mode)), None)


def of_server(
    identity: bytes | None,
    tls: bool,
    alpn: bytes | None,
    proxied: bool,
    addresses: tuple[str | None, str | None],
    seconds: Seconds,
    set_up: tuple[float | None, float | None],
) -> Connection:
    """Return a connection to a server.

    Args:
        identity: its id.
        tls: whether TLS is spoken.
        alpn: what TLS has agreed on.
        proxied: whether it is to another proxy.
        addresses: where it is, and where it was said to be.
        seconds: when it was opened and closed.
        set_up: when TCP and TLS were set up.
    """
    found, named = addresses
    connected, secured = set_up
    peer = Peer(_decoded(identity), found or named, named or found, seconds)
    ready = None if connected is None else secured or connected
    return Connection(peer, Way(tls, alpn, proxied), ready)


def _decoded(identity: bytes | None) -> str | None:
    return identity.decode("utf-8", "replace") if identity is not None else None


def _is_proxy(mode: bytes) -> bool:
    """Tell whether mitmproxy is a proxy to its client in this mode."""
    head, _, listening = mode.rpartition(b"@")
    return (head or listening).partition(b":")[0].lower() in _MODES_OF_PROXIES


@lru_cache(_ADDRESSES_KEPT)
def show_pair(pair: bytes) -> str:
    """Show the address of which the octets of a list consist."""
    parts = items(pair, 0, len(pair))
    host = octets(pair, parts[0]) if len(parts) > 1 else None
    port = integer(pair, parts[1]) if len(parts) > 1 else None
    if host is None or port is None:
        raise DamageError("an address is no address")
    return show_address(host.decode("utf-8", "backslashreplace"), port)


def show_address(host: str, port: int) -> str:
    """Return an address as mitmproxy shows it."""
    return f"{_shown_host(host)}:{port}"


@lru_cache(_ADDRESSES_KEPT)
def _shown_host(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "*"
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped) if address.ipv4_mapped else f"[{address}]"
    return str(address)
