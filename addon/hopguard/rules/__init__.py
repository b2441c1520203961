"""The rules: one module each, in one folder per group. Being in a folder is the registration."""

import importlib
import pkgutil

from hopguard.rule import Rule


def load_rules() -> tuple[Rule, ...]:
    """Import every rule module and return the rules, sorted by group and id."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(__path__, f"{__name__}.")
        if not found.ispkg
    ]
    return tuple(sorted((module.check for module in modules), key=lambda r: (r.group, r.id)))
