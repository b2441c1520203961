"""The command `hopguard report`: logs in, one report out."""

import argparse
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, get_args

from hopguard.extras import MissingExtraError
from hopguard.reports.baseline import Baseline, BaselineError, BaselineMaker, read_baseline
from hopguard.reports.formats import ReportFormat, open_report
from hopguard.reports.logs import LogsReading, say
from hopguard.reports.reading import SEVERITIES, STANDARD_INPUT
from hopguard.reports.selecting import Selection, find_rules, parse_moment
from hopguard.reports.sifting import Sifter
from hopguard.reports.words import number
from hopguard.rules import load_rules
from hopguard.terminal import text_width

NOTHING, FOUND, USAGE, UNREADABLE = 0, 1, 2, 3
"""Exit statuses."""

NEVER = "never"

EPILOG = (
    "Exit status: 0 nothing at or above --fail-on; 1 something was; 2 wrong usage;"
    " 3 an input could not be read, or held nothing but lines of other kinds, or the report could"
    " not be written."
)


def add_report(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "report",
        help="make a report of violation logs",
        description="Make a report of violation logs.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument(
        "logs",
        nargs="+",
        metavar="LOG",
        help="violation log, also compressed (.gz); - is standard input",
    )
    parser.add_argument("--format", choices=get_args(ReportFormat), default="text")
    parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")
    parser.add_argument(
        "--fail-on",
        choices=(*SEVERITIES, NEVER),
        default=NEVER,
        help="exit with status 1 if there is a finding of this severity or a higher one",
    )
    _add_filters(parser)
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help="accept the findings that this file names: they are counted, and not reported",
    )
    parser.add_argument(
        "--write-baseline",
        type=Path,
        metavar="FILE",
        help="write a baseline that accepts all selected findings, also those accepted before",
    )
    parser.set_defaults(run=run)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    filters = parser.add_argument_group("filters", "A finding must pass all of them.")
    filters.add_argument(
        "--rule",
        action="append",
        metavar="RULE",
        help="id, id/variant, or group; may be given repeatedly",
    )
    filters.add_argument(
        "--severity", choices=SEVERITIES, default=SEVERITIES[-1], help="this one or a higher one"
    )
    filters.add_argument(
        "--host",
        action="append",
        metavar="PATTERN",
        help="such as '*.example'; may be given repeatedly",
    )
    now = datetime.now(UTC)
    for name, help_ in (("since", "from this time on"), ("until", "before this time")):
        filters.add_argument(
            f"--{name}",
            type=_moment_from(now),
            metavar="TIME",
            help=f"{help_}: 2026-05-31T12:00:00Z, 2026-05-31, or 90m, 1h, 7d ago",
        )


def _moment_from(now: datetime) -> Callable[[str], str]:
    def parse(text: str) -> str:
        try:
            return parse_moment(text, now)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse


def run(arguments: argparse.Namespace) -> int:
    """Make the report, and return the exit status.

    Raises:
        UnknownNameError: there is no rule of the name that was given.
        BrokenPipeError: nobody reads standard output any more.
    """
    selection = Selection(
        rules=find_rules(arguments.rule or (), load_rules()),
        severity=arguments.severity,
        hosts=[pattern.lower() for pattern in arguments.host or ()],
        since=arguments.since,
        until=arguments.until,
    )
    try:
        _check_files(arguments)
        return _report(arguments, selection)
    except BrokenPipeError:
        raise
    except (BaselineError, MissingExtraError, _SameFileError) as error:
        say(str(error))
        return USAGE
    except OSError as error:
        say(f"cannot write {error.filename or 'the report'}: {error.strerror or error}")
        return UNREADABLE


def _report(arguments: argparse.Namespace, selection: Selection) -> int:
    baseline = read_baseline(arguments.baseline) if arguments.baseline else Baseline()
    maker = BaselineMaker() if arguments.write_baseline else None
    sifter = Sifter(selection, baseline, maker)
    reading = LogsReading(arguments.logs)
    with _open(arguments.output) as out:
        report = open_report(
            arguments.format, out, load_rules(), width=text_width(), checked=selection.concerns
        )
        sifter.sift(reading.records(), report)
        untold = report.finish([*reading.notes(), *sifter.notes()])
    say(*(note for note in untold if note not in reading.reasons))
    if arguments.output:
        say(f"{sifter.in_words()}; the report is in {arguments.output}")
    if maker is not None:
        entries = maker.write(arguments.write_baseline)
        say(f"{number(entries, 'different finding')} accepted in {arguments.write_baseline}")
    if reading.failed:
        return UNREADABLE
    return FOUND if sifter.reaches(arguments.fail_on) else NOTHING


class _SameFileError(ValueError):
    """What is to be written is also to be read; the text is one sentence."""


def _check_files(arguments: argparse.Namespace) -> None:
    """Make sure that nothing overwrites a log.

    Raises:
        _SameFileError: something would.
    """
    written = [path for path in (arguments.output, arguments.write_baseline) if path is not None]
    read = [Path(log) for log in arguments.logs if log != STANDARD_INPUT]
    for path in written:
        if path.is_file() and any(log.is_file() and log.samefile(path) for log in read):
            raise _SameFileError(f"{path} is a log that is to be read; write to another file")


def _open(path: Path | None) -> AbstractContextManager[TextIO]:
    return nullcontext(sys.stdout) if path is None else path.open("w", encoding="utf-8")
