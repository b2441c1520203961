"""Which captures are meant by the paths that people give."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from hopguard.captures.opening import STANDARD_INPUT, filesystem, is_url


class Input(NamedTuple):
    """A capture, or a reason why there is none."""

    path: str
    named: bool = True
    """Whether somebody has named it. A file that was found in a folder may be something else."""
    size: int | None = None
    """Octets, if known."""
    error: str = ""
    """Half a sentence."""


def find_inputs(paths: Iterable[str]) -> Iterator[Input]:
    """List the captures at `paths`, in an order that is always the same.

    A folder stands for all files in it and in its folders, but for hidden ones; a pattern that is
    no file itself, for all that match.

    Raises:
        MissingExtraError: what lists them is not installed.
    """
    for path in paths:
        try:
            yield from _find(path)
        except OSError as error:
            yield Input(path, error=error.strerror or str(error))


def _find(path: str) -> Iterator[Input]:
    if path == STANDARD_INPUT:
        yield Input(path)
    elif is_url(path):
        yield from _find_remote(path)
    elif Path(path).is_dir():
        yield from _in_folder(path)
    elif not os.path.lexists(path) and glob.has_magic(path):
        yield from _matching(path)
    else:
        yield Input(path, size=Path(path).stat().st_size)


def _in_folder(folder: str) -> Iterator[Input]:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            try:
                yield from _in_folder(entry.path)
            except OSError as error:
                yield Input(entry.path, error=error.strerror or str(error))
        elif entry.is_file():
            yield Input(entry.path, named=False, size=entry.stat().st_size)


def _matching(pattern: str) -> Iterator[Input]:
    found = sorted(glob.iglob(pattern, recursive=True))  # noqa: PTH207  # it may be absolute
    for path in found:
        if Path(path).is_dir():
            if "**" not in pattern:  # otherwise its files match as well
                yield from _in_folder(path)
        else:
            yield Input(path, size=Path(path).stat().st_size)
    if not found:
        yield Input(pattern, error="nothing matches")


def _find_remote(path: str) -> Iterator[Input]:
    files = filesystem(path)
    if glob.has_magic(path):
        found = files.glob(path, detail=True)
    elif files.isdir(path):
        found = files.find(path, detail=True)
    else:
        yield Input(path, size=files.info(path).get("size"))
        return
    for name in [name for name in found if found[name].get("type") == "directory"]:
        found.update(files.find(name, detail=True))
    size_of = {name: of.get("size") for name, of in found.items() if of.get("type") == "file"}
    for name in sorted(size_of):
        yield Input(files.unstrip_protocol(name), named=False, size=size_of[name])
    if not size_of:
        yield Input(path, error="there are no files")
