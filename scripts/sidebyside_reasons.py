"""Why the others differ from conforming forwarding, by what the difference is."""

from scripts.sidebyside_case import Kind

REASONS: dict[str, dict[str, str]] = {}


def reason(column: str, kind: str, of: Kind) -> str | None:
    """Explain a difference; None where no reason is known."""
    known = REASONS.get(column, {})
    return known.get(f"{of}: {kind}") or known.get(kind)
