"""How often each rule was broken, for the table at the end."""

from collections import Counter

from hopguard.record import Record

_COLUMNS = ("rule", "count", "sender", "version")


class Tally:
    """Counts records by rule, sender and version."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, record: Record) -> None:
        """Count one record."""
        self._counts[record["rule"], record["sender"], record["http_version"]] += 1

    def table(self) -> str:
        """Return the table, most frequent first; empty where nothing was found."""
        if not self._counts:
            return ""
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        rows = [(rule, str(count), sender, version) for (rule, sender, version), count in ordered]
        widths = [max(len(row[column]) for row in (_COLUMNS, *rows)) for column in range(4)]
        return "\n".join(_line(row, widths) for row in (_COLUMNS, *rows))


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    rule, count, sender, version = row
    return (
        f"{rule:<{widths[0]}}  {count:>{widths[1]}}  {sender:<{widths[2]}}  {version:<{widths[3]}}"
    ).rstrip()
