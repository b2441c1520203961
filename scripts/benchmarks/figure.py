"""One figure: what was measured, beside whom, and what it must reach."""

import operator
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

COMPARISONS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure. `missing` says why there is none."""

    what: str
    target: str
    """`<=` or `>=`, and a number."""
    unit: str = ""
    """Of the figure; a ratio has none."""
    value: float | None = None
    ours: str = ""
    """What was measured of hopguard ..."""
    peer: str = ""
    """... and, for a ratio, of whom else, with the name."""
    missing: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the figure is good enough; None if there is none."""
        if self.value is None:
            return None
        comparison, limit = self.target.split()
        return bool(COMPARISONS[comparison](self.value, float(limit)))

    def with_value(self, value: float, *, unit: str = "", ours: str = "", peer: str = "") -> Self:
        """Fill it in."""
        return replace(self, value=value, unit=unit, ours=ours, peer=peer)

    def without(self, why: str) -> Self:
        """Say why it is missing."""
        return replace(self, missing=why)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "reached": self.reached}

    @classmethod
    def of_json(cls, data: dict[str, Any]) -> Self:
        """Make it from plain data."""
        return cls(**{key: value for key, value in data.items() if key != "reached"})


def number(value: float) -> str:
    """Write a number with as many digits as mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
