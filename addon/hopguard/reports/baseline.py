"""Findings that are known and accepted: only others count."""

import json
from collections.abc import Iterable
from pathlib import Path

from hopguard.record import Record
from hopguard.reports.fingerprint import Fingerprint, fingerprint

SCHEMA = "hopguard-baseline/1"

MOST_ENTRIES = 50_000
"""More than anybody wants to accept; keeps the memory in bounds."""


class BaselineError(ValueError):
    """A baseline cannot be read or made; the text is one sentence."""


class Baseline:
    """Sorts out findings that are accepted, and knows which of those have occurred."""

    def __init__(self, entries: Iterable[Fingerprint] = ()) -> None:
        self._occurred = dict.fromkeys(entries, False)

    def accepts(self, record: Record) -> bool:
        """Tell whether the finding is accepted, and remember that it has occurred."""
        found = fingerprint(record)
        if found not in self._occurred:
            return False
        self._occurred[found] = True
        return True

    def gone(self) -> list[Fingerprint]:
        """List the entries that have not occurred."""
        return [entry for entry, occurred in self._occurred.items() if not occurred]


class BaselineMaker:
    """Collects what is to be accepted from now on."""

    def __init__(self) -> None:
        self._entries: set[Fingerprint] = set()

    def add(self, record: Record) -> None:
        """Accept the finding.

        Raises:
            BaselineError: there are too many different ones.
        """
        self._entries.add(fingerprint(record))
        if len(self._entries) > MOST_ENTRIES:
            raise BaselineError(
                f"a baseline cannot hold more than {MOST_ENTRIES} different findings;"
                " select some with --rule, --severity or --host"
            )

    def write(self, path: Path) -> int:
        """Write the baseline to `path`, sorted, one line for each entry; return their number.

        Raises:
            OSError: the file cannot be written.
        """
        lines = [json.dumps(entry._asdict()) for entry in sorted(self._entries)]
        accepted = ",\n    ".join(lines)
        body = f"[\n    {accepted}\n  ]" if lines else "[]"
        path.write_text(f'{{\n  "schema": "{SCHEMA}",\n  "accepted": {body}\n}}\n')
        return len(lines)


def read_baseline(path: Path) -> Baseline:
    """Read the baseline in the file at `path`.

    Raises:
        BaselineError: it cannot be read, or is no baseline.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise BaselineError(f"cannot read the baseline {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise BaselineError(f"the baseline {path} is not JSON") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BaselineError(
            f"{path} is no baseline of the kind {SCHEMA!r}; make one with --write-baseline"
        )
    accepted = data.get("accepted")
    if not isinstance(accepted, list):
        raise BaselineError(f"the baseline {path} has no list 'accepted'")
    return Baseline(_entry(entry, number, path) for number, entry in enumerate(accepted, 1))


def _entry(entry: object, number: int, path: Path) -> Fingerprint:
    keys = Fingerprint._fields
    texts = isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in keys)
    if not (isinstance(entry, dict) and texts and len(entry) == len(keys)):
        raise BaselineError(
            f"the baseline {path}, entry {number}: it must have the texts {', '.join(keys)},"
            " and nothing else"
        )
    return Fingerprint(**entry)
