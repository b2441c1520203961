"""What the action `fix` can do about a rule, by what the rule declares."""

from hopguard.rule import Blocking, Rule

NO_REPAIR = "Nothing: there is no safe repair. It falls back to flag, and the record says so."

BLOCKS: dict[Blocking, str] = {
    "": "Nothing: there is nothing to keep back. It falls back to flag, and the record says so.",
    "request": "The request is answered with 400 and Connection: close. What mitmproxy itself sends"
    " to a server stays flagged.",
    "leg": "The connection is closed: after the response on its way, which says Connection: close,"
    " or at once if nothing is under way. Where mitmproxy closes by itself, nothing is added. If it"
    " is over already, the finding stays flagged.",
}
"""What `block` does about a connection."""


def fixable(rule: Rule) -> str:
    """Say whether there is a safe repair: yes, no, or partly (not for all variants or messages)."""
    if not rule.edits:
        return "no"
    return "yes" if not _without(rule) and rule.edits_in == rule.directions else "partly"


def repair_in_words(rule: Rule, variant: str | None = None) -> str:
    """Say what `fix` does about a rule, or about one variant of it."""
    if not rule.edits or (variant is not None and variant not in rule.edits):
        return NO_REPAIR
    without = _without(rule)
    if variant is not None or not without:
        return rule.repair
    return f"{rule.repair} Without a safe repair, and so left at flag: {', '.join(without)}."


def _without(rule: Rule) -> list[str]:
    return [name for name in rule.variants if name not in rule.edits]
