"""Flow files, such as mitmproxy saves of a browser's traffic."""

from collections.abc import Sequence
from pathlib import Path

from mitmproxy import http
from mitmproxy.certs import Cert
from mitmproxy.connection import Client, Server
from mitmproxy.io import FlowWriter
from mitmproxy.proxy.mode_specs import ProxyMode

from .sample import exchange

BEGAN = 1_764_230_000.0
APART = 0.05
"""Seconds from one flow to the next."""
ON_A_CONNECTION = 6
"""Flows on one connection, one after the other."""
BODY = 4096
"""Octets of each response."""


def write_flows(path: Path, number_of_flows: int, chain: Sequence[Cert], body: int = BODY) -> None:
    """Write clean flows, some on each connection; servers show the certificates of `chain`."""
    with path.open("wb") as file:
        writer = FlowWriter(file)
        for number_of_flow in range(number_of_flows):
            began = BEGAN + number_of_flow * APART
            if number_of_flow % ON_A_CONNECTION == 0:
                client, server = _connections(began, 40_000 + number_of_flow % 20_000, chain)
            writer.add(_flow(began, client, server, body))


def _connections(began: float, port: int, chain: Sequence[Cert]) -> tuple[Client, Server]:
    client = Client(
        peername=("192.0.2.7", port),
        sockname=("192.0.2.1", 8080),
        timestamp_start=began - 0.02,
        proxy_mode=ProxyMode.parse("regular"),
    )
    server = Server(address=("www.example.com", 443))
    server.peername, server.sockname = ("198.51.100.7", 443), ("192.0.2.1", port)
    server.timestamp_start, server.timestamp_tcp_setup = began - 0.015, began - 0.012
    for connection in (client, server) if chain else ():
        connection.tls = True
        connection.timestamp_tls_setup = began - 0.001
        connection.sni, connection.alpn = "www.example.com", b"http/1.1"
        connection.alpn_offers = [b"http/1.1"]
        connection.tls_version, connection.cipher = "TLSv1.3", "TLS_AES_256_GCM_SHA384"
    if chain:
        client.mitmcert, server.certificate_list = chain[0], list(chain)
    return client, server


def _flow(began: float, client: Client, server: Server, body: int) -> http.HTTPFlow:
    scheme, port = (b"https", 443) if server.tls else (b"http", 80)
    asked, answered = exchange()
    flow = http.HTTPFlow(client, server)
    flow.request = http.Request(
        *("www.example.com", port, b"GET", scheme, b"", b"/", b"HTTP/1.1"),
        *(http.Headers(asked), b"", None, began, began + 0.001),
    )
    flow.response = http.Response(
        *(b"HTTP/1.1", 200, b"OK", http.Headers(answered), bytes(body), None),
        *(began + 0.02, began + 0.03),
    )
    return flow
