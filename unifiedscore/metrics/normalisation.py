"""Feature and drift normalisation of the original paper, and what they make of the logged loss."""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.memory import refuse_pairs
from unifiedscore.validate import points


def feature_scale(x, y, *, include_self: bool = False) -> float:
    r"""Return $S = E\lVert x - y \rVert/\sqrt d$, by which features are divided before the kernel sees them.

    Use when a temperature should mean the same in every dimension and for every feature map.

    With it a temperature $\tau$ means $\tau$ times the mean distance in every dimension.

    Parameters
    ----------
    x : (n, d) array
        Features of the queries.
    y : (m, d) array
        Features of positives and negatives.
    include_self : bool
        False leaves out distances of exactly zero, a query to itself; public code averages over them too.

    Raises
    ------
    InputError
        Different dimensions, or no two distinct points.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, appendix A.6.

    Examples
    --------
    >>> feature_scale([[0.0, 0.0]], [[3.0, 4.0]]) * 2**0.5
    5.0
    """
    from unifiedscore.posterior.pairs import distances

    x = points(x, "x")
    y = points(y, "y", dimension=x.shape[1])
    refuse_pairs(len(x), len(y), arrays=2)
    r = distances(x.astype(np.float64), y.astype(np.float64))
    kept = r if include_self else r[r > 0]
    if kept.size == 0 or not kept.any():
        raise InputError("feature_scale needs two distinct points: all distances are zero")
    return float(kept.mean() / np.sqrt(x.shape[1]))


def drift_scale(drift) -> float:
    r"""Return $\lambda = \sqrt{E\lVert V \rVert^2/d}$, by which each temperature's drift is divided.

    Use when drifts of several temperatures are added and each should count alike.

    The loss $\mathrm{MSE}(x - \mathrm{sg}(x + V/\lambda))$ of one temperature is then 1 whatever the field: it cannot
    be used to monitor training.

    Raises
    ------
    InputError
        The drift vanishes at every point.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, appendix A.6.

    Examples
    --------
    >>> drift_scale([[3.0, 3.0]])
    3.0
    """
    value = points(drift, "drift").astype(np.float64)
    scale = float(np.sqrt(np.mean(value**2)))
    if scale == 0:
        raise InputError("drift_scale needs a drift that does not vanish everywhere; there is nothing to normalise")
    return scale
