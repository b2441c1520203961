"""From what somebody typed to the rules that are meant."""

import difflib
from collections.abc import Iterable, Sequence

from hopguard.rule import DEFAULT_PROFILES, PROFILES, Rule


class UnknownNameError(LookupError):
    """Nothing has that name; the text is one sentence that says what to type instead."""


def find_group(name: str, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules of the group called `name`: none if there is no such group."""
    return tuple(rule for rule in rules if rule.group == name)


def find_rule(name: str, rules: Iterable[Rule]) -> tuple[Rule, str | None]:
    """Return the rule that `name`, `id` or `id/variant`, means, and the variant if it names one.

    Raises:
        UnknownNameError: there is no such rule, or it has no such variant.
    """
    wanted, slash, variant = name.partition("/")
    known = {rule.id: rule for rule in rules}
    rule = known.get(wanted)
    if rule is None:
        groups = dict.fromkeys(rule.group for rule in known.values())
        hint = nearest(wanted, [*known, *groups]) or "`hopguard rules` lists all"
        raise UnknownNameError(f"there is no rule {wanted!r}; {hint}")
    if not slash:
        return rule, None
    if variant not in rule.variants:
        names = ", ".join(name for name in rule.variants if name)
        has = f"; it has {names}" if names else ", nor any other"
        raise UnknownNameError(f"the rule {wanted!r} has no variant {variant!r}{has}")
    return rule, variant


def find_profiles(names: Sequence[str]) -> frozenset[str]:
    """Return the profiles called `names`; `default` means those that are on by default.

    Raises:
        UnknownNameError: there is no profile of that name.
    """
    chosen: set[str] = set()
    for name in names:
        if name != "default" and name not in PROFILES:
            known = f"there are {', '.join(['default', *PROFILES])}"
            hint = nearest(name, PROFILES)
            raise UnknownNameError(
                f"there is no profile {name!r}; {f'{hint} - {known}' if hint else known}"
            )
        chosen.update(DEFAULT_PROFILES if name == "default" else (name,))
    return frozenset(chosen)


def select(profiles: Sequence[str], rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return those of `rules` that are on under `profiles`.

    Raises:
        UnknownNameError: there is no profile of that name.
    """
    from hopguard.catalogue.facts import runs  # live traffic needs names, but no facts

    chosen = find_profiles(profiles)
    return tuple(rule for rule in rules if runs(rule, chosen))


def nearest(name: str, names: Sequence[str]) -> str:
    """Suggest the one of `names` that is most like `name`; empty if none is like it."""
    near = difflib.get_close_matches(name.lower().replace("_", "-"), names, 1)
    return f"did you mean {near[0]!r}?" if near else ""
