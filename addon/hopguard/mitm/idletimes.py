"""The idle timeouts of servers, as learned: what is said of them in the end."""

import logging
from collections.abc import Iterable

from hopguard.peer import IdleTimeout, ServerPast

logger = logging.getLogger(__name__)

MOST = 50
"""Servers that are listed."""

_COLUMNS = ("server", "idle timeout", "spread", "closes", "announced")


def tell(servers: Iterable[ServerPast]) -> None:
    """Say in mitmproxy's log how long each server keeps idle connections, if that was learned."""
    table = table_of(servers)
    if table:
        logger.info("hopguard: %s", f"idle timeouts of servers, as observed\n{table}")


def table_of(servers: Iterable[ServerPast]) -> str:
    """Return the table; empty where nothing has been learned."""
    learned = [(server, server.idle_timeout) for server in servers]
    rows = [_row(server, idle) for server, idle in learned if idle is not None]
    if not rows:
        return ""
    shown = [_COLUMNS, *rows[:MOST]]
    widths = [max(len(row[column]) for row in shown) for column in range(len(_COLUMNS))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]
    return "\n".join([*lines, *([f"... {len(rows) - MOST} more"] if len(rows) > MOST else [])])


def _row(server: ServerPast, idle: IdleTimeout) -> tuple[str, ...]:
    announced = "nothing" if server.announced is None else f"{server.announced} s"
    return server.address, f"{idle.typical:.1f} s", idle.spread, str(idle.times), announced
