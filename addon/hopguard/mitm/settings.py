"""What people have set the options to, looked at before mitmproxy applies it."""

import difflib
import logging
from typing import Any

from mitmproxy import optmanager

logger = logging.getLogger(__name__)


def check_settings(options: optmanager.OptManager) -> None:
    """Complain of settings that mitmproxy is about to apply to our options.

    A value of the wrong type would end mitmproxy's script loading without a word, and a misspelt
    option would never be noticed. An error in the log, at start, ends mitmproxy with status 1.
    """
    for name, value in list(options.deferred.items()):
        if not name.startswith("hopguard_"):
            continue
        complaint = _complaint(options, name, value)
        if complaint:
            logger.error("%s: %s", name, complaint)
            del options.deferred[name]


def _complaint(options: optmanager.OptManager, name: str, value: Any) -> str:
    known = [known for known in options.keys() if known.startswith("hopguard_")]  # noqa: SIM118
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        return f"there is no such option; did you mean {near[0]!r}?" if near else "no such option"
    kind = type(options.default(name))
    texts: list[str] | None = getattr(value, "val", None)
    if texts is None:
        return _complaint_of_file(options, name, value, kind)
    if kind is str and not texts:
        return "it takes a value"
    if kind is not list and len(texts) > 1:
        return f"it takes one value, and is set to {' and to '.join(map(repr, texts))}"
    if kind is bool and not set(texts) <= {"true", "false", "toggle"}:
        return f"{texts[0]!r} is neither true nor false"
    return ""


def _complaint_of_file(options: optmanager.OptManager, name: str, value: Any, kind: type) -> str:
    """Complain of a value in `config.yaml`, where it has a type of its own."""
    if kind is str and type(value) is int:  # a number of files: who would think of quotes?
        options.deferred[name] = str(value)
        return ""
    if kind is list and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ""
    if kind is not list and isinstance(value, kind):
        return ""
    wanted = {bool: "true or false", str: "a text", list: "a list of texts"}[kind]
    return f"{value!r} is not {wanted}"
