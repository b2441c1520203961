"""What a conforming intermediary sends on (RFC 9110, section 7.6.1). Pure.

It consumes what is between it and the sender, and speaks for itself on the next leg. What it
returns has no fault in a field that is its own business, keeps every other line in its order, and
forwarding it once more changes nothing. What is wrong with a message otherwise, remains: an
intermediary does not mend other people's fields.
"""

from dataclasses import dataclass, replace

from hopguard import fields
from hopguard.field_registry import HANDSHAKE_PREFIX
from hopguard.grammar import NAME_PADDING, Protocol, parse_protocol
from hopguard.message import HTTP1, Message, RawFields, Request, Response, Version
from hopguard.nominating import nominated

CONNECTION, TE, UPGRADE = b"connection", b"te", b"upgrade"

CONSUMED = fields.HOP_BY_HOP_EXTENSIONS | frozenset(
    {b"keep-alive", b"proxy-connection", b"http2-settings", b"close", CONNECTION, TE, UPGRADE}
)
"""Fields that end here, listed or not; what is sent under the last three names is our own. A field
called Close means nothing, and recipients may take it for the option (RFC 9112, section 9.6)."""

NEVER_FORWARDED = frozenset({b"h2c", b"h2"})
"""Protocols that nobody can be upgraded to through an intermediary (RFC 9113, section 3.1)."""


@dataclass(frozen=True, kw_only=True)
class NextLeg:
    """The connection on which a message is sent on, and what becomes of it."""

    version: Version
    """What the recipient speaks."""
    closes: bool = False
    """Whether the intermediary closes it after this exchange."""
    keeps_alive: bool = False
    """Whether it stays open although one side speaks HTTP/1.0, which has to be said."""
    is_proxy: bool = False
    """Whether the recipient of a request is another proxy, which may want the credentials."""


def forward[M: Message](message: M, to: NextLeg) -> M:
    """Return what is sent on in the place of `message`.

    Connection and what it nominates are consumed, but for what `nominating` protects. TE: trailers
    is said again if the sender said it; Upgrade, if a switch of protocols can follow. In HTTP/2 and
    HTTP/3, Connection has no meaning and nominates nothing.

    Where the next leg has no transfer codings, Transfer-Encoding is left out; whoever sends the
    message frames its content anew. See `obstacle` for when that is impossible.
    """
    own = _own_fields(message, to)
    gone = _consumed(message, to)
    lines: list[tuple[bytes, bytes]] = []
    for name, value in message.fields:
        lower = name.lower().strip(NAME_PADDING)
        if lower in own:
            lines.append((name.strip(NAME_PADDING), own.pop(lower)))
        elif lower not in gone:
            lines.append((name, value))
    lines += [(name.title(), value) for name, value in own.items()]
    if to.version not in HTTP1:
        lines = [(name.lower(), value) for name, value in lines]
    return replace(
        message,
        version=to.version,
        leg="server" if isinstance(message, Request) else "client",
        fields=tuple(lines),
        trailers=_trailers(message, to),
    )


def obstacle(message: Message, to: NextLeg) -> str:
    """Say why `message` cannot be sent on; empty if it can.

    Its content is encoded, and the next leg has no field that says so; or it switches protocols,
    which the next leg cannot.
    """
    if isinstance(message, Response) and message.status == 101 and to.version != "HTTP/1.1":
        return f"It switches protocols, which {to.version} cannot follow."
    if _has_transfer_codings(message, to):
        return ""
    codings = set(message.transfer_codings or ()) - {b"chunked"}
    if not codings and message.transfer_codings is not None:
        return ""
    return f"Transfer-Encoding is more than chunked, for which {to.version} has no field."


def forwarded_protocols(message: Message, to: NextLeg) -> list[bytes]:
    """List the elements of Upgrade that are sent on: those that a switch can follow.

    That takes HTTP/1.1 on both legs. A response says what it switches to, or what it requires, and
    would be at fault without; in others Upgrade is an advertisement to the next hop alone.
    """
    values = [member.value for member in message.upgrades()]
    valid = [(value, found) for value in values if (found := parse_protocol(value)) is not None]
    possible = [value for value, protocol in valid if not _is_http2(protocol)]
    if isinstance(message, Response):
        required = message.status in (101, 426) and {message.version, to.version} <= HTTP1
        return (possible or [value for value, _ in valid]) if required else []
    offered = message.version == to.version == "HTTP/1.1" and UPGRADE in message.options
    return possible if offered else []


def accepts_trailers(message: Message, to: NextLeg) -> bool:
    """Tell whether the client takes trailer fields, which can be said again on the next leg."""
    return (
        isinstance(message, Request)
        and "HTTP/1.0" not in (message.version, to.version)
        and any(member.value.lower() == b"trailers" for member in message.members(TE))
    )


def _is_http2(protocol: Protocol) -> bool:
    return protocol.name in NEVER_FORWARDED or protocol == Protocol(b"http", b"2.0")


def _own_fields(message: Message, to: NextLeg) -> dict[bytes, bytes]:
    """Make the fields that the intermediary sends for itself, by their names in lower case."""
    protocols, trailers = forwarded_protocols(message, to), accepts_trailers(message, to)
    options = []
    if not (isinstance(message, Response) and message.status < 200):
        options += [b"close"] if to.closes else [b"keep-alive"] if to.keeps_alive else []
    options += [b"Upgrade"] if protocols else []
    options += [b"TE"] if trailers else []
    own = {
        CONNECTION: b", ".join(options) if to.version in HTTP1 else b"",
        TE: b"trailers" if trailers else b"",
        UPGRADE: b", ".join(protocols),
    }
    return {name: value for name, value in own.items() if value}


def _consumed(message: Message, to: NextLeg) -> frozenset[bytes]:
    gone = CONSUMED | nominated(message)
    if not _has_transfer_codings(message, to):
        gone |= {b"transfer-encoding"}
    if isinstance(message, Request) and message.to_proxy and not to.is_proxy:
        gone |= {b"proxy-authorization"}
    return gone | _broken_off_handshake(message, to)


def _broken_off_handshake(message: Message, to: NextLeg) -> frozenset[bytes]:
    """List the fields of a WebSocket handshake that goes on without its Upgrade.

    They would look as if an intermediary did not know what it removes.
    """
    if (
        not isinstance(message, Request)
        or message.is_extended_connect
        or forwarded_protocols(message, to)
    ):
        return frozenset()
    return frozenset(
        name.lower() for name, _ in message.fields if name.lower().startswith(HANDSHAKE_PREFIX)
    )


def _has_transfer_codings(message: Message, to: NextLeg) -> bool:
    """Tell whether both legs have Transfer-Encoding, where the field stays: it frames content."""
    return message.version in HTTP1 and to.version == "HTTP/1.1"


def _trailers(message: Message, to: NextLeg) -> RawFields | None:
    """Leave out what must not be in a trailer section; HTTP/1.0 has none."""
    if message.trailers is None:
        return None
    gone = CONSUMED | nominated(message) | message.forbidden_in_trailers
    return tuple(
        line
        for line in message.trailers
        if line[0].lower() not in gone and to.version != "HTTP/1.0"
    )
