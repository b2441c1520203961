"""What a reader of captures gives, and what it must be like: the interface of all formats.

To add a format, write a `Reader` in a module of its own and name it in `hopguard.captures.formats`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol

from hopguard.message import Request, Response


class CaptureError(Exception):
    """A capture, or one record of it, cannot be read. Readers raise nothing else for bad input."""

    def __init__(self, path: str, offset: int | None, reason: str) -> None:
        """Say what is wrong with the capture called `path`.

        Args:
            path: the name of the file, as people gave it.
            offset: in octets from its start, uncompressed; None where it does not matter.
            reason: half a sentence, such as "the file ends within a record".
        """
        super().__init__(path, offset, reason)  # all of it, so that it can be pickled
        self.path, self.offset, self.reason = path, offset, reason

    def __str__(self) -> str:
        """Return one line that names the file, the place in it, and what is wrong."""
        where = self.path if self.offset is None else f"{self.path}, at octet {self.offset:,}"
        return f"cannot read {where}: {self.reason}"


class Seconds(NamedTuple):
    """When something began and ended: seconds since the epoch, or None where that is unknown."""

    start: float | None = None
    end: float | None = None


UNTIMED = Seconds()


class Peer(NamedTuple):
    """One connection, as far as the capture tells which one it was."""

    id: str | None = None
    """The same for all that came over it, and for nothing else; None is no identity."""
    address: str | None = None
    """Of the other end, as text."""
    seconds: Seconds = UNTIMED
    """When it was opened and closed."""


NOBODY = Peer()


class Captured(NamedTuple):
    """One request, its response, or both: a tuple, because millions of them are made.

    Fields of `Request` and `Response` that the format cannot know are None, the trailer section
    above all: a message whose end was not seen has None, one that ended without it has ().
    """

    offset: int
    """Of the record in the capture, uncompressed, in octets."""
    request: Request | None = None
    """As the client sent it; None if nothing of it is known, or if no client sent it: see
    `asked`."""
    response: Response | None = None
    """As the server sent it; None if there is none, or if no server sent it (it was made by the
    proxy, or replayed)."""
    asked: Request | None = None
    """The request that `response` answers, on the leg of `response` and as it was there. Without it
    no rule about the exchange runs."""
    refused: Literal["request", "response"] | None = None
    """Which of them the proxy would not pass on because of a fault in it, if the capture tells."""
    method: bytes | None = None
    """For the record, also where `request` is None."""
    url: str | None = None
    status: int | None = None
    flow: str | None = None
    """The id that the capture gives to the exchange."""
    requested: Seconds = UNTIMED
    """When the request began and was complete."""
    responded: Seconds = UNTIMED
    """When the response began and was complete."""
    client: Peer = NOBODY
    """The connection on the client leg."""
    server: Peer = NOBODY
    """The connection on the server leg."""


class Loss(NamedTuple):
    """Something that a capture does not hold any more, or never held."""

    what: str
    """Half a sentence that can stand after the format's name and a colon, such as "trailer
    sections are not kept"."""
    rules: frozenset[str] = frozenset()
    """The ids of the rules that are not run because of it, or can find nothing."""


class Reader(Protocol):
    """Reads one capture. Its memory does not grow with the capture's size."""

    @property
    def lost(self) -> Sequence[Loss]:
        """What this capture has lost; complete when all of it is read."""

    def read(self, stream: "Stream", name: str) -> Iterator[Captured | CaptureError]:
        """Read the capture called `name`, in the order of its records.

        An error that is *given* is about one record: it is left out, and the next ones follow.

        Raises:
            CaptureError: nothing more can be read. Whatever else the octets in `stream` are, no
                other exception comes of them; OSError and the like of the stream itself go through.
        """


class Stream(Protocol):
    """What readers need of a binary file: no seeking, it may be a pipe and is uncompressed."""

    def read(self, size: int, /) -> bytes:
        """Read up to `size` octets; fewer only at the end."""


class Format(NamedTuple):
    """A sort of capture."""

    name: str
    """As people call it, such as "HAR"."""
    recognises: Callable[[bytes], bool]
    """Tells by the first `HEAD` octets (fewer if there are no more) whether it is this format."""
    reader: Callable[[], Reader]
    """Makes a reader for one capture."""


HEAD = 512
"""Octets by which a format is recognised."""
