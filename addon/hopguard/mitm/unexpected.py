"""Data from a server that nobody has asked for: mitmproxy tells nobody but its log."""

import ast
import logging
from collections.abc import Callable

from mitmproxy.utils import human

_SAID = "Unexpected data from server: "

_CUT = 4096
"""Characters of the text that are read; there may be megabytes."""


class UnexpectedDataHandler(logging.Handler):
    """Learns from mitmproxy's own log of data for which there was no request."""

    def __init__(self, report: Callable[[bytes, str], None]) -> None:
        """Call `report` with the first octets, and the address of the client behind them."""
        super().__init__(logging.INFO)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one log record."""
        client = getattr(record, "client", None)
        if client is None or not isinstance(record.msg, str) or not record.msg.startswith(_SAID):
            return
        octets = _octets(record.msg.removeprefix(_SAID))
        if octets is not None:
            self._report(octets, human.format_address(client))


def _octets(shown: str) -> bytes | None:
    """Read octets as Python shows them; of many, the first ones. None if they are not that."""
    if len(shown) > _CUT:
        cut = shown[:_CUT]
        escape = cut.rfind("\\", len(cut) - 4)  # an escape that would be cut in two
        shown = cut[:escape] + shown[1] if escape >= 0 else cut + shown[1]
    try:
        octets = ast.literal_eval(shown)
    except (SyntaxError, ValueError):
        return None
    return octets if isinstance(octets, bytes) else None
