"""Records of usual flows, as mitmproxy 12 writes them: read in one go, values and all.

Usual is a flow with both messages, complete, without an error, trailer sections, WebSocket
messages, comment or metadata. What differs is no usual flow, and is read dictionary by dictionary:
see `hopguard.captures.layouts`, which has also the reason why this may look for patterns.
"""

import re
from struct import Struct

from hopguard.captures.capture import Captured, Seconds
from hopguard.captures.fieldlayouts import FieldLayouts
from hopguard.captures.fieldlines import FieldLines
from hopguard.captures.flowfacts import NEWEST, decoded, fingerprint_of, sent_time, url_at
from hopguard.captures.flowpairs import KnownPairs
from hopguard.captures.tnetstrings import Span
from hopguard.captures.usualconnection import LENGTH

_TIME = r"\d\d?:([\d.e+-]+)[\^#]"
_CONTENT = rf"13:timestamp_end;{_TIME}15:timestamp_start;{_TIME}8:trailers;0:~7:content;"
_FIELDS = r"[,~]7:headers;"
_VERSION = r"\]12:http_version;\d\d?:([\w/.]{0,32}),\}"
_PATH = r"([^,]*+(?:,(?!9:authority;)[^,]*+)*+),"
_PLACE = r"(9:authority;[^#]{0,512}#4:host;[^;]{0,256};)"

_ANSWERED, _SECTION, _ASKED, _REST = (
    re.compile(pattern.encode()).match
    for pattern in (
        rf"9:websocket;0:~8:response;{LENGTH}6:reason;\d\d?:[\w ]*,"
        rf"11:status_code;3:(\d\d\d)#{_CONTENT}{LENGTH}",
        rf"{_FIELDS}{LENGTH}",
        rf"{_VERSION}7:request;{LENGTH}4:path;{LENGTH}{_PATH}{_PLACE}"
        rf"{_CONTENT}(0:{_FIELDS})?{LENGTH}",
        rf"{_VERSION}6:backup;0:~17:timestamp_created;\d\d?:[\d.e+-]+[\^#]7:comment;0:;"
        r"8:metadata;0:\}6:marked;0:;9:is_replay;0:~11:intercepted;5:false!",
    )
)
"""All but the last one end in the length of a value: what is next goes on behind that, at its type.
A request without content has the length of its section there already. What becomes part of a key
under which something is remembered is short."""

_END = Struct("20s36s27s2s1s")
_FRAME = b"}5:error;0:~2:id;36:", b";4:type;4:http;7:version;2:", b"#"
"""What is behind the connections, around the id and the version of the format."""

_FORMS = frozenset(b"%d" % form for form in range(10, NEWEST + 1))
"""The versions that are known, of those that have two digits."""

_Texts = tuple[bytes, ...]
_Found = tuple[_Texts, _Texts, Span, Span, Span, int]
"""What the response says, and the request; where the header sections of both are, and the content
of the request; and where the connections begin."""


class UsualFlows:
    """Reads usual flows. It remembers connections, and what exchanges have in common."""

    def __init__(self, lines: FieldLines) -> None:
        """Begin with nothing in mind but what `lines` remember."""
        self._layouts = FieldLayouts(lines)
        self._pairs = KnownPairs()

    def read(self, data: bytes, start: int, stop: int, offset: int) -> Captured | None:
        """Read the record whose octets are data[start:stop]; None if it is no usual flow.

        Raises:
            DamageError: a header section is damaged.
        """
        end = stop - _END.size
        found = _find(data, start, end)
        if found is None:
            return None
        answered, asked, of_response, of_request, content, connections = found
        before_id, identity, before_form, form, behind = _END.unpack_from(data, end)
        if (before_id, before_form, behind) != _FRAME or form not in _FORMS:
            return None
        answered_label, status, response_end, response_start = answered
        asked_label, target, place, request_end, request_start = asked
        try:
            requested = Seconds(float(request_start), float(request_end))
            responded = Seconds(float(response_start), float(response_end))
            client, server, kinds = self._pairs.find(data, connections, end, form)
            kind = kinds.find(place, asked_label, answered_label)
        except ValueError:  # what is wrong is told where it is read dictionary by dictionary
            return None
        fields = self._layouts.read(data, of_request, place)
        lines = self._layouts.read(data, of_response, place)
        request, response, sent = kind.messages(target, fields, int(status), lines)
        return Captured(
            offset,
            request,
            response,
            sent,
            None,
            kind.method,
            url_at(kind.origin, target),
            response.status,
            decoded(identity),
            requested,
            responded,
            sent_time(requested, server),
            fingerprint_of(request, data, content),
            None,
            None,
            client.peer,
            server.peer,
        )


def _find(data: bytes, start: int, stop: int) -> _Found | None:
    """Find the parts of a record, whose octets up to the connections are in data[start:stop]."""
    answered = _ANSWERED(data, start, stop)
    if answered is None:
        return None
    response_size, status, ended, started, size = answered.groups()
    section = _SECTION(data, answered.end() + int(size), stop)
    if section is None:
        return None
    begin = section.end()
    of_response = begin, begin + int(section[1])
    asked = _ASKED(data, of_response[1], stop)
    if asked is None:
        return None
    label, request_size, target_size, target, place, closed, opened, empty, size = asked.groups()
    begin = asked.end()
    if empty is not None:
        content = asked.start(8) + 2, asked.start(8) + 2
    else:
        content = begin, begin + int(size)
        section = _SECTION(data, content[1], stop)
        if section is None:
            return None
        begin, size = section.end(), section[1]
    of_request = begin, begin + int(size)
    rest = _REST(data, of_request[1], stop)
    if (
        rest is None
        or asked.end(1) - answered.end(1) != int(response_size)
        or rest.end(1) - asked.end(2) != int(request_size)
        or len(target) != int(target_size)
    ):
        return None
    return (
        (label, status, ended, started),
        (rest[1], target, place, closed, opened),
        of_response,
        of_request,
        content,
        rest.end(),
    )
