"""Closing a connection on which nothing is going on, by the same means as mitmproxy's own."""

from collections.abc import Callable

from mitmproxy import ctx


def hang_up(identity: str, is_idle: Callable[[str], bool]) -> bool:
    """Close the connection with the id `identity`; tell whether that is under way.

    mitmproxy ends idle clients so, and servers whose response says close: the layers above learn of
    it as of any other close. `is_idle` is asked about the client's connection, by its id: a server
    connection may be in use by a request of which no hook has told yet.
    """
    proxyserver = ctx.master.addons.get("proxyserver")
    for handler in list(getattr(proxyserver, "connections", {}).values()):
        for connection, transport in handler.transports.items():
            if connection.id == identity:
                closes = transport.handler is not None and is_idle(handler.client.id)
                if closes:
                    handler.close_connection(connection)
                return closes
    return False
