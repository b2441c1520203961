"""What all captures of a scan say together."""

from collections.abc import Callable, Iterable, Iterator

from hopguard.captures.capture import Loss
from hopguard.captures.connections import Connections
from hopguard.captures.flowfile import FLOW_FILE, IN_FRONT
from hopguard.captures.lifespan import Exchange
from hopguard.captures.losses import rules_without
from hopguard.captures.quiet import Quiet
from hopguard.captures.stretch import Stretch
from hopguard.checker import Checker
from hopguard.record import Record
from hopguard.reports.logs import say
from hopguard.reports.words import number
from hopguard.rule import Rule
from hopguard.scanning.policing import is_off, policy_of, wanted_of
from hopguard.scanning.task import Batch, Settings

MOST_REASONS = 20
"""Reasons that the report names; standard error has them all."""


class ScanReading:
    """Takes batches, gives records, and remembers what could not be read."""

    def __init__(
        self,
        batches: Iterable[Batch],
        settings: Settings,
        tell: Callable[..., None] = say,
    ) -> None:
        """Take `batches`, made with `settings`; `tell` people what cannot be read."""
        self._batches, self._tell = batches, tell
        checker = Checker(settings.profiles)
        policy = policy_of(settings.policy)
        self._on = frozenset(rule.id for rule in checker.rules if not is_off(policy, rule))
        wanted = wanted_of(policy, None)
        self._connections = Connections(checker, settings.redaction, wanted, settings.idle_timeout)
        self._told = {IN_FRONT} if settings.idle_timeout is not None else set[Loss]()
        """What captures have lost, and somebody has said."""
        self._exchanges = 0
        self._errors = self._ignored = 0
        self._lost: dict[tuple[str, Loss], None] = {}
        self._silent: set[frozenset[str]] = set()
        """Of each sort of capture that was read, the rules that it has nothing for."""
        self._last_told = ""
        self.reasons: list[str] = []
        """What could not be read, and why: the first few."""

    def records(self) -> Iterator[Record]:
        """Give the records in their order."""
        for batch in self._batches:
            self._exchanges += batch.exchanges
            self._ignored += batch.ignored
            for error in batch.errors:
                self._complain(error)
            if batch.more_errors:
                self._complain(f"... and {number(batch.more_errors, 'error')} more in it")
            if batch.format:
                lost = [loss for loss in batch.lost if loss not in self._told]
                self._lost.update(dict.fromkeys((batch.format, loss) for loss in lost))
                self._silent.add(rules_without(lost))
            yield from self._merged(batch)
            if batch.files and batch.format != FLOW_FILE.name:
                yield from self._connections.finish()  # its ids mean something else elsewhere
        yield from self._connections.finish()
        if not self._exchanges and not self._errors:
            self._complain("nothing was checked: there is no HTTP exchange in what was read")

    def _merged(self, batch: Batch) -> Iterator[Record]:
        """Give the records of a batch, each with those about connections that it leads to."""
        told = 0
        for position, exchange in self._single(batch):
            if told < position:
                yield from batch.records[told:position]
                told = position
            yield from self._connections.feed(exchange)
        yield from batch.records[told:]

    def _single(self, batch: Batch) -> Iterator[tuple[int, Exchange | Quiet]]:
        """Give the exchanges of a batch that must be fed one by one; take in the others."""
        for entry in batch.connections:
            if not isinstance(entry, Stretch):
                yield entry
            elif not self._connections.take(entry):
                yield from entry.exchanges()

    def _complain(self, error: str) -> None:
        if error == self._last_told:  # by another part of the same file
            return
        self._last_told = error
        self._errors += 1
        self._tell(error)
        if len(self.reasons) < MOST_REASONS:
            self.reasons.append(error)

    @property
    def failed(self) -> bool:
        """Whether something could not be read, or nothing was checked."""
        return bool(self._errors) or not self._exchanges

    def notes(self) -> list[str]:
        """Say what was checked, what was not, and which rules were not run because of it."""
        notes = [f"{number(self._exchanges, 'exchange')} checked"]
        if self._ignored:
            notes.append(f"{number(self._ignored, 'file')} in folders left out: no captures")
        for format_, loss in self._lost:
            silent = sorted(name for name in loss.rules if name.partition("/")[0] in self._on)
            rules = f"; not run because of it: {', '.join(silent)}" if silent else ""
            notes.append(f"{format_}: {loss.what}{rules}")
        if self._errors > len(self.reasons):
            notes.append(f"{self._errors - len(self.reasons):,} further errors")
        return [*self.reasons, *notes]

    def could_find(self, rule: Rule) -> bool:
        """Tell whether `rule` was on, and could see what it needs in some capture."""
        return rule.id in self._on and any(_speaks(rule, silent) for silent in self._silent)


def _speaks(rule: Rule, silent: frozenset[str]) -> bool:
    """Tell whether `rule`, or a variant of it, is none of those that are silent."""
    variants = {f"{rule.id}/{name}" for name in rule.variants}
    return rule.id not in silent and not (variants and variants <= silent)
