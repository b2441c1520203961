"""Flows in the formats of older releases of mitmproxy: what it converts, turned round."""

from collections.abc import Callable
from typing import Any

State = dict[str, Any]


def _to_19(flow: State) -> None:
    for connection in _connections(flow):
        connection["state"] = 0


def _to_18(flow: State) -> None:
    client, server = _connections(flow)
    client["address"], client["tls_extensions"] = client.pop("peername"), None
    server["ip_address"], server["source_address"] = server.pop("peername"), server.pop("sockname")
    server["via2"], server["via"] = server.pop("via"), None
    for connection in (client, server):
        connection["tls_established"] = connection["tls"]
        connection["cipher_name"] = connection.pop("cipher")
        del connection["transport_protocol"]


def _to_17(flow: State) -> None:
    del flow["client_conn"]["proxy_mode"]


def _to_16(flow: State) -> None:
    flow["mode"] = "regular"


def _to_15(flow: State) -> None:
    del flow["timestamp_created"]


def _to_13(flow: State) -> None:
    del flow["comment"]


def _to_12(flow: State) -> None:
    flow["marked"] = bool(flow["marked"])


def _to_11(flow: State) -> None:
    del flow["websocket"]


def _to_10(flow: State) -> None:
    for connection in _connections(flow):
        connection["alpn_proto_negotiated"] = connection.pop("alpn")
        connection["sni"] = connection["sni"] and connection["sni"].encode()


def _to_9(flow: State) -> None:
    client, server = _connections(flow)
    client["clientcert"] = server["cert"] = None
    del server["via2"], server["cipher_name"], client["sockname"]
    for connection in (client, server):
        for name in ("state", "error", "tls", "alpn_offers", "cipher_list", "certificate_list"):
            del connection[name]


def _to_8(flow: State) -> None:
    replayed = flow.pop("is_replay")
    flow["request"]["first_line_format"] = "relative"
    del flow["request"]["authority"]
    for name in ("request", "response"):
        if flow[name] is not None:
            flow[name]["is_replay"] = replayed == name


def _to_7(flow: State) -> None:
    for name in ("request", "response"):
        if flow[name] is not None:
            del flow[name]["trailers"]


def _to_6(flow: State) -> None:
    del flow["client_conn"]["tls_extensions"]


def _to_5(flow: State) -> None:
    for connection in _connections(flow):
        connection["ssl_established"] = connection.pop("tls_established")
        connection["timestamp_ssl_setup"] = connection.pop("timestamp_tls_setup")


def _to_4(flow: State) -> None:
    for connection in _connections(flow):
        del connection["id"]
    flow["client_conn"]["address"] = list(flow["client_conn"]["address"])
    flow["server_conn"]["source_address"] = ["", 0]


def _connections(flow: State) -> tuple[State, State]:
    return flow["client_conn"], flow["server_conn"]


STEPS: dict[int, Callable[[State], None]] = {
    19: _to_19,
    18: _to_18,
    17: _to_17,
    16: _to_16,
    15: _to_15,
    13: _to_13,
    12: _to_12,
    11: _to_11,
    10: _to_10,
    9: _to_9,
    8: _to_8,
    7: _to_7,
    6: _to_6,
    5: _to_5,
    4: _to_4,
}


def downgrade(flow: State, version: int) -> State:
    """Turn the state of a flow, in version 21, into that of an older version of the format."""
    for number in range(20, version - 1, -1):
        if number in STEPS:
            STEPS[number](flow)
    flow["version"] = version
    return flow
