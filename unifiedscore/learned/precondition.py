"""Preconditioning of a denoising network, in the time of closed-form diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


@final
@dataclass(frozen=True, slots=True)
class Preconditioning:
    r"""The coefficients that turn the output F of a network into a denoiser, a velocity and a score at one time.

    Use when you build a denoiser from a network, or read the score and the velocity of one that was trained so.

    With the noisy state :math:`x_t = t y + (1 - t) z`, data of variance :math:`\varsigma^2` per coordinate around 0 and
    :math:`n^2 = t^2\varsigma^2 + (1 - t)^2`,

    .. math::

        D = \frac{t\varsigma^2}{n^2} x + \frac{(1 - t)\varsigma}{n} F, \qquad
        v = \frac{\varsigma}{n} F - \frac{(1 - t) - t\varsigma^2}{n^2} x, \qquad
        s = -\frac{x}{n^2} + \frac{t\varsigma}{(1 - t)n} F,

    where F sees x/n and :math:`\frac14\log h`, :math:`h = (1 - t)/t`. For Gaussian data the target of F has variance 1
    at every time, and F = 0 is the exact denoiser of :math:`N(0, \varsigma^2 I)`. The velocity is finite at both ends:
    nothing is divided by 1 - t.

    Parameters
    ----------
    time : float
        t in [0, 1]: noise at 0, data at 1.
    scale : float
        :math:`\varsigma > 0`: root mean square per coordinate of the centred data.

    Raises
    ------
    InputError
        A time outside [0, 1] or a scale that is not positive; the score at time 1 and the logarithm of the noise level
        at both ends, which are infinite there.

    References
    ----------
    Karras et al. 2022, arXiv 2206.00364, table 1.

    Examples
    --------
    >>> at = Preconditioning(0.37, scale=0.8)
    >>> [float(part([[1.3]], [[0.4]])[0, 0].round(9)) for part in (at.denoiser, at.velocity, at.score)]
    [0.924980975, -0.595268294, -2.413094077]
    """

    time: float
    scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "time", validate.number(self.time, "time", low=0.0, high=1.0))
        object.__setattr__(self, "scale", validate.positive(self.scale, "scale"))

    @property
    def deviation(self) -> float:
        """Root mean square n of a coordinate of x."""
        return float(np.hypot(self.time * self.scale, 1 - self.time))

    @property
    def skip(self) -> float:
        """Coefficient of x in the denoiser."""
        return self.time * (self.scale / self.deviation) ** 2

    @property
    def output(self) -> float:
        """Coefficient of F in the denoiser."""
        return (1 - self.time) * self.scale / self.deviation

    @property
    def embedding(self) -> float:
        """What the network sees of the time: a quarter of log h."""
        if self.time in (0.0, 1.0):
            raise InputError(
                f"the logarithm of the noise level is infinite at time {self.time:g}; clip the time to the range in "
                "which the network was trained"
            )
        return 0.25 * float(np.log((1 - self.time) / self.time))

    def input(self, x) -> np.ndarray:
        """What the network sees of the points, x/n, (n, d)."""
        return validate.points(x, "x") / self.deviation

    def denoiser(self, x, values) -> np.ndarray:
        """D from the points and the values of F there, both (n, d)."""
        x, values = self._both(x, values)
        return self.skip * x + self.output * values

    def velocity(self, x, values) -> np.ndarray:
        """v = (D - x)/(1 - t) by a form that is finite at time 1."""
        x, values = self._both(x, values)
        slope = ((1 - self.time) - self.time * self.scale**2) / self.deviation**2
        return self.scale / self.deviation * values - slope * x

    def score(self, x, values) -> np.ndarray:
        """s = (t D - x)/(1 - t)^2, before time 1."""
        x, values = self._both(x, values)
        if self.time == 1.0:
            raise InputError("the score of a denoiser is infinite at time 1; take the velocity, which is not")
        gain = self.time * self.scale / ((1 - self.time) * self.deviation)
        return gain * values - x / self.deviation**2

    def target(self, x, data) -> np.ndarray:
        """What F is regressed on: the value at which the denoiser is the clean point, before time 1."""
        x, data = self._both(x, data, "data")
        if self.time == 1.0:
            raise InputError("nothing is left to learn at time 1: the denoiser is x whatever the network says")
        return (data - self.skip * x) / self.output

    @staticmethod
    def _both(x, values, name: str = "values") -> tuple[np.ndarray, np.ndarray]:
        x, values = validate.points(x, "x"), validate.points(values, name)
        if x.shape != values.shape:
            raise InputError(f"{name} must have the shape of x, {x.shape}; got {values.shape}")
        return x, values
