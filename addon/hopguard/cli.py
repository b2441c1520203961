"""The command line.

A command is a function that adds its parser, and one that runs: nothing else knows of it.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, get_args

from hopguard import __version__
from hopguard.catalogue.explanation import ExplainFormat, explain
from hopguard.catalogue.listing import ListFormat, list_rules
from hopguard.catalogue.lookup import UnknownNameError, select
from hopguard.policy import PolicyError
from hopguard.policy_arguments import add_policy_arguments, policy_of
from hopguard.reports.command import add_report
from hopguard.rule import OPTIONAL_PROFILES, PROFILES
from hopguard.rules import load_rules
from hopguard.scanning.command import add_scan
from hopguard.terminal import text_width

OK, USAGE, INTERRUPTED = 0, 2, 130
"""Exit statuses; the last is what shells give to a program that Ctrl-C has ended."""


class _Parser(argparse.ArgumentParser):
    """Complains in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"hopguard: {message} (see {self.prog} --help)\n")


Run = Callable[[argparse.Namespace], int]
"""Writes to standard output, and returns the exit status."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with the arguments `argv`, and return its exit status."""
    try:
        arguments = _parser().parse_args(argv)
        run: Run = arguments.run
        status = run(arguments)
        sys.stdout.flush()
    except SystemExit as finished:
        return int(finished.code or OK)
    except (UnknownNameError, PolicyError) as error:
        print(f"hopguard: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("hopguard: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, as in `hopguard rules | head`
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return OK
    return status


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="hopguard",
        description="Sees, explains and records violations of HTTP's connection rules.",
        epilog='Live traffic: mitmdump -s "$(hopguard addon-path)"',
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hopguard {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (add_scan, add_report, _add_rules, _add_explain, _add_addon_path):
        add(commands)
    return parser


def _add_rules(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "rules",
        help="list the rules",
        description="List the rules; also those of profiles that are off by default.",
        epilog=f"Profiles: {', '.join(PROFILES)}; off by default: {', '.join(OPTIONAL_PROFILES)}.",
        allow_abbrev=False,
    )
    parser.add_argument("--format", choices=get_args(ListFormat), default="text")
    parser.add_argument(
        "--profile",
        action="extend",
        nargs="+",
        metavar="NAME",
        help="only the rules that are on with these profiles; `default` stands for those that"
        " are on when nothing is said",
    )
    parser.set_defaults(run=_rules)


def _rules(arguments: argparse.Namespace) -> int:
    rules = load_rules()
    if arguments.profile is not None:
        rules = select(arguments.profile, rules)
    print(list_rules(rules, arguments.format, text_width()))
    return OK


def _add_explain(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "explain",
        help="tell what a rule is about, who breaks on it, and what to do",
        description="Tell what a rule is about, who breaks on it, and what to do.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "names",
        nargs="+",
        metavar="RULE",
        help="id, id/variant, or a group, whose rules are listed",
    )
    parser.add_argument("--format", choices=get_args(ExplainFormat), default="text")
    parser.add_argument(
        "--all-examples",
        action="store_true",
        help="show every example, not just a few of each sort",
    )
    add_policy_arguments(parser)
    parser.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    rules = load_rules()
    form, width, every = arguments.format, text_width(), arguments.all_examples
    policy = policy_of(arguments, rules)
    texts = [
        explain(name, rules, form, width, all_examples=every, policy=policy)
        for name in arguments.names
    ]
    print("\n\n\n".join(texts))
    return OK


def _add_addon_path(commands: "argparse._SubParsersAction[_Parser]") -> None:
    parser = commands.add_parser(
        "addon-path",
        help="print the path to give to mitmproxy's option -s",
        description='Print the path to give to mitmproxy: mitmdump -s "$(hopguard addon-path)"',
        allow_abbrev=False,
    )
    parser.set_defaults(run=_addon_path)


def _addon_path(_: argparse.Namespace) -> int:
    print(Path(__file__).resolve().parents[1] / "hopguard_addon.py")
    return OK
