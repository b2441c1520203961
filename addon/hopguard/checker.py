"""Messages in, findings out: which rules look at a message, and what they find."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice, product

from hopguard.connection import Connection
from hopguard.events import Event, RequestHead
from hopguard.message import EVERY_VERSION, Message, RawFields, Request, Response
from hopguard.peer import Peers
from hopguard.rule import DEFAULT_PROFILES, Evidence, Finding, Kind, Rule
from hopguard.rules import load_rules

logger = logging.getLogger(__name__)

MOST_PER_RULE = 50
"""Findings of one rule in one message: ten thousand equal lines must not flood every log."""

_NAMES_KEPT = 4096
_OCTETS_KEPT = 64


class Checker:
    """Judges messages by the rules of the profiles that are on.

    The triggers of the rules make an index: a message without an interesting field, name or
    status runs no rule, however many rules there are.
    """

    def __init__(
        self,
        profiles: Iterable[str] = DEFAULT_PROFILES,
        rules: Iterable[Rule] | None = None,
    ) -> None:
        """Build the index of those `rules` (by default, all) that the `profiles` switch on."""
        self.profiles = frozenset(profiles)
        self.rules = tuple(
            rule
            for rule in (load_rules() if rules is None else rules)
            if not self.profiles.isdisjoint(rule.profiles)
            and self.profiles.isdisjoint(rule.silenced_by)
        )
        self._order = {rule: position for position, rule in enumerate(self.rules)}
        self._crashed: set[str] = set()
        self._requests = {version: self._index("message", Request, version) for version in _V}
        self._responses = {version: self._index("message", Response, version) for version in _V}
        self._exchanges = {version: self._index("exchange", Response, version) for version in _V}
        self._connections: dict[tuple[type[Event], str], list[Rule]] = {}
        for rule in self.rules:
            for key in product(rule.events, rule.versions):
                self._connections.setdefault(key, []).append(rule)

    def _index(self, kind: Kind, of: type[Message], version: str) -> "_Index":
        return _Index(
            [
                rule
                for rule in self.rules
                if (rule.kind == kind or (kind == "exchange" and rule.in_exchange))
                and of.part in rule.directions
                and version in rule.versions
            ]
        )

    def check_message(self, message: Message) -> list[Finding]:
        """Judge the header section of `message`; its trailer section is taken as unknown."""
        index = self._message_index(message)
        rules = index.triggered(message.fields)
        if isinstance(message, Response):
            rules |= index.by_status.get(message.status, frozenset())
        elif isinstance(message, Request) and message.protocol is not None:
            rules |= index.by_protocol
        if not rules:
            return []
        head = replace(message, trailers=None) if message.trailers is not None else message
        return self._judge(rules, head, lambda rule: rule.check(head))

    def check_trailers(self, message: Message) -> list[Finding]:
        """Judge what the trailer section of `message`, which may be empty, adds to its header."""
        rules = {rule for rule in self._message_index(message).rules if rule.in_trailers}
        head = replace(message, trailers=None)
        before = set(self._judge(rules, head, lambda rule: rule.check(head)))
        after = self._judge(rules, message, lambda rule: rule.check(message))
        return [finding for finding in after if finding not in before]

    def check_exchange(self, request: Request, response: Response) -> list[Finding]:
        """Judge `response` in the light of the `request` that it answers, on the same leg."""
        index = self._exchanges[response.version]
        rules = index.triggered(request.fields) | index.triggered(response.fields)
        rules |= index.by_status.get(response.status, frozenset())
        if request.early_octets:
            rules |= index.by_early_octets
        return self._judge(
            rules, response, lambda rule: (rule.in_exchange or rule.check)(request, response)
        )

    def check_event(
        self, connection: Connection, event: Event, peers: Callable[[], Peers]
    ) -> list[Finding]:
        """Judge `event` on `connection`, which is as it was before; after a 101, nothing is.

        `peers` is called if a rule asks for what is known of their other connections.
        """
        if connection.switched:
            return []
        version = event.version if isinstance(event, RequestHead) else connection.version
        rules = [
            rule
            for rule in self._connections.get((type(event), version or ""), ())
            if rule.concerns is None or rule.concerns(connection, event)
        ]
        if not rules:
            return []

        def look(rule: Rule) -> Iterator[Evidence]:
            if rule.with_peers:
                return rule.check(peers(), connection, event)
            return rule.check(connection, event)

        return self._judge(rules, connection, look)

    def _message_index(self, message: Message) -> "_Index":
        indexes = self._requests if isinstance(message, Request) else self._responses
        return indexes[message.version]

    def _judge(
        self,
        rules: Iterable[Rule],
        message: Message | Connection,
        look: Callable[[Rule], Iterator[Evidence]],
    ) -> list[Finding]:
        findings: list[Finding] = []
        for rule in sorted(rules, key=self._order.__getitem__):
            try:
                findings += [
                    rule.finding(evidence, message, self.profiles)
                    for evidence in islice(look(rule), MOST_PER_RULE)
                    if rule.runs_variant(evidence.variant, self.profiles)
                ]
            except Exception as error:  # a bug must not hide the other rules, nor stop traffic
                if rule.id not in self._crashed:
                    self._crashed.add(rule.id)
                    logger.error(
                        "hopguard: rule %s crashed; it misses findings",
                        rule.id,
                        exc_info=_without_text(error),
                    )
        return findings


def _without_text(error: Exception) -> Exception:
    """Return what tells where `error` came from, but not its text, which may quote a secret."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)


_V = sorted(EVERY_VERSION)


class _Index:
    """Rules by what triggers them."""

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.by_status = {
            status: frozenset(rule for rule in rules if status in rule.statuses)
            for status in frozenset().union(*(rule.statuses for rule in rules))
        }
        self.by_protocol = frozenset(rule for rule in rules if rule.extended_connect)
        self.by_early_octets = frozenset(rule for rule in rules if rule.early_octets)
        self._always = frozenset(
            rule
            for rule in rules
            if not (rule.fields or rule.statuses or rule.odd_names or rule.extended_connect)
            and not rule.early_octets
        )
        self._by_name: dict[bytes, frozenset[Rule]] = {}

    def triggered(self, fields: RawFields) -> frozenset[Rule]:
        """Return the rules that the names of `fields` trigger, and those that always run."""
        rules = self._always
        for name, _ in fields:
            found = self._by_name.get(name)
            if found is None:
                found = self._learn(name)
            if found:
                rules |= found
        return rules

    def _learn(self, name: bytes) -> frozenset[Rule]:
        """Find the rules for a name as it is spelt, and remember them within bounds.

        What clients send is not trusted: long names and ever new names must not fill the memory.
        """
        lower = name.lower()
        found = frozenset(
            rule
            for rule in self.rules
            if lower in rule.fields or (rule.odd_names and rule.odd_names(name))
        )
        if len(name) <= _OCTETS_KEPT and len(self._by_name) < _NAMES_KEPT:
            self._by_name[name] = found
        return found
