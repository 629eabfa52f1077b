"""Rates and limits over seeds: the hull of fit and refit, the trend of the local statistics, and the tail ahead.

Every statistic is linear in its series, so that it stands here as one number per seed: of the values themselves, or of
their pseudo-values where the logarithm of a mean is meant (`linearised`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from unifiedscore.inference.estimates import Estimate, student
from unifiedscore.inference.mean import mean_interval
from unifiedscore.inference.series import Series, distance_to, needed, nowhere, positions, tilt_of, trending
from unifiedscore.inference.tail import SLOWEST_ORDER
from unifiedscore.inference.verdict import REFUTE_LEVEL

TREND_LEVEL = 0.98
"""A Monte Carlo trend counts once its own t interval excludes zero at this level: below that it is noise, and noise
already widens the slope's interval. A looser level than the verdict's, so that trends are found rather than missed;
each false trend costs power."""


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """The statistics of every seed: of the fit to all x and of the one without the first third (seed,), the local
    ones (x - 1, seed), and the coefficient (seed,) of their bend over all of x, zero where the law is exact."""

    whole: np.ndarray
    refit: np.ndarray
    local: np.ndarray
    bend: np.ndarray


@dataclass(frozen=True, slots=True)
class Trend:
    """How the local statistics change over the last half of x: per seed, on average, and whether that is certain.

    Where the last half alone is too noisy to show what all of x shows, the average is the largest that it allows.
    """

    over_seeds: np.ndarray
    size: float
    certain: bool


def first_third(series: Series) -> int:
    """How many of the first labels the refit leaves out."""
    return max(1, series.x.size // 3)


def estimate_over_seeds(series: Series, found: OverSeeds, *, region, level: float, what: str) -> Estimate:
    """The hull of fit and refit; where the local statistics trend beyond their noise, with the tail ahead of them."""
    estimate = hull(series, found, region=region, level=level)
    if estimate.kind == "none":
        return estimate
    seen = trend(series, found)
    return estimate if seen is None else tail(estimate, seen, series, found, region=region, level=level, what=what)


def hull(series: Series, found: OverSeeds, *, region, level: float) -> Estimate:
    """The hull of the intervals of the fit to all x and of the refit without the first third.

    It lies inside the region, or misses it, iff both do, which is the rule "if the verdict changes, inconclusive" in
    terms of one interval.
    """
    whole, refit = mean_interval(found.whole, level), mean_interval(found.refit, level)
    for estimate in (whole, refit):
        if estimate.kind == "none":
            return estimate
    estimate = replace(whole, low=min(whole.low, refit.low), high=max(whole.high, refit.high))
    if _side(whole.value, region) != _side(refit.value, region):
        # Otherwise the refit is only noisier, and more seeds would do.
        target = min(region[1] - region[0], max(distance_to(whole, region), distance_to(refit, region)))
        estimate = replace(
            estimate,
            reason=f"pre-asymptotic: the fit to all x gives {whole.value:.4g}, the one without the first third "
            f"{refit.value:.4g}, on the other side of an end of the region; "
            + needed(series.x, found.local.mean(axis=1), series.last_half, target),
        )
    return estimate


def trend(series: Series, found: OverSeeds) -> Trend | None:
    """The trend of the local statistics over the last half of x; None where none is seen beyond the noise."""
    trends = _trends(series.x, found.local, series.last_half)
    if _significant(trends, TREND_LEVEL):
        return Trend(trends, float(trends.mean()), True)
    # The last half alone may be too noisy to show a trend that all of x shows.
    if not _significant(found.bend, TREND_LEVEL):
        return None
    bound = student(trends, TREND_LEVEL)
    return Trend(trends, max(bound.high, 0.0) if found.bend.mean() > 0 else min(bound.low, 0.0), False)


def tail(estimate: Estimate, seen: Trend, series: Series, found: OverSeeds, *, region, level, what) -> Estimate:
    """The estimate widened to where the local statistics end, and over what their trend may still add to that.

    The fit stands in the middle of the data; what is claimed lies beyond the end of the local statistics.
    """
    x, start, mean_local = series.x, series.last_half, found.local.mean(axis=1)
    end = mean_interval(_end(x, found.local, start), level)
    if end.kind == "none":
        end = replace(end, low=end.value, high=end.value)
    low, high = min(estimate.low, end.low), max(estimate.high, end.high)
    ahead = 2 * seen.size
    if seen.certain:
        # With the largest trend that the seeds leave possible: the tail is proportional to it.
        possible = student(seen.over_seeds, level)
        most = max(1.0, possible.low / seen.size, possible.high / seen.size) if possible.kind == "t" else 1.0
        ahead = math.copysign(most * _ahead(seen.size, x, mean_local, start), seen.size)
        if math.isinf(ahead) and _significant(seen.over_seeds, REFUTE_LEVEL):
            ahead = nowhere(seen.size, end.value, series, (low, high), region)
        elif math.isinf(ahead):
            ahead = 2 * seen.size  # it may well be noise, and noise does not shrink
    wide = replace(estimate, low=min(low, end.low + ahead), high=max(high, end.high + ahead))
    return trending(wide, seen.size, x, mean_local, start, region, what, certain=seen.certain)


def last_coefficient(columns: list[np.ndarray], y: np.ndarray) -> np.ndarray:
    """Least-squares coefficient of the last column (x,) in a fit of y (x, seed) by all columns and a constant."""
    design = np.stack([np.ones_like(columns[0]), *columns], axis=1)
    return np.linalg.lstsq(design, y, rcond=None)[0][-1]


def _significant(trends: np.ndarray, level: float) -> bool:
    """Whether the trends over seeds (seed,) are no noise."""
    found = student(trends, level)
    if found.kind == "none":
        return found.value != 0
    return not found.low <= 0 <= found.high


def _trends(x: np.ndarray, local: np.ndarray, start: int) -> np.ndarray:
    """Change of the local statistics (x - 1, seed) over the last half of x, per seed, by regression on log x."""
    u, middle = positions(x)
    return tilt_of(middle[start:], local[start:]) * (u[-1] - u[start])


def _end(x: np.ndarray, local: np.ndarray, start: int) -> np.ndarray:
    """The line through the local statistics of the last half, at the last x, per seed."""
    u, middle = positions(x)
    u_half, part = middle[start:], local[start:]
    return part.mean(axis=0) + tilt_of(u_half, part) * (u[-1] - u_half.mean())


def _ahead(trend: float, x: np.ndarray, locals_: np.ndarray, start: int) -> float:
    """How much a trend over the last half may still add beyond the end.

    The tilts of the two halves give the order p of the correction where they meet; seeds are too noisy for more, so
    its order is taken to fall on as under 1/log x: 1/p grows by 1/2 per unit of log x, and the tail is twice
    the geometric one. At least one more trend, because p is an estimate; infinite if the tilt does not shrink.
    """
    u, middle = positions(x)
    if start < 2:  # one tilt shows no order: one half is assumed
        inverse, rate = 2.0, trend / (u[-1] - u[start])
    else:
        before, rate = (float(tilt_of(middle[part], locals_[part])) for part in (slice(start), slice(start, None)))
        first, second = middle[:start].mean(), middle[start:].mean()
        if not np.sign(before) * np.sign(rate) > 0:
            return math.inf
        order = math.log(before / rate) / (second - first)
        if order < SLOWEST_ORDER:
            return math.inf
        inverse = 1 / order + (u[-1] - (first + second) / 2) / 2
        rate *= math.exp(-order * (u[-1] - second))
    return max(abs(trend), abs(rate) * 2 * inverse)


def _side(value: float, region: tuple[float, float]) -> int:
    """-1 below the region, 0 inside, +1 above."""
    return int(value > region[1]) - int(value < region[0])
