"""Measuring in rounds: whatever else the machine does meanwhile hits those compared alike."""

import statistics
from collections.abc import Callable, Mapping, Sequence


def alternate[T](parts: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run all `parts` in each round, forwards and backwards in turns; return their results."""
    results: dict[str, list[T]] = {name: [] for name in parts}
    order = list(parts)
    for _ in range(rounds):
        for name in order:
            results[name].append(parts[name]())
        order.reverse()
    return results


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios of one round each."""
    return statistics.median(our / their for our, their in zip(ours, theirs, strict=True))
