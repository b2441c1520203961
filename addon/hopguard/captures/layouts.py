r"""Dictionaries in the order in which mitmproxy 12 writes them: read in a few steps.

Such a dictionary is matched by a few patterns, each of which covers several members at once. What
differs from the usual order, or has an unusual value, matches none, and is read member by member.
Patterns cannot know lengths. So a text is skipped by its length; or it is matched, if it has only
such octets as cannot be its end, and what follows is as it should be.
"""

import re

from hopguard.captures.tnetstrings import Members, members


class Layout:
    """The usual order of a dictionary."""

    def __init__(self, *steps: str) -> None:
        """Take patterns that match one after the other.

        A group takes the name of the member whose value it is. A pattern that ends in the length of
        a value has a group for it, named like the member, and the next pattern goes on behind the
        value, at its type.
        """
        self._steps = []
        for step in steps:
            pattern = re.compile(step.encode())
            groups = {name.encode(): group for name, group in pattern.groupindex.items()}
            skipped = next(reversed(groups)) if step.endswith(":") else None
            group = groups.pop(skipped) if skipped is not None else 0
            self._steps.append((pattern.match, tuple(groups.items()), skipped, group))

    def find(self, data: bytes, start: int, stop: int) -> Members:
        """Find the members of the dictionary whose octets are data[start:stop].

        Raises:
            DamageError: it is no dictionary with simple names.
        """
        found: Members = {}
        begin = start
        for match, groups, skipped, group in self._steps:
            step = match(data, start, stop)
            if step is None:
                return members(data, begin, stop)
            start = step.end()
            for name, value in groups:
                found[name] = step.span(value)
            if skipped is not None:
                end = start + int(step[group])
                found[skipped] = (start, end)
                start = end
        return found if start == stop else members(data, begin, stop)


def _skipped(name: str) -> str:
    return rf"{len(name)}:{name};(?P<{name}>\d{{1,12}}):"


def _time(name: str) -> str:
    return rf"{len(name)}:{name};\d\d?:(?P<{name}>[\d.e+-]*)[\^#~]"


def _text(name: str, octets: str) -> str:
    return rf"{len(name)}:{name};\d\d?:(?P<{name}>[{octets}]*)"


_TIMES = _time("timestamp_end") + _time("timestamp_start")
_REST_OF_MESSAGE = (
    rf"[,~]{_skipped('headers')}",
    rf"]{_text('http_version', r'\w/.')},",
)

FLOW = Layout(
    rf"9:websocket;0:~{_skipped('response')}",
    rf"[}}~]{_skipped('request')}",
    r"}6:backup;0:~17:timestamp_created;\d\d?:[\d.e+-]+[\^#]7:comment;0:;8:metadata;0:}"
    rf"6:marked;0:;9:is_replay;0:~11:intercepted;5:false!{_skipped('server_conn')}",
    rf"}}{_skipped('client_conn')}",
    rf"}}5:error;0:~{_text('id', r'\w-')};4:type;4:(?P<type>http);7:version;2:(?P<version>\d\d)#",
)
REQUEST = Layout(
    _skipped("path"),
    rf",{_text('authority', r'\w.:-')},{_text('scheme', r'\w')},{_text('method', r'\w')},"
    rf"4:port;\d:(?P<port>\d+)#{_text('host', r'\w.:-')};{_TIMES}"
    rf"8:trailers;0:~{_skipped('content')}",
    *_REST_OF_MESSAGE,
)
RESPONSE = Layout(
    rf"{_text('reason', r'\w ')},11:status_code;3:(?P<status_code>\d\d\d)#{_TIMES}"
    rf"8:trailers;0:~{_skipped('content')}",
    *_REST_OF_MESSAGE,
)
