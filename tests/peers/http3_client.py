import asyncio
import ssl
from pathlib import Path

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from .certs import HOST
from .http3 import ALPN, Http3Streams
from .origin import LOCAL
from .streams_client import StreamsClient
from .waiting import TIMEOUT, Address


class Http3Client(StreamsClient):
    """Speaks HTTP/3 over QUIC; without a `ca` it accepts any certificate."""

    def __init__(
        self,
        address: Address,
        *,
        ca: Path | None = None,
        server_name: str = HOST,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(timeout)
        self._address = address
        self._configuration = QuicConfiguration(
            is_client=True,
            alpn_protocols=ALPN,
            server_name=server_name,
            verify_mode=ssl.CERT_REQUIRED if ca else ssl.CERT_NONE,
            cafile=str(ca) if ca else None,
        )
        self._transport: asyncio.DatagramTransport | None = None

    async def connect(self) -> Http3Streams:
        """Connect, handshake included."""
        quic = QuicConnection(configuration=self._configuration)
        loop = asyncio.get_running_loop()
        self._transport, streams = await loop.create_datagram_endpoint(
            lambda: Http3Streams(quic), local_addr=(LOCAL, 0)
        )
        streams.connect(self._address)
        await streams.wait_connected()
        return streams

    async def disconnect(self) -> None:
        """Let go of the connection."""
        if self._streams and not self._streams.closed:
            self._streams.close()
        if self._transport:
            self._transport.close()
