import asyncio
import ssl
from collections.abc import Mapping

from .certs import HOST, client_context
from .connecting import connect
from .http2 import Http2Streams
from .streams_client import StreamsClient
from .waiting import TIMEOUT, Address
from .wire import Wire


class Http2Client(StreamsClient):
    """Speaks HTTP/2 over TLS, through a CONNECT tunnel if there is a `proxy`."""

    def __init__(
        self,
        address: Address,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str = HOST,
        proxy: Address | None = None,
        settings: Mapping[int, int] | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(timeout)
        self._connecting = (address, tls or client_context(["h2"]), server_name, proxy)
        self._settings = settings
        self._wire: Wire | None = None
        self._receiving: asyncio.Task[None] | None = None

    async def connect(self) -> Http2Streams:
        """Connect, handshake included."""
        self._wire = await connect(*self._connecting)
        if self._wire.alpn != "h2":
            raise ConnectionError(f"TLS did not agree on h2 but on {self._wire.alpn}")
        streams = Http2Streams(self._wire, client=True, settings=self._settings)
        await streams.start()
        self._receiving = asyncio.create_task(self._receive(streams))
        return streams

    async def _receive(self, streams: Http2Streams) -> None:
        try:
            await streams.receive()
        except ConnectionError:
            pass
        finally:
            streams.lost()

    async def disconnect(self) -> None:
        """Let go of the connection."""
        if self._wire:
            self._wire.writer.transport.abort()
        if self._receiving:
            await self._receiving
