"""The addon's options: what they are called, and what their values may be."""

import difflib
import logging
from collections.abc import Sequence
from pathlib import Path

from mitmproxy import exceptions, optmanager
from mitmproxy.addonmanager import Loader

from hopguard.catalogue.lookup import UnknownNameError, find_profiles
from hopguard.fields import CREDENTIALS
from hopguard.grammar import is_token
from hopguard.rule import DEFAULT_PROFILES, PROFILES

logger = logging.getLogger(__name__)


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
        "hopguard_log",
        str,
        "",
        "Path of the violation log: JSON Lines, appended. Empty: no log.",
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


def check_settings(options: optmanager.OptManager) -> None:
    """Complain of settings that mitmproxy is about to apply to the options declared above.

    A value of the wrong type would end mitmproxy's script loading without a word, and a misspelt
    option would never be noticed. An error in the log, at start, ends mitmproxy with status 1.
    """
    for name, value in list(options.deferred.items()):
        complaint = _complaint(options, name, getattr(value, "val", None))
        if complaint:
            logger.error("%s: %s", name, complaint)
            del options.deferred[name]


def _complaint(options: optmanager.OptManager, name: str, texts: list[str] | None) -> str:
    if not name.startswith("hopguard_") or texts is None:
        return ""
    known = [known for known in options.keys() if known.startswith("hopguard_")]  # noqa: SIM118
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        return f"there is no such option; did you mean {near[0]!r}?" if near else "no such option"
    kind = type(options.default(name))
    if kind is not list and len(texts) > 1:
        return f"it takes one value, and is set to {' and to '.join(map(repr, texts))}"
    if kind is bool and not set(texts) <= {"true", "false", "toggle"}:
        return f"{texts[0]!r} is neither true nor false"
    return ""


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
