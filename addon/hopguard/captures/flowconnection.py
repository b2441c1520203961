"""Connections in flow files."""

from hopguard.captures.capture import Seconds
from hopguard.captures.flowpeer import Connection, of_client, of_server, show_pair
from hopguard.captures.recognition import Recognition
from hopguard.captures.tnetstrings import (
    DICTIONARY,
    LIST,
    DamageError,
    Members,
    Span,
    is_null,
    is_true,
    members,
    number,
    octets,
)
from hopguard.captures.usualconnection import usual_client, usual_server


class KnownConnections:
    """Reads connections, and remembers them within bounds."""

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._known = Recognition[Connection]()

    def read(self, data: bytes, span: Span | None, form: int, *, client: bool) -> Connection:
        """Read a connection, or recognise it.

        Raises:
            DamageError: it is damaged, or none.
        """
        if span is None or data[span[1]] != DICTIONARY:
            raise DamageError("a flow does not tell its connections")
        kind = form, client
        connection = self._known.get(data, *span, kind)
        if connection is None:
            connection = read_connection(data, *span, form, client=client)
            self._known.put(data, *span, kind, connection)
        return connection


def read_connection(data: bytes, start: int, stop: int, form: int, *, client: bool) -> Connection:
    """Read the connection whose octets are data[start:stop], in version `form` of the format.

    Raises:
        DamageError: it is damaged.
    """
    try:
        usual = (usual_client if client else usual_server)(data, start, stop)
    except ValueError:  # what is wrong is told below
        usual = None
    if usual is not None:
        return usual
    found = members(data, start, stop)
    identity = octets(data, found.get(b"id"))
    tls = is_true(
        data,
        found.get(
            b"tls" if form >= 10 else b"tls_established" if form >= 6 else b"ssl_established"
        ),
    )
    alpn = octets(data, found.get(b"alpn" if form >= 11 else b"alpn_proto_negotiated"))
    seconds = Seconds(
        number(data, found.get(b"timestamp_start")), number(data, found.get(b"timestamp_end"))
    )
    if client:
        mode = octets(data, found.get(b"proxy_mode"))  # since format 18
        address = _address(data, found, b"peername" if form >= 19 else b"address")
        return of_client(identity, tls, alpn, mode, address, seconds)
    proxied = not is_null(data, found.get(b"via2" if 10 <= form < 19 else b"via"))
    peer = _address(data, found, b"peername" if form >= 19 else b"ip_address")
    addresses = peer, _address(data, found, b"address")
    return of_server(identity, tls, alpn, proxied, addresses, seconds, _set_up(data, found, form))


def _set_up(data: bytes, found: Members, form: int) -> tuple[float | None, float | None]:
    tls = b"timestamp_tls_setup" if form >= 6 else b"timestamp_ssl_setup"
    return number(data, found.get(b"timestamp_tcp_setup")), number(data, found.get(tls))


def _address(data: bytes, found: Members, name: bytes) -> str | None:
    span = found.get(name)
    if span is None or is_null(data, span):
        return None
    if data[span[1]] != LIST:
        raise DamageError("an address is no address")
    return show_pair(data[span[0] : span[1]])
