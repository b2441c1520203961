"""The policy on the command line: `--policy LINE`, repeatable, and `--action ACTION`."""

import argparse
from collections.abc import Iterable

from hopguard.policy import ACTIONS, DEFAULT_ACTION, SHAPE, Matches, Policy, PolicyError, parse
from hopguard.rule import Rule


def add_policy_arguments(parser: argparse.ArgumentParser) -> None:
    """Let `parser` accept a policy."""
    parser.add_argument(
        "--policy",
        action="append",
        metavar="LINE",
        help=f"a line of a policy, {SHAPE}; may be repeated, later lines win",
    )
    parser.add_argument(
        "--action",
        choices=ACTIONS,
        help=f"the action of every rule that no line is about; {DEFAULT_ACTION} by default",
    )


def policy_of(arguments: argparse.Namespace, rules: Iterable[Rule]) -> Policy | None:
    """Return the policy that was given; None if none was.

    Raises:
        PolicyError: a line is wrong.
    """
    if arguments.policy is None and arguments.action is None:
        return None
    try:
        return parse(
            arguments.policy or (), rules, compile_filter, arguments.action or DEFAULT_ACTION
        )
    except PolicyError as error:
        raise PolicyError(f"--policy: {error}") from None


def compile_filter(text: str) -> Matches:
    """Compile a flow filter with mitmproxy, which is loaded for that only when there is one.

    Raises:
        ValueError: it is none.
    """
    from hopguard.mitm import filters

    return filters.compile_filter(text)
