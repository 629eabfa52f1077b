"""The laws of the noise level from which training losses draw, and the weights that they give the squared error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.special import ndtr, ndtri

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.learned.loss_weights import LOSSES


@final
@dataclass(frozen=True, slots=True)
class NoiseLaw:
    r"""How a loss draws noise levels between two ends, and weights :math:`|D_\theta - y|^2` there.

    Use when you train a denoiser with one of the losses in use, at data of variance 1 per coordinate.

    The law of h times the weight is :math:`\omega(h)\,d\log h` of `loss_weight`, up to one factor:

    ================  ========================================  ==========================
    loss              drawn uniformly                           weight
    ================  ========================================  ==========================
    flow_matching     the time t, h = (1 - t)/t                 :math:`(1 + 1/h)^2`
    kl                log h                                     :math:`1/h^2`
    edm               the normal quantile of log h              :math:`1 + 1/h^2`
    noise_prediction  the cosine time t, h = cot(pi t/2)        :math:`1/h^2`
    log_uniform       log h                                     :math:`1 + 1/h^2`
    ================  ========================================  ==========================

    Parameters
    ----------
    loss : str
        One of `LOSSES`.
    low, high : float
        Ends of the noise level, in units of the scale of the data.

    Examples
    --------
    >>> law = NoiseLaw("flow_matching", 0.25, 4.0)
    >>> law.levels(np.array([0.0, 0.5, 1.0])).round(6)
    array([0.25, 1.  , 4.  ])
    """

    loss: str
    low: float
    high: float

    def __post_init__(self) -> None:
        validate.choice(self.loss, "loss", LOSSES)
        object.__setattr__(self, "low", validate.positive(self.low, "low"))
        object.__setattr__(self, "high", validate.positive(self.high, "high"))
        if not self.low < self.high:
            raise InputError(f"low must be below high; got low = {self.low:g} and high = {self.high:g}")

    def levels(self, uniform: np.ndarray) -> np.ndarray:
        """Noise levels at quantiles in [0, 1]."""
        forward, back = _SCALES[self.loss]
        first, last = forward(self.low), forward(self.high)
        return np.clip(back(first + (last - first) * uniform), self.low, self.high)

    def weights(self, level: np.ndarray) -> np.ndarray:
        """Weight of the squared error at noise levels."""
        if self.loss == "flow_matching":
            return (1 + 1 / level) ** 2
        inverse = level**-2.0
        return inverse if self.loss in ("kl", "noise_prediction") else 1 + inverse


_EDM_MEAN, _EDM_WIDTH = float(-1.2 + np.log(2.0)), 1.2  # the published -1.2 belongs to data of deviation 1/2

_SCALES: dict[str, tuple[Callable, Callable]] = {
    "flow_matching": (lambda h: h / (1 + h), lambda u: u / (1 - u)),
    "kl": (np.log, np.exp),
    "edm": (
        lambda h: ndtr((np.log(h) - _EDM_MEAN) / _EDM_WIDTH),
        lambda u: np.exp(_EDM_MEAN + _EDM_WIDTH * ndtri(u)),
    ),
    "noise_prediction": (np.arctan, np.tan),
    "log_uniform": (np.log, np.exp),
}
"""For each loss the increasing function of the level that it draws uniformly, and its inverse."""
