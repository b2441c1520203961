"""Messages that HTTP/2's header validation keeps from every addon.

For one `connection: keep-alive`, h2 ends the whole connection: no hook fires, and the innocent
streams on it die too. Switching `validate_inbound_headers` off would show the message, and would
oblige us to repeat all the other checks, for HTTP/1 as well, in hooks where part of the evidence
is gone (in reverse mode the `Host` field has been rewritten by then) and refusal can no longer be
immediate. So the option is left alone, and the one check is made to look away from the one thing:
h2 validates a copy of the header section in which the connection-specific fields have a harmless
name. Their values, and everything else, are still checked by h2 and by mitmproxy itself.
"""

import ast
import logging
import re
import secrets
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

import h2.stream
import h2.utilities
from mitmproxy import http
from mitmproxy.utils import human

from hopguard.fields import CONNECTION_SPECIFIC, STAND_INS

logger = logging.getLogger(__name__)

_SHOWN = CONNECTION_SPECIFIC | {b"te"}

REFUSED_TRANSFER_ENCODING = STAND_INS.prefix + secrets.token_hex(8).encode()
"""What `transfer-encoding` is called in an HTTP/2 response on its way to us.

Under its own name mitmproxy would end the server connection, with all the streams on it, before
any hook. Under this name, which no peer can guess, the response reaches us to be refused alone;
if we should fail to, it is a field without a meaning.
"""

_PATCHED = "validate_headers"
"""What h2's streams call; h2 documents the function where it is defined, in `h2.utilities`."""

Header = tuple[bytes, bytes]
Validator = Callable[[Iterable[Header], Any], Iterable[Any]]


class Unveiling:
    """Makes h2 let connection-specific fields pass, so that hooks see them."""

    def __init__(self) -> None:
        """Prepare; nothing is changed yet."""
        self._lenient: _Lenient | None = None

    def start(self) -> bool:
        """Begin. Returns False, and says why, where this h2 does not have what is needed."""
        if self._lenient is None:
            original = getattr(h2.stream, _PATCHED, None)
            if not callable(original) or not hasattr(h2.utilities, "HeaderValidationFlags"):
                logger.warning(
                    "hopguard: this version of h2 is unknown; HTTP/2 messages with "
                    "connection-specific fields are reported without a flow"
                )
                return False
            self._lenient = _Lenient(original)
            setattr(h2.stream, _PATCHED, self._lenient)
        return True

    def stop(self) -> None:
        """End, and leave h2 as it was."""
        if self._lenient is None:
            return
        self._lenient.active = False
        if getattr(h2.stream, _PATCHED) is self._lenient:
            setattr(h2.stream, _PATCHED, self._lenient.original)
        self._lenient = None


_NAME = itemgetter(0)


class _Lenient:
    """Validates as h2 does, but for the presence of connection-specific fields."""

    def __init__(self, original: Validator) -> None:
        self.original = original
        self.active = True
        """Somebody who has wrapped this goes on calling it when it should be gone."""

    def __call__(self, headers: Iterable[Header], flags: Any) -> Iterable[Header]:
        lines = list(headers)
        shown = not _SHOWN.isdisjoint(map(_NAME, lines))  # quickly: all messages come by here
        if not (self.active and shown) or _is_interim(lines, flags):
            return self.original(lines, flags)
        harmless = [(b"x", line[1]) if line[0] in _SHOWN else line for line in lines]
        list(self.original(harmless, flags))  # a generator: it raises while it is read
        if not flags.is_response_header:
            return lines
        return [
            (REFUSED_TRANSFER_ENCODING, line[1]) if line[0] == b"transfer-encoding" else line
            for line in lines
        ]


def _is_interim(lines: list[Header], flags: Any) -> bool:
    """Tell whether this is an interim response. mitmproxy swallows those: no hook would fire."""
    return bool(flags.is_response_header) and any(
        name == b":status" and value.startswith(b"1") for name, value in lines
    )


Refusal = Callable[[bytes, bytes | None, bool, str, str], None]
"""Called with field name, value (None: unknown), whether the client sent it, address, client."""

_REFUSAL = re.compile(
    r"(?P<address>.+): HTTP/2 protocol error: (?:"
    r"Connection-specific header field present: (?P<field>b['\"].*['\"])\."
    r"|Invalid value for TE header: (?P<te>b['\"].*['\"]))",
    re.DOTALL,
)


class RefusalHandler(logging.Handler):
    """Learns from mitmproxy's own log which HTTP/2 messages were refused unseen."""

    def __init__(self, report: Refusal) -> None:
        """Call `report` for each of them."""
        super().__init__(logging.INFO)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one log record."""
        client = getattr(record, "client", None)
        if client is None or not isinstance(record.msg, str):
            return
        found = _REFUSAL.fullmatch(record.msg)
        if found is None:
            return
        try:
            name = ast.literal_eval(found["field"]) if found["field"] else b"te"
            value = ast.literal_eval(found["te"]) if found["te"] else None
        except (SyntaxError, ValueError):
            return  # it only looks like one of h2's messages
        client_address = human.format_address(client)
        from_client = found["address"] == client_address
        self._report(name, value, from_client, found["address"], client_address)


def restore_transfer_encoding(response: http.Response) -> str:
    """Give a field that h2 was not to see its name back; return why it must be refused."""
    fields = response.data.headers.fields
    if response.data.http_version != b"HTTP/2.0":
        return ""
    if REFUSED_TRANSFER_ENCODING not in [line[0] for line in fields]:
        return ""
    response.headers.fields = tuple(
        (b"transfer-encoding" if name == REFUSED_TRANSFER_ENCODING else name, value)
        for name, value in fields
    )
    return "The server sent Transfer-Encoding on HTTP/2, which has its own framing."
