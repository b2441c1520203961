"""Plain exchanges in which all that is found is known: by far the most, and in most it is nothing.

So as little as can be is done about them: the few field lines that rules have ever asked for are
looked up (see `hopguard.lookup`), and what is found is reported. There is one method for each of
mitmproxy's hooks. It tells whether nothing is left to do; what it declines is as it was, and goes
to those who judge.
"""

import weakref
from collections.abc import Callable, Sequence

from mitmproxy import http

from hopguard.events import IDEMPOTENT
from hopguard.lifecycle import Lifecycle
from hopguard.memo import View
from hopguard.message import HTTP1, RawFields, Request
from hopguard.mitm import flows
from hopguard.mitm.following import URL_OCTETS
from hopguard.mitm.legs import NextLegs
from hopguard.mitm.putoff import PutOffExchanges
from hopguard.mitm.ways import Passing
from hopguard.restoring import KEY
from hopguard.rule import Finding

OnlyFlag = Callable[[http.HTTPFlow, Sequence[Finding]], bool]
"""Reports findings on a message, if the policy only flags; tells whether it does."""


class PassingExchanges(PutOffExchanges):
    """The exchanges that are put off; those that are known as well pass here."""

    def __init__(
        self, lifecycle: Lifecycle, legs: NextLegs, only_flag: OnlyFlag, awaited: set[str]
    ) -> None:
        """Count in `lifecycle`; `legs` are those that requests go to.

        The ids of flows that pass, but whose end is to be looked at, are added to `awaited`.
        """
        super().__init__(lifecycle, legs)
        self._only_flag = only_flag
        self._awaited = awaited
        self._edited = 0
        """Where the latest header section differed that was edited on its way."""

    def asks(self, flow: http.HTTPFlow) -> bool:
        """Take in the head of a request, if it is known; tell whether it is."""
        way, data = self._ways.get(flow.client_conn.id), flow.request.data
        if (
            way is None
            or data.http_version != way.label
            or not flow.live
            or flow.is_replay is not None
            or flow.error is not None
            or KEY in flow.metadata
        ):
            return False
        if way.alone:
            if way.passing is not None or data.method not in IDEMPOTENT:
                return False
        elif way.servers is not None and (
            data.scheme != b"https" or way.servers.get((data.host, data.port)) != "HTTP/2"
        ):
            return False  # it is to be framed
        request, fields = way.requests.get(data.method), data.headers.fields
        if request is None or not data.host:
            return False
        before = way.known if way.like is request else None
        known = self.checker.lookup.request(fields, request, before)
        if known is None or (request.to_proxy and flows.holds_credentials(fields)):
            return False
        asked, findings = known
        if findings and not self._only_flag(flow, findings):
            return False
        if known is not before:
            way.like, way.known = request, known
            way.ends_matter = _ends_matter(request, asked)
        if way.ends_matter:
            self._awaited.add(flow.id)
        self._known[flow.id] = Passing(flow, way, request, fields, asked, True)
        return True

    def goes_on(self, flow: http.HTTPFlow) -> bool:
        """Tell whether nothing can come of the end of a request."""
        passing, data = self._known.get(flow.id), flow.request.data
        return (
            passing is not None
            and passing.passes
            and data.headers.fields is passing.asked_fields
            and data.trailers is None
            and (passing.way.alone or not data.content)
        )

    def answers(self, flow: http.HTTPFlow) -> bool:
        """Take in the head of a response in the same way as that of a request."""
        passing, way = self._known.get(flow.id), self._ways.get(flow.server_conn.id)
        answer = flow.response
        if passing is None or way is None or answer is None:
            return False
        asked, data = flow.request.data, answer.data
        fields = data.headers.fields
        if (
            way.passing is not None
            or data.http_version != way.label
            or asked.http_version != way.label
            or asked.headers.fields is not passing.asked_fields
            or asked.trailers is not None
            or flows.is_own(answer)
        ):
            return False
        sent, response = way.requests.get(asked.method), way.responses.get(data.status_code)
        if sent is None or response is None:
            return False
        view, lifecycle = passing.asked, self._lifecycle
        is_alike = way.like is sent and way.answer_like is response and way.asked is view
        before = way.known if is_alike else None
        known = self.checker.lookup.answer(
            passing.asked_fields, view, sent, fields, response, before
        )
        if known is None:
            return False
        answered, findings = known
        past = lifecycle.pasts.get(way.server or "")
        is_new = known is not before or past is not way.past
        if is_new and lifecycle.teaches(way.server, answered[0]):
            return False
        if findings and not self._only_flag(flow, findings):
            return False
        if is_new:
            way.like, way.asked, way.answer_like = sent, view, response
            way.known, way.past = known, past
        passing.begin_answer(answer, way, sent, response, answered)
        return True

    def ends(self, flow: http.HTTPFlow) -> bool:
        """Count an exchange that is over; tell whether that is all there is to it."""
        passing, response = self._known.get(flow.id), flow.response
        if passing is None or response is None or response is not passing.answer:
            return False
        request, data = flow.request.data, response.data
        if (
            request.http_version != data.http_version
            or request.trailers is not None
            or data.trailers is not None
        ):
            return False
        asked, answered = request.headers.fields, data.headers.fields
        if not (
            (asked is passing.asked_fields or self._is_as_before(asked, passing.asked_fields))
            and self._is_as_before(answered, passing.answered_fields)
        ):
            return False
        way, server = passing.way, passing.server
        if way.alone:
            values = (  # see `Over`, which few of them become
                weakref.ref(flow),
                flow.id,
                passing.request,
                passing.sent,
                passing.response,
                passing.asked,
                passing.answered,
                request.timestamp_start,
                request.timestamp_start if flow.request.stream else request.timestamp_end,
                server.ready,
                data.timestamp_start,
                data.timestamp_end,
                request.host,
                request.port,
                request.scheme,
                request.authority,
                request.path[:URL_OCTETS],
                way.address,
                server.address,
            )
            for one in (way, server):
                one.number += 1
                one.before = one.time
                one.time = data.timestamp_end
                one.latest = values
                one.passing = None
        elif way.left:
            self._lifecycle.count_streams(way.key, ended=1, time=data.timestamp_end)
        else:
            way.ended += 1
            way.time = data.timestamp_end
        del self._known[flow.id]
        return True

    def _is_as_before(self, fields: RawFields, before: RawFields) -> bool:
        """Tell whether a header section is the same, but for lines that do not matter.

        Other addons edit messages; so does mitmproxy itself, one line in most responses that it
        gets as a reverse proxy.
        """
        if fields == before:  # in no time, if the lines are identical
            return True
        select = self.checker.select
        place, after = self._edited, self._edited + 1
        if fields[:place] == before[:place] and fields[after:] == before[after:]:
            return not select(fields[place:after] + before[place:after])
        self._edited = _first_difference(fields, before)
        return select(fields) == select(before)


def _ends_matter(request: Request, asked: View) -> bool:
    """Tell whether the end of a plain request may say more than its header section.

    On HTTP/1 only one in chunks may have a trailer section. To one that is sent to a proxy, other
    addons may add credentials.
    """
    _, names, _ = asked
    in_chunks = any(name.lower() == b"transfer-encoding" for name in names)
    return request.version not in HTTP1 or request.to_proxy or in_chunks


def _first_difference(fields: RawFields, before: RawFields) -> int:
    both = enumerate(zip(fields, before, strict=False))
    shorter = min(len(fields), len(before))
    return next((place for place, (line, other) in both if line != other), shorter)
