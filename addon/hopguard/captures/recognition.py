"""What was read from octets that come again and again: recognised, instead of read anew."""

_KEPT, _LIMIT, _END = 256, 65_536, 64


class Recognition[T]:
    """Remembers within bounds what was read from octets, such as those of a connection.

    They are looked up by their ends, which hold the ports of peers and hardly ever are the same in
    others, and then compared.
    """

    def __init__(self) -> None:
        """Begin with nothing in mind."""
        self._known: dict[tuple[object, bytes], tuple[bytes, T]] = {}

    def get(self, data: bytes, start: int, stop: int, kind: object) -> T | None:
        """Return what was read from octets such as data[start:stop], of the same `kind`."""
        known = self._known.get((kind, data[max(start, stop - _END) : stop]))
        if known is not None:
            octets, found = known
            if len(octets) == stop - start and data.startswith(octets, start):
                return found
        return None

    def put(self, data: bytes, start: int, stop: int, kind: object, found: T) -> None:
        """Remember what was `found`, unless that takes too many octets."""
        if stop - start <= _LIMIT:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[kind, data[max(start, stop - _END) : stop]] = data[start:stop], found
