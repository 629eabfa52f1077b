"""The ways a sampler may compute barycenters: every point, the points that matter, or neighbours and a random rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np

from unifiedscore import validate
from unifiedscore.fields.barycenter import Barycenter
from unifiedscore.fields.callable import as_field
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.kernels import Gaussian
from unifiedscore.measures.samples import Samples
from unifiedscore.memory import BLOCK, rows_within
from unifiedscore.posterior.nearfield import MOST_DIMENSIONS, NearField
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.posterior.pairs import robust_center, squared_distances

ESTIMATORS = ("dense", "near", "neighbours")


class BarycenterEstimator(Protocol):
    r"""Barycenters $\hat x(z, t)$ of queries (n, d) at a time $t \in (0, 1)$, and the share of all pairs computed."""

    def __call__(self, queries: np.ndarray, time: float) -> tuple[np.ndarray, float]: ...

    def smoothed(
        self, queries: np.ndarray, noise: np.ndarray | str, smoothing: float, time: float
    ) -> tuple[np.ndarray, float]:
        """The average over queries + smoothing * noise; noise is (M, d), (n, M, d) or "population"."""
        ...


@final
@dataclass(frozen=True, slots=True)
class _Dense:
    data: Samples

    def __call__(self, queries, time):
        return Barycenter(Gaussian(1.0 - time), self.data, scale=time)(queries), 1.0

    def smoothed(self, queries, noise, smoothing, time):
        return _averaged(self, queries, noise, smoothing, time)


@final
@dataclass(frozen=True, slots=True)
class _Boxed:
    """The compiled loop over leaves: with pruning, or, as the fastest dense sum in low dimension, without."""

    near: NearField
    prune: bool

    def __call__(self, queries, time):
        found = self.near.means(queries, scale=time, bandwidth=1.0 - time, prune=self.prune)
        return found.mean, found.fraction

    def smoothed(self, queries, noise, smoothing, time):
        if isinstance(noise, str):
            return _averaged(self, queries, noise, smoothing, time)
        found = self.near.smoothed_means(queries, noise, smoothing, scale=time, bandwidth=1.0 - time, prune=self.prune)
        return found.mean, found.fraction


@final
@dataclass(frozen=True, slots=True)
class _Neighbours:
    means: NeighbourMeans
    rng: np.random.Generator

    def __call__(self, queries, time):
        mean = self.means(queries, scale=time, bandwidth=1.0 - time, rng=self.rng)
        return mean, (self.means.nearest + self.means.remainder) / self.means.data.size

    def smoothed(self, queries, noise, smoothing, time):
        return _averaged(self, queries, noise, smoothing, time)


def _averaged(estimator, queries, noise, smoothing, time):
    """The average of an estimator that knows no faster way than to be called at every perturbed query."""
    pairs, calls = 0.0, 0

    def means(q):
        nonlocal pairs, calls
        value, share = estimator(q, time)
        pairs, calls = pairs + share * len(q), calls + len(q)
        return value

    first = noise[0] if np.ndim(noise) == 3 else noise
    field = Smoothed(as_field(means, dimension=queries.shape[1]), smoothing, noise=first)
    return field.evaluate(queries, noise=noise), pairs / calls


def barycenter_estimator(
    name: str, data: Samples, *, tolerance: float, n_neighbours: int, n_remainder: int, rng: np.random.Generator
) -> BarycenterEstimator:
    """Return the estimator of that name, prepared for the data once."""
    # Also where this estimator has no use for them: a wrong value is a mistake that a later run would pay for.
    tolerance = validate.positive(tolerance, "tolerance")
    validate.integer(n_neighbours, "n_neighbours")
    validate.integer(n_remainder, "n_remainder", low=0)
    if validate.known(name, "estimator", ESTIMATORS) == "dense":
        equal = bool((data.weights == data.weights[0]).all())
        boxed = equal and data.dimension <= MOST_DIMENSIONS
        return _Boxed(NearField(data), False) if boxed else _Dense(data)
    if name == "near":
        return _Boxed(NearField(data, tolerance=tolerance), True)
    return _Neighbours(NeighbourMeans(data, nearest=n_neighbours, remainder=n_remainder), rng)


def most_likely(data: Samples, queries: np.ndarray, time: float) -> np.ndarray:
    """Index of the data point of largest posterior weight at each query, (n,)."""
    points = time * data.points.astype(np.float64, copy=False)
    if data.dimension <= MOST_DIMENSIONS and (data.weights == data.weights[0]).all():
        from scipy.spatial import cKDTree

        return np.asarray(cKDTree(points).query(queries, workers=-1)[1])
    kept = np.flatnonzero(data.weights > 0)
    points, center = points[kept], robust_center(points[kept])
    offset = 2.0 * (1.0 - time) ** 2 * np.log(data.weights[kept])
    width = rows_within(len(kept), memory=2 * BLOCK)
    blocks = [queries[start : start + width] for start in range(0, len(queries), width)]
    return kept[np.concatenate([np.argmin(squared_distances(b, points, center) - offset, axis=1) for b in blocks])]
