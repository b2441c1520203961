"""Connections as mitmproxy 12 writes them: read in one go, values and all.

What differs from them is read member by member. See `hopguard.captures.layouts`, which has also the
reason why this may look for patterns.
"""

import re

from hopguard.captures.capture import Seconds
from hopguard.captures.flowpeer import Connection, of_client, of_server, show_pair

LENGTH = r"(\d{1,12}):"
TIME = r"(?:\d\d?:([\d.e+-]+)[\^#]|0:~)"
_ADDRESS = r"(?:\d\d?:([^\]]*)\]|0:~)"

_BEGIN = (
    rf"19:timestamp_tls_setup;{TIME}13:timestamp_end;{TIME}15:timestamp_start;{TIME}"
    rf"3:sni;\d\d?:[\w.-]*[;~]11:tls_version;\d:[\w.]*[;~]11:cipher_list;{LENGTH}"
)
_CLIENT, _BEHIND_CERTIFICATE, _SERVER, _BEHIND_CIPHERS, _BEHIND_CERTIFICATES = (
    re.compile(pattern.encode()).match
    for pattern in (
        rf"10:proxy_mode;\d\d?:([^;]*);8:mitmcert;{LENGTH}",
        rf"[,;~]{_BEGIN}",
        r"3:via;(?:0:(~)|\d\d?:\d:\w*[;,]\d\d?:[^\]]*\]\])"
        rf"19:timestamp_tcp_setup;{TIME}7:address;{_ADDRESS}{_BEGIN}",
        r"]6:cipher;\d\d?:[\w-]*[;~]11:alpn_offers;\d\d?:[^\]~]*[\]~]"
        rf"4:alpn;(?:\d\d?:([\w/.-]*),|0:~)16:certificate_list;{LENGTH}",
        r"]3:tls;[45]:(true|false)!5:error;0:~18:transport_protocol;3:(?:tcp|udp);"
        rf"2:id;\d\d?:([\w-]*);8:sockname;{_ADDRESS}8:peername;{_ADDRESS}",
    )
)
"""All but the last one end in the length of a value: what is next goes on behind that."""

_End = tuple[bytes | None, bool, bytes, bytes | None]
"""ALPN, whether TLS is spoken, the id, and the octets of the peer's address."""


def usual_client(data: bytes, start: int, stop: int) -> Connection | None:
    """Read the connection from a client whose octets are data[start:stop]; None if it is unusual.

    Raises:
        ValueError: a number or an address is none.
    """
    mode = _CLIENT(data, start, stop)
    begin = mode and _BEHIND_CERTIFICATE(data, mode.end() + int(mode[2]), stop)
    end = begin and _find_end(data, begin, stop)
    if not mode or not begin or not end:
        return None
    alpn, tls, identity, peer = end
    _, ended, started, _ = begin.groups()
    seconds = Seconds(_number(started), _number(ended))
    return of_client(identity, tls, alpn, mode[1], _shown(peer), seconds)


def usual_server(data: bytes, start: int, stop: int) -> Connection | None:
    """Read the connection to a server whose octets are data[start:stop]; None if it is unusual.

    Raises:
        ValueError: a number or an address is none.
    """
    begin = _SERVER(data, start, stop)
    end = begin and _find_end(data, begin, stop)
    if not begin or not end:
        return None
    alpn, tls, identity, peer = end
    direct, connected, address, secured, ended, started, _ = begin.groups()
    return of_server(
        identity,
        tls,
        alpn,
        direct is None,
        (_shown(peer), _shown(address)),
        Seconds(_number(started), _number(ended)),
        (_number(connected), _number(secured)),
    )


def _find_end(data: bytes, begin: re.Match[bytes], stop: int) -> _End | None:
    ciphers = begin.end() + int(begin[begin.lastindex or 0])
    middle = _BEHIND_CIPHERS(data, ciphers, stop)
    end = middle and _BEHIND_CERTIFICATES(data, middle.end() + int(middle[2]), stop)
    if not middle or not end or end.end() != stop:
        return None
    tls, identity, _, peer = end.groups()
    return middle[1], tls == b"true", identity, peer


def _number(text: bytes | None) -> float | None:
    return float(text) if text is not None else None


def _shown(pair: bytes | None) -> str | None:
    return show_pair(pair) if pair is not None else None
