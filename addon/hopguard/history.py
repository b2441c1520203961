"""A connection's history in words: what its findings say of it."""

from hopguard.connection import Connection


def seconds(time: float) -> str:
    """Say how long `time`, in seconds, is."""
    if time < 0.9995:
        return f"{time * 1000:.0f} ms"
    return f"{time:.1f} s" if time < 600 else f"{time / 60:.0f} min"


def nth(connection: Connection, number: int | None = None) -> str:
    """Say which request this is on the connection; by default, the latest one."""
    number = connection.number if number is None else number
    return f"request {number}" + ("" if connection.whole else " since it is observed")


def sends(connection: Connection) -> str:
    """Say that the next request on the connection is sent, and by whom."""
    who = "client" if connection.client_is_peer else "proxy"
    return f"The {who} sends {nth(connection, connection.number + 1)}"


def promise(connection: Connection) -> str:
    """Say what the server has promised in Keep-Alive; empty where it has not."""
    if connection.promise is None:
        return ""
    parts = [("timeout", connection.promise.timeout), ("max", connection.promise.most)]
    return "Keep-Alive: " + ", ".join(
        f"{name}={value}" for name, value in parts if value is not None
    )


def story(connection: Connection, time: float | None) -> str:
    """Say in one clause what has been going on: exchanges, idle time, promise."""
    count = connection.answered
    exchanges = "1 exchange" if count == 1 else f"{count} exchanges"
    words = [f"after {'' if connection.whole else 'at least '}{exchanges}"]
    idle = connection.idle(time)
    if idle is not None:
        words.append(f"idle for {seconds(idle)}")
    words.append(f"promised: {promise(connection)}" if connection.promise else "nothing promised")
    return ", ".join(words)
