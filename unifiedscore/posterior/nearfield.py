r"""Posterior means of a sample under a Gaussian kernel, exact to a stated tolerance without visiting every point.

The points are cut into leaves by median splits, each with its bounding box. For a block of neighbouring queries let U
bound the squared distance of every query to its nearest point. A leaf whose smallest squared distance to the block
exceeds $U + 2 h^2 \log(m/\mathrm{tol})$ holds points of weight at most tol/m of the largest one, so all neglected
points together have at most the share tol of the posterior, and the mean moves by at most tol times the diameter.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import final

import numpy as np
from numba import njit

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures.samples import Samples, as_samples
from unifiedscore.posterior import loops
from unifiedscore.posterior.tiled import threads

MOST_DIMENSIONS = 7
"""Boxes in more dimensions overlap nearly all kernels, and the direct distances below lose to matrix products."""

_LEAF = 8
_BLOCK = 64  # queries that share one list of leaves
_ROWS = 8  # queries whose weights are held at once: with _TILE points they fill the first-level cache
_TILE = 512
# Blocks given to a thread at once.
_CHUNK = 64


@final
@dataclass(frozen=True, slots=True)
class NearMeans:
    """Posterior means and what they cost.

    Attributes
    ----------
    mean : (n, d) array
    fraction : float
        Share of the n * m (query, point) pairs that was computed.
    """

    mean: np.ndarray
    fraction: float


@final
@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class NearField:
    r"""Equally weighted points, prepared for pruned Gaussian posterior means.

    Parameters
    ----------
    data : Samples or (m, d) array
        Equal weights, d <= 7.
    tolerance : float
        Bound on the posterior share of everything that is neglected, per query.

    Raises
    ------
    InputError
        For unequal weights, more than seven dimensions or a tolerance outside (0, 1).

    Examples
    --------
    >>> near = NearField([[-1.0], [0.5], [2.0]])
    >>> near.means([[0.3]], scale=0.5, bandwidth=0.5).mean.round(6)
    array([[0.588519]])
    """

    columns: np.ndarray  # (d, m), leaf after leaf, centred
    starts: np.ndarray  # (leaves + 1,)
    boxes: np.ndarray  # (leaves, 2, d)
    center: np.ndarray
    tolerance: float

    def __init__(self, data, *, tolerance: float = 1e-12):
        data = as_samples(data)
        check_near_field(data, tolerance)
        center = data.points.mean(0, dtype=np.float64)
        points = data.points - center
        order, starts = _leaves(points)
        points = points[order]
        low = np.minimum.reduceat(points, starts[:-1])
        high = np.maximum.reduceat(points, starts[:-1])
        object.__setattr__(self, "columns", np.ascontiguousarray(points.T))
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "boxes", np.ascontiguousarray(np.stack([low, high], axis=1)))
        object.__setattr__(self, "center", center)
        object.__setattr__(self, "tolerance", float(tolerance))

    @property
    def size(self) -> int:
        """Number of points m."""
        return self.columns.shape[1]

    def means(self, x, *, scale: float = 1.0, bandwidth: float, prune: bool = True) -> NearMeans:
        r"""Return $\sum_j w_j y_j$, $w_j \propto \exp(-\lVert x - c y_j \rVert^2/2 h^2)$, c = `scale`, h = `bandwidth`.

        Parameters
        ----------
        x : (n, d) array
            Queries.
        scale : float
            $c > 0$.
        bandwidth : float
            $h > 0$.
        prune : bool
            Whether to leave out what the bound allows; without it every point is visited. A kernel too wide for the
            bound to exclude anything is not pruned either way.

        Returns
        -------
        NearMeans
        """
        x = validate.points(x, "x", dimension=len(self.center))
        scale, bandwidth = validate.positive(scale, "scale"), validate.positive(bandwidth, "bandwidth")
        queries = x - scale * self.center
        extent = scale * (self.columns.max(1) - self.columns.min(1))
        radius2 = 2.0 * bandwidth**2 * np.log(self.size / self.tolerance)
        # A radius beyond the diagonal of the data excludes nothing: no sorting, no search, the dense sum.
        prune = prune and radius2 < float(extent @ extent)
        order, edges = (
            _blocks(queries, np.sqrt(radius2)) if prune else (np.arange(len(x)), np.arange(0, len(x) + _BLOCK, _BLOCK))
        )
        edges[-1] = len(x)
        reach = radius2 if prune else np.inf
        mean, visited = np.empty(queries.shape), np.zeros(len(edges) - 1, dtype=np.int64)
        starts = range(0, len(edges) - 1, _CHUNK)

        def run(first):
            last = min(first + _CHUNK, len(edges) - 1)
            _means(
                queries, order, edges[first : last + 1], self.columns, self.starts, self.boxes,
                scale, bandwidth, reach, mean, visited[first:last],
            )  # fmt: skip

        # The first chunk runs alone, so that the compiled loop exists before the pool asks for it.
        run(0)
        if len(starts) > 1:
            with ThreadPoolExecutor(threads()) as pool:
                list(pool.map(run, starts[1:]))
        return NearMeans((mean + self.center).astype(x.dtype, copy=False), float(visited.sum() / (len(x) * self.size)))


def check_near_field(data: Samples, tolerance: float) -> None:
    """Refuse data for which the bound does not hold or pruning cannot pay."""
    if data.dimension > MOST_DIMENSIONS:
        raise InputError(
            f"the near-field estimator needs at most {MOST_DIMENSIONS} dimensions; got {data.dimension}; "
            "use estimator='dense', or project the data first"
        )
    if not (data.weights == data.weights[0]).all():
        raise InputError("the near-field estimator needs equal weights; use estimator='dense'")
    if not validate.positive(tolerance, "tolerance") < 1.0:
        raise InputError(f"tolerance must lie in (0, 1); got {tolerance!r}")


def _leaves(points):
    """Order points by recursive median splits along the longest side; return the order and the leaf boundaries."""
    order, leaves = np.arange(len(points)), []
    stack = [(0, len(points))]
    while stack:
        first, last = stack.pop()
        if last - first <= _LEAF:
            leaves.append(first)
            continue
        inside = points[order[first:last]]
        axis, middle = int(np.argmax(np.ptp(inside, axis=0))), (last - first) // 2
        order[first:last] = order[first:last][np.argpartition(inside[:, axis], middle)]
        stack += [(first + middle, last), (first, first + middle)]
    return order, np.array([*sorted(leaves), len(points)], dtype=np.int64)


def _blocks(queries, radius):
    """Sort queries into the cells of a grid, and cut each cell into blocks: (order (n,), edges (blocks + 1,))."""
    n, d = queries.shape
    low = queries.min(0)
    extent = queries.max(0) - low
    axes = np.argsort(-extent)[: min(d, 3)]
    wanted = max(1.0, n / _BLOCK)
    side = float(np.prod(extent[axes]) / wanted) ** (1.0 / len(axes))
    # A block wider than the kernel's radius would see many points that none of its queries needs.
    side = max(min(side, 0.5 * radius), side / 3, float(extent.max()) / 1000, 1e-300)
    shape = np.minimum(extent[axes] // side, 1000).astype(np.int64) + 1
    return _counting_sort(queries, low, axes, side, shape)


@njit(cache=True, nogil=True)
def _counting_sort(queries, low, axes, side, shape):
    n, cells = queries.shape[0], 1
    for k in range(len(axes)):
        cells *= shape[k]
    cell, counts = np.empty(n, np.int64), np.zeros(cells + 1, np.int64)
    for i in range(n):
        index = 0
        for k in range(len(axes)):
            index = index * shape[k] + min(shape[k] - 1, int((queries[i, axes[k]] - low[axes[k]]) / side))
        cell[i] = index
        counts[index + 1] += 1
    blocks = 0
    for c in range(cells):
        blocks += (counts[c + 1] + _BLOCK - 1) // _BLOCK
        counts[c + 1] += counts[c]
    edges, b = np.empty(blocks + 1, np.int64), 0
    for c in range(cells):
        for start in range(counts[c], counts[c + 1], _BLOCK):
            edges[b] = start
            b += 1
    edges[b] = n
    order = np.empty(n, np.int64)
    for i in range(n):
        order[counts[cell[i]]] = i
        counts[cell[i]] += 1
    return order, edges


@njit(cache=True, nogil=True)
def _box_distances(low, high, box, scale):
    """Smallest and largest squared distance between the query box and a scaled leaf box."""
    nearest, farthest = 0.0, 0.0
    for k in range(len(low)):
        a, b = scale * box[0, k], scale * box[1, k]
        gap = max(a - high[k], low[k] - b, 0.0)
        reach = max(high[k] - a, b - low[k])
        nearest += gap * gap
        farthest += reach * reach
    return nearest, farthest


@njit(cache=True, nogil=True)
def _choose(low, high, columns, starts, boxes, scale, radius2, nearest, chosen):
    """Fill `chosen` with the leaves that matter to this query box; return how many there are."""
    leaves, d = len(starts) - 1, columns.shape[0]
    best, at = np.inf, 0
    for leaf in range(leaves):
        nearest[leaf], farthest = _box_distances(low, high, boxes[leaf], scale)
        if farthest < best:
            best, at = farthest, leaf
    # The points of that leaf bound the distance better than its box: distance to the middle, plus half the diagonal.
    closest, half = np.inf, 0.0
    for k in range(d):
        half += (0.5 * (high[k] - low[k])) ** 2
    for j in range(starts[at], starts[at + 1]):
        total = 0.0
        for k in range(d):
            total += (scale * columns[k, j] - 0.5 * (low[k] + high[k])) ** 2
        closest = min(closest, total)
    best = min(best, (np.sqrt(closest) + np.sqrt(half)) ** 2)
    count = 0
    for leaf in range(leaves):
        if nearest[leaf] <= best + radius2:
            chosen[count] = leaf
            count += 1
    return count


@njit(cache=True, nogil=True)
def _log_weights(x, y, tile):
    """Minus the squared distances; up to three coordinates stay in registers."""
    d = y.shape[0]
    for i in range(tile.shape[0]):
        row = tile[i]
        if d == 1:
            a, first = x[i, 0], y[0]
            for j in range(row.shape[0]):
                row[j] = -((a - first[j]) ** 2)
        elif d == 2:
            a, b, first, second = x[i, 0], x[i, 1], y[0], y[1]
            for j in range(row.shape[0]):
                row[j] = -((a - first[j]) ** 2) - (b - second[j]) ** 2
        else:
            a, b, c, first, second, third = x[i, 0], x[i, 1], x[i, 2], y[0], y[1], y[2]
            for j in range(row.shape[0]):
                row[j] = -((a - first[j]) ** 2) - (b - second[j]) ** 2 - (c - third[j]) ** 2
            for k in range(3, d):
                a, first = x[i, k], y[k]
                for j in range(row.shape[0]):
                    row[j] -= (a - first[j]) ** 2


@njit(cache=True, nogil=True)
def _means(queries, order, edges, columns, starts, boxes, scale, bandwidth, radius2, mean, visited):
    d = columns.shape[0]
    nearest, chosen = np.empty(len(starts) - 1), np.empty(len(starts) - 1, np.int64)
    raw, scaled = np.empty(d * _TILE), np.empty(d * _TILE)
    low, high = np.empty(d), np.empty(d)
    weights, bits = np.empty(_ROWS * _TILE), np.empty(_ROWS * _TILE)
    zero, unit = np.zeros((_ROWS, d)), np.sqrt(0.5) / bandwidth
    for b in range(len(edges) - 1):
        block = order[edges[b] : edges[b + 1]]
        n = len(block)
        x = np.empty((n, d))
        for i in range(n):
            x[i] = queries[block[i]]
        for k in range(d):
            low[k], high[k] = x[:, k].min(), x[:, k].max()
        # In units of sqrt(2) h squared distances are log-weights: one pass less over every tile.
        x *= unit
        leaves = _choose(low, high, columns, starts, boxes, scale, radius2, nearest, chosen)
        largest, total, rescale, vector = np.full(n, -np.inf), np.zeros(n), np.empty(n), np.zeros((n, d))
        leaf = 0
        while leaf < leaves:
            # As many leaves as fit are copied to contiguous columns, which the compiled loops need to be fast.
            after, width = leaf, 0
            while after < leaves and width + starts[chosen[after] + 1] - starts[chosen[after]] <= _TILE:
                width += starts[chosen[after] + 1] - starts[chosen[after]]
                after += 1
            y, values = scaled[: d * width].reshape(d, width), raw[: d * width].reshape(d, width)
            column = 0
            for index in range(leaf, after):
                for j in range(starts[chosen[index]], starts[chosen[index] + 1]):
                    for k in range(d):
                        values[k, column] = columns[k, j]
                        y[k, column] = unit * scale * columns[k, j]
                    column += 1
            leaf = after
            visited[b] += n * width
            for first in range(0, n, _ROWS):
                last = min(first + _ROWS, n)
                tile = weights[: (last - first) * width].reshape(last - first, width)
                _log_weights(x[first:last], y, tile)
                exponents = bits[: (last - first) * width].reshape(last - first, width)
                loops.exponentials(tile, exponents, largest[first:last], total[first:last], rescale[first:last])
                # Products with the unscaled points: no cancellation against the query, whatever the scale.
                loops.direct_products(zero[: last - first], values, tile, vector[first:last], rescale[first:last])
        for i in range(n):
            for k in range(d):
                mean[block[i], k] = vector[i, k] / total[i]
