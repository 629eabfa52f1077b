"""What one pass over a sample leaves per query, and how the passes over two parts of a sample become one."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(slots=True)
class Sums:
    """Sums of kernel weights at n queries, relative to the largest weight of each; a row is filled in by its tile.

    Attributes
    ----------
    largest, total : (n,) arrays
        Largest log-weight, and the sum of all weights divided by it.
    mean_shift, score : (n, d) arrays or None
        Means of y - x and b (y - x) under the weights.
    radial : (n, 3) array or None
        Sums of w^2, w/b and w r.
    fixed, slope : (n,) arrays
        Rounding of the moments: whatever the weights, and for each unit of the mean size of a log-weight.
    """

    largest: np.ndarray
    total: np.ndarray
    mean_shift: np.ndarray | None
    score: np.ndarray | None
    radial: np.ndarray | None
    fixed: np.ndarray
    slope: np.ndarray

    @classmethod
    def empty(cls, n: int, d: int, wants: frozenset[str]) -> Sums:
        """Return sums over no sample at all."""
        vectors = (np.zeros((n, d)) if name in wants else None for name in ("mean_shift", "score"))
        radial = np.zeros((n, 3)) if "sums" in wants else None
        return cls(np.full(n, -np.inf), np.zeros(n), *vectors, radial, np.zeros(n), np.zeros(n))

    def head(self, n: int) -> Sums:
        """Return the sums at the first n queries."""
        parts = (getattr(self, field.name) for field in fields(self))
        return Sums(*(None if value is None else value[:n] for value in parts))

    def put(self, rows, part: Sums) -> None:
        """Store the sums of the queries `rows`, a slice or mask."""
        for field in fields(self):
            if (value := getattr(self, field.name)) is not None:
                value[rows] = getattr(part, field.name)


def merged(first: Sums, second: Sums) -> Sums:
    """Return the sums over both of two disjoint parts of a sample."""
    largest = np.maximum(first.largest, second.largest)
    top = np.where(largest > -np.inf, largest, 0.0)
    factors = [np.exp(part.largest - top) for part in (first, second)]
    mass = [part.total * factor for part, factor in zip((first, second), factors, strict=True)]
    total = mass[0] + mass[1]
    share = [value / np.where(total > 0, total, 1.0) for value in mass]

    def mean(a, b):
        # A part without weight may have any mean, also one that is not finite.
        if a is None:
            return None
        parts = [np.where(s[:, None] > 0, s[:, None] * v, 0.0) for s, v in zip(share, (a, b), strict=True)]
        return parts[0] + parts[1]

    radial = None
    if first.radial is not None:
        scales = [np.stack([factor**2, factor, factor], axis=1) for factor in factors]
        parts = [np.where(s > 0, s * p.radial, 0.0) for s, p in zip(scales, (first, second), strict=True)]
        radial = parts[0] + parts[1]
    fixed = share[0] * first.fixed + share[1] * second.fixed
    slope = np.maximum(first.slope, second.slope)
    vectors = (mean(first.mean_shift, second.mean_shift), mean(first.score, second.score))
    return Sums(largest, total, *vectors, radial, fixed, slope)
