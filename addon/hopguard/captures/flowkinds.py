"""What exchanges have in common that go the same way, worked out once for all of them."""

from hopguard.captures.flowfacts import Destination, destination_of, origin_of
from hopguard.captures.flowmessages import make_request, make_response, sent_request
from hopguard.captures.flowpeer import Way
from hopguard.captures.tnetstrings import DamageError, members, octets
from hopguard.message import RawFields, Request, Response, made
from hopguard.spoken import version_spoken

_KINDS_KEPT = 256

Messages = tuple[Request, Response, Request]
"""The request as the client sent it, the response, and the request as it went to the server."""


class Kind:
    """Complete exchanges that differ in their targets, status codes and field lines alone."""

    def __init__(self, examples: Messages, to: Destination) -> None:
        """Take one exchange as an example of all of them."""
        request, response, sent = examples
        self.method = request.method
        self.origin = origin_of(to)
        self._request = request.__dict__
        self._response = response.__dict__
        self._sent = sent.__dict__

    def messages(
        self, target: bytes, asked: RawFields, status: int, answered: RawFields
    ) -> Messages:
        """Make the messages of one exchange."""
        return (
            made(Request, {**self._request, "target": target, "fields": asked}),
            made(Response, {**self._response, "status": status, "fields": answered}),
            made(Request, {**self._sent, "target": target, "fields": asked}),
        )


class Kinds:
    """Finds the kinds of exchanges on connections that make no difference to them."""

    def __init__(self, client: Way, server: Way) -> None:
        """Begin with nothing in mind."""
        self._client, self._server = client, server
        self._known: dict[tuple[bytes, bytes, bytes], Kind] = {}

    def find(self, place: bytes, asked: bytes, answered: bytes) -> Kind:
        """Return the kind of a complete exchange.

        Args:
            place: members of the request: where it goes, and how.
            asked: the version that the request is labelled with, ...
            answered: ... and the response. All of them are short.

        Raises:
            DamageError: it is damaged, or has an unusual URL.
        """
        key = place, asked, answered
        kind = self._known.get(key)
        if kind is None:
            kind = self._make(*key)
            if len(self._known) >= _KINDS_KEPT:
                self._known.clear()
            self._known[key] = kind
        return kind

    def _make(self, place: bytes, asked: bytes, answered: bytes) -> Kind:
        found = members(place, 0, len(place))
        method, scheme = octets(place, found.get(b"method")), octets(place, found.get(b"scheme"))
        to = destination_of(place, found)
        if method is None or method.upper() == b"CONNECT" or not to.host:
            raise DamageError("the URL is no origin and a target")
        version = version_spoken(asked, self._client.alpn)
        request = make_request(b"", method, scheme, version, (), (), self._client)
        version = version_spoken(answered, self._server.alpn)
        response = make_response(0, version, (), (), self._server)
        return Kind((request, response, sent_request(request, response, self._server)), to)
