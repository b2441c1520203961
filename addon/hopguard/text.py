"""Octets as text: what people read must not be able to act on the place where they read it."""

VALUE_LIMIT = 256
"""Octets of a field value that are written out; the rest is counted."""

QUOTE_LIMIT = 80
"""Octets of a field value that fit into a sentence."""

REDACTED = "[redacted]"
"""What stands for a value that is never written anywhere."""

_ESCAPES = [chr(octet) if 0x20 <= octet <= 0x7E else f"\\x{octet:02x}" for octet in range(256)]


def printable(octets: bytes, limit: int = VALUE_LIMIT) -> str:
    r"""Show `octets` as printable ASCII, everything else as `\xNN`.

    At most `limit` octets are shown; a mark says how many there were. The result holds no control
    character, no ANSI escape and nothing outside ASCII, so it is safe for a terminal and a log;
    HTML and CSV need their own escaping on top.
    """
    shown = octets[:limit].decode("latin-1")
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join([_ESCAPES[octet] for octet in octets[:limit]])
    return shown if len(octets) <= limit else f"{shown}...[{len(octets)} octets]"


def printable_text(text: str, limit: int = VALUE_LIMIT) -> str:
    """Show `text`, which mitmproxy has made of octets, in the same way."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    return printable(text.encode("utf-8", "surrogateescape"), limit)


def quote(octets: bytes) -> str:
    """Show `octets` in double quotes, short enough for a sentence."""
    return f'"{printable(octets, QUOTE_LIMIT)}"'
