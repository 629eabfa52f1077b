"""Limit: the value that a sequence tends to."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimand import Estimand, linearised, read_estimand
from unifiedscore.inference.estimates import Estimate, check_level, check_region, no_estimate
from unifiedscore.inference.replicates import OverSeeds, estimate_over_seeds, first_third, last_coefficient
from unifiedscore.inference.series import Series, arrange, judge_numbers
from unifiedscore.inference.tail import Tail, order_of, remaining
from unifiedscore.validate import number, shown

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Limit(AbstractTest):
    """The limit L of y = L + c x^-order lies in `[low, high]`.

    A positive order is a limit at large x, a negative one a limit at x -> 0 (step sizes, temperatures: order -2 means y
    = L + c x^2). Over seeds: the intercept of a least-squares fit *per seed*, which for means is that of the seed means
    with a jackknife over seeds, hull with the refit without the third of x furthest from the limit. Numerical:
    Richardson extrapolation of neighbours, L_i = (w_i y_{i+1} - w_{i+1} y_i) / (w_i - w_{i+1}) with w = x^-order, +-
    the last change (the larger of the last two), + the propagated numerical errors.

    The order is checked: the numerical interval also reaches over the tail of the changes of the L_i, over the limit
    of the values themselves with the order that the last three of them show, and over a logarithmic tail where that
    order falls along x (see `tail.remaining`); where nothing shrinks, to infinity. Over seeds it is widened along the
    trend of the L_i if that is no noise. An estimate that is undecided for it carries the reason "pre-asymptotic", and
    the order seen where it is not the declared one.

    Parameters
    ----------
    low, high : float
        Region of the limit.
    along : str
        Axis that holds x; its labels must be positive. At least three of them.
    order : float
        Exponent of the leading correction, not zero.
    of : {"mean", "geometric_mean"}
        Whose limit it is, over seeds. Theorems speak of means, the default.

    Raises
    ------
    InputError
        If the region is empty, a point or the whole line, or the order zero or infinite.

    Notes
    -----
    Power: with 16 seeds, noise of standard deviation s in y and order 1 over 9 points a factor 4 apart, a limit at the
    centre of a region of half-width 0.7 s is supported with probability above 0.9.

    Over seeds the declared order is a hypothesis of the claim: a correction that x^-order mimics within the noise
    cannot be told from it. Measured in `studies/calibration/study_tests.py`: under 1/log x instead of 1/x, on six
    points a factor 2 apart, corrections of 3 to 10 standard deviations of one seed refute one true limit in three,
    those of 1 to 3 one in fifteen, those of 10 to 30 one in thirty. Declare the order that theory gives, and span
    decades of x.

    Examples
    --------
    >>> x = np.array([64.0, 256.0, 1024.0, 4096.0])
    >>> round(Limit(0.07, 0.08, along="dimension", order=1).estimate(2 / 27 - 1 / x, x=x, level=0.99).value, 6)
    0.074074
    """

    low: float
    high: float
    along: str
    order: float
    of: Estimand = "mean"

    statistic: ClassVar[str] = "limit"

    def __post_init__(self):
        low, high = check_region("Limit", self.low, self.high)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        if not isinstance(self.along, str) or not self.along:
            raise InputError(f"Limit: along must name the axis that holds x; got {shown(self.along)}")
        object.__setattr__(self, "order", number(self.order, "Limit: order"))
        if self.order == 0:
            raise InputError("Limit: order must not be zero: a correction x^0 does not decay")
        read_estimand(self.of, "Limit", ("mean", "geometric_mean"))

    @property
    def estimand(self) -> str:
        """`of`."""
        return self.of

    @property
    def axis(self) -> str:
        """`along`."""
        return self.along

    def estimate(self, y, *, x=None, error=None, level: float = math.nan) -> Estimate:
        """The limit of `y` (x, seed) or (x,) along `x` (x,); see the class."""
        series = arrange(y, x, error, least=3, reverse=self.order < 0)
        if isinstance(series, str):
            return no_estimate(series)
        region = (self.low, self.high)
        if series.y.ndim == 2:
            return self._over_seeds(series, check_level(level))
        local = self._local(series.x, series.y)
        w = self._weights(series.x)
        noise = series.error + 4 * _EPS * np.abs(series.y)
        local_noise = (w[:-1] * noise[1:] + w[1:] * noise[:-1]) / np.abs(w[:-1] - w[1:])
        half = float(np.abs(np.diff(local))[-2:].max() + local_noise[-1])
        u = np.abs(np.log(series.x / series.x[0]))
        tail = remaining(local, local_noise, u[1:])
        # The order may be wrong: the values themselves show one, and where it leads.
        orders = np.array([order_of(series.y[k : k + 3], u[k : k + 3]) for k in range(max(0, u.size - 4), u.size - 2)])
        seen = float(orders[-1])
        q = math.exp(-seen * (u[-1] - u[-2]))
        own = remaining(series.y, noise, u, (orders, float(series.y[-1] - series.y[-2]) * q / (1 - q)))
        gap = float(series.y[-1] - local[-1])
        hidden = own.settled and own.nearest == 0.0  # by noise, or because the values go up and down
        ends = () if hidden else (own.low, own.high) if own.settled else (own.nearest, max(own.low, own.high, key=abs))
        tail = Tail(
            min(tail.low, *(gap + end for end in ends), math.inf),
            max(tail.high, *(gap + end for end in ends), -math.inf),
            tail.settled,
            tail.words or own.words,
        )
        estimate = Estimate(float(local[-1]), float(local[-1] - half), float(local[-1] + half), "numerical")
        estimate = judge_numbers(series, estimate, local, tail, region=region, what="local limits")
        if not estimate.reason or math.isnan(seen) or 0.8 < seen / abs(self.order) < 1.25:
            return estimate
        sign = math.copysign(1.0, self.order)
        words = f"the correction falls like x^{-sign * seen:.2g}, not like the declared x^{-self.order:.2g}"
        return replace(estimate, reason=f"pre-asymptotic: {words}; " + estimate.reason.removeprefix("pre-asymptotic: "))

    def _over_seeds(self, series: Series, level: float) -> Estimate:
        values = linearised(series.y, of=self.of, log=False)
        if isinstance(values, str):
            return no_estimate(values)
        x, cut = series.x, first_third(series)
        found = OverSeeds(
            self._intercepts(x, values),
            self._intercepts(x[cut:], values[cut:]),
            self._local(x, values),
            self._bend(x, values),
        )
        return estimate_over_seeds(series, found, region=(self.low, self.high), level=level, what="local limits")

    def _weights(self, x: np.ndarray) -> np.ndarray:
        """x^-order, relative to its largest value so that no order over- or underflows early."""
        return np.exp(-self.order * np.log(x) - np.max(-self.order * np.log(x)))

    def _intercepts(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        w = self._weights(x)
        centred = w - w.mean()
        slope = centred @ y / (centred @ centred)
        return y.mean(axis=0) - slope * w.mean()

    def _bend(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Coefficient of log x beside x^-order: positive if the local limits rise towards the last x."""
        u = np.abs(np.log(x / x[0]))
        return last_coefficient([self._weights(x), u / u[-1]], y)

    def _local(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        w = self._weights(x)
        w = w[:, None] if y.ndim == 2 else w
        return (w[:-1] * y[1:] - w[1:] * y[:-1]) / (w[:-1] - w[1:])
