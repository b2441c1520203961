"""One entry of a HAR file: a request, its response, and what is known of both."""

from dataclasses import replace
from typing import Any

from hopguard.captures import losses
from hopguard.captures.capture import Captured, Loss, Peer
from hopguard.captures.harexporter import Exporter
from hopguard.captures.harvalues import (
    EntryError,
    Fields,
    fields_of,
    octets_of,
    status_of,
    times_of,
    version_of,
)
from hopguard.message import HTTP1, Request, Response, Version

_SCHEMES = {"http": False, "ws": False, "https": True, "wss": True}
"""Whether TLS, or QUIC, is used."""

_UNSENT = ("_fromCache", "_fetchedViaServiceWorker", "_wasFulfilled", "_wasAborted")
"""Members by which browsers (the last two: Playwright) say that nothing came from a server."""


class Entry:
    """What an entry tells, and what is lost of it besides what its exporter loses of all."""

    def __init__(self, value: Any, offset: int, exporter: Exporter) -> None:
        """Read the entry `value`, which begins at `offset`.

        Raises:
            EntryError: it is not what HAR requires.
        """
        self._exporter = exporter
        self._value = value
        self._request, self._response = _member(value, "request"), _member(value, "response")
        self._url = _text(self._request, "url")
        self._method = octets_of(_text(self._request, "method"), as_utf8=True)
        self._status = status_of(self._response.get("status"))
        self._tls = _SCHEMES.get(self._url.partition(":")[0].lower())
        self._offset = offset
        self.lost: tuple[Loss, ...] = ()
        self.captured = self._captured()
        """None if nothing was sent over HTTP."""

    def _captured(self) -> Captured | None:
        if self._tls is None:
            return None
        if not self._exporter.is_proxy and self._is_unsent():
            self.lost = (losses.NOT_SENT,)
            return None
        asked, response = self._make_request(), self._make_response()
        request = asked if asked is not None and self._is_as_sent(asked) else None
        if request is None and response is None:
            return None
        requested, responded = times_of(self._value, with_connecting=not self._exporter.is_proxy)
        return Captured(
            offset=self._offset,
            request=request,
            response=response,
            asked=self._on_leg_of(response, asked),
            method=self._method,
            url=self._url,
            status=self._status or None,
            requested=requested,
            responded=responded,
            server=self._server(),
        )

    def _is_unsent(self) -> bool:
        size = self._response.get("_transferSize")
        return any(self._value.get(name) for name in _UNSENT) or (size == 0 and self._status > 0)

    def _version(self, *labels: Any) -> Version | None:
        """Return the version of the first of `labels` that tells one."""
        known = [version for version in map(version_of, labels) if version is not None]
        if known:
            return known[0]
        if self._status == 101:
            return "HTTP/1.1"  # only there; Chromium labels it `websocket`
        self.lost = (*self.lost, losses.UNKNOWN_VERSIONS)
        return None

    def _make_request(self) -> Request | None:
        message = self._request
        version = self._version(message.get("httpVersion"), self._response.get("httpVersion"))
        fields = fields_of(message.get("headers"), as_received=self._exporter.is_proxy)
        if version is None:
            return None
        return Request(
            version=version,
            fields=fields.lines,
            leg="client",
            tls=None if self._exporter.is_proxy else self._tls,  # in reverse mode, legs differ
            method=self._method,
            target=self._target(fields),
            protocol=fields.pseudo.get(b":protocol"),
            pseudo_fields=frozenset(fields.pseudo) or None,
        )

    def _is_as_sent(self, request: Request) -> bool:
        """Tell whether it is what was sent: browsers add to it after they have shown it."""
        if self._exporter.is_proxy:
            return True
        if request.version in HTTP1:
            missing = () if request.has(b"host") else (losses.PROVISIONAL_REQUESTS,)
        else:
            missing = () if request.pseudo_fields else (losses.HTTP2_REQUESTS,)
        self.lost = (*self.lost, *missing)
        return not missing

    def _target(self, fields: Fields) -> bytes:
        """Return :path, or the origin-form of the URL: HAR tells no request target."""
        authority, slash, path = self._url.partition("://")[2].partition("#")[0].partition("/")
        target = authority if self._method == b"CONNECT" else slash + path or "/"
        return fields.pseudo.get(b":path", octets_of(target, as_utf8=True))

    def _make_response(self) -> Response | None:
        message = self._response
        if not self._status:
            return None
        if self._exporter.is_proxy and not self._value.get("serverIPAddress"):
            return None  # the proxy did not ask a server: it made this itself
        version = self._version(message.get("httpVersion"))
        fields = fields_of(message.get("headers"), as_received=self._exporter.is_proxy)
        if version is None:
            return None
        return Response(
            version=version,
            fields=fields.lines,
            leg="server",
            tls=self._tls,
            status=self._status,
        )

    def _on_leg_of(self, response: Response | None, request: Request | None) -> Request | None:
        """Return the request as it was there; see `hopguard.mitm.flows.sent_request`."""
        if request is None or response is None or not self._exporter.is_proxy:
            return request
        version = request.version if request.version in HTTP1 else "HTTP/1.1"
        if response.version not in HTTP1:
            version = response.version
        return replace(request, version=version, leg="server", tls=response.tls)

    def _server(self) -> Peer:
        address = self._value.get("serverIPAddress")
        return Peer(address=address if isinstance(address, str) and address else None)


def _member(parent: Any, name: str) -> dict[str, Any]:
    found = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(found, dict):
        raise EntryError(f"it has no {name}")
    return found


def _text(message: dict[str, Any], name: str) -> str:
    found = message.get(name)
    if not isinstance(found, str):
        raise EntryError(f"the request has no {name}")
    return found
