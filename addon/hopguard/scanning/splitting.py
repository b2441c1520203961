"""Large flow files, cut into parts, so that several workers can read one file."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from hopguard.captures.capture import HEAD
from hopguard.captures.flowfile import is_flow_file
from hopguard.captures.opening import STANDARD_INPUT, is_url
from hopguard.captures.tnetstrings import PREFIX, PREFIX_LIMIT
from hopguard.scanning.inputs import Input, find_inputs
from hopguard.scanning.task import Task

PART = 16 << 20
"""Octets of a part, at least."""


def tasks_of(paths: Iterable[str], part: int = PART) -> Iterator[Task]:
    """List what there is to do for the captures at `paths`; a part has `part` octets or more.

    Raises:
        MissingExtraError: what lists them is not installed.
    """
    for found in find_inputs(paths):
        yield from _tasks_of(found, part)


def _tasks_of(found: Input, part: int) -> Iterator[Task]:
    whole = Task(found.path, found.named, size=found.size or 0, error=found.error)
    local = found.path != STANDARD_INPUT and not is_url(found.path)
    if not local or found.size is None or found.size < 2 * part:
        yield whole
        return
    try:
        with Path(found.path).open("rb", buffering=0) as file:
            if is_flow_file(file.read(HEAD)):
                yield from _parts(file, whole, part)
            else:
                yield whole
    except OSError:  # whoever does the task will find that out, too
        yield whole


def _parts(file: BinaryIO, whole: Task, part: int) -> Iterator[Task]:
    """Cut where records begin: their lengths say where, so the rest of them is not read.

    What is behind the last record that is as it should be is left to whoever reads the part.
    """
    start = position = 0
    while True:
        file.seek(position)
        prefix = PREFIX.match(file.read(PREFIX_LIMIT))
        if prefix is None:
            break
        if position - start >= part:
            yield whole._replace(start=start, stop=position, size=position - start)
            start = position
        position += prefix.end() + int(prefix[1]) + 1
    yield whole._replace(start=start, size=max(0, whole.size - start))
