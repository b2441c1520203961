"""The two connections of usual flows: most flows come over the same ones as one before."""

from typing import NamedTuple

from hopguard.captures.flowconnection import read_connection
from hopguard.captures.flowkinds import Kinds
from hopguard.captures.flowpeer import Connection, Way
from hopguard.captures.recognition import Recognition
from hopguard.captures.tnetstrings import PREFIX, DamageError, Span

_WAYS_KEPT, _LIMIT = 32, 65_536

_SERVER, _CLIENT = b"11:server_conn;", b"}11:client_conn;"


class Pair(NamedTuple):
    """Two connections, and the kinds of exchanges on such."""

    client: Connection
    server: Connection
    kinds: Kinds


class KnownPairs:
    """Reads the connections of usual flows, and remembers them within bounds."""

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._known = Recognition[Pair]()
        self._kinds: dict[tuple[Way, Way], Kinds] = {}

    def find(self, data: bytes, start: int, stop: int, form: bytes) -> Pair:
        """Read two members of a flow, or recognise them.

        Raises:
            DamageError: they are damaged, or no connections.
        """
        pair = self._known.get(data, start, stop, form)
        if pair is None:
            pair = self._read(data, start, stop, int(form))
            self._known.put(data, start, stop, form, pair)
        return pair

    def _read(self, data: bytes, start: int, stop: int, form: int) -> Pair:
        server = _value(data, start, stop, _SERVER)
        client = _value(data, server[1], stop, _CLIENT)
        if client[1] != stop:
            raise DamageError("something is behind the connections")
        of_client = read_connection(data, *client, form, client=True)
        of_server = read_connection(data, *server, form, client=False)
        ways = of_client.way, of_server.way
        kinds = self._kinds.get(ways)
        if kinds is None:
            kinds = Kinds(*ways)
            if stop - start <= _LIMIT:
                if len(self._kinds) >= _WAYS_KEPT:
                    self._kinds.clear()
                self._kinds[ways] = kinds
        return Pair(of_client, of_server, kinds)


def _value(data: bytes, start: int, stop: int, name: bytes) -> Span:
    prefix = PREFIX.match(data, start + len(name), stop)
    if prefix is None or not data.startswith(name, start):
        raise DamageError("a flow does not tell its connections")
    return prefix.end(), prefix.end() + int(prefix[1])
