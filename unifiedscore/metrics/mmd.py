"""The kernel two-sample statistic, unbiased, at several bandwidths."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError

_BLOCK = 4_000_000


def unbiased_mmd2(x, y, *, bandwidths) -> np.ndarray:
    r"""Return the U-statistic of $E k(x, x') + E k(y, y') - 2 E k(x, y)$ for Gaussian kernels.

    Pairs of a point with itself are left out, so the mean over independent samples of one law is 0 and single values
    may be negative.

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
    x = validate.points(x, "x").astype(np.float64)
    y = validate.points(y, "y", dimension=x.shape[1]).astype(np.float64)
    if len(x) < 2 or len(y) < 2:
        raise InputError(f"an unbiased estimate needs two points in each sample; got {len(x)} and {len(y)}")
    widths = [validate.positive(h, "bandwidths") for h in validate.real_array(bandwidths, "bandwidths").ravel()]
    center = y.mean(0)
    x, y = x - center, y - center
    n, m = len(x), len(y)
    within = (_sums(x, x, widths) - n) / (n * (n - 1)) + (_sums(y, y, widths) - m) / (m * (m - 1))
    return within - 2 * _sums(x, y, widths) / (n * m)


def _sums(a, b, widths) -> np.ndarray:
    """Sum of the kernel over all pairs, for each bandwidth."""
    total, rows = np.zeros(len(widths)), max(1, _BLOCK // len(b))
    for start in range(0, len(a), rows):
        part = a[start : start + rows]
        squared = (part**2).sum(1)[:, None] + (b**2).sum(1) - 2 * part @ b.T
        np.maximum(squared, 0, out=squared)
        if a is b:
            # A centred inner product leaves 1e-16 on the diagonal; a point is at distance 0 from itself.
            squared[np.arange(len(part)), start + np.arange(len(part))] = 0
        total += [np.exp(squared * (-0.5 / h**2)).sum() for h in widths]
    return total
