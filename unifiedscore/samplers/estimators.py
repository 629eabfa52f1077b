"""The ways a sampler may compute barycenters: every point, the points that matter, or neighbours and a random rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np

from unifiedscore import validate
from unifiedscore.deprecation import Gathered
from unifiedscore.errors import InputError
from unifiedscore.fields.barycenter import barycenters
from unifiedscore.fields.callable import as_field
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.kernels import Gaussian
from unifiedscore.measures.samples import Samples, as_samples
from unifiedscore.memory import BLOCK, rows_within
from unifiedscore.posterior.nearfield import MOST_DIMENSIONS, NearField, checked_tolerance
from unifiedscore.posterior.neighbours import NeighbourMeans
from unifiedscore.posterior.pairs import robust_center, squared_distances


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
        # The queries of float32 particles are float64, as a float32 sum with the noise would move them.
        precision = str(self.data.points.dtype)
        return barycenters(Gaussian(1.0 - time), self.data, queries, scale=time, precision=precision), 1.0

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


class AbstractEstimator(ABC):
    """A way to compute the barycenters that a sampler follows, with its settings.

    Use when you write an estimator of your own: a sampler asks nothing else of it.
    """

    __slots__ = ()

    @abstractmethod
    def prepare(self, data, *, rng: np.random.Generator) -> BarycenterEstimator:
        """Return the estimator for `data`, Samples or an (m, d) array: what `Barycenter` is, up to the settings.

        Random choices come from `rng` alone.
        """

    @property
    @abstractmethod
    def settings(self) -> dict[str, object]:
        """The name under "estimator", and every setting, as numbers and strings."""


@final
@dataclass(frozen=True, slots=True)
class Dense(AbstractEstimator):
    r"""Barycenters over all points, $\hat x(z) = \sum_i w_i x_i/\sum_i w_i$ with $w_i = e^{-|z - t x_i|^2/2h^2}$.

    Use when the data are few, weighted, or of more than seven dimensions.

    Examples
    --------
    >>> Dense()
    Dense()
    """

    def prepare(self, data, *, rng):
        data = as_samples(data)
        equal = bool((data.weights == data.weights[0]).all())
        boxed = equal and data.dimension <= MOST_DIMENSIONS
        return _Boxed(NearField(data), False) if boxed else _Dense(data)

    @property
    def settings(self):
        return {"estimator": "dense"}


@final
@dataclass(frozen=True, slots=True)
class Near(AbstractEstimator):
    r"""Barycenters over the points near enough to matter: those left out have $\sum w_i \le$ `tolerance` $\sum_j w_j$.

    Use when the data are many, equally weighted and of at most seven dimensions: exact for every practical purpose.

    Parameters
    ----------
    tolerance : float
        In (0, 1): the posterior share that may be neglected at a query. The barycenter moves by at most this share of
        the diameter of the data.

    Raises
    ------
    InputError
        A tolerance outside (0, 1). A sampler refuses unequal weights and more than seven dimensions.

    Examples
    --------
    >>> Near(1e-9)
    Near(tolerance=1e-09)
    """

    tolerance: float = 1e-12

    def __post_init__(self):
        object.__setattr__(self, "tolerance", checked_tolerance(self.tolerance))

    def prepare(self, data, *, rng):
        return _Boxed(NearField(data, tolerance=self.tolerance), True)

    @property
    def settings(self):
        return {"estimator": "near", "tolerance": self.tolerance}


@final
@dataclass(frozen=True, slots=True)
class Neighbours(AbstractEstimator):
    r"""Barycenters over the K nearest points and L random others, each of which stands for (m - K)/L points.

    Use when the data are many and of high dimension, and a small bias is acceptable.

    Parameters
    ----------
    nearest : int
        $K \ge 1$ neighbours of each perturbed point.
    remainder : int
        $L \ge 0$ points drawn without replacement from the others; exact where K + L = m.

    Raises
    ------
    InputError
        Numbers out of range. A sampler refuses K + L > m and unequal weights.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395.

    Examples
    --------
    >>> Neighbours(nearest=20)
    Neighbours(nearest=20, remainder=15)
    """

    nearest: int = 15
    remainder: int = 15

    def __post_init__(self):
        object.__setattr__(self, "nearest", validate.integer(self.nearest, "nearest"))
        object.__setattr__(self, "remainder", validate.integer(self.remainder, "remainder", low=0))

    def prepare(self, data, *, rng):
        return _Neighbours(NeighbourMeans(data, nearest=self.nearest, remainder=self.remainder), rng)

    @property
    def settings(self):
        return {"estimator": "neighbours", "n_neighbours": self.nearest, "n_remainder": self.remainder}


ESTIMATORS = {"dense": Dense(), "near": Near(), "neighbours": Neighbours()}
"""Short forms: each name stands for its estimator with default settings."""


def as_estimator(estimator) -> AbstractEstimator:
    """Return an estimator, also from its name."""
    if isinstance(estimator, AbstractEstimator):
        return estimator
    if not isinstance(estimator, str):
        raise InputError(
            "estimator must be Dense(), Near(tolerance), Neighbours(nearest, remainder) or one of the names "
            f"{', '.join(map(repr, ESTIMATORS))}; got {validate.shown(estimator)}"
        )
    return ESTIMATORS[validate.known(estimator, "estimator", ESTIMATORS)]


def _from_old(old: dict) -> AbstractEstimator:
    near = Near(old["tolerance"]) if "tolerance" in old else Near()
    renamed = {"n_neighbours": "nearest", "n_remainder": "remainder"}
    neighbours = Neighbours(**{new: old[name] for name, new in renamed.items() if name in old})
    name = as_estimator(old.get("estimator", "dense")).settings["estimator"]
    return {"near": near, "neighbours": neighbours}.get(name, Dense())


OLD_ESTIMATOR = Gathered("estimator", AbstractEstimator, _from_old)
"""What the parameters tolerance, n_neighbours and n_remainder mean today."""


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
