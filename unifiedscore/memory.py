"""Arrays over all pairs of points: worked on in blocks, or refused by size before they are asked for."""

from __future__ import annotations

import os

from unifiedscore.errors import InputError

MOST_BYTES = 2**35  # on a machine of whatever size: what takes more is a mistake or a case for another algorithm
SHARE = 0.5  # of the memory of this machine
BLOCK = 16_000_000  # of a temporary array: any machine has them, and a loop over such blocks costs nothing


def rows_within(numbers: int, *, memory: int = BLOCK) -> int:
    """Return how many rows of so many float64 `numbers` fit into `memory` bytes; at least one."""
    return max(1, memory // (8 * numbers))


def refuse_pairs(rows: int, columns: int, *, arrays: int = 1, advice: str = "use fewer points") -> None:
    """Refuse arrays of float64 over `rows` x `columns` pairs that the memory cannot hold.

    A system that promises more memory than it has ends the process later, without a word.
    """
    wanted = 8 * arrays * rows * columns
    allowed = min(MOST_BYTES, SHARE * _memory())
    if wanted > allowed:
        raise InputError(
            f"{rows} x {columns} pairs of points would take {wanted / 2**30:.1f} GiB of memory, of which "
            f"{allowed / 2**30:.1f} GiB can be used here; {advice}"
        )


def _memory() -> float:
    """Bytes of memory of this machine; without a bound where the system does not tell."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")
