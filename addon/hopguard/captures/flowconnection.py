"""Connections in flow files."""

import ipaddress
from functools import lru_cache
from typing import NamedTuple

from hopguard.captures.capture import Peer, Seconds
from hopguard.captures.layouts import CLIENT, SERVER
from hopguard.captures.tnetstrings import (
    DICTIONARY,
    LIST,
    DamageError,
    Members,
    Span,
    integer,
    is_null,
    is_true,
    items,
    number,
    octets,
)

_ADDRESSES_KEPT = 4096
_CONNECTIONS_KEPT, _CONNECTION_LIMIT, _END = 512, 65_536, 64

_MODES_OF_PROXIES = (b"regular", b"upstream")


class Connection(NamedTuple):
    """What the rules need of a connection."""

    peer: Peer
    tls: bool
    alpn: bytes | None
    ready: float | None
    """Of a connection to a server: when octets could be sent on it; None if it was never so."""
    proxied: bool
    """Of a connection to a server: whether another proxy stands between. Of one from a client:
    whether the client speaks to mitmproxy as a proxy, and knows it."""


class KnownConnections:
    """Reads connections, and remembers them within bounds."""

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._known: dict[bytes, tuple[bytes, Connection]] = {}

    def read(self, data: bytes, span: Span | None, form: int, *, client: bool) -> Connection:
        """Read a connection, or recognise it: its end holds the ports of both sides.

        Raises:
            DamageError: it is damaged, or none.
        """
        if span is None or data[span[1]] != DICTIONARY:
            raise DamageError("a flow does not tell its connections")
        start, stop = span
        key = data[max(start, stop - _END) : stop]
        known = self._known.get(key)
        if known is not None:
            octets_, connection = known
            if len(octets_) == stop - start and data.startswith(octets_, start):
                return connection
        connection = read_connection(data, start, stop, form, client=client)
        if stop - start <= _CONNECTION_LIMIT:
            if len(self._known) >= _CONNECTIONS_KEPT:
                self._known.clear()
            self._known[key] = (data[start:stop], connection)
        return connection


def read_connection(data: bytes, start: int, stop: int, form: int, *, client: bool) -> Connection:
    """Read the connection whose octets are data[start:stop], in version `form` of the format.

    Raises:
        DamageError: it is damaged.
    """
    found = (CLIENT if client else SERVER).find(data, start, stop)
    seconds = Seconds(
        number(data, found.get(b"timestamp_start")), number(data, found.get(b"timestamp_end"))
    )
    identity = octets(data, found.get(b"id"))
    tls = b"tls" if form >= 10 else b"tls_established" if form >= 6 else b"ssl_established"
    return Connection(
        Peer(
            identity.decode("utf-8", "replace") if identity is not None else None,
            _client_address(data, found, form) if client else _server_address(data, found, form),
            None if client else _server_name(data, found, form),
            seconds,
        ),
        is_true(data, found.get(tls)),
        octets(data, found.get(b"alpn" if form >= 11 else b"alpn_proto_negotiated")),
        None if client else _ready(data, found, form),
        _in_proxy_mode(data, found) if client else _is_proxied(data, found, form),
    )


def _in_proxy_mode(data: bytes, found: Members) -> bool:
    """Tell whether mitmproxy is a proxy to its client; before format 18 it does not say."""
    mode = octets(data, found.get(b"proxy_mode"))
    if mode is None:
        return True
    head, _, listening = mode.rpartition(b"@")
    return (head or listening).partition(b":")[0].lower() in _MODES_OF_PROXIES


def _is_proxied(data: bytes, found: Members, form: int) -> bool:
    return not is_null(data, found.get(b"via2" if 10 <= form < 19 else b"via"))


def _client_address(data: bytes, found: Members, form: int) -> str | None:
    return _address(data, found, b"peername" if form >= 19 else b"address")


def _server_address(data: bytes, found: Members, form: int) -> str | None:
    known = _address(data, found, b"peername" if form >= 19 else b"ip_address")
    return known or _address(data, found, b"address")


def _server_name(data: bytes, found: Members, form: int) -> str | None:
    return _address(data, found, b"address") or _server_address(data, found, form)


def _ready(data: bytes, found: Members, form: int) -> float | None:
    connected = number(data, found.get(b"timestamp_tcp_setup"))
    if connected is None:
        return None
    tls = b"timestamp_tls_setup" if form >= 6 else b"timestamp_ssl_setup"
    return number(data, found.get(tls)) or connected


def _address(data: bytes, found: Members, name: bytes) -> str | None:
    span = found.get(name)
    if span is None or is_null(data, span):
        return None
    if data[span[1]] != LIST:
        raise DamageError("an address is no address")
    return _shown(data[span[0] : span[1]])


@lru_cache(_ADDRESSES_KEPT)
def _shown(pair: bytes) -> str:
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
