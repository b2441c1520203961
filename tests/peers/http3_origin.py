import asyncio
from typing import Any

from aioquic.asyncio.server import QuicServer
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from .certs import Certificates
from .http3 import ALPN, Http3Streams
from .multiplexed import Answering
from .origin import LOCAL, Origin
from .script import Answer, Answers, answer
from .waiting import Address

NOT_FOUND = answer(status=404)


class Http3Origin(Origin):
    """Answers over QUIC. Streams are answered independently."""

    scheme = "http3"

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        certificates: Certificates,
        default: Answer = NOT_FOUND,
    ) -> None:
        super().__init__(answers, default)
        self._configuration = QuicConfiguration(is_client=False, alpn_protocols=ALPN)
        self._configuration.load_cert_chain(certificates.certificate, certificates.key)
        self._server: QuicServer | None = None

    async def _listen(self) -> Address:
        loop = asyncio.get_running_loop()
        transport, self._server = await loop.create_datagram_endpoint(
            lambda: QuicServer(configuration=self._configuration, create_protocol=self._accept),
            local_addr=(LOCAL, 0),
        )
        port: int = transport.get_extra_info("sockname")[1]
        return LOCAL, port

    def _accept(self, quic: QuicConnection, **_: Any) -> Http3Streams:
        streams, connection = Http3Streams(quic), self.opened()
        connection.alpn = ALPN[0]
        Answering(self, connection, streams)
        return streams

    async def _close(self) -> None:
        if self._server:
            self._server.close()  # type: ignore[no-untyped-call]
