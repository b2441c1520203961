"""Records of usual flows, as mitmproxy 12 writes them: read in one go, values and all.

Usual is a flow with both messages, without an error, trailer sections, WebSocket messages, comment
or metadata. What differs is no usual flow, and is read dictionary by dictionary: see
`hopguard.captures.layouts`, which has also the reason why this may look for patterns.
"""

import re
from typing import NamedTuple

from hopguard.captures.capture import Seconds
from hopguard.captures.tnetstrings import Span

_LENGTH = r"(\d{1,12}):"
_TIME = r"(?:\d\d?:([\d.e+-]+)[\^#]|0:~)"
_TIMES = rf"13:timestamp_end;{_TIME}15:timestamp_start;{_TIME}8:trailers;0:~7:content;{_LENGTH}"
_VERSION = r"\]12:http_version;\d\d?:([\w/.]*),\}"

_FIELDS = rf"[,~]7:headers;{_LENGTH}"
_STEPS = [
    re.compile(pattern.encode()).match
    for pattern in (
        rf"9:websocket;0:~8:response;{_LENGTH}6:reason;\d\d?:[\w ]*,"
        rf"11:status_code;3:(\d\d\d)#{_TIMES}",
        _FIELDS,
        rf"{_VERSION}7:request;{_LENGTH}4:path;{_LENGTH}",
        r",9:authority;\d\d?:([\w.:-]*),6:scheme;\d\d?:(\w*),6:method;\d\d?:(\w*),"
        rf"4:port;\d:(\d+)#4:host;\d\d?:([\w.:-]*);{_TIMES}",
        _FIELDS,
        rf"{_VERSION}6:backup;0:~17:timestamp_created;\d\d?:[\d.e+-]+[\^#]7:comment;0:;"
        r"8:metadata;0:\}6:marked;0:;9:is_replay;0:~11:intercepted;5:false!"
        rf"11:server_conn;{_LENGTH}",
        rf"\}}11:client_conn;{_LENGTH}",
    )
]
"""Each ends in the length of a value, which is skipped: the next one goes on at its type."""

_END = re.compile(rb"\}5:error;0:~2:id;\d\d?:([\w-]*);4:type;4:http;7:version;2:(\d\d)#").match


class UsualFlow(NamedTuple):
    """What a usual flow says; field lines and connections are still to be read."""

    form: int
    id: bytes
    client: Span
    server: Span
    requested: Seconds
    target: bytes
    method: bytes
    scheme: bytes
    host: bytes
    port: int
    authority: bytes
    asked_fields: Span
    asked_label: bytes
    content: Span
    """Of the request."""
    responded: Seconds
    status: int
    answered_fields: Span
    answered_label: bytes


def read_usual(data: bytes, start: int, stop: int) -> UsualFlow | None:
    """Read the record whose octets are data[start:stop]; None if it is not that of a usual flow."""
    steps, skipped, position = [], [], start
    for match in _STEPS:
        step = match(data, position, stop)
        if step is None:
            return None
        begin = step.end()
        position = begin + int(step[step.lastindex or 0])
        steps.append(step)
        skipped.append((begin, position))
    end = _END(data, position, stop)
    to_response, _, to_request, behind_path, _, to_server, _ = steps
    if (
        end is None
        or end.end() != stop
        or to_request.end(1) - to_response.end(1) != int(to_response[1])
        or to_server.end(1) - to_request.end(2) != int(to_request[2])
    ):
        return None
    authority, scheme, method, port, host, asked_end, asked, _ = behind_path.groups()
    _, status, answered_end, answered, _ = to_response.groups()
    try:
        return UsualFlow(
            int(end[2]),
            end[1],
            skipped[6],
            skipped[5],
            Seconds(_time(asked), _time(asked_end)),
            data[skipped[2][0] : skipped[2][1]],
            method,
            scheme,
            host,
            int(port),
            authority,
            skipped[4],
            to_server[1],
            skipped[3],
            Seconds(_time(answered), _time(answered_end)),
            int(status),
            skipped[1],
            to_request[1],
        )
    except ValueError:  # a time is no number
        return None


def _time(text: bytes | None) -> float | None:
    return float(text) if text is not None else None
