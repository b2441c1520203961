import ssl
from contextlib import suppress
from typing import Self

from .certs import HOST
from .connecting import connect
from .http1 import read_response
from .messages import Response
from .waiting import TIMEOUT, Address, Background
from .wire import Wire


class Http1Client:
    """A client that sends octets as they are, and reads responses; a context manager.

    With a `proxy` it asks that for a CONNECT tunnel to `address` first; with a `tls` context
    (see `client_context`) it speaks TLS to `address`.
    """

    def __init__(
        self,
        address: Address,
        *,
        tls: ssl.SSLContext | None = None,
        server_name: str = HOST,
        proxy: Address | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._connecting = (address, tls, server_name, proxy)
        self._timeout = timeout
        self._background = Background(type(self).__name__)
        self._wire: Wire | None = None

    def __enter__(self) -> Self:
        self._background.__enter__()
        try:
            self._wire = self._background.run(
                connect(*self._connecting), f"a connection to {self._connecting[0]}", self._timeout
            )
        except BaseException:
            self._background.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._background.run(self._close(), "the connection to close")
        finally:
            self._background.__exit__()

    async def _close(self) -> None:
        self.wire.writer.transport.abort()

    @property
    def wire(self) -> Wire:
        """The connection."""
        assert self._wire, "use the client as a context manager"
        return self._wire

    @property
    def alpn(self) -> str | None:
        """The protocol that TLS agreed on."""
        return self.wire.alpn

    @property
    def received(self) -> bytes:
        """Every octet that came, with those of the answer to CONNECT, after TLS."""
        return bytes(self.wire.reader.received)

    @property
    def broken(self) -> Exception | None:
        """How the connection ended, if not in an orderly way: a reset, say."""
        return self.wire.reader.broken

    def send(self, octets: bytes) -> None:
        """Send octets."""
        self._background.run(self.wire.send(octets), "octets to be sent", self._timeout)

    def end(self) -> None:
        """Close the sending side only (without TLS)."""

        async def write_eof() -> None:
            self.wire.writer.write_eof()

        self._background.run(write_eof(), "the sending side to close", self._timeout)

    def response(self, method: bytes = b"GET") -> Response:
        """Read the next response, to a request with `method`, with the interim ones before it.

        Raises PeerClosedError when the peer closes instead, and MalformedMessageError.
        """
        try:
            return self._background.run(
                read_response(self.wire, method), f"a response to {method!r}", self._timeout
            )
        except TimeoutError as error:
            error.add_note(f"received: {self.received!r}")
            raise

    def exchange(self, octets: bytes) -> Response:
        """Send one whole request, and read its response, even if the peer was quick to close."""
        with suppress(ConnectionError):
            self.send(octets)
        return self.response(octets.lstrip().partition(b" ")[0])

    def wait_for_close(self) -> bytes:
        """Wait until the peer closes; give what it sent before. Raises if it does not close.

        That it did *not* close shows in another exchange on the same connection.
        """
        return self._background.run(self.wire.rest(), "the peer to close", self._timeout)
