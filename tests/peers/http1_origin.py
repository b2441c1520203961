import asyncio
import socket
import ssl
import struct
from functools import partial

from .http1 import MalformedMessageError, read_request
from .origin import LOCAL, Connection, Origin
from .script import Answer, Answers, Close, Reset, Step, message
from .waiting import Address
from .wire import RecordingReader, Wire

NOT_FOUND = message(b"HTTP/1.1 404 Not Found", b"Content-Length: 0")


class StreamOrigin(Origin):
    """An origin over TCP, with TLS if there is a context."""

    def __init__(
        self, answers: Answers | None, default: Answer, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(answers, default)
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.scheme = "https" if tls else "http"

    async def _listen(self) -> Address:
        def protocol() -> asyncio.StreamReaderProtocol:
            reader = RecordingReader()
            return asyncio.StreamReaderProtocol(reader, partial(self._accept, reader))

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(protocol, LOCAL, 0, ssl=self._tls)
        port: int = self._server.sockets[0].getsockname()[1]
        return LOCAL, port

    async def _close(self) -> None:
        if self._server:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(
        self, reader: RecordingReader, _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writers.append(writer)
        wire, connection = Wire(reader, writer), self.opened()
        connection.received, connection.alpn = reader.received, wire.alpn
        try:
            await self.serve(wire, connection)
        except (OSError, MalformedMessageError) as error:
            connection.error = repr(error)
        finally:
            if reader.broken:
                connection.error = repr(reader.broken)
            connection.closed = True
            self.changed()
            writer.close()

    async def serve(self, wire: Wire, connection: Connection) -> None:
        """Serve a connection until it ends."""
        raise NotImplementedError


class Http1Origin(StreamOrigin):
    """Writes the octets of its answers as they are; reads requests leniently.

    It keeps the connection after every answer, whatever the fields say: `Close` closes.
    """

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        default: Answer = NOT_FOUND,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(answers, default, tls)

    async def serve(self, wire: Wire, connection: Connection) -> None:
        """Answer request after request."""
        while request := await read_request(wire, connection.number):
            self.received(request)
            await self.follow(request, partial(self._perform, wire))
            if wire.writer.is_closing():
                break

    async def _perform(self, wire: Wire, step: Step) -> None:
        match step:
            case bytes(octets):
                await wire.send(octets)
            case Close():
                wire.writer.close()
            case Reset():
                reset(wire.writer)
            case _:
                raise TypeError(f"not a step of an HTTP/1 answer: {step}")


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with RST instead of FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
