"""Which version is spoken on the leg that a request goes to, as soon as that can be known."""

from collections.abc import Callable
from weakref import WeakSet

from mitmproxy import connection, http

from hopguard.message import Version
from hopguard.spoken import version_by_alpn

Destination = tuple[str, int]


class NextLegs:
    """Knows the connections to servers, by the client connections for which they were made."""

    def __init__(self) -> None:
        """Begin without connections."""
        self._known: dict[str, dict[Destination, Version]] = {}
        self._waiting: dict[str, WeakSet[http.HTTPFlow]] = {}

    def version(self, flow: http.HTTPFlow) -> Version | None:
        """Return the version; None if the connection is still to be made, and may negotiate."""
        if flow.client_conn.alpn is not None and flow.client_conn.alpn.startswith(b"h3"):
            return "HTTP/3"
        request = flow.request.data
        if request.scheme != b"https":
            return "HTTP/1.1"
        destination = (request.host, request.port)
        known = self.versions(flow.client_conn).get(destination)
        if known is None and flow.server_conn.connected and _address(flow) == destination:
            known = self.versions(flow.client_conn)[destination] = version_by_alpn(
                flow.server_conn.alpn
            )
        return known

    def versions(self, client: connection.Client) -> dict[Destination, Version]:
        """Return what is known of the servers of a client over TLS; more may come to it."""
        return self._known.setdefault(client.id, {})

    def wait(self, flow: http.HTTPFlow) -> None:
        """Remember a flow whose connection is still to be made."""
        self._waiting.setdefault(flow.client_conn.id, WeakSet()).add(flow)

    def established(
        self,
        client: connection.Client,
        server: connection.Server,
        tell: Callable[[http.HTTPFlow, Version], None],
    ) -> None:
        """Take note of a connection that speaks its version now; `tell` those who wait for it."""
        if server.address is None or client.alpn != b"h2":
            return  # HTTP/1 is translated by mitmproxy itself, HTTP/3 only goes to HTTP/3
        destination, version = (server.address[0], server.address[1]), version_by_alpn(server.alpn)
        self.versions(client)[destination] = version
        waiting = self._waiting.get(client.id, WeakSet())
        for flow in list(waiting):
            if (flow.request.host, flow.request.port) == destination:
                waiting.discard(flow)
                tell(flow, version)

    def forget(self, client: connection.Client) -> None:
        """Forget what was known of a client connection."""
        self._known.pop(client.id, None)
        self._waiting.pop(client.id, None)


def _address(flow: http.HTTPFlow) -> Destination | None:
    address = flow.server_conn.address
    return (address[0], address[1]) if address is not None else None
