"""The best blend of two denoisers, predicted from held-out data without knowing the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


@final
@dataclass(frozen=True, slots=True)
class HybridWeight:
    """The weight of the first denoiser, and what blending gains.

    Use when you read what `hybrid_weight` returned.

    Attributes
    ----------
    weight : float
        lambda*, outside [0, 1] where one of the two is best with more than itself.
    gain_first, gain_second : float
        How much the mean squared error of the blend is below that of the first and of the second alone.
    """

    weight: float
    gain_first: float
    gain_second: float


def hybrid_weight(first, second, data) -> HybridWeight:
    r"""Return the weight :math:`\lambda^*` that minimises the error of :math:`\lambda D_1 + (1 - \lambda) D_2`.

    Use when you blend a network with a training-free denoiser and hold data that neither has seen.

    .. math:: \lambda^* = \frac{E\langle D_2 - y, D_2 - D_1\rangle}{E|D_2 - D_1|^2}

    The true denoiser D* may stand for y: over pairs that neither denoiser has seen, y - D* is orthogonal to every
    function of the noisy point. Over *training* pairs it is not, and the weight is biased.

    Parameters
    ----------
    first, second : (n, d) arrays
        Values of the denoisers at noisy points.
    data : (n, d) array
        The clean points y (held out), or the true denoiser.

    Returns
    -------
    HybridWeight

    Raises
    ------
    InputError
        The shapes differ, or the denoisers agree at every point.

    Examples
    --------
    >>> x = np.array([[-1.0], [1.0]])
    >>> round(hybrid_weight(0.7 * x, 0.4 * x + 0.1, 0.5 * x).weight, 12)
    0.4
    """
    second = validate.points(second, "second")
    first = validate.points(first, "first", dimension=second.shape[1])
    data = validate.points(data, "data", dimension=second.shape[1])
    if not len(first) == len(second) == len(data):
        raise InputError(
            f"first, second and data must hold as many points; got {len(first)}, {len(second)}, {len(data)}"
        )
    gap = second - first
    square = _mean(gap, gap)
    if square == 0:
        raise InputError("the two denoisers agree at every point, so every weight gives the same blend")
    weight = _mean(second - data, gap) / square
    # The error is a parabola in lambda with curvature `square` and its minimum at the weight.
    return HybridWeight(weight, square * (1 - weight) ** 2, square * weight**2)


def _mean(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.einsum("nd,nd->", a, b, dtype=np.float64) / len(a))
