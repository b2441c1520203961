"""What a worker is told to do, and what it answers: plain values that can be pickled."""

from typing import NamedTuple

from hopguard.captures.capture import Loss
from hopguard.captures.lifespan import Exchange
from hopguard.captures.quiet import Quiet
from hopguard.captures.stretch import Stretch
from hopguard.record import Record, Redaction
from hopguard.rule import DEFAULT_PROFILES


class Settings(NamedTuple):
    """How captures are judged."""

    profiles: frozenset[str] = frozenset(DEFAULT_PROFILES)
    policy: tuple[str, ...] = ()
    """Lines."""
    redaction: Redaction = Redaction()
    idle_timeout: float | None = None
    """Seconds for which whoever stands in front of the servers keeps idle connections, if known."""


class Task(NamedTuple):
    """A capture to read, or a part of one."""

    path: str
    named: bool = True
    """Whether it must be a capture: one that was found in a folder may be something else."""
    start: int = 0
    """Octet with which the part begins ..."""
    stop: int | None = None
    """... and at which, or behind which, the next part begins. None: it is the last one."""
    size: int = 0
    """Octets that there are to read, as far as that is known."""
    error: str = ""
    """Why it cannot be read, if that is known already: half a sentence."""


class Batch(NamedTuple):
    """Something that was found while reading a capture; there are several of each, in order."""

    records: list[Record]
    connections: tuple[tuple[int, Exchange | Quiet] | Stretch, ...] = ()
    """What exchanges add to connections: each behind so many of the records, or told as one."""
    exchanges: int = 0
    """How many were judged."""
    octets: int = 0
    """How many of the file were read."""
    files: int = 0
    """How many were finished."""
    errors: tuple[str, ...] = ()
    """What could not be read, a line each."""
    more_errors: int = 0
    """How many others of this capture were not worth a line."""
    format: str = ""
    """What the capture is, if that is known; and, with the last batch ..."""
    lost: tuple[Loss, ...] = ()
    """... what it has lost."""
    ignored: bool = False
    """Whether it is no capture, and need not be one."""
