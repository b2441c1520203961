"""Reads captures and judges what is in them."""

import logging
from collections.abc import Iterator

from hopguard.captures.capture import Captured, CaptureError
from hopguard.captures.decompression import CompressionError
from hopguard.captures.flowfile import FLOW_FILE, FlowFileReader
from hopguard.captures.formats import FORMATS, find_format
from hopguard.captures.judging import judge
from hopguard.captures.lifespan import exchange_of
from hopguard.captures.opening import Capture, open_capture
from hopguard.checker import Checker
from hopguard.extras import MissingExtraError
from hopguard.scanning.part import Part
from hopguard.scanning.policing import policy_of, wanted_of
from hopguard.scanning.task import Batch, Settings, Task

logger = logging.getLogger(__name__)


class Scanner:
    """Does tasks, one after the other."""

    def __init__(self, settings: Settings) -> None:
        """Judge by `settings`."""
        self._checker = Checker(settings.profiles, at_a_time=1)
        self._redaction = settings.redaction
        self._policy = policy_of(settings.policy)
        self._follows = any(rule.kind == "connection" for rule in self._checker.rules)

    def scan(self, task: Task) -> Iterator[Batch]:
        """Read and judge a capture; whatever is wrong with it is in the batches."""
        part = Part(task)
        try:
            if task.error:
                raise CaptureError(task.path, None, task.error)
            with open_capture(task.path, task.start) as capture:
                part.capture = capture
                yield from self._scan(part, capture)
                if capture.changed:
                    part.complain("it has changed while it was read")
        except CaptureError as error:
            part.tell(error)
        except CompressionError as error:
            part.complain(str(error), part.offset)
        except (OSError, MissingExtraError) as error:
            part.complain(getattr(error, "strerror", None) or str(error))
        except Exception as error:  # a bug must not hide what is in other captures
            part.complain(f"this is a bug of hopguard: {type(error).__name__}", part.offset)
            logger.exception("hopguard: a bug, found by %s", task.path)
        yield part.rest()

    def _scan(self, part: Part, capture: Capture) -> Iterator[Batch]:
        exchanges = self._exchanges(part, capture)
        wanted = wanted_of(self._policy, part.reader)
        for captured in exchanges:
            if isinstance(captured, CaptureError):
                part.tell(captured)
            else:
                records, plain = judge(captured, self._checker, self._redaction, wanted)
                exchange = exchange_of(captured, plain=plain) if self._follows else None
                if part.add(records, exchange):
                    yield part.batch()

    def _exchanges(self, part: Part, capture: Capture) -> Iterator[Captured | CaptureError]:
        task = part.task
        if task.start:  # only these are read in parts
            part.format, part.reader = FLOW_FILE.name, FlowFileReader()
            return part.reader.read(capture, task.path, task.start, task.stop)
        found = find_format(capture.head)
        if found is None:
            part.ignored = not task.named
            if task.named:
                part.complain(_no_capture(capture.head))
            return iter(())
        reader = found.reader()
        part.format, part.reader = found.name, reader
        if isinstance(reader, FlowFileReader):
            return reader.read(capture, task.path, stop=task.stop)
        return reader.read(capture, task.path)


def _no_capture(head: bytes) -> str:
    if not head:
        return "it is empty"
    return f"it is none of {', '.join(format_.name for format_ in FORMATS)}"
