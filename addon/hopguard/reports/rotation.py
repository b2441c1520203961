"""Log files of limited size: one that is full gets a number, and the oldest one goes."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rotation:
    """When a file is moved out of the way, and how many of the moved ones are kept."""

    max_size: int = 0
    """Octets that a file may hold; 0 is any number. A record that is longer has one of its own."""
    keep: int = 1
    """Moved files, at least one."""

    def is_due(self, size: int, more: int) -> bool:
        """Tell whether a file of `size` octets is to be moved before `more` are written."""
        return self.max_size > 0 and size > 0 and size + more > self.max_size

    def rotate(self, path: Path, descriptor: int) -> bool:
        """Move the file at `path`, which `descriptor` has open, to `path`.1, and older ones on.

        Returns False, and does nothing, where another process is just moving or has moved it, and
        where the path is a symbolic link, such as /dev/stdout: what is behind it is not ours.

        Several processes may share the file. Only who holds its lock moves it, and what bears the
        name is looked at again with the lock held: the last step takes the name away, so for each
        file there is one process that gets that far. Who writes takes no lock, and thus never
        waits: a line that comes after the move is in the moved file, as if it had come before.

        Raises:
            OSError: a file cannot be moved. Nothing is lost, and it can be tried again.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            return self._move(path, descriptor)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _move(self, path: Path, descriptor: int) -> bool:
        try:
            ours = os.path.samestat(path.lstat(), os.fstat(descriptor))
        except FileNotFoundError:
            ours = False
        if not ours:
            return False
        # Files move on as far as the first free number: none is overwritten while there is one.
        last = 1
        while last < self.keep and os.path.lexists(numbered(path, last)):
            last += 1
        for number in range(last, 1, -1):
            numbered(path, number - 1).replace(numbered(path, number))
        path.replace(numbered(path, 1))
        return True


def numbered(path: Path, number: int) -> Path:
    """Return where the file at `path` is when it has been moved `number` times."""
    return path.with_name(f"{path.name}.{number}")
