"""A TCP connection, with TLS or without, of which every octet received is kept."""

import asyncio
from collections.abc import Iterable
from typing import SupportsIndex

LIMIT = 2**20
"""Octets in one line."""


class RecordingReader(asyncio.StreamReader):
    """A stream reader that keeps all that came, after TLS; a reset is no error but an end."""

    def __init__(self) -> None:
        super().__init__(limit=LIMIT)
        self.received = bytearray()
        self.broken: Exception | None = None
        """How the connection ended, if not in an orderly way."""

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Keep `data`."""
        octets = bytes(data)
        self.received += octets
        super().feed_data(octets)

    def set_exception(self, exc: Exception) -> None:
        """Take a broken connection for an ended one, so that what came before can be read."""
        self.broken = exc
        self.feed_eof()


class Wire:
    """A connection, and the octets of the message that is being read from it."""

    def __init__(self, reader: RecordingReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.taken = bytearray()

    async def line(self) -> bytes:
        """Read up to LF; empty at the end of the connection."""
        return self._take(await self.reader.readline())

    async def exactly(self, count: int) -> bytes:
        """Read `count` octets, or fewer when the connection ends."""
        try:
            return self._take(await self.reader.readexactly(count))
        except asyncio.IncompleteReadError as error:
            return self._take(error.partial)

    async def rest(self) -> bytes:
        """Read until the connection ends."""
        return self._take(await self.reader.read())

    def _take(self, octets: bytes) -> bytes:
        self.taken += octets
        return octets

    async def send(self, octets: bytes) -> None:
        """Write, and wait until it is on its way."""
        self.writer.write(octets)
        await self.writer.drain()

    @property
    def alpn(self) -> str | None:
        """The protocol that TLS agreed on."""
        connection = self.writer.get_extra_info("ssl_object")
        return connection.selected_alpn_protocol() if connection else None
