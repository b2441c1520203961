"""The addon's options: what they are called, and what their values may be."""

import re
from collections.abc import Sequence
from pathlib import Path

from mitmproxy import exceptions
from mitmproxy.addonmanager import Loader

from hopguard.catalogue.lookup import UnknownNameError, find_profiles
from hopguard.fields import CREDENTIALS
from hopguard.grammar import is_token
from hopguard.idle_settings import seconds_of
from hopguard.mitm.policy_options import FORWARDING
from hopguard.mitm.verdict import FAIL_ON, NEVER
from hopguard.policy import ACTIONS, DEFAULT_ACTION, SHAPE
from hopguard.reports.rotation import Rotation
from hopguard.rule import DEFAULT_PROFILES, PROFILES

MOST_KEPT = 9999
"""Files of the violation log; with more, somebody has mistaken the option for another one."""

_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_SIZE = re.compile(r"([0-9]{1,12})([kmg]?)", re.IGNORECASE)


def add_options(loader: Loader) -> None:
    """Declare the options."""
    loader.add_option(
        "hopguard_profile",
        Sequence[str],
        list(DEFAULT_PROFILES),
        f"Sets of rules that are on, one name each time. One of: {', '.join(PROFILES)}; "
        "or `default` for what is on when nothing is said.",
    )
    loader.add_option(
        "hopguard_action",
        str,
        DEFAULT_ACTION,
        "What happens with findings that no line of hopguard_policy is about. One of: "
        f"{', '.join(ACTIONS)}.",
        choices=ACTIONS,
    )
    loader.add_option(
        "hopguard_policy",
        Sequence[str],
        [],
        f"What happens with which findings, one line each time: {SHAPE}. The first character is "
        "the separator; the rule is an id, id/variant, a group, a severity or `all`; the action is "
        f"one of {', '.join(ACTIONS)}. Later lines win.",
    )
    loader.add_option(
        "hopguard_forwarding",
        str,
        FORWARDING[0],
        "How messages are sent on: `transparent`, as mitmproxy always did, or `conforming`, as "
        "RFC 9110, section 7.6.1, wants it: Connection, and what belongs to it, ends at each hop.",
        choices=FORWARDING,
    )
    loader.add_option(
        "hopguard_log",
        str,
        "",
        "Path of the violation log: JSON Lines, appended. Empty: no log.",
    )
    loader.add_option(
        "hopguard_log_max_size",
        str,
        "50m",
        "Octets that the violation log may hold before it is moved to the same name with `.1`, and "
        "a new one is begun; k, m or g behind the number are units of 1024. 0: any number.",
    )
    loader.add_option(
        "hopguard_log_keep",
        str,
        "5",
        f"How many such files are kept, 1 to {MOST_KEPT}; the one with the highest number is the "
        "oldest.",
    )
    loader.add_option(
        "hopguard_redact",
        Sequence[str],
        list(CREDENTIALS),
        "Fields whose values are never written anywhere.",
    )
    loader.add_option(
        "hopguard_log_query",
        bool,
        False,
        "Write the query part of URLs.",
    )
    loader.add_option(
        "hopguard_mark",
        bool,
        True,
        "Mark flows by their worst finding; your own markers stay.",
    )
    loader.add_option(
        "hopguard_comment",
        bool,
        True,
        "Name the broken rules in the flow's comment, after what you wrote there.",
    )
    loader.add_option(
        "hopguard_see_rejected",
        bool,
        True,
        "Show HTTP/2 messages that carry connection-specific fields as flows, instead of losing "
        "their whole connection unseen. Everything else that mitmproxy refuses stays refused.",
    )
    loader.add_option(
        "hopguard_idle_timeout",
        str,
        "",
        "Seconds for which whoever stands in front of the servers, such as a load balancer, keeps "
        "idle connections to them; a server that keeps its own no longer is reported. Empty: "
        "unknown.",
    )
    loader.add_option(
        "hopguard_fail_on",
        str,
        NEVER,
        "Exit status 1 at the end of mitmdump when something at or above this severity was found, "
        f"whatever was done about it. One of: {', '.join(FAIL_ON)}.",
        choices=FAIL_ON,
    )


def parse_profiles(names: Sequence[str]) -> frozenset[str]:
    """Return the profiles that are on.

    Raises:
        OptionsError: there is no profile of that name.
    """
    try:
        return find_profiles(names)
    except UnknownNameError as error:
        raise exceptions.OptionsError(f"hopguard_profile: {error}") from None


def parse_redact(names: Sequence[str]) -> Sequence[str]:
    """Return the names of the fields to redact.

    Raises:
        OptionsError: one of them is no field name.
    """
    for name in names:
        if not is_token(name.strip().encode()):
            raise exceptions.OptionsError(
                f"hopguard_redact: {name!r} is not a field name, such as {CREDENTIALS[0]!r}"
            )
    return names


def parse_log(text: str) -> Path | None:
    """Return the path of the violation log, or None if there shall be none.

    Raises:
        OptionsError: the path names a folder.
    """
    if not text:
        return None
    path = Path(text).expanduser()
    if path.is_dir():
        raise exceptions.OptionsError(f"hopguard_log: {text!r} is a folder; name a file in it")
    return path


def parse_idle_timeout(text: str) -> float | None:
    """Return the seconds for which whoever is in front keeps idle connections; None if unknown.

    Raises:
        OptionsError: it is no number of seconds.
    """
    if not text.strip():
        return None
    try:
        return seconds_of(text)
    except ValueError as error:
        raise exceptions.OptionsError(f"hopguard_idle_timeout: {error}") from None


def parse_rotation(max_size: str, keep: str) -> Rotation:
    """Return when the violation log is rotated.

    Raises:
        OptionsError: the one is no size, or the other no number of files.
    """
    size = _SIZE.fullmatch(max_size.strip())
    if size is None:
        raise exceptions.OptionsError(
            f"hopguard_log_max_size: {max_size!r} is not a size, such as '50m': a number of octets,"
            " perhaps with k, m or g behind it; 0 is any number"
        )
    number = keep.strip()
    if not re.fullmatch("[0-9]{1,4}", number) or int(number) == 0:
        raise exceptions.OptionsError(
            f"hopguard_log_keep: {keep!r} is not a number of files from 1 to {MOST_KEPT}"
        )
    return Rotation(int(size[1]) * _UNITS[size[2].lower()], int(number))
