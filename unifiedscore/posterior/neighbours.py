r"""Posterior means from the K nearest points and L random ones of the rest.

$$\hat x \approx \frac{\sum_{K} w_i x_i + \frac{m - K}{L} \sum_{L} w_j x_j}
{\sum_{K} w_i + \frac{m - K}{L} \sum_{L} w_j}, \qquad w_i = e^{-\lVert z - c\,x_i \rVert^2/2h^2}.$$

Numerator and denominator are unbiased over the draws without replacement; their ratio is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.compiled import njit
from unifiedscore.errors import InputError
from unifiedscore.measures.samples import Samples, as_samples
from unifiedscore.memory import BLOCK, rows_within
from unifiedscore.posterior.pairs import robust_center, squared_distances

# Above this dimension a k-d tree visits nearly all points.
_TREE = 8


@final
@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class NeighbourMeans:
    r"""Equally weighted points with a neighbour search, for approximate Gaussian posterior means.

    Parameters
    ----------
    data : Samples or (m, d) array
        Equal weights.
    nearest : int
        $K \ge 1$ neighbours of the query itself: of the perturbed point where the field is smoothed.
    remainder : int
        $L \ge 0$ points drawn without replacement from the others; exact where K + L = m.

    Raises
    ------
    InputError
        K + L exceeds m, or the weights are unequal.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395; Karppa et al. 2022, arXiv 2107.02736 (DEANN).

    Examples
    --------
    >>> import numpy as np
    >>> means = NeighbourMeans([[-1.0], [0.5], [2.0]], nearest=1, remainder=2)
    >>> means([[0.3]], scale=0.5, bandwidth=0.5, rng=np.random.default_rng(0)).round(6)
    array([[0.588519]])
    """

    data: Samples
    nearest: int
    remainder: int
    search: object

    def __init__(self, data, *, nearest: int, remainder: int):
        data = as_samples(data)
        if not (data.weights == data.weights[0]).all():
            raise InputError("the neighbour estimator needs equal weights; use estimator='dense'")
        nearest = validate.integer(nearest, "nearest")
        remainder = validate.integer(remainder, "remainder", low=0)
        if nearest + remainder > data.size:
            raise InputError(
                f"nearest + remainder must be at most the {data.size} data points; got {nearest} + {remainder}"
            )
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "nearest", nearest)
        object.__setattr__(self, "remainder", remainder)
        object.__setattr__(self, "search", _search(data.points))

    def neighbours(self, x, *, scale: float = 1.0) -> np.ndarray:
        """Indices (n, K) of the points whose multiple scale * y is nearest to each query, in increasing index order."""
        x = validate.points(x, "x", dimension=self.data.dimension).astype(np.float64, copy=False)
        return np.sort(self.search(x / validate.positive(scale, "scale"), self.nearest), axis=1)

    def draw_remainder(self, near: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Indices (n, L) drawn without replacement from the points not in `near` (n, K), which must be sorted."""
        uniform = validate.generator(rng).random((len(near), self.remainder))
        return _complement_draw(validate.array(near, "near"), uniform, self.data.size)

    def combine(self, x, near, others, *, scale: float = 1.0, bandwidth: float) -> np.ndarray:
        """Return the estimate (n, d) from chosen neighbours (n, K) and remainder (n, L), both index arrays."""
        x = validate.points(x, "x", dimension=self.data.dimension)
        points, share = self.data.points.astype(np.float64, copy=False), 0.0
        index = near
        if self.remainder:
            share = np.log((self.data.size - near.shape[1]) / others.shape[1])
            index = np.concatenate([near, others], axis=1)
        mean = np.empty(x.shape)
        width = rows_within(index.shape[1] * x.shape[1], memory=2 * BLOCK)
        for start in range(0, len(x), width):
            rows = slice(start, start + width)
            chosen = points[index[rows]]
            gap = scale * chosen - x[rows, None]
            log_weight = np.einsum("nkd,nkd->nk", gap, gap) * (-0.5 / bandwidth**2)
            log_weight[:, near.shape[1] :] += share
            weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
            mean[rows] = np.einsum("nk,nkd->nd", weight, chosen) / weight.sum(1)[:, None]
        return mean.astype(x.dtype, copy=False)

    def __call__(self, x, *, scale: float = 1.0, bandwidth: float, rng: np.random.Generator) -> np.ndarray:
        """Return one draw of the estimate at each query, (n, d)."""
        bandwidth = validate.positive(bandwidth, "bandwidth")
        near = self.neighbours(x, scale=scale)
        return self.combine(x, near, self.draw_remainder(near, rng), scale=scale, bandwidth=bandwidth)


def _search(points):
    """A function (queries, k) -> indices: a k-d tree in low dimension, else all distances in blocks."""
    points = points.astype(np.float64, copy=False)
    if points.shape[1] <= _TREE:
        from scipy.spatial import cKDTree

        tree = cKDTree(points)
        return lambda x, k: np.asarray(tree.query(x, k=np.arange(1, k + 1), workers=-1)[1])
    center, width = robust_center(points), rows_within(len(points), memory=2 * BLOCK)

    def nearest(x, k):
        # Distances that a matrix product does not resolve are recomputed: a query at a point finds the point.
        blocks = (squared_distances(x[start : start + width], points, center) for start in range(0, len(x), width))
        return np.concatenate([np.argpartition(squared, k - 1, axis=1)[:, :k] for squared in blocks])

    return nearest


@njit(cache=True, nogil=True)
def _complement_draw(near, uniform, size):
    """Floyd's draw without replacement among the ranks of the complement, then ranks to indices past the neighbours."""
    n, count = uniform.shape
    k = near.shape[1]
    out = np.empty((n, count), np.int64)
    for i in range(n):
        for a in range(count):
            top = size - k - count + a
            rank = min(top, int(uniform[i, a] * (top + 1)))
            for b in range(a):
                if out[i, b] == rank:
                    rank = top
                    break
            out[i, a] = rank
        for a in range(count):
            index = out[i, a]
            for b in range(k):
                if near[i, b] <= index:
                    index += 1
            out[i, a] = index
    return out
