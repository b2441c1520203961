"""Which version of HTTP is spoken, by what a start line says and by what TLS has agreed on."""

from hopguard.message import Version

_HTTP1: dict[bytes, Version] = {b"HTTP/1.0": "HTTP/1.0", b"HTTP/0.9": "HTTP/1.0"}


def version_spoken(label: bytes, alpn: bytes | None) -> Version:
    """Return the version of a message that is labelled `label`, on a connection with that ALPN.

    An HTTP/1 message may claim any version in its start line; HTTP/2 and 3 are a matter of ALPN.
    Where that is unknown (None), as in an imported HAR, the label is all that there is.
    """
    if label.startswith((b"HTTP/2", b"HTTP/3")):
        if alpn == b"h2" or (alpn is None and label.startswith(b"HTTP/2")):
            return "HTTP/2"
        if alpn is None or alpn.startswith(b"h3"):
            return "HTTP/3"
    return _HTTP1.get(label, "HTTP/1.1")


def version_by_alpn(alpn: bytes | None) -> Version:
    """Return the version that is to be spoken on a connection with that ALPN; None is no ALPN."""
    if alpn == b"h2":
        return "HTTP/2"
    return "HTTP/3" if alpn is not None and alpn.startswith(b"h3") else "HTTP/1.1"
