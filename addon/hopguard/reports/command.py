"""The command `hopguard report`: logs in, one report out."""

import argparse
from typing import Any, get_args

from hopguard.reports.formats import ReportFormat
from hopguard.reports.logs import LogsReading
from hopguard.reports.making import add_output_options, make_report

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
    add_output_options(parser, get_args(ReportFormat))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the report, and return the exit status.

    Raises:
        UnknownNameError: there is no rule of the name that was given.
        BrokenPipeError: nobody reads standard output any more.
    """
    return make_report(arguments, arguments.logs, lambda: LogsReading(arguments.logs))
