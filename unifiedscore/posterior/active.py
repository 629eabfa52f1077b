"""The part of a sample and its queries that the sums see: points that have weight, in units in which squares hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import frexp, ldexp

import numpy as np

from unifiedscore.kernels import AbstractKernel
from unifiedscore.posterior import loops
from unifiedscore.posterior.extreme import extreme_queries, far_rows

# A bandwidth within 2^+-60 leaves room for its own square beside those of all distances.
_RANGE = 60
# In float32 the same holds for a bandwidth within 2^+-20 and coordinates below 2^48. Two numbers that are not below
# 2^-28 differ by 2^-51 at least, whose square is still a normal number.
_SINGLE_RANGE, _SINGLE_LARGEST, _SINGLE_LEAST = 20, 2.0**48, 2.0**-28


@dataclass(frozen=True, slots=True)
class Active:
    """Samples with weight and queries, divided by 2^exponent, which is exact.

    Attributes
    ----------
    kernel : AbstractKernel
        With its bandwidth in these units.
    queries, points : (n, d), (m, d) arrays
        As they were given where `single`, float64 otherwise.
    log_mass : (m,) array or None
        Log-weights; None for equal ones.
    exclude : (n,) int array or None
        Indices into `points`, -1 for none.
    exponent : int
    far, extreme : (m,), (n,) bool arrays or None
        Samples too far for a square, and queries that are far or very near a sample; None where there are none.
    single : bool
        Whether float32 holds the squares, so that it may be tried.
    """

    kernel: AbstractKernel
    queries: np.ndarray
    points: np.ndarray
    log_mass: np.ndarray | None
    exclude: np.ndarray | None
    exponent: int
    far: np.ndarray | None = None
    extreme: np.ndarray | None = None
    single: bool = False

    def double(self) -> Active:
        """Return the part for computation in float64."""
        queries, points = (array.astype(np.float64, copy=False) for array in (self.queries, self.points))
        return replace(self, queries=queries, points=points, single=False)

    def head(self, n: int) -> Active:
        """Return the part with the first n queries."""
        exclude, extreme = (None if value is None else value[:n] for value in (self.exclude, self.extreme))
        return replace(self, queries=self.queries[:n], exclude=exclude, extreme=extreme)

    def choose(self, queries: np.ndarray, samples: np.ndarray) -> Active:
        """Return the part with these queries and samples (masks)."""
        mass = None if self.log_mass is None else self.log_mass[samples]
        exclude = None if self.exclude is None else positions(samples, self.exclude[queries])
        return replace(
            self,
            queries=self.queries[queries],
            points=self.points[samples],
            log_mass=mass,
            exclude=exclude,
            far=None,
            extreme=None,
        )

    def remaining(self, query: int) -> int:
        """Samples of positive weight that the exclusion leaves to a query."""
        return len(self.points) - int(self.exclude is not None and self.exclude[query] >= 0)


def positions(kept: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Indices into the kept entries of a mask for indices into all of them; -1 for -1 and for what is not kept."""
    table = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
    return table[index]


def active_part(measure, kernel: AbstractKernel, x: np.ndarray, exclude, dtype=np.float64) -> Active:
    """Return the samples with weight and the queries, in units that keep the bandwidth within 2^+-60.

    `dtype` is the precision that is wanted for the tiles; `single` says whether it can be had.
    """
    points, weights = measure.points, measure.weights
    if not (kept := weights > 0).all():
        # A point without weight influences nothing, wherever it lies.
        exclude = None if exclude is None else positions(kept, exclude)
        points, weights = points[kept], weights[kept]
    log_mass = None if (weights == weights[0]).all() else np.log(weights)
    exponent = frexp(kernel.bandwidth)[1]
    if dtype == np.float32 and _single_holds(kernel, exponent, points, x):
        return Active(kernel, x, points, log_mass, exclude, 0, single=True)
    points, x = points.astype(np.float64, copy=False), x.astype(np.float64, copy=False)
    if abs(exponent) <= _RANGE:
        exponent = 0
    else:
        kernel = kernel.with_bandwidth(ldexp(kernel.bandwidth, -exponent))
        points, x = np.ldexp(points, -exponent), np.ldexp(x, -exponent)
    samples, queries = loops.span(points), loops.span(x)
    return Active(
        kernel, x, points, log_mass, exclude, exponent,
        far=far_rows(points, samples), extreme=extreme_queries(x, queries, samples),
    )  # fmt: skip


def _single_holds(kernel, exponent: int, points, x) -> bool:
    """Whether squares of distances, in bandwidths too, are normal numbers of float32, and a bound on b is known.

    For a mixture of Gaussians b falls with the distance, so that the closest pair bounds it.
    """
    if abs(exponent) > _SINGLE_RANGE or not np.isinf(kernel.support) or kernel.scale_mixture() is None:
        return False
    spans = loops.span(points), loops.span(x)
    return all(largest <= _SINGLE_LARGEST and least >= _SINGLE_LEAST for largest, least in spans)
