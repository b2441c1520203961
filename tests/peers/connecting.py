import asyncio
import ssl

from .http1 import read_response
from .waiting import Address
from .wire import RecordingReader, Wire


async def connect(
    address: Address, tls: ssl.SSLContext | None, server_name: str, proxy: Address | None = None
) -> Wire:
    """Connect, through a CONNECT tunnel if there is a proxy, with TLS if there is a context."""
    reader = RecordingReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    loop = asyncio.get_running_loop()
    at_once = tls if not proxy else None
    host, port = proxy or address
    transport, _ = await loop.create_connection(
        lambda: protocol, host, port, ssl=at_once, server_hostname=server_name if at_once else None
    )
    wire = Wire(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
    try:
        if proxy:
            await _tunnel(wire, address)
            if tls:
                await wire.writer.start_tls(tls, server_hostname=server_name)
    except BaseException:
        wire.writer.transport.abort()
        raise
    return wire


async def _tunnel(wire: Wire, address: Address) -> None:
    authority = b"%s:%d" % (address[0].encode(), address[1])
    await wire.send(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (authority, authority))
    response = await read_response(wire, b"CONNECT")
    if response.status != 200:
        raise ConnectionError(f"CONNECT was answered with {response.status_line!r}")
