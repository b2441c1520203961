"""Which rules look at a message: an index of rules by what triggers them."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from hopguard.message import Message, Request, Response
from hopguard.rule import Evidence, Rule

_NAMES_KEPT = 4096
_OCTETS_KEPT = 64

Trigger = tuple[int, bool, bool]
"""What starts rules besides the names of fields: the status code of a response, or 0; whether a
request has a :protocol; whether, in an exchange, the client sent octets before the response."""

NO_TRIGGER: Trigger = (0, False, False)


def request_trigger(request: Request) -> Trigger:
    """Return what starts rules about a request alone."""
    return 0, request.protocol is not None, False


def response_trigger(status: int) -> Trigger:
    """Return what starts rules about a response alone, of that status code."""
    return status, False, False


def answer_trigger(request: Request, response: Response) -> Trigger:
    """Return what starts rules about a response and the exchange that it ends."""
    return response.status, False, bool(request.early_octets)


class Call(NamedTuple):
    """A rule, and the function of it that looks."""

    rule: Rule
    look: Callable[..., Iterator[Evidence]]


def not_asked(*_: Message) -> bool:
    """Tell that a message is not plain, where nobody wants to know."""
    return False


class Index:
    """Calls of rules by what triggers them, and in the order in which they run."""

    def __init__(
        self,
        calls: Iterable[Call],
        *,
        always: bool = False,
        of_heads: bool = False,
        is_plain: Callable[..., bool] = not_asked,
    ) -> None:
        """Index `calls`; with `always`, all of them run whatever triggers there are.

        With `of_heads`, they are to judge messages as if nothing was known of trailer sections;
        `is_plain` is what else there is to know of a message: see `hopguard.plain`.
        """
        self.of_heads = of_heads
        self.is_plain = is_plain
        self.calls = tuple(calls)
        self._order = {call: position for position, call in enumerate(self.calls)}
        by_status = {
            status: frozenset(call for call in self.calls if status in call.rule.statuses)
            for status in frozenset[int]().union(*(call.rule.statuses for call in self.calls))
        }
        same = {calls: calls for calls in by_status.values()}  # some rules are about many statuses
        self._by_status = {status: same[calls] for status, calls in by_status.items()}
        self._by_protocol = frozenset(call for call in self.calls if call.rule.extended_connect)
        self._by_early_octets = frozenset(call for call in self.calls if call.rule.early_octets)
        self._always = frozenset(
            call for call in self.calls if always or not _has_trigger(call.rule)
        )
        self._by_name: dict[bytes, frozenset[Call]] = {}

    def triggered(self, trigger: Trigger, *names: Iterable[bytes]) -> tuple[Call, ...]:
        """Return the calls that `trigger` and the field names of messages, as spelt, ask for."""
        calls = self._always
        for name in chain(*names):
            found = self._by_name.get(name)
            if found is None:
                found = self._learn(name)
            if not found <= calls:
                calls |= found
        status, has_protocol, has_early_octets = trigger
        calls |= self._by_status.get(status, frozenset())
        if has_protocol:
            calls |= self._by_protocol
        if has_early_octets:
            calls |= self._by_early_octets
        return tuple(sorted(calls, key=self._order.__getitem__))

    def _learn(self, name: bytes) -> frozenset[Call]:
        """Find the calls for a name as it is spelt, and remember them within bounds.

        What clients send is not trusted: long names and ever new names must not fill the memory.
        """
        lower = name.lower()
        found = frozenset(
            call
            for call in self.calls
            if lower in call.rule.fields or (call.rule.odd_names and call.rule.odd_names(name))
        )
        if len(name) <= _OCTETS_KEPT:
            if len(self._by_name) >= _NAMES_KEPT:
                self._by_name.clear()
            self._by_name[name] = found
        return found


class AnswerIndex:
    """Calls of rules about a response, and about the exchange that it ends: they run together."""

    of_heads = True

    def __init__(
        self,
        responses: Index,
        exchanges: Index,
        is_plain: Callable[..., bool],
    ) -> None:
        """Join two indexes; `is_plain` is what else there is to know: see `hopguard.plain`."""
        self.is_plain = is_plain
        self._exchanges = exchanges
        self._responses = responses
        self._joined = {
            call: Call(call.rule, partial(_of_response, call.rule)) for call in responses.calls
        }

    def triggered(
        self, trigger: Trigger, asked: Iterable[bytes], answered: Iterable[bytes]
    ) -> tuple[Call, ...]:
        """Return the calls that `trigger` and the field names of both messages ask for."""
        status, _, _ = trigger
        of_response = self._responses.triggered(response_trigger(status), answered)
        of_exchange = self._exchanges.triggered(trigger, asked, answered)
        return (*[self._joined[call] for call in of_response], *of_exchange)


def _of_response(rule: Rule, _: Request, response: Response) -> Iterator[Evidence]:
    return rule.check(response)


def _has_trigger(rule: Rule) -> bool:
    return bool(
        rule.fields or rule.statuses or rule.odd_names or rule.extended_connect or rule.early_octets
    )
