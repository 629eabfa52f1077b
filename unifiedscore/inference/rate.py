"""Rate: the exponent of a power law, or the slope against log x."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimand import Estimand, linearised, read_estimand
from unifiedscore.inference.estimates import Estimate, check_level, check_region, logarithms, no_estimate
from unifiedscore.inference.replicates import OverSeeds, estimate_over_seeds, first_third, last_coefficient
from unifiedscore.inference.series import Series, arrange, judge_numbers
from unifiedscore.inference.tail import remaining
from unifiedscore.validate import choice, shown

_EPS = float(np.finfo(np.float64).eps)
_ORDERS = (0.1, 8.0)  # of a correction x^-p: slower is indistinguishable from a log, faster from nothing


@dataclass(frozen=True, slots=True)
class Rate(AbstractTest):
    """The slope beta of y ~ C x^beta (law "power") or y ~ C + beta log x (law "log") lies in `[low, high]`.

    Over seeds: the least-squares slope of the logarithms of the means, with the jackknife over seeds. Its pseudo-values
    are one slope *per seed*, so that the points of one seed may move together (a regression on seed means ignores that,
    and covers far too rarely). With of="geometric_mean" they are the slopes of the logarithms of each seed, whose
    average is another number wherever the relative noise changes along x: for E y = 1/x and a log sd of 1.2 x^(-1/4) it
    is not -1. The interval is the hull of the fit to all x and the refit without the smallest third. Where the local
    slopes trend beyond the noise, it is widened to their end and to what a correction as slow as 1/log x may still add;
    where the trend does not shrink, to infinity.

    Numerical: local slopes b_i between neighbours are extrapolated as beta + c x^-p (Richardson; p from the last
    three slopes), +- the last change of the extrapolated value (the larger of the last two), + the propagated
    numerical errors. Where p falls along x, the correction is slower than any power (log x / x has b_i = -1 + 1/log x)
    and the interval reaches over the tail of such a one, see `tail.remaining`. Slopes that do not settle support
    nothing, and refute only what they would not reach over ten more ranges of log x. Slopes that move by more than the
    region's width over the last half of x are never extrapolated into it. In all these cases an undecided estimate
    carries the reason "pre-asymptotic".

    Parameters
    ----------
    low, high : float
        Region of the slope.
    along : str
        Axis that holds x; its labels must be positive. At least four of them.
    law : {"power", "log"}
    toward : {"infinity", "zero"}
        The end at which the law is claimed. With "zero" the *largest* third is left out of the refit. The slope is
        that against log x in both cases.
    of : {"mean", "geometric_mean"}
        Whose law it is, over seeds. Theorems speak of means, the default.

    Raises
    ------
    InputError
        If the region is empty, a point or the whole line, or a name unknown.

    Notes
    -----
    Power: with 16 seeds, independent noise of standard deviation s in log y, and 9 points a factor 4 apart, the
    slope at the centre of a region of half-width 0.27 s is supported with probability above 0.9; a slope 0.35 s
    outside the region is refuted with probability above 0.9.

    Corrections that bend the line by less than the noise of its seeds leave no trend to see, and both kinds of errors
    exceed their levels: measured in `studies/calibration/study_tests.py` for six points a factor 2 apart, corrections
    x^-1/2 and 1/log x. Span decades of x where a correction is slow.

    Examples
    --------
    >>> x = np.array([16.0, 64.0, 256.0, 1024.0, 4096.0])
    >>> round(Rate(-1.05, -0.95, along="dimension").estimate(3 / x, x=x, level=0.99).value, 9)
    -1.0
    """

    low: float
    high: float
    along: str
    law: Literal["power", "log"] = "power"
    toward: Literal["infinity", "zero"] = "infinity"
    of: Estimand = "mean"

    statistic: ClassVar[str] = "slope"

    def __post_init__(self):
        low, high = check_region("Rate", self.low, self.high)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        if not isinstance(self.along, str) or not self.along:
            raise InputError(f"Rate: along must name the axis that holds x; got {shown(self.along)}")
        choice(self.law, "Rate: law", ("power", "log"))
        choice(self.toward, "Rate: toward", ("infinity", "zero"))
        read_estimand(self.of, "Rate", ("mean", "geometric_mean"))

    @property
    def estimand(self) -> str:
        """`of`."""
        return self.of

    @property
    def axis(self) -> str:
        """`along`."""
        return self.along

    def estimate(self, y, *, x=None, error=None, level: float = math.nan) -> Estimate:
        """The slope of `y` (x, seed) or (x,) against `x` (x,); see the class."""
        series = arrange(y, x, error, least=4, reverse=self.toward == "zero")
        if isinstance(series, str):
            return no_estimate(series)
        if series.y.ndim == 2:
            return self._over_seeds(series, check_level(level))
        if self.law == "power" and not (series.y > 0).all():
            bad = int((series.y <= 0).sum())
            verb = "is" if bad == 1 else "are"
            return no_estimate(f"a power law needs positive values; {bad} of {series.y.size} {verb} zero or negative")
        return self._numerical(series)

    def _over_seeds(self, series: Series, level: float) -> Estimate:
        values = linearised(series.y, of=self.of, log=self.law == "power")
        if isinstance(values, str):
            return no_estimate(values)
        x, cut = series.x, first_third(series)
        found = OverSeeds(
            _slopes(x, values), _slopes(x[cut:], values[cut:]), _local_slopes(x, values), _bend(x, values)
        )
        return estimate_over_seeds(series, found, region=(self.low, self.high), level=level, what="local slopes")

    def _numerical(self, series: Series) -> Estimate:
        size = np.abs(series.y)
        noise = series.error + 4 * _EPS * size
        values, noise = (logarithms(series.y)[0], noise / size) if self.law == "power" else (series.y, noise)
        if self.law == "power" and (series.error >= size).any():
            return no_estimate("the numerical error is as large as the value, so its logarithm is unknown")
        steps = np.abs(np.diff(np.log(series.x)))
        local = _local_slopes(series.x, values)
        local_noise = (noise[1:] + noise[:-1]) / steps
        distance = np.concatenate([[0.0], np.cumsum(steps)])
        ends = range(local.size, max(local.size - 3, 2), -1)
        tries = [_extrapolate(local[:k], local_noise[:k], distance[: k + 1]) for k in ends]
        value, weight, settled, _ = tries[0]
        # The larger of the last two changes: with corrections as slow as x^-1/2 on a grid of ratio 2, the last one
        # alone is no longer a bound. With four points there is none, and the extrapolation's own step takes its place.
        values = [attempt[0] for attempt in tries] if len(tries) > 1 else [value, float(local[-1])]
        change = max(abs(one - two) for one, two in itertools.pairwise(values))
        if not settled:
            change = float(np.ptp(local[-3:]))
        half = change + weight
        orders = np.array([attempt[3] for attempt in reversed(tries)])
        return judge_numbers(
            series,
            Estimate(value, value - half, value + half, "numerical"),
            local,
            remaining(local, local_noise, (distance[1:] + distance[:-1]) / 2, (orders, value - float(local[-1]))),
            region=(self.low, self.high),
            what="local slopes",
        )


def _slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least-squares slope against log x, one per column of y."""
    u = np.log(x)
    u = u - u.mean()
    return u @ y / (u @ u)


def _bend(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficient of (log x)^2, one per column of y, with the sign of the slope's trend towards the last x."""
    u = np.log(x)
    u = (u - u.mean()) / np.ptp(u)
    return last_coefficient([u, u**2], y) * np.sign(u[-1])


def _local_slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slope between neighbours."""
    steps = np.diff(np.log(x))
    return np.diff(y, axis=0) / (steps[:, None] if y.ndim == 2 else steps)


def _extrapolate(local: np.ndarray, noise: np.ndarray, distance: np.ndarray) -> tuple[float, float, bool, float]:
    """Limit of local slopes b_i = beta + c g_i(p), its propagated noise, whether the slopes settle, and p.

    y = C x^beta exp(a x^-p) has b_i = beta + a (e^{-p u_{i+1}} - e^{-p u_i}) / (u_{i+1} - u_i), u = log x counted
    towards the asymptotic end. Three slopes give p, two of them beta. The sequence settles if p >= 0.1 is found, or if
    the last change drowns in the numerical noise.
    """
    if abs(local[-1] - local[-2]) <= noise[-1] + noise[-2]:
        return float(local[-1]), float(noise[-1] + abs(local[-1] - local[-2])), True, math.nan
    if local.size < 3:
        return float(local[-1]), float(noise[-1]), False, math.nan
    u = distance[-4:] - distance[-1]
    basis = lambda p: np.diff(np.exp(-p * u)) / np.diff(u)  # noqa: E731
    contraction = lambda g: (g[2] - g[1]) / (g[1] - g[0])  # noqa: E731
    slow, fast = (contraction(basis(p)) for p in _ORDERS)
    first = local[-2] - local[-3]
    seen = (local[-1] - local[-2]) / first if first else math.inf
    if not 0 < seen < slow:
        return float(local[-1]), float(noise[-1]), False, math.nan
    if seen <= fast:
        order = _ORDERS[1]
    else:
        from scipy.optimize import brentq

        order = brentq(lambda p: contraction(basis(p)) - seen, *_ORDERS)
    g = basis(order)
    ratio = g[2] / (g[2] - g[1])
    value = local[-1] - ratio * (local[-1] - local[-2])
    return float(value), float(abs(1 - ratio) * noise[-1] + abs(ratio) * noise[-2]), True, order
