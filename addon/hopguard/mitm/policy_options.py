"""The options about enforcement: what their values may be."""

from collections.abc import Sequence

from mitmproxy import exceptions

from hopguard.mitm.filters import compile_filter
from hopguard.policy import Policy, PolicyError, parse, parse_action
from hopguard.rules import load_rules

FORWARDING = ("transparent", "conforming")
"""What `hopguard_forwarding` may be."""


def parse_policy(action: str, lines: Sequence[str]) -> Policy:
    """Return the policy.

    Raises:
        OptionsError: there is no such action, or a line is wrong.
    """
    try:
        default = parse_action(action)
    except PolicyError as error:
        raise exceptions.OptionsError(f"hopguard_action: {error}") from None
    try:
        return parse(lines, load_rules(), compile_filter, default)
    except PolicyError as error:
        raise exceptions.OptionsError(f"hopguard_policy: {error}") from None


def parse_forwarding(text: str) -> bool:
    """Tell whether messages are sent on as a conforming intermediary does.

    Raises:
        OptionsError: it is nothing of that kind. mitmproxy does not check choices.
    """
    if text not in FORWARDING:
        raise exceptions.OptionsError(
            f"hopguard_forwarding: {text!r} is none of {', '.join(FORWARDING)}"
        )
    return text == FORWARDING[1]
