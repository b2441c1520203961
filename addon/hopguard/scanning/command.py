"""The command `hopguard scan`: captures in, one report out."""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

from hopguard.captures.capture import HEAD
from hopguard.captures.formats import find_format
from hopguard.catalogue.lookup import find_profiles
from hopguard.idle_settings import seconds_of
from hopguard.policy import PolicyError
from hopguard.reports.formats import ReportFormat
from hopguard.reports.logs import say
from hopguard.reports.making import USAGE, add_output_options, make_report
from hopguard.rule import OPTIONAL_PROFILES, PROFILES
from hopguard.scanning.cluster import scan_on_cluster
from hopguard.scanning.parquet import open_parquet
from hopguard.scanning.policing import policy_of
from hopguard.scanning.progress import with_progress
from hopguard.scanning.reading import ScanReading
from hopguard.scanning.splitting import tasks_of
from hopguard.scanning.task import Settings

PARQUET = "parquet"

EPILOG = (
    "Exit status: 0 nothing at or above --fail-on; 1 something was; 2 wrong usage;"
    " 3 an input could not be read, or nothing was checked, or the report could not be written."
)


def add_scan(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "scan",
        help="check captures: flow files, HAR, WARC",
        description="Check captures by the rules, and make a report of what is found.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="capture, also compressed (.gz, .zst); folder of captures; pattern such as"
        " 'days/**/*.flows'; URL such as s3://bucket/folder/; - is standard input",
    )
    add_output_options(parser, (*get_args(ReportFormat), PARQUET))
    parser.add_argument(
        "--profile",
        action="append",
        metavar="NAME",
        help=f"rules that are on, may be given repeatedly: {', '.join(PROFILES)}; or `default` for"
        f" what is on when nothing is said; off by default: {', '.join(OPTIONAL_PROFILES)}",
    )
    parser.add_argument(
        "--policy",
        action="append",
        metavar="LINE",
        help="as in the option hopguard_policy: /flow-filter/rule/action, or /rule/action; may be"
        " given repeatedly. What is `off` is left out; all else is reported, since what is past"
        " can neither be repaired nor blocked",
    )
    parser.add_argument(
        "--idle-timeout",
        type=_seconds,
        metavar="SECONDS",
        help="for which whoever stands in front of the servers, such as a load balancer, keeps idle"
        " connections to them: servers that announce no more are reported",
    )
    parser.add_argument(
        "--workers",
        type=_positive,
        default=None,
        metavar="N",
        help=f"processes; default: one for each processor, here {cores()}",
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="let the workers of the Dask cluster read, whose scheduler is there, such as"
        " tcp://10.0.0.1:8786",
    )
    parser.set_defaults(run=run)


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes, such as 4")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(arguments: argparse.Namespace) -> int:
    """Scan, make the report, and return the exit status.

    Raises:
        UnknownNameError: there is no rule or profile of the name that was given.
        BrokenPipeError: nobody reads standard output any more.
    """
    settings = Settings(
        profiles=find_profiles(arguments.profile or ["default"]),
        policy=tuple(arguments.policy or ()),
        idle_timeout=arguments.idle_timeout,
    )
    try:
        policy_of(settings.policy)
    except PolicyError as error:
        say(f"--policy: {error}")
        return USAGE
    if arguments.format == PARQUET and arguments.output is None:
        say("--format parquet writes a folder: name it with --output")
        return USAGE
    open_other = partial(open_parquet, arguments.output) if arguments.format == PARQUET else None
    return make_report(
        arguments,
        [*arguments.paths, *_captures_among(arguments.output, arguments.paths)],
        lambda: _read(arguments, settings),
        open_other,
    )


def _read(arguments: argparse.Namespace, settings: Settings) -> ScanReading:
    if arguments.dask is not None:
        batches = scan_on_cluster(arguments.dask, arguments.paths, settings)
    else:
        from hopguard.scanning.workers import scan  # no other command needs processes

        tasks = tasks_of(arguments.paths)
        batches = scan(tasks, settings, arguments.workers or cores())
    if _shows_progress(arguments):
        batches = with_progress(batches, arguments.paths)
    return ScanReading(batches, settings)


def _shows_progress(arguments: argparse.Namespace) -> bool:
    """Tell whether somebody looks, and nothing else is written there meanwhile."""
    streaming = arguments.output is None and arguments.format in ("jsonl", "csv")
    return sys.stderr.isatty() and not (streaming and sys.stdout.isatty())


def _captures_among(output: Path | None, paths: Sequence[str]) -> list[str]:
    """Return `output` if it is a capture in one of the folders that are to be read."""
    if output is None or not output.is_file():
        return []
    folders = [Path(path).resolve() for path in paths if Path(path).is_dir()]
    inside = any(output.resolve().is_relative_to(folder) for folder in folders)
    with output.open("rb") as file:
        return [str(output)] if inside and find_format(file.read(HEAD)) else []
