"""The command `hopguard.report`: a report on flows, from the findings that they carry."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import mitmproxy.types
from mitmproxy import command, exceptions
from mitmproxy import flow as mitmflow
from mitmproxy.log import ALERT

from hopguard.extras import MissingExtraError
from hopguard.mitm import view
from hopguard.record import Record
from hopguard.rules import load_rules

# Reports take more memory than all the rest, and few proxies make any: their modules are imported
# where they are needed.
if TYPE_CHECKING:
    from hopguard.reports.formats import ReportFormat

logger = logging.getLogger(__name__)


class ReportCommand:
    """The command."""

    @command.command("hopguard.report.formats")  # type: ignore[untyped-decorator]
    def formats(self) -> Sequence[str]:
        """List the formats of reports."""
        from hopguard.reports.formats import ReportFormat

        return get_args(ReportFormat)

    @command.command("hopguard.report")  # type: ignore[untyped-decorator]
    @command.argument("form", type=mitmproxy.types.Choice("hopguard.report.formats"))  # type: ignore[untyped-decorator]
    def report(self, form: str, path: mitmproxy.types.Path, flows: Sequence[mitmflow.Flow]) -> None:
        """Write a report on what was found on flows to a file.

        Raises:
            CommandError: the format is unknown or needs what is not installed, or the file cannot
                be written.
        """
        from hopguard.reports.words import number

        if form not in self.formats():
            known = ", ".join(self.formats())
            raise exceptions.CommandError(f"hopguard.report: {form!r} is none of {known}")
        try:
            found = _write(cast("ReportFormat", form), Path(path).expanduser(), flows)
        except MissingExtraError as error:
            raise exceptions.CommandError(f"hopguard.report: {error}") from None
        except OSError as error:
            why = error.strerror or error
            raise exceptions.CommandError(f"hopguard.report: cannot write {path}: {why}") from None
        what = f"{number(found, 'finding')} of {number(len(flows), 'flow')}"
        logger.log(ALERT, "hopguard: a report on %s is in %s", what, path)


def _write(form: "ReportFormat", path: Path, flows: Sequence[mitmflow.Flow]) -> int:
    """Write the report, and return the number of findings."""
    from hopguard.reports.formats import open_report

    found = 0
    with path.open("w", encoding="utf-8") as out:
        report = open_report(form, out, load_rules())
        for record in _records(flows):
            report.add(record)
            found += 1
        report.finish([])
    return found


def _records(flows: Sequence[mitmflow.Flow]) -> Iterator[Record]:
    """Read the records that the flows carry. A saved flow may hold anything under our key."""
    from hopguard.reports.reading import NoRecordError, normalise

    for flow in flows:
        held: Any = flow.metadata.get(view.KEY)
        for entry in held if isinstance(held, list | tuple) else ():
            try:
                yield normalise(entry)[0]
            except NoRecordError:
                continue
