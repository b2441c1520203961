"""What captured exchanges say of connections: made where captures are read, judged in one place."""

from dataclasses import replace
from typing import NamedTuple

from hopguard.captures.capture import Captured, Seconds
from hopguard.captures.judging import sane
from hopguard.captures.quiet import Quiet, is_first, quiet_exchange
from hopguard.events import (
    Aborted,
    Event,
    Key,
    Opened,
    RequestEnd,
    ResponseEnd,
    request_head,
    response_head,
)
from hopguard.message import HTTP1, Request


class Span(NamedTuple):
    """What an exchange adds to one connection."""

    key: Key
    opened: Opened
    closed: float | None
    events: tuple[Event, ...]


class Exchange(NamedTuple):
    """What an exchange adds to its connections, and what a finding about them would tell of it."""

    spans: tuple[Span, ...]
    flow: str | None
    method: bytes | None
    url: str | None
    client: str | None
    server: str | None


def exchange_of(captured: Captured, *, plain: bool) -> Exchange | Quiet | None:
    """Return what `captured` adds to connections of HTTP/1; None if that is nothing.

    HTTP/2 and HTTP/3 have other ways to begin and end exchanges. What was replayed says nothing of
    connections. `plain` tells whether both messages are: see `hopguard.plain`.
    """
    quiet = quiet_exchange(captured) if plain else None
    if quiet is not None:
        return quiet if quiet[0].client is not None or quiet[0].server is not None else None
    spans = _spans(captured)
    if not spans:
        return None
    return Exchange(
        spans,
        captured.flow,
        captured.method,
        captured.url,
        captured.client.address,
        captured.server.address,
    )


def _spans(captured: Captured) -> tuple[Span, ...]:
    request = captured.request
    if request is None or (captured.response is None and captured.status is not None):
        return ()
    return (*_client_span(captured, request), *_server_span(captured, request))


def _client_span(captured: Captured, request: Request) -> list[Span]:
    if captured.client.id is None or request.version not in HTTP1:
        return []
    start, end = map(sane, captured.requested)
    flow, response = captured.flow, captured.response
    events: list[Event] = [
        request_head(request, start, flow=flow, surfaced=True),
        RequestEnd(end, captured.fingerprint),
    ]
    done = sane(captured.responded.end)
    if response is not None and done is not None:
        events += [response_head(request, response, done, flow=flow), ResponseEnd(done)]
    elif captured.failure is not None:
        lost = captured.failure == "lost"
        events.append(Aborted(sane(captured.failed), "lost" if lost else "other"))
    peer = captured.client
    opened = Opened(
        sane(peer.seconds.start), client=peer.address, whole=is_first(peer.seconds.start, start)
    )
    key = Key("client", captured.client.id)
    return [Span(key, opened, sane(peer.seconds.end), tuple(events))]


def _server_span(captured: Captured, request: Request) -> list[Span]:
    peer, response, asked = captured.server, captured.response, captured.asked
    sent, responded = sane(captured.sent), Seconds(*map(sane, captured.responded))
    if peer.id is None or sent is None:
        return []
    if response is None and captured.failure is not None:
        asked = replace(request, leg="server")
    if asked is None or asked.version not in HTTP1:
        return []
    flow = captured.flow
    events: list[Event] = [request_head(asked, sent, flow=flow), RequestEnd(sent)]
    if response is not None:
        events.append(response_head(asked, response, responded.start, flow=flow))
    if captured.failure is not None:
        events.append(Aborted(sane(captured.failed), captured.failure))
    elif response is not None and responded.end is not None:
        events.append(ResponseEnd(responded.end))
    opened = Opened(
        sane(peer.seconds.start), server=peer.name, whole=is_first(peer.seconds.start, sent)
    )
    return [Span(Key("server", peer.id), opened, sane(peer.seconds.end), tuple(events))]
