"""How often samples look like copies of training points, and how often true samples do so by chance."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures.distances import nearest_neighbours


def copy_rate(samples, training, *, threshold: float = 1 / 3) -> float:
    r"""Return the share of samples whose nearest training point is nearer than `threshold` times the second nearest.

    Use when you count copies by the usual ratio of distances; subtract `chance_copy_rate` or the rate of fresh data.

    Parameters
    ----------
    samples : (n, d) array
    training : (m, d) array
        At least two points.
    threshold : float
        :math:`\kappa` in (0, 1]: a sample is called a copy where :math:`d_1 < \kappa d_2`. A training point that
        occurs twice is never the nearest by a margin: remove duplicates first.

    Returns
    -------
    float

    Examples
    --------
    >>> copy_rate([[0.1], [0.5]], [[0.0], [1.0]])
    0.5
    """
    training = validate.points(training, "training")
    samples = validate.points(samples, "samples", dimension=training.shape[1])
    threshold = _threshold(threshold)
    if len(training) < 2:
        raise InputError(f"training must hold at least two points to compare distances; got {len(training)}")
    distances = nearest_neighbours(training, samples, 2)[0]
    return float(np.mean(distances[:, 0] < threshold * distances[:, 1]))


def chance_copy_rate(dimension: float, *, threshold: float = 1 / 3) -> float:
    r"""Return :math:`\kappa^d`, the share of *fresh* points that `copy_rate` calls copies in d intrinsic dimensions.

    Use when you ask how many copies the truth itself would be charged with: a third of them on a curve.

    Given its second neighbour, the nearest of many independent points is uniform in the ball of radius :math:`d_2`.

    Parameters
    ----------
    dimension : float
        Intrinsic dimension d of the law, positive.
    threshold : float
        :math:`\kappa` in (0, 1].

    Examples
    --------
    >>> round(chance_copy_rate(2), 6)
    0.111111
    """
    return _threshold(threshold) ** validate.positive(dimension, "dimension")


def _threshold(value) -> float:
    value = validate.positive(value, "threshold")
    if value > 1:
        raise InputError(
            f"threshold must be at most 1: the nearest distance never exceeds the second; got {validate.shown(value)}"
        )
    return value
