import base64
import hashlib
from collections.abc import Iterator

from hopguard import grammar
from hopguard.message import HTTP11, FieldLine, Request, Response
from hopguard.rule import ERROR, Evidence, Requirement, exchange_rule

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a server appends to the key: nobody does so by accident (RFC 6455, section 1.3)."""


@exchange_rule(
    requirement=Requirement(6455, "4.2.2", "MUST"),
    also=(Requirement(6455, "4.1", "MUST"),),
    severity=ERROR,
    profiles=("rfc6455",),
    versions=HTTP11,
    statuses=(101,),
    violating=[
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        <! Sec-WebSocket-Accept: AAAA
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        <! Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        <! Upgrade: WebSocket
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        <! sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: keep-alive
        <! Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Protocol: chat, superchat
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        <! Sec-WebSocket-Protocol: mqtt
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Protocol: chat, superchat
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        <! Sec-WebSocket-Protocol: chat, superchat
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Protocol: chat, superchat
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        < Sec-WebSocket-Protocol: chat
        <! Sec-WebSocket-Protocol: superchat
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        <! Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover
        """,
    ],
    conforming=[
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: keep-alive, Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        > Sec-WebSocket-Protocol: chat
        > Sec-WebSocket-Protocol: superchat
        > Sec-WebSocket-Extensions: foo; bar="a, b", permessage-deflate; client_max_window_bits
        < HTTP/1.1 101 Web Socket Protocol Handshake
        < connection: upgrade
        < upgrade: WebSocket
        < sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        < sec-websocket-protocol: superchat
        < sec-websocket-extensions: Permessage-Deflate; client_max_window_bits="15",
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: "Upgrade"
        < Upgrade: websocket
        < Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        < Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: websocket
        """,
        """
        > GET / HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: TLS/1.2
        < HTTP/1.1 101 Switching Protocols
        < Connection: Upgrade
        < Upgrade: TLS/1.2
        """,
        """
        > GET /chat HTTP/1.1
        > Host: www.example
        > Connection: Upgrade
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        > Sec-WebSocket-Version: 13
        < HTTP/1.1 400 Bad Request
        < Sec-WebSocket-Version: 13
        < Content-Length: 0
        """,
        """
        > GET /chat HTTP/1.0
        > Upgrade: websocket
        > Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
        < HTTP/1.1 101 Switching Protocols
        < Upgrade: websocket
        """,
    ],
)
def check(request: Request, response: Response) -> Iterator[Evidence]:
    """A WebSocket handshake is accepted without proof, or with what was not asked for.

    By Sec-WebSocket-Accept a server proves that it has read this very request and speaks WebSocket:
    it is computed from the client's key and cannot come from a cache or from a server that echoes
    what it gets. It stands once in the 101, beside "Connection: Upgrade" and "Upgrade: websocket".
    The server may choose one of the subprotocols that the client has named, or none, and extensions
    that the client has asked for.

    Clients must give up the connection if any of this is wrong. Browsers do, and report a failed
    WebSocket handshake without much detail; HAProxy checks the Sec-WebSocket fields on its own and
    answers 502 (haproxy/haproxy#2876). Lax clients go on, and fail at the first frame that the
    unexpected extension or subprotocol has changed.

    Look for a cache or a mock that replays an old 101, for a proxy that makes a handshake of its
    own with the server and mixes up the two keys or passes on extensions that it does not speak,
    and for one that replaces Connection in the response. Code that computes the value appends the
    fixed GUID to the key as it was sent, without decoding it, and encodes the 20 octets of the
    SHA-1 digest, not their hexadecimal form. Servers that return the whole list of subprotocols
    have to choose one. Rather leave all of this to a library.

    The proof is not judged if the request has no key, or several: then that is the fault. Where the
    client did not offer WebSocket at all, the rule about that speaks. Subprotocols are compared
    exactly, extensions by name without regard to letter case.
    """
    accepted = response.line_naming(b"websocket")
    if accepted is None or request.version not in HTTP11:
        return
    if response.lacks_option(b"upgrade"):
        text = f"{accepted} accepts a WebSocket, but Connection does not list upgrade."
        yield Evidence(text, accepted)
    if request.line_naming(b"websocket"):
        for text, line in [*_proof(request, response, accepted), *_choices(request, response)]:
            yield Evidence(text, line)


def _proof(
    request: Request, response: Response, accepted: FieldLine
) -> Iterator[tuple[str, FieldLine]]:
    keys = request.lines(b"sec-websocket-key")
    proofs = response.lines(b"sec-websocket-accept")
    if keys and not proofs:
        yield f"{accepted} accepts a WebSocket without Sec-WebSocket-Accept.", accepted
    for line in proofs[1:]:
        yield f"{line} is sent beside another such line.", line
    if len(keys) == 1 and proofs:
        digest = hashlib.sha1(keys[0].value + GUID, usedforsecurity=False).digest()
        if grammar.unfold(proofs[0].value) != base64.b64encode(digest):
            yield f"{proofs[0]} does not prove that the key of the request was read.", proofs[0]


def _choices(request: Request, response: Response) -> Iterator[tuple[str, FieldLine]]:
    subprotocols = {value for _, value in request.members(b"sec-websocket-protocol") if value}
    for position, line in enumerate(response.lines(b"sec-websocket-protocol")):
        if position:
            yield f"{line} is sent beside another such line.", line
        elif grammar.unfold(line.value) not in subprotocols:
            yield f"{line} is not one subprotocol that the request names.", line
    requested = _extensions(request)
    for name, line in _extensions(response).items():
        if name not in requested:
            yield f"{line} uses an extension that the request does not ask for.", line


def _extensions(message: Request | Response) -> dict[bytes, FieldLine]:
    """Return the names of the extensions in lower case, and the first line of each."""
    found: dict[bytes, FieldLine] = {}
    for line, element in message.members(b"sec-websocket-extensions"):
        name = element.partition(b";")[0].strip(grammar.OWS).lower()
        if name:
            found.setdefault(name, line)
    return found
