"""What mitmproxy tells nobody but its log: unasked data, and what an upstream proxy refuses."""

import ast
import logging
import re
from collections.abc import Callable

from mitmproxy.utils import human

from hopguard.message import Response, Version

_UNASKED = "Unexpected data from server: "
_REFUSED = re.compile(r"(?P<address>[^ ]+): (?P<octets>b['\"]HTTP/1\.[01] [0-9]{3}.*)", re.DOTALL)
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([0-9]{3})(?: .*)?", re.DOTALL)
_VERSIONS: dict[bytes, Version] = {b"HTTP/1.0": "HTTP/1.0", b"HTTP/1.1": "HTTP/1.1"}

# A whole escape or a whole character at a time, so that none is cut in two.
_LITERAL = re.compile(r"b(['\"])(?:\\x[0-9a-f]{2}|\\[^x]|(?!\1)[^\\])*+")

_CUT = 4096
"""Characters of the text that are read; there may be megabytes."""

UnaskedReport = Callable[[bytes, str], None]
"""Called with the first octets, and the address of the client behind them."""

RefusedReport = Callable[[Response, str, str], None]
"""Called with the answer to CONNECT, the address of the upstream proxy, and that of the client."""


class ConnectionLogHandler(logging.Handler):
    """Learns from mitmproxy's own log what happens on connections to servers."""

    def __init__(self, unasked: UnaskedReport, refused: RefusedReport) -> None:
        """Call `unasked` for data without a request, `refused` for a CONNECT that is refused."""
        super().__init__(logging.DEBUG)
        self._unasked = unasked
        self._refused = refused

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one log record."""
        client, text = getattr(record, "client", None), record.msg
        if client is None or not isinstance(text, str):
            return
        if text.startswith(_UNASKED):
            octets = _octets(text.removeprefix(_UNASKED))
            self._unasked(octets or b"", human.format_address(client))
        elif record.levelno == logging.DEBUG and (found := _REFUSED.fullmatch(text)):
            response = _response(_octets(found["octets"]) or b"")
            if response is not None:
                self._refused(response, found["address"], human.format_address(client))


def _octets(shown: str) -> bytes | None:
    """Read octets as Python shows them; of many, the first ones. None if they are not that."""
    found = _LITERAL.match(shown, 0, _CUT)
    if found is None:
        return None
    try:
        octets: bytes = ast.literal_eval(found[0] + found[1])
    except (SyntaxError, ValueError):
        return None
    return octets


def _response(head: bytes) -> Response | None:
    """Read the head of a response, whose lines mitmproxy has joined by LF."""
    first, *lines = head.split(b"\n")
    found = _STATUS_LINE.fullmatch(first)
    if found is None:
        return None
    pairs = [line.partition(b":") for line in lines if b":" in line]
    return Response(
        version=_VERSIONS[found[1]],
        status=int(found[2]),
        fields=tuple((name, value.strip(b" \t")) for name, _, value in pairs),
        leg="server",
        direct=False,
    )
