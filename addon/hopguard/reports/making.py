"""What all commands that make reports have in common: their options, and how they end."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from hopguard.extras import MissingExtraError
from hopguard.record import Record
from hopguard.reports.baseline import Baseline, BaselineError, BaselineMaker, read_baseline
from hopguard.reports.formats import Report, open_report
from hopguard.reports.logs import say
from hopguard.reports.reading import SEVERITIES, STANDARD_INPUT
from hopguard.reports.selecting import Selection, find_rules, parse_moment
from hopguard.reports.sifting import Sifter
from hopguard.reports.words import number
from hopguard.rule import Rule
from hopguard.rules import load_rules
from hopguard.terminal import text_width

NOTHING, FOUND, USAGE, UNREADABLE = 0, 1, 2, 3
"""Exit statuses."""

NEVER = "never"


OpenReport = Callable[[], AbstractContextManager[Report]]


class Reading(Protocol):
    """Where records come from, and what could not be read."""

    @property
    def reasons(self) -> Sequence[str]:
        """Which inputs could not be read, and why; standard error has it."""

    @property
    def failed(self) -> bool:
        """Whether an input could not be read, or there was nothing good in any of them."""

    def records(self) -> Iterator[Record]:
        """Read the records of all inputs that can be read."""

    def notes(self) -> list[str]:
        """Say what the reader of a report must know about the inputs."""

    def could_find(self, rule: Rule) -> bool:
        """Tell, at the end, whether there would be a finding if `rule` had been broken."""


class WrongUsageError(ValueError):
    """What was asked for cannot be done; the text is one sentence."""


def add_output_options(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    """Add the options that say what becomes of the findings."""
    parser.add_argument("--format", choices=formats, default=formats[0])
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


def make_report(
    arguments: argparse.Namespace,
    inputs: Sequence[str],
    read: Callable[[], Reading],
    open_other: OpenReport | None = None,
) -> int:
    """Make the report that `arguments` ask for, and return the exit status.

    Args:
        arguments: of the options above.
        inputs: paths of files that must not be overwritten.
        read: begins to read; it may raise what this function turns into an exit status.
        open_other: begins the report, if its format is none of those of `open_report`.

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
        _check_files(arguments, inputs)
        baseline = read_baseline(arguments.baseline) if arguments.baseline else Baseline()
        maker = BaselineMaker() if arguments.write_baseline else None
        return _report(arguments, read(), Sifter(selection, baseline, maker), open_other)
    except BrokenPipeError:
        raise
    except (BaselineError, MissingExtraError, WrongUsageError) as error:
        say(str(error))
        return USAGE
    except OSError as error:
        say(f"cannot write {error.filename or 'the report'}: {error.strerror or error}")
        return UNREADABLE


def _report(
    arguments: argparse.Namespace, reading: Reading, sifter: Sifter, open_other: OpenReport | None
) -> int:
    def checked(rule: Rule) -> bool:
        return sifter.concerns(rule) and reading.could_find(rule)

    with open_other() if open_other else _open_report(arguments, checked) as report:
        sifter.sift(reading.records(), report)
        untold = report.finish([*reading.notes(), *sifter.notes()])
    say(*(note for note in untold if note not in reading.reasons))
    if arguments.output:
        say(f"{sifter.in_words()}; the report is in {arguments.output}")
    if sifter.maker is not None:
        entries = sifter.maker.write(arguments.write_baseline)
        say(f"{number(entries, 'different finding')} accepted in {arguments.write_baseline}")
    if reading.failed:
        return UNREADABLE
    return FOUND if sifter.reaches(arguments.fail_on) else NOTHING


@contextmanager
def _open_report(
    arguments: argparse.Namespace, checked: Callable[[Rule], bool]
) -> Iterator[Report]:
    path: Path | None = arguments.output
    with nullcontext(sys.stdout) if path is None else path.open("w", encoding="utf-8") as out:
        rules, width = load_rules(), text_width()
        yield open_report(arguments.format, out, rules, width=width, checked=checked)


def _check_files(arguments: argparse.Namespace, inputs: Sequence[str]) -> None:
    """Make sure that nothing overwrites an input.

    Raises:
        WrongUsageError: something would.
    """
    written = [path for path in (arguments.output, arguments.write_baseline) if path is not None]
    read = [Path(path) for path in inputs if path != STANDARD_INPUT]
    for path in written:
        if path.is_file() and any(one.is_file() and one.samefile(path) for one in read):
            raise WrongUsageError(f"{path} is a file that is to be read; write to another one")
