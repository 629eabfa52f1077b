r"""Posterior means of a sample under a Gaussian kernel, exact to a stated tolerance without visiting every point.

The points are cut into leaves by median splits, each with its bounding box. For a block of neighbouring queries let U
bound the squared distance of every query to its nearest point. A point whose squared distance to the box of the block
exceeds $U + 2 h^2 \log(m/\mathrm{tol})$ has a weight of at most tol/m of the largest one, so all neglected points
together have at most the share tol of the posterior, and the mean moves by at most tol times the diameter. Leaves
spare the block from looking at every point.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures.samples import Samples, as_samples
from unifiedscore.memory import rows_within
from unifiedscore.posterior.near_loops import (
    BLOCK,
    average_draws,
    blocks_loop,
    cut_into_blocks,
    find_cells,
    query_box,
)
from unifiedscore.posterior.pairs import robust_center
from unifiedscore.posterior.threads import threads

MOST_DIMENSIONS = 7
"""Boxes in more dimensions overlap nearly all kernels, and the direct distances below lose to matrix products."""

_LEAF = 16
# Pieces of the blocks for each thread: enough not to wait long for the last, each much longer than its handing over.
_PIECES = 4
# Less than this many blocks or queries are done before a thread has started.
_SERIAL = 64


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

    points: np.ndarray  # (m, d), leaf after leaf, centred
    starts: np.ndarray  # (leaves + 1,)
    boxes: np.ndarray  # (2, d, leaves)
    center: np.ndarray
    tolerance: float

    def __init__(self, data, *, tolerance: float = 1e-12):
        data = as_samples(data)
        check_near_field(data, tolerance)
        center = robust_center(data.points)
        points = data.points - center
        order, starts = _leaves(points)
        points = points[order]
        low = np.minimum.reduceat(points, starts[:-1])
        high = np.maximum.reduceat(points, starts[:-1])
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "boxes", np.ascontiguousarray(np.stack([low.T, high.T])))
        object.__setattr__(self, "center", center)
        object.__setattr__(self, "tolerance", float(tolerance))

    @property
    def size(self) -> int:
        """Number of points m."""
        return len(self.points)

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
        return self.smoothed_means(
            x, np.zeros((1, len(self.center))), 0.0, scale=scale, bandwidth=bandwidth, prune=prune
        )

    def smoothed_means(
        self, x, noise, smoothing: float, *, scale: float = 1.0, bandwidth: float, prune: bool = True
    ) -> NearMeans:
        r"""Return the means at $x + \sigma\epsilon_m$, averaged over the noise tuple of each query.

        What a smoothed field needs, several times faster than `means` at the perturbed queries, which are never stored.

        Parameters
        ----------
        x : (n, d) array
        noise : (n, M, d) or (M, d) array
            One tuple per query, or one for all of them.
        smoothing : float
            $\sigma \ge 0$.
        scale, bandwidth, prune
            As in `means`.

        Returns
        -------
        NearMeans
        """
        x = validate.points(x, "x", dimension=len(self.center))
        noise = validate.noise_tuples(noise, x.shape)
        scale, bandwidth = validate.positive(scale, "scale"), validate.positive(bandwidth, "bandwidth")
        smoothing = validate.positive(smoothing, "smoothing", allow_zero=True)
        queries = np.ascontiguousarray(x - scale * self.center, dtype=np.float64)
        tuples = np.ascontiguousarray(noise if noise.ndim == 3 else noise[None], dtype=np.float64)
        with np.errstate(over="ignore"):
            extent = float(np.square(scale * np.ptp(self.points, axis=0)).sum())
        radius2 = 2.0 * bandwidth**2 * np.log(self.size / self.tolerance)
        # A radius beyond the diagonal of the data excludes nothing: no sorting, no search, the dense sum.
        reach = radius2 if prune and radius2 < extent else np.inf
        mean, visited, draws = np.empty(queries.shape), 0, tuples.shape[1]
        rows = rows_within(draws)  # the queries are sorted in blocks
        helpers = threads() - 1
        with ThreadPoolExecutor(max(1, helpers)) as pool:
            workers = _Workers(helpers, pool)
            for first in range(0, len(x), rows):
                part = slice(first, first + rows)
                own = tuples if noise.ndim == 2 else tuples[part]
                visited += self._average(queries[part], own, smoothing, scale, bandwidth, reach, mean[part], workers)
        return NearMeans((mean + self.center).astype(x.dtype, copy=False), visited / (len(x) * draws * self.size))

    def _average(self, x, noise, smoothing, scale, bandwidth, reach, mean, workers) -> int:
        """Fill `mean`; return the number of pairs that were visited."""
        draws = noise.shape[1]
        order, edges = _blocks(x, noise, smoothing, np.sqrt(reach), workers)
        means, visited = np.empty((len(order), x.shape[1])), np.empty(len(edges) - 1, dtype=np.int64)
        loop = blocks_loop(x.shape[1])

        def run(first, last):
            loop(
                x, noise, smoothing, order, edges[first : last + 1], self.points, self.starts, self.boxes,
                scale, bandwidth, reach, means, visited[first:last],
            )  # fmt: skip

        run(0, 0)
        workers.share(run, len(visited), _PIECES)
        if draws == 1:
            mean[:] = means
        else:
            workers.share(partial(average_draws, means.reshape(len(x), draws, -1), mean), len(x))
        return int(visited.sum())


def check_near_field(data: Samples, tolerance: float) -> None:
    """Refuse data for which the bound does not hold or pruning cannot pay."""
    if data.dimension > MOST_DIMENSIONS:
        raise InputError(
            f"the near-field estimator needs at most {MOST_DIMENSIONS} dimensions; got {data.dimension}; "
            "use estimator='dense', or project the data first"
        )
    if not (data.weights == data.weights[0]).all():
        raise InputError("the near-field estimator needs equal weights; use estimator='dense'")
    checked_tolerance(tolerance)


def checked_tolerance(tolerance) -> float:
    """Return the tolerance, a share of the posterior in (0, 1)."""
    found = validate.positive(tolerance, "tolerance")
    if found >= 1.0:
        raise InputError(f"tolerance must lie in (0, 1); got {validate.shown(tolerance)}")
    return found


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


def _blocks(x, noise, smoothing, radius, workers):
    """Sort queries into the cells of a grid, and cut each cell into blocks: (order (queries,), edges (blocks + 1,))."""
    n, d = len(x) * noise.shape[1], x.shape[1]
    if radius == np.inf:
        return np.arange(n, dtype=np.int32), np.append(np.arange(0, n, BLOCK), n)
    low, high = query_box(x, noise, smoothing)
    extent = high - low
    axes = np.argsort(-extent)[: min(d, 3)]
    wanted = max(1.0, n / BLOCK)
    side = float(np.prod(extent[axes]) / wanted) ** (1.0 / len(axes))
    # A block wider than the kernel's radius would see many points that none of its queries needs.
    side = max(min(side, 0.5 * radius), side / 3, float(extent.max()) / 1000, 1e-300)
    shape = np.minimum(extent[axes] // side, 1000).astype(np.int64) + 1
    cell = np.empty(n, dtype=np.int32)
    workers.share(partial(find_cells, x, noise, smoothing, low, axes, side, shape, cell), len(x))
    return cut_into_blocks(cell, int(np.prod(shape)))


@final
@dataclass(frozen=True, slots=True)
class _Workers:
    """Threads that share a range of work with the caller."""

    helpers: int
    pool: ThreadPoolExecutor

    def share(self, work, count, pieces=1):
        """Call work(first, last) on consecutive ranges of 0 ... count - 1; which thread takes one changes no result."""
        if self.helpers == 0 or count < _SERIAL:
            return work(0, count)
        edges = np.linspace(0, count, (self.helpers + 1) * pieces + 1).astype(np.int64).tolist()
        # Taking the next item of one iterator is atomic.
        ranges = iter(list(pairwise(edges)))

        def take():
            for first, last in ranges:
                work(first, last)

        others = [self.pool.submit(take) for _ in range(self.helpers)]
        take()
        for other in others:
            other.result()
