"""Servers of protocols that live on HTTP, made with the libraries that everybody uses."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from websockets.sync.server import ServerConnection, serve

from tests.peers import TIMEOUT, Certificates
from tests.peers.products import NGINX, Running

SERVICE = "hopguard.Numbers"

NGINX_BODY = """
  server {
    listen 127.0.0.1:@port0@; listen 127.0.0.1:@port1@ ssl http2;
    ssl_certificate @certificate@; ssl_certificate_key @key@;
    root @folder@; default_type text/plain; gzip off;
  }
"""
LARGE = os.urandom(1024) * 3000
"""3 MB."""


@contextmanager
def file_server(certificates: Certificates) -> Iterator[Running]:
    """Run nginx with some files, in clear text and with TLS."""
    body = NGINX_BODY.replace("@certificate@", str(certificates.certificate))
    with NGINX.run(body.replace("@key@", str(certificates.key)), ports=2) as nginx:
        (nginx.folder / "file").write_text("a file\n")
        (nginx.folder / "large").write_bytes(LARGE)
        yield nginx


@contextmanager
def websocket_server() -> Iterator[str]:
    """Answer each message in capitals, and say goodbye; give the URL."""

    def shout(connection: ServerConnection) -> None:
        connection.send("welcome")
        for said in connection:
            connection.send(said.upper())
            if said == "bye":
                connection.close(4000, "goodbye")

    with serve(shout, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        finally:
            server.shutdown()
            thread.join(TIMEOUT)


def _double(request: bytes, context: grpc.ServicerContext) -> bytes:
    context.set_trailing_metadata((("x-cost", "1"),))
    if not request:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "nothing to double")
    return request * 2


def _count(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    for number in range(int(request)):
        yield b"%d" % number
    context.set_trailing_metadata((("x-cost", request.decode()),))


def _sum(requests: Iterator[bytes], _: grpc.ServicerContext) -> Iterator[bytes]:
    total = 0
    for request in requests:
        total += int(request)
        yield b"%d" % total


@contextmanager
def grpc_server(certificates: Certificates) -> Iterator[str]:
    """Serve methods of every kind, whose messages are octets; give the URL."""
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Double": grpc.unary_unary_rpc_method_handler(_double),
        "Count": grpc.unary_stream_rpc_method_handler(_count),
        "Sum": grpc.stream_stream_rpc_method_handler(_sum),
    }
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
        pair = (certificates.key.read_bytes(), certificates.certificate.read_bytes())
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
        server.start()
        try:
            yield f"https://127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait(TIMEOUT)
