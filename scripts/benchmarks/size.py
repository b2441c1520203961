"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Size:
    """Numbers that trade time for certainty."""

    rounds: int
    pairs: int
    """Of proxies, on which the same load is put: two of one program differ by 2 in 100."""
    loads: int
    """On each of these proxies, beside the first one."""
    repeats: int
    """Of a pool of exchanges, in one round of the checker alone."""
    exchanges_of_linters: int
    seconds: int
    """Of each load."""
    requests: int
    """Over HTTP/2, in each load."""
    flows: int
    """After which the memory of proxies is compared."""
    flows_in_file: int
    megabytes_for_workers: int
    """Size of the file that one process reads, and two."""
    megabytes: tuple[int, int]
    """Sizes of captures between which the memory of a scan is compared."""


DEFAULT = Size(
    rounds=5,
    pairs=7,
    loads=3,
    repeats=100,
    exchanges_of_linters=200,
    seconds=4,
    requests=2_500,
    flows=200_000,
    flows_in_file=5_000,
    megabytes_for_workers=3_000,
    megabytes=(100, 10_000),
)
QUICK = Size(
    rounds=3,
    pairs=3,
    loads=2,
    repeats=20,
    exchanges_of_linters=30,
    seconds=1,
    requests=300,
    flows=3_000,
    flows_in_file=500,
    megabytes_for_workers=250,
    megabytes=(10, 100),
)
TINY = Size(
    rounds=1,
    pairs=1,
    loads=1,
    repeats=1,
    exchanges_of_linters=1,
    seconds=1,
    requests=8,
    flows=20,
    flows_in_file=5,
    megabytes_for_workers=1,
    megabytes=(1, 2),
)
"""For tests, to see that everything runs."""
