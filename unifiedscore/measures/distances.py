r"""Distances between points that lose no digit: neither to an offset, nor to clusters far apart, nor to their scale.

$\lVert x\rVert^2 + \lVert y\rVert^2 - 2\langle x, y\rangle$ is fast and forgets what is small beside the norms. Here it
only sorts out which pairs it resolves; all others are recomputed from the differences of the coordinates. Every
distance has a relative error below 1e-11 (of the coordinates as they are given), and nearest neighbours are those of
the differences themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unifiedscore.memory import BLOCK, rows_within

_DIRECT = 16
"""Below this dimension differences cost no more than an inner product."""

_RESOLVED = 2.0**-40
"""Relative error of a squared distance up to which an inner product is believed."""

_TREE = 15
"""Up to this dimension a k-d tree beats looking at every pair."""

_FAINT = 2.0**-430
"""Coordinates below it, where the largest is about 1, have differences whose squares may underflow."""


def common_frame(*arrays: np.ndarray) -> tuple[list[np.ndarray], int]:
    """The point sets (n, d) without their common offset and at size one: x = offset + 2**exponent * framed, exactly.

    An offset is taken from a coordinate only where all of its values lie within a factor of two, since x - y is then
    exact (Sterbenz). A coordinate that is left has a spread of at least half its size, so that nothing overflows.

    Returns
    -------
    list of (n, d) arrays, int
        The framed sets and the exponent: distances in the frame times 2**exponent are those of the data.
    """
    arrays = [np.asarray(array, dtype=np.float64) for array in arrays]
    low = np.min([array.min(0) for array in arrays], axis=0)
    high = np.max([array.max(0) for array in arrays], axis=0)
    with np.errstate(over="ignore"):
        offset = np.where((low > 0) & (high <= 2 * low), low, np.where((high < 0) & (low >= 2 * high), high, 0.0))
    arrays = [array - offset for array in arrays]
    # In halves: the spread of the largest floats is no float.
    spread = ((high - offset) / 2 - (low - offset) / 2).max()
    exponent = int(np.frexp(spread)[1]) + 1 if spread else 0
    return [np.ldexp(array, -exponent) for array in arrays], exponent


def pairwise_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Euclidean distances (n, m) between two point sets (n, d) and (m, d), in float64.

    Examples
    --------
    >>> pairwise_distances([[1e200, 0.0], [0.0, 0.0]], [[1e200, 1e-3]])
    array([[1.e-003],
           [1.e+200]])
    """
    (x, y), exponent = common_frame(x, y)
    found = np.empty((len(x), len(y)))
    for rows, part in distance_blocks(x, y):
        found[rows] = part
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(found, exponent, out=found)


def distance_blocks(x: np.ndarray, y: np.ndarray, *, memory: int = BLOCK // 2) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of `pairwise_distances`, some at a time, for sets in a common frame; a block takes `memory` bytes."""
    from unifiedscore.measures import distance_loops as loops

    width = rows_within(len(y), memory=memory)
    if x.shape[1] >= _DIRECT:
        center = np.median(y, axis=0)  # no outlier moves it
        middle, other = x - center, y - center
        x_norm, y_norm = (np.einsum("nd,nd->n", array, array) for array in (middle, other))
        trust = _rounding(x.shape[1]) / _RESOLVED
    faint = _is_faint(x) or _is_faint(y)
    for start in range(0, len(x), width):
        rows = slice(start, min(start + width, len(x)))
        if x.shape[1] < _DIRECT:
            squared = np.empty((rows.stop - start, len(y)))
            loops.squared_distances(x[rows], y, squared)
        else:
            squared = middle[rows] @ other.T
            loops.resolve(x[rows], y, x_norm[rows], y_norm, trust, squared)
        found = np.sqrt(squared, out=squared)
        if faint:
            _restore_faint(x[rows], y, found)
        yield rows, found


def nearest_neighbours(points: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances and indices, each (n, k), of the k points nearest to every query, in increasing distance.

    Examples
    --------
    >>> distance, index = nearest_neighbours([[1e8], [1e8 + 1], [0.0]], [[1e8 + 0.75]], 2)
    >>> index
    array([[1, 0]])
    """
    (points, queries), exponent = common_frame(points, queries)
    if _is_faint(points) or _is_faint(queries):
        index = _by_sorting(points, queries, k)
    elif points.shape[1] <= _TREE:
        from sklearn.neighbors import KDTree

        # This tree takes distances to points and boxes from differences, unlike those that update them.
        index = KDTree(points).query(queries, k=k, return_distance=False)
    else:
        index = _by_products(points, queries, k)
    found = np.stack([separations(queries, points[column]) for column in index.T], axis=1)
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(found, exponent), index


def separations(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance of every row of `x` from the same row of `y`, (n,): zero exactly where they are equal."""
    gap = np.abs(x.astype(np.float64, copy=False) / 2 - y.astype(np.float64, copy=False) / 2)
    return _lengths(gap)


def _lengths(half_gap: np.ndarray) -> np.ndarray:
    size = half_gap.max(axis=1)
    unit = half_gap / np.where(size > 0, size, 1.0)[:, None]
    with np.errstate(over="ignore"):
        return 2 * (size * np.sqrt(np.einsum("nd,nd->n", unit, unit)))


def _rounding(dimension: int) -> float:
    """Bound on the error of a squared distance from inner products, over |x|^2 + |y|^2.

    An inner product of d terms is off by d u |x| |y|, a difference from the centre by u of itself; with
    (|x| + |y|)^2 <= 2 |x|^2 + 2 |y|^2, and a factor two to spare.
    """
    return 2 * (dimension + 8) * float(np.finfo(np.float64).eps)


def _by_products(points, queries, k):
    from unifiedscore.measures import distance_loops as loops

    center = np.median(points, axis=0)
    middle, other = queries - center, points - center
    q_norm, p_norm = (np.einsum("nd,nd->n", array, array) for array in (middle, other))
    index, width = np.empty((len(queries), k), np.int64), rows_within(len(points), memory=BLOCK // 2)
    tile = np.empty((min(width, len(queries)), len(points)))
    for start in range(0, len(queries), width):
        rows = slice(start, start + width)
        products = np.matmul(middle[rows], other.T, out=tile[: len(middle[rows])])
        loops.nearest(queries[rows], points, q_norm[rows], p_norm, _rounding(points.shape[1]), products, index[rows])
    return index


def _by_sorting(points, queries, k):
    parts = [np.argsort(block, axis=1, kind="stable")[:, :k] for _, block in distance_blocks(queries, points)]
    return np.concatenate(parts)


def _is_faint(array) -> bool:
    return bool(((array != 0) & (np.abs(array) < _FAINT)).any())


def _restore_faint(x, y, found) -> None:
    """Recompute the distances whose squares may have underflowed."""
    for row in np.flatnonzero((found < _FAINT).any(axis=1)):
        columns = np.flatnonzero(found[row] < _FAINT)
        found[row, columns] = separations(np.broadcast_to(x[row], (columns.size, x.shape[1])), y[columns])
