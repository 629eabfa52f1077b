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


@dataclass(frozen=True, slots=True)
class Active:
    """Samples with weight and queries, divided by 2^exponent, which is exact.

    Attributes
    ----------
    kernel : AbstractKernel
        With its bandwidth in these units.
    queries, points : (n, d), (m, d) float64 arrays
    log_mass : (m,) array or None
        Log-weights; None for equal ones.
    exclude : (n,) int array or None
        Indices into `points`, -1 for none.
    exponent : int
    far, extreme : (m,), (n,) bool arrays or None
        Samples too far for a square, and queries that are far or very near a sample; None where there are none.
    """

    kernel: AbstractKernel
    queries: np.ndarray
    points: np.ndarray
    log_mass: np.ndarray | None
    exclude: np.ndarray | None
    exponent: int
    far: np.ndarray | None = None
    extreme: np.ndarray | None = None

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


def active_part(measure, kernel: AbstractKernel, x: np.ndarray, exclude) -> Active:
    """Return the samples with weight and the queries, in units that keep the bandwidth within 2^+-60."""
    points, weights = measure.points, measure.weights
    if not (kept := weights > 0).all():
        # A point without weight influences nothing, wherever it lies.
        exclude = None if exclude is None else positions(kept, exclude)
        points, weights = points[kept], weights[kept]
    log_mass = None if (weights == weights[0]).all() else np.log(weights)
    points, x = points.astype(np.float64, copy=False), x.astype(np.float64, copy=False)
    exponent = frexp(kernel.bandwidth)[1]
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
