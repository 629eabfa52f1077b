"""Distances between two sets of points that keep the digits of their coordinates, over the whole range of float64.

These are distances for weights, of blocks of queries against one sample. A matrix product is believed where r^2 exceeds
1/256 of the squared norms, which costs a weight two digits of its rounding, and the caller brings the centre.
`measures.distances` has the distances that are results by themselves, as in metrics and neighbour searches: it believes
a product only where the bound on its error, which grows with the dimension, is below 2^-40, and first moves both sets
into a common frame, for which it must see all points of both. One of the two for both tasks would make the engine
slower or the metrics less exact.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.memory import rows_within
from unifiedscore.posterior import loops

# Squares of distances outside these bounds leave float64 or its normal numbers.
SMALL, LARGE = 1e-140, 1e140
# Points that a center is taken from. An odd number: the median is then a coordinate of the data and subtracts exactly.
_CENTRAL = 63


def robust_center(points: np.ndarray) -> np.ndarray:
    """Coordinatewise median of up to 63 evenly spaced points, (d,) float64: no outlier moves it, however far."""
    chosen = np.unique(np.linspace(0, len(points) - 1, min(_CENTRAL, len(points) - 1 + len(points) % 2)).astype(int))
    return np.median(points[chosen], axis=0).astype(np.float64)


def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Euclidean distances (n, m) of float64 points by direct differences, also where their squares leave float64."""
    from scipy.spatial.distance import cdist

    with np.errstate(over="ignore"):
        r = cdist(x, y)
    # Where the square may have overflowed or lost digits; an exact zero may be one that underflowed.
    odd = np.flatnonzero(~((r > SMALL) & (r < LARGE)).ravel())
    width = rows_within(x.shape[1])
    for start in range(0, len(odd), width):
        part = odd[start : start + width]
        r.ravel()[part] = lengths(y[part % len(y)] - x[part // len(y)])
    return r


def weighted_differences(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return sum_j w_ij (y_j - x_i), (n, d): a point without weight adds nothing, however far it is."""
    return loops.weighted_differences(weights.astype(np.float64, order="C", copy=False), x, y)


def lengths(gap: np.ndarray) -> np.ndarray:
    """Euclidean norm of each row, scaled by its largest coordinate."""
    largest = np.abs(gap).max(1)
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    with np.errstate(over="ignore"):
        return scale * np.sqrt(np.square(gap / scale[:, None]).sum(1))


def squared_distances(x: np.ndarray, y: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Squared distances (n, m) by a matrix product, recomputed directly where it loses more than three digits.

    Both sets are float64; `center` is a point near most of them.
    """
    a, b = x - center, y - center
    squared = a @ b.T
    near, closest = np.empty(len(x), dtype=np.bool_), np.full(len(x), np.inf)
    loops.gram_squared(squared, np.einsum("nd,nd->n", a, a), np.einsum("md,md->m", b, b), x, y, near, closest)
    return squared
