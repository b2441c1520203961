"""What a rule is: a declaration that the checker can index, and one function that looks."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, Protocol, Required, TypedDict, Unpack

from hopguard.connection import Connection
from hopguard.events import Event
from hopguard.message import (
    FieldLine,
    Leg,
    Message,
    Part,
    Request,
    Response,
    Sender,
    Version,
)
from hopguard.peer import Peers


class Severity(IntEnum):
    """How much a finding weighs."""

    INFO = 1
    """Worth knowing, nothing is broken."""
    WARNING = 2
    """A SHOULD is broken, or it is a security-relevant smell."""
    ERROR = 3
    """A MUST or MUST NOT is broken."""

    def __str__(self) -> str:
        """Return the name as it is written in the violation log."""
        return self.name.lower()


INFO, WARNING, ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR
SEVERITY_OF: Mapping[str, Severity] = {str(severity): severity for severity in Severity}
"""The severities by their names in the violation log."""

Keyword = Literal["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", ""]
Direction = Literal["request", "response"]
Kind = Literal["message", "exchange", "connection", "forwarding"]
Visibility = Literal["hooks", "refused", "rejected", "raw", "both-legs"]
"""Where the evidence can be seen: in mitmproxy's ordinary hooks; in hooks of a message that
mitmproxy refuses; only with `hopguard_see_rejected`; only in raw octets (captures); only where a
message is seen before and after an intermediary."""

Blocking = Literal["", "request", "leg"]
"""What `block` does about a connection: it refuses the request at fault, or closes the leg."""

DEFAULT_PROFILES = ("rfc9110", "security", "rfc2068", "rfc6455", "rfc7540", "fetch")
OPTIONAL_PROFILES = ("rfc2616", "mdn-current", "rfc7230", "rfc7231", "noise", "http2-edge")
PROFILES = DEFAULT_PROFILES + OPTIONAL_PROFILES


@dataclass(frozen=True)
class Requirement:
    """Where a requirement stands: document, section, and the keyword of RFC 2119 that it uses."""

    rfc: int | None = None
    section: str = ""
    keyword: Keyword = ""
    document: str = ""
    """Name of a document that is not an RFC."""
    link: str = ""
    """Where such a document is."""

    @cached_property
    def url(self) -> str:
        """Return the address of the section."""
        if self.rfc is None:
            return self.link
        kind = "section" if self.section[:1].isdigit() else "appendix"
        return f"https://www.rfc-editor.org/rfc/rfc{self.rfc}.html#{kind}-{self.section}"

    @cached_property
    def data(self) -> dict[str, object]:
        """What records say of it. All of them hold this one: it is not to be changed."""
        return {
            "rfc": self.rfc,
            "section": self.section or None,
            "keyword": self.keyword or None,
            "url": self.url,
        }

    def __str__(self) -> str:
        """Return the short form that fits into a sentence."""
        name = self.document if self.rfc is None else f"RFC {self.rfc}"
        if not self.section:
            return name
        return f"{name}, {'section' if self.section[:1].isdigit() else 'appendix'} {self.section}"


class Evidence(NamedTuple):
    """What a rule saw. With the rule and the message it makes a finding."""

    text: str
    """One sentence that names the field and its value; quotes no other field's value."""
    line: FieldLine | None = None
    """The field line at fault; None where there is none, such as for a status code."""
    variant: str = ""
    sender: Sender | None = None
    """Who is at fault; None is the sender of the message, or the first of the rule's senders."""
    severity: Severity | None = None
    """Where it depends on more than the variant."""
    about: Message | None = None
    """The message at fault; None is the message, or the response of the exchange."""


@dataclass(unsafe_hash=True)
class Finding:
    """One requirement that one message breaks, and who broke it where. It never changes."""

    rule: Final[str]
    variant: Final[str]
    severity: Final[Severity]
    text: Final[str]
    requirement: Final[Requirement]
    sender: Final[Sender]
    leg: Final[Leg]
    part: Final[Part]
    version: Final[Version]
    line: Final[FieldLine | None]


class Edit(Protocol):
    """What repairs a message: a pure function, which returns the message itself where it cannot."""

    def __call__[M: Message](self, message: M, finding: Finding, /) -> M:
        """Edit `message`, of which `finding` is one.

        Everything that the rule finds at fault in the section of `finding` is to be treated at
        once, under its variant at least: a repair is taken only if nothing of that is left, and a
        rule reports a limited number of lines. The position of the finding's line may be stale.
        """


@dataclass(frozen=True)
class Variant:
    """One way to break a rule."""

    severity: Severity
    profiles: tuple[str, ...] = ()
    """The variant runs if one of them is on; empty is: whenever the rule does."""
    raised_by: Mapping[str, Severity] = field(default_factory=dict)
    """Profiles in which it weighs more."""
    requirement: Requirement | None = None
    """Where it breaks another requirement than the rule's."""


Transcripts = Iterable[str] | Mapping[str, Iterable[str]]
MessageCheck = Callable[[Message], Iterator[Evidence]]
RequestCheck = Callable[[Request], Iterator[Evidence]]
ResponseCheck = Callable[[Response], Iterator[Evidence]]
ExchangeCheck = Callable[[Request, Response], Iterator[Evidence]]
ConnectionCheck = Callable[[Connection, Any], Iterator[Evidence]]
PeerCheck = Callable[[Peers, Connection, Any], Iterator[Evidence]]
ForwardingCheck = Callable[[Message, Message], Iterator[Evidence]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """A rule: what it requires, when it runs, what it looks like, and the function that looks."""

    check: Callable[..., Iterator[Evidence]]
    kind: Kind
    directions: frozenset[Direction]
    requirement: Requirement
    also: tuple[Requirement, ...]
    """Further requirements and sources."""
    severity: Severity
    """The rule's; with variants, that of the most severe one."""
    variants: Mapping[str, Variant]
    profiles: frozenset[str]
    """The rule runs if one of them is on ..."""
    silenced_by: frozenset[str]
    """... and none of these."""
    versions: frozenset[Version]
    fields: frozenset[bytes]
    """The rule runs if one of them, in lower case, is in the header section ..."""
    odd_names: Callable[[bytes], bool] | None
    """... or a field name, as received, for which this is true ..."""
    statuses: frozenset[int]
    """... or the status is one of them ..."""
    extended_connect: bool
    """... or the request has a :protocol ..."""
    early_octets: bool
    """... or, in an exchange, the client has sent octets before the response. If no trigger is
    given, the rule always runs."""
    in_trailers: bool
    """Whether it also runs when a trailer section, even an empty one, is complete."""
    in_exchange: ExchangeCheck | None
    """What a message rule sees only in the exchange, under the same trigger."""
    events: tuple[type[Event], ...]
    """Of a rule about connections: what it looks at ..."""
    senders: tuple[Sender, ...]
    """... who may be at fault, the usual one first ..."""
    concerns: Callable[[Connection, Any], Any] | None
    """... what must be true for it to look, of nearly all that happens a quick no ..."""
    with_peers: bool
    """... and whether it also takes what is known of the peers' other connections."""
    visible: Visibility
    repair: str
    """What `fix` does, in a sentence; empty where there is no safe repair."""
    edits: Mapping[str, Edit]
    """What does it, by variant; a variant that is missing has no safe repair ..."""
    edits_in: frozenset[Direction]
    """... and a message of the other direction neither. What is edited for a rule about connections
    is the response to come."""
    block: Blocking
    """Of a rule about connections, what `block` can do; empty is nothing, and that is safe."""
    violating: Mapping[str, tuple[str, ...]]
    """Examples by variant, in the notation of `hopguard.transcript`."""
    conforming: tuple[str, ...]

    @cached_property
    def id(self) -> str:
        """Return the id: the module's name."""
        return self.check.__module__.rpartition(".")[2].replace("_", "-")

    @property
    def group(self) -> str:
        """Return the group: the name of the module's folder."""
        return self.check.__module__.split(".")[-2].replace("_", "-")

    @property
    def title(self) -> str:
        """Return the first line of the docstring."""
        return (inspect.getdoc(self.check) or "").partition("\n")[0]

    @property
    def explanation(self) -> str:
        """Return the docstring without its first line."""
        return (inspect.getdoc(self.check) or "").partition("\n")[2].strip()

    def finding(
        self, evidence: Evidence, message: Message | Connection, profiles: frozenset[str]
    ) -> Finding:
        """Complete `evidence`, which a message or a connection gave, to a finding.

        Raises:
            KeyError: the evidence names a variant that the rule does not declare.
        """
        message = evidence.about or message
        variant = self.variants[evidence.variant] if self.variants else Variant(self.severity)
        raised = [variant.raised_by[name] for name in variant.raised_by if name in profiles]
        sender, leg, part, version = (
            self._of_connection(message)
            if isinstance(message, Connection)
            else _of_message(message, evidence.line)
        )
        if self.kind == "forwarding":
            sender = "intermediary"
        return Finding(
            rule=self.id,
            variant=evidence.variant,
            severity=evidence.severity or max([variant.severity, *raised]),
            text=evidence.text,
            requirement=variant.requirement or self.requirement,
            sender=evidence.sender or sender,
            leg=leg,
            part=part,
            version=version,
            line=evidence.line,
        )

    def edit_for(self, finding: Finding) -> Edit | None:
        """Return what repairs a message of which `finding` is one; None if there is no repair."""
        direction: Direction = "request" if finding.part.startswith("request") else "response"
        return self.edits.get(finding.variant) if direction in self.edits_in else None

    def _of_connection(self, connection: Connection) -> "_Place":
        assert connection.version is not None, "rules say which version they are about"
        return self.senders[0], connection.key.leg, "connection", connection.version

    def runs_variant(self, name: str, profiles: frozenset[str]) -> bool:
        """Tell whether the variant called `name` is on under `profiles`."""
        wanted = self.variants[name].profiles if self.variants else ()
        return not wanted or not profiles.isdisjoint(wanted)


_Place = tuple[Sender, Leg, Part, Version]


def _of_message(message: Message, line: FieldLine | None) -> _Place:
    in_trailers = line is not None and line.section == "trailer"
    part = message.trailer_part if in_trailers else message.part
    return message.sent_by, message.leg, part, message.version


class Declared(TypedDict, total=False):
    """What a decorator takes: see the attributes of `Rule`."""

    requirement: Required[Requirement]
    also: tuple[Requirement, ...]
    severity: Severity
    variants: Mapping[str, Severity | Variant]
    profiles: Required[tuple[str, ...]]
    silenced_by: tuple[str, ...]
    versions: Required[frozenset[Version]]
    fields: Iterable[bytes]
    odd_names: Callable[[bytes], bool]
    statuses: Iterable[int]
    extended_connect: bool
    early_octets: bool
    in_trailers: bool
    in_exchange: ExchangeCheck
    events: tuple[type[Event], ...]
    senders: tuple[Sender, ...]
    concerns: Callable[[Connection, Any], Any]
    visible: Visibility
    repair: str
    edit: Edit | Mapping[str, Edit]
    edit_in: Direction
    block: Blocking
    violating: Required[Transcripts]
    conforming: Required[Iterable[str]]


def message_rule(**declared: Unpack[Declared]) -> Callable[[MessageCheck], Rule]:
    """Declare a rule about one request or one response."""
    return lambda check: _declare(check, "message", _BOTH, declared)


def request_rule(**declared: Unpack[Declared]) -> Callable[[RequestCheck], Rule]:
    """Declare a rule about one request."""
    return lambda check: _declare(check, "message", frozenset({"request"}), declared)


def response_rule(**declared: Unpack[Declared]) -> Callable[[ResponseCheck], Rule]:
    """Declare a rule about one response."""
    return lambda check: _declare(check, "message", frozenset({"response"}), declared)


def exchange_rule(**declared: Unpack[Declared]) -> Callable[[ExchangeCheck], Rule]:
    """Declare a rule about a response and the request that it answers, on one leg.

    The versions are those of the response; a field triggers it in either message.
    """
    return lambda check: _declare(check, "exchange", _BOTH, declared)


def connection_rule(**declared: Unpack[Declared]) -> Callable[[ConnectionCheck], Rule]:
    """Declare a rule about an event on a connection, which is given as it was before.

    The versions are those of the connection's latest message.
    """
    return lambda check: _declare(check, "connection", frozenset(), declared)


def peer_rule(**declared: Unpack[Declared]) -> Callable[[PeerCheck], Rule]:
    """Declare a rule about an event on a connection in the light of the peers' other ones."""
    return lambda check: _declare(check, "connection", frozenset(), declared, with_peers=True)


def forwarding_rule(**declared: Unpack[Declared]) -> Callable[[ForwardingCheck], Rule]:
    """Declare a rule about what an intermediary received, and what it sent on in its place.

    The versions are those of the message that it sent on, which is the one at fault.
    """
    return lambda check: _declare(check, "forwarding", _BOTH, declared)


_BOTH: frozenset[Direction] = frozenset({"request", "response"})


def _declare(
    check: Callable[..., Iterator[Evidence]],
    kind: Kind,
    directions: frozenset[Direction],
    declared: Declared,
    *,
    with_peers: bool = False,
) -> Rule:
    variants = {
        name: variant if isinstance(variant, Variant) else Variant(variant)
        for name, variant in declared.get("variants", {}).items()
    }
    examples = declared["violating"]
    return Rule(
        check=check,
        kind=kind,
        directions=directions,
        requirement=declared["requirement"],
        also=declared.get("also", ()),
        severity=max(
            [variant.severity for variant in variants.values()],
            default=declared.get("severity", ERROR),
        ),
        variants=variants,
        profiles=frozenset(declared["profiles"]),
        silenced_by=frozenset(declared.get("silenced_by", ())),
        versions=declared["versions"],
        fields=frozenset(declared.get("fields", ())),
        odd_names=declared.get("odd_names"),
        statuses=frozenset(declared.get("statuses", ())),
        extended_connect=declared.get("extended_connect", False),
        early_octets=declared.get("early_octets", False),
        in_trailers=declared.get("in_trailers", False),
        in_exchange=declared.get("in_exchange"),
        events=declared.get("events", ()),
        senders=declared.get("senders", ()),
        concerns=declared.get("concerns"),
        with_peers=with_peers,
        visible=declared.get("visible", "hooks"),
        repair=declared.get("repair", ""),
        edits=_by_variant(declared.get("edit", {}), variants),
        edits_in=frozenset({declared["edit_in"]}) if "edit_in" in declared else directions,
        block=declared.get("block", ""),
        violating=(
            {name: tuple(texts) for name, texts in examples.items()}
            if isinstance(examples, Mapping)
            else {"": tuple(examples)}
        ),
        conforming=tuple(declared["conforming"]),
    )


def _by_variant(edit: Edit | Mapping[str, Edit], variants: Iterable[str]) -> Mapping[str, Edit]:
    if isinstance(edit, Mapping):
        return edit
    return dict.fromkeys(list(variants) or [""], edit)
