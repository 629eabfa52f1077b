"""Length scales of two samples: distances, default bandwidths, principal standard deviations, concentration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.kernels import AbstractKernel, kernel_by_name
from unifiedscore.validate import real_array, shown

_PAIRS = 200_000
_MATRIX = 1500
COMPONENTS = 3

RELATIVE = (0.02, 0.05, 0.2)
"""Bandwidths over the mean distance in Deng et al. 2026, arXiv 2602.04770."""

CONTRASTS = (4.0, 1.0, 0.25)
"""Default bandwidths: log of the weight of a near sample (5 % quantile of the distances) over a typical one (median).

The spread of the log-weights is about contrast / 1.6 standard deviations, so that these are a selective, a soft and a
flat kernel in every dimension, whereas a fixed fraction of the distance turns flat as distances concentrate.
"""


@final
@dataclass(frozen=True, slots=True)
class Distances:
    """Distances between queries and target samples: mean, 5 % quantile and median, in the units of the data."""

    mean: float
    near: float
    median: float


def measure_distances(queries, points, weights, rng) -> Distances:
    """Distances of random (query, sample) pairs; the rows of one point against itself never meet a 0 by membership."""
    count = min(_PAIRS // max(1, points.shape[1] // 64), len(queries) * len(points))
    i = rng.integers(len(queries), size=count)
    j = rng.choice(len(points), size=count, p=weights)
    distance = np.concatenate([np.linalg.norm(queries[a] - points[b], axis=1) for a, b in _chunks(i, j)])
    distance = distance[distance > 0]
    if not distance.size:
        raise InputError(
            "every target sample coincides with every query, so there is no distance to compare the kernel with; "
            "give samples that differ"
        )
    near, median = np.quantile(distance, [0.05, 0.5])
    return Distances(float(distance.mean()), float(near), float(median))


def _chunks(i, j, size: int = 4096):
    return ((i[start : start + size], j[start : start + size]) for start in range(0, len(i), size))


def make_kernels(kernel, bandwidths, distances: Distances, dimension: int, *, relative: bool) -> list[AbstractKernel]:
    """Return one kernel per bandwidth, from a name or from a kernel whose own bandwidth is the default."""
    if not isinstance(kernel, str | AbstractKernel):
        given = shown(kernel)
        if isinstance(kernel, type) and issubclass(kernel, AbstractKernel):
            given = f"the class {kernel.__name__}: pass an instance, as in {kernel.__name__}(bandwidth=1.0)"
        raise InputError(f"kernel must be a name such as 'laplace' or a kernel; got {given}")

    def build(bandwidth):
        if isinstance(kernel, AbstractKernel):
            return kernel.with_bandwidth(bandwidth)
        return kernel_by_name(kernel, bandwidth, dimension=dimension)

    if bandwidths is None:
        if relative:
            bandwidths = RELATIVE
        elif isinstance(kernel, AbstractKernel):
            return [kernel]
        else:
            found = {_bandwidth_of_contrast(build, distances, contrast) for contrast in CONTRASTS}
            return [build(bandwidth) for bandwidth in sorted(found)]
    values = np.atleast_1d(real_array(bandwidths, "bandwidths"))
    if values.ndim != 1 or not values.size or not (values > 0).all():
        raise InputError(f"bandwidths must be one or several positive numbers; got {shown(bandwidths)}")
    unit = distances.mean if relative else 1.0
    return [build(float(value) * unit) for value in sorted({float(value) for value in values})]


def _bandwidth_of_contrast(build, distances: Distances, contrast: float) -> float:
    r"""The bandwidth at which $\log k(r_{5\%}) - \log k(r_{50\%})$ equals the contrast, to three digits."""
    ends = np.array([distances.near, distances.median])

    def excess(log_bandwidth):
        near, median = build(float(np.exp(log_bandwidth))).log_profile(ends)
        return float(near - median) - contrast

    low, high = np.log(distances.median) + np.log([1e-6, 1e3])
    # Distances that do not spread, or polynomial tails that never reach the contrast.
    if excess(low) < 0 or excess(high) > 0:
        return float(f"{0.2 * distances.mean / contrast**0.5:.3g}")
    from scipy.optimize import brentq

    # The contrast falls with the bandwidth from `low` on, where it exceeds the one asked for.
    return float(f"{np.exp(brentq(excess, low, high, xtol=1e-4)):.3g}")


@final
@dataclass(frozen=True, slots=True)
class Spread:
    """Second moments of one sample, centred at the midpoint of both means.

    Attributes
    ----------
    squared_norm : float
        $R_0^2 = E|x|^2$.
    kappa : float
        $d\\,E\\langle x, x'\\rangle^2 / R_0^4$ for independent x, x': 1 for isotropic data, d for data on a line.
    norm_spread : float
        $d\\,\\mathrm{Var}|x|^2 / R_0^4$: 2 for isotropic Gaussian data.
    """

    squared_norm: float
    kappa: float
    norm_spread: float


def measure_spread(points, weights, origin, rng) -> Spread:
    """Measure concentration on at most 1500 points; products of a point with itself are left out."""
    centred = _draw(points, weights, rng) - origin
    norms = np.einsum("nd,nd->n", centred, centred)
    mean = float(norms.mean())
    if mean == 0:
        return Spread(0.0, np.nan, np.nan)
    centred /= np.sqrt(mean)
    count, dimension = centred.shape
    gram = centred @ centred.T
    across = ((gram**2).sum() - (np.diag(gram) ** 2).sum()) / (count * (count - 1))
    return Spread(mean, float(dimension * across), float(dimension * (norms / mean).var(ddof=1)))


def principal_variances(target, model, rng) -> tuple[np.ndarray, float, np.ndarray]:
    """Largest variances within the two laws (pooled covariance), their total, and all of them, from 1500 points."""
    parts = [_draw(m.points, m.weights, rng) for m in (target, model)]
    centred = np.concatenate([(part - part.mean(0)) / np.sqrt(2 * max(len(part) - 1, 1)) for part in parts])
    gram = centred.T @ centred if centred.shape[1] <= len(centred) else centred @ centred.T
    values = np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0)
    leading = np.full(COMPONENTS, np.nan)
    leading[: min(COMPONENTS, len(values))] = values[:COMPONENTS]
    return leading, float(values.sum()), values


def _draw(points, weights, rng) -> np.ndarray:
    if len(points) <= _MATRIX and (weights == weights[0]).all():
        return points.astype(np.float64)
    equal = bool((weights == weights[0]).all())
    index = rng.choice(len(points), size=_MATRIX, replace=not equal, p=None if equal else weights)
    return points[index].astype(np.float64)
