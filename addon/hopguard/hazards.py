"""What no repair may do to a message, whatever rule it is for: the last look before it is taken."""

from hopguard import fields, grammar
from hopguard.editing import CLOSE, TRANSFER_ENCODING
from hopguard.field_registry import HANDSHAKE_PREFIX
from hopguard.message import HTTP1, HTTP11, Message, RawFields, Request, Response

EDITABLE = fields.HOP_BY_HOP | fields.CONNECTION_MANAGEMENT
"""Fields that a repair may edit. All others are for the final recipient."""


def hazard(before: Message, after: Message) -> str:
    """Say why `after` must not take the place of `before`; empty if it may.

    - mitmproxy itself closes connections by the option close in the message: without it, the next
      request on the connection is served.
    - mitmproxy has chosen how to read the body before any addon sees the message. Without
      Transfer-Encoding it sends the body unframed, and the recipient takes it for the next message.
    - A 101 has made the two ends agree on a protocol, and a WebSocket handshake proves itself by
      what is in it.
    """
    if isinstance(before, Response) and before.status == 101:
        return "a 101 was edited"
    if before.version in HTTP1:
        if CLOSE in _said(before) - _said(after):
            return "close was lost"
        if _codings(after) != _codings(before):
            return "Transfer-Encoding was edited"
    if _is_handshake(before) and _handshake(after) != _handshake(before):
        return "a WebSocket handshake was edited"
    in_trailers = EDITABLE | before.forbidden_in_trailers
    if _others(before.fields, EDITABLE) != _others(after.fields, EDITABLE) or (
        _others(before.trailers or (), in_trailers) != _others(after.trailers or (), in_trailers)
    ):
        return "an end-to-end field was edited"
    return ""


def _said(message: Message) -> frozenset[bytes]:
    return message.options | message.meant_options


def _codings(message: Message) -> list[bytes]:
    return [grammar.unfold(line.value) for line in message.lines(TRANSFER_ENCODING)]


def _is_handshake(message: Message) -> bool:
    return (
        isinstance(message, Request)
        and message.version in HTTP11
        and b"websocket" in _named_protocols(message)
    )


def _named_protocols(message: Message) -> set[bytes]:
    return {protocol.name for _, protocol in message.protocols()} | message.meant_protocols


def _handshake(message: Message) -> tuple[bool, bool, RawFields]:
    return (
        b"websocket" in _named_protocols(message),
        b"upgrade" in _said(message),
        tuple(pair for pair in message.fields if pair[0].lower().startswith(HANDSHAKE_PREFIX)),
    )


def _others(pairs: RawFields, editable: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    return [pair for pair in pairs if pair[0].lower().strip(grammar.NAME_PADDING) not in editable]
