"""The kernel two-sample statistic, unbiased, at several bandwidths."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures.distances import common_frame, distance_blocks
from unifiedscore.memory import BLOCK

_SMALLEST = float(np.nextafter(0.0, 1.0))


def unbiased_mmd2(x, y, *, bandwidths) -> np.ndarray:
    r"""Return the U-statistic of $E k(x, x') + E k(y, y') - 2 E k(x, y)$ for Gaussian kernels.

    Use when two samples are compared by kernels at several bandwidths and equal laws must give zero on average.

    Pairs of a point with itself are left out, so the mean over independent samples of one law is 0 and single values
    may be negative. It is no function of the two empirical laws: repeated points are further pairs at distance zero.

    Parameters
    ----------
    x, y : (n, d), (m, d) arrays
        At least two points each.
    bandwidths : sequence of k floats
        Standard deviations of the kernels, in the units of the data.

    Returns
    -------
    (k,) array

    References
    ----------
    Gretton et al. 2012, JMLR 13, Lemma 6.

    Examples
    --------
    >>> unbiased_mmd2([[0.0], [0.0]], [[1.0], [1.0]], bandwidths=[1.0]).round(6)
    array([0.786939])
    """
    x = validate.points(x, "x")
    y = validate.points(y, "y", dimension=x.shape[1])
    if len(x) < 2 or len(y) < 2:
        raise InputError(f"an unbiased estimate needs two points in each sample; got {len(x)} and {len(y)}")
    widths = [validate.positive(h, "bandwidths") for h in validate.real_array(bandwidths, "bandwidths").ravel()]
    (x, y), exponent = common_frame(x, y)
    extent = np.linalg.norm(np.maximum(x.max(0), y.max(0)) - np.minimum(x.min(0), y.min(0)))
    with np.errstate(over="ignore", under="ignore"):
        widths = np.maximum(np.ldexp(widths, -exponent), _SMALLEST)
    # Where no two points are further apart than the bandwidth, all values are near 1 and only k - 1 has digits.
    kernels = [np.expm1 if h >= extent else np.exp for h in widths]
    pairs = [(x, x, len(x) * (len(x) - 1)), (y, y, len(y) * (len(y) - 1)), (x, y, len(x) * len(y))]
    in_x, in_y, across = (_sums(a, b, widths, kernels) / count for a, b, count in pairs)
    return in_x + in_y - 2 * across


def _sums(a, b, widths, kernels) -> np.ndarray:
    """Sum of the kernel over all pairs of different points, for each bandwidth."""
    total = np.zeros(len(widths))
    for rows, distance in distance_blocks(a, b, memory=2 * BLOCK):
        for i, (h, kernel) in enumerate(zip(widths, kernels, strict=True)):
            with np.errstate(over="ignore", under="ignore"):
                value = kernel(-0.5 * (distance / h) ** 2)
            if a is b:
                # Left out, not subtracted: what remains may be far smaller.
                value[np.arange(len(value)), np.arange(rows.start, rows.stop)] = 0
            total[i] += value.sum()
    return total
