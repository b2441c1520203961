"""Large flow files, cut into parts, so that several workers can read one file."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from hopguard.captures.capture import HEAD
from hopguard.captures.flowfile import is_flow_file
from hopguard.captures.opening import STANDARD_INPUT, is_url
from hopguard.captures.tnetstrings import PREFIX, PREFIX_LIMIT
from hopguard.scanning.inputs import Input, find_inputs
from hopguard.scanning.task import Task

PART, LEAST = 16 << 20, 2 << 20
"""Octets of a part, and of the last parts of a file, at least."""

SHARES = 16
"""The parts of the rest of a file that a part may be: they get smaller towards its end, so that
those who read them come to an end at about the same time."""


def tasks_of(paths: Iterable[str], part: int = PART, least: int = LEAST) -> Iterator[Task]:
    """List what there is to do for the captures at `paths`.

    A part of a file has `part` octets or a little more; near its end fewer, but `least`.

    Raises:
        MissingExtraError: what lists them is not installed.
    """
    for found in find_inputs(paths):
        yield from _tasks_of(found, part, min(part, least))


def _tasks_of(found: Input, part: int, least: int) -> Iterator[Task]:
    whole = Task(found.path, found.named, size=found.size or 0, error=found.error)
    local = found.path != STANDARD_INPUT and not is_url(found.path)
    if not local or found.size is None or found.size < 2 * least:
        yield whole
        return
    with ExitStack() as opened:
        try:
            file = opened.enter_context(Path(found.path).open("rb", buffering=0))
            is_cut = is_flow_file(file.read(HEAD))
        except OSError:  # whoever does the task will find that out, too
            is_cut = False
        if is_cut:
            yield from _parts(file.fileno(), whole, part, least)
        else:
            yield whole


def _octets(file: int, size: int, position: int) -> bytes:
    try:
        return os.pread(file, size, position)
    except OSError:
        return b""


def _parts(file: int, whole: Task, part: int, least: int) -> Iterator[Task]:
    """Cut where records begin: their lengths say where, so the rest of them is not read.

    What is behind the last record that is as it should be is left to whoever reads the part.
    """
    start = position = 0
    wanted = _size(whole.size, part, least)
    while prefix := PREFIX.match(_octets(file, PREFIX_LIMIT, position)):
        if position - start >= wanted:
            yield whole._replace(start=start, stop=position, size=position - start)
            start = position
            wanted = _size(whole.size - start, part, least)
        position += prefix.end() + int(prefix[1]) + 1
    yield whole._replace(start=start, size=max(0, whole.size - start))


def _size(rest: int, part: int, least: int) -> int:
    return min(part, max(least, rest // SHARES))
