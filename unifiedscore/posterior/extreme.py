"""Sums over pairs whose squared distance leaves float64: distances by scaled norms, profiles instead of tiles.

Squares are the fast form of a distance, and they hold it between about 1e-140 and 1e140 bandwidths only. A sample or
query beyond is summed here, by the kernel's profile at the distance itself, some ten times slower for each pair.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import NumericalError
from unifiedscore.memory import rows_within
from unifiedscore.posterior.pairs import LARGE, distances, weighted_differences
from unifiedscore.posterior.sums import Sums

# A pair this many bandwidths apart has no square; if that is the nearest one, neither the weights nor 1/b are numbers.
_BEYOND = 1e150
# Coordinates below this may differ by less than the smallest distance with a square.
_TINY = 1e-120


def far_rows(points: np.ndarray, span: tuple[float, float]) -> np.ndarray | None:
    """Rows with a coordinate beyond the squares, (m,) bool; None where there is none."""
    return None if span[0] <= LARGE else (np.abs(points) > LARGE).any(1)


def extreme_queries(queries: np.ndarray, own: tuple[float, float], samples: tuple[float, float]) -> np.ndarray | None:
    """Queries with a pair that has no square whatever the sample, far out or very near one; None where there is none.

    Two points can differ by so little only in coordinates that are tiny themselves, and not both zero.
    """
    far = far_rows(queries, own)
    if min(own[1], samples[1]) >= _TINY:
        return far
    near = (np.abs(queries) < _TINY).any(1)
    return near if far is None else far | near


def extreme_sums(kernel, queries, points, log_mass, exclude, wants, *, alone: bool) -> Sums:
    """Return the sums over these samples; `alone` says that the queries have no others.

    Raises
    ------
    NumericalError
        A sample is so far that not even its distance is a number, and the kernel gives it weight.
    """
    n, d = queries.shape
    out = Sums.empty(n, d, wants)
    width = rows_within(len(points))
    for start in range(0, n, width):
        rows = slice(start, start + width)
        left_out = None if exclude is None else exclude[rows]
        out.put(rows, _block(kernel, queries[rows], points, log_mass, left_out, wants, alone))
    return out


def _block(kernel, x, y, log_mass, exclude, wants, alone) -> Sums:
    out = Sums.empty(len(x), x.shape[1], wants)
    r = distances(x, y)
    np.copyto(r, np.inf, where=np.isnan(r))
    beyond = r > 1e300
    log_weight = kernel.log_profile(np.minimum(r, 1e300))
    if log_mass is not None:
        log_weight += log_mass
    if exclude is not None:
        rows = np.flatnonzero(exclude >= 0)
        log_weight[rows, exclude[rows]] = r[rows, exclude[rows]] = -np.inf
    if alone:
        log_weight[np.where(np.isfinite(r) | (r > 0), r, np.inf).min(1) > _BEYOND] = -np.inf
    out.largest = log_weight.max(1)
    top = np.where(out.largest > -np.inf, out.largest, 0.0)
    weight = np.exp(log_weight - top[:, None])
    if (beyond & (weight > 0)).any():
        raise NumericalError(
            f"the squared distance of a sample that has weight, or its ratio to the bandwidth {kernel.bandwidth:.3g}, "
            "overflows float64; leave out the sample, or rescale the points or the bandwidth"
        )
    out.total = weight.sum(1)
    # A profile may pass through the logarithm of r, as far from 0 as r is from 1 (Matern).
    eps = np.finfo(np.float64).eps
    out.fixed[:] = eps * (8.0 + 2.0 * np.abs(np.log(np.clip(r, 1e-300, 1e300))).max(1))
    out.slope[:] = 4.0 * eps
    safe = np.where(out.total > 0, out.total, 1.0)[:, None]
    if "mean_shift" in wants:
        out.mean_shift = weighted_differences(weight, x, y) / safe
    if "score" in wants or "sums" in wants:
        inverse = kernel.inverse_weight(np.where(np.isfinite(r), r, 1.0))
        heavy = np.where((weight > 0) & (inverse > 0), weight / np.where(inverse > 0, inverse, 1.0), 0.0)
    if "score" in wants:
        out.score = weighted_differences(heavy, x, y) / safe
    if "sums" in wants:
        held = weight > 0
        terms = (weight**2, np.where(held, weight * inverse, 0.0), np.where(held, weight * r, 0.0))
        out.radial = np.stack([term.sum(1) for term in terms], axis=1)
    return out
