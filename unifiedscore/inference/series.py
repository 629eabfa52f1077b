"""What `Rate` and `Limit` share: a series along x, its refit, its trend, and the widening that the trend asks for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.estimates import Estimate, find_nonfinite, student
from unifiedscore.inference.verdict import decide

TREND_LEVEL = 0.95
"""A Monte Carlo trend counts once its own t interval excludes zero at this level: below that it is noise, and noise
already widens the slope's interval. A looser level than the verdict's, so that trends are found rather than missed."""

_SHRINKING = 0.95
"""A trend that keeps more than this of itself per half of the data is not told from one that never shrinks."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values ordered so that the asymptotic end comes last.

    `x` (x,), `y` (x, seed) or (x,), `error` (x,) or None. Exactly the (x,) series are numerical.
    """

    x: np.ndarray
    y: np.ndarray
    error: np.ndarray | None

    @property
    def last_half(self) -> int:
        """Index of the first point of the last half of x (at least three points, so that there is a trend)."""
        return min(self.x.size // 2, self.x.size - 3)


def arrange(y, x, error, *, least: int, reverse: bool) -> Series | str:
    """Check and order a series; a string says what is wrong with the data.

    `reverse` puts the smallest x last. `least` is the smallest number of points that leaves something to check.
    """
    if x is None:
        raise InputError("a test along an axis needs its labels; pass them as x=")
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or y.ndim not in (1, 2) or y.shape[0] != x.size:
        raise InputError(f"y must have shape (x, seed) or (x,) with x of shape (x,); got {y.shape} and {x.shape}")
    if y.ndim == 2 and error is not None:
        raise InputError("error is for values without seeds, y of shape (x,); the seeds carry it otherwise")
    if y.ndim == 1:
        error = np.broadcast_to(np.abs(np.asarray(0.0 if error is None else error, dtype=float)), y.shape)
    if x.size < least:
        return f"too few points: {x.size} along x, at least {least} are needed to see whether a trend remains"
    for array, what in ((x, "labels"), (y, "values"), (error, "numerical errors")):
        reason = "" if array is None else find_nonfinite(array, what)
        if reason:
            return reason
    if not (x > 0).all():
        return f"x must be positive; its smallest label is {x.min():.6g}"
    order = np.argsort(-x if reverse else x, kind="stable")
    if (np.diff(x[order]) == 0).any():
        return "a label along x appears twice"
    return Series(x[order], y[order], None if error is None else error[order])


def judge_replicates(
    series: Series,
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray],
    local: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    region: tuple[float, float],
    level: float,
    what: str,
) -> Estimate:
    """One statistic per seed, t over seeds; the refit and the trend widen the interval.

    `fit(x, y)` gives (seed,) statistics, `local(x, y)` (x - 1, seed) local ones. The interval is the hull of those
    of the fit to all x and of the refit without the first third: the hull lies inside the region, or misses it, iff
    both do, which is the rule "if the verdict changes, inconclusive" in terms of one interval.
    """
    x, y = series.x, series.y
    whole = student(fit(x, y), level)
    third = max(1, x.size // 3)
    refit = student(fit(x[third:], y[third:]), level)
    for estimate in (whole, refit):
        if estimate.kind == "none":
            return estimate
    low, high = min(whole.low, refit.low), max(whole.high, refit.high)
    estimate = Estimate(whole.value, low, high, "t")
    mean_local = local(x, y).mean(axis=1)
    if _side(whole.value, region) != _side(refit.value, region):
        # Otherwise the refit is only noisier, and more seeds would do.
        target = min(region[1] - region[0], max(_distance(whole, region), _distance(refit, region)))
        estimate = replace(
            estimate,
            reason=f"pre-asymptotic: the fit to all x gives {whole.value:.4g}, the one without the first third "
            f"{refit.value:.4g}, on the other side of an end of the region; "
            + _needed(x, mean_local, series.last_half, target),
        )
    trends = _trend(x, local(x, y), series.last_half)
    found = student(trends, TREND_LEVEL)
    if found.kind == "none" and np.ptp(trends) == 0:
        found = replace(found, low=found.value, high=found.value)
    if found.low <= 0 <= found.high or math.isnan(found.low):
        return estimate
    below, above = _reach(found.value, _shrinkage(x, mean_local, series.last_half)[0])
    # The refit sits up to two thirds of a trend behind its end, so one more trend on top of what may still come.
    below, above = below + min(found.value, 0.0), above + max(found.value, 0.0)
    wide = replace(estimate, low=low + below, high=high + above)
    return _trending(estimate, wide, found.value, x, mean_local, series.last_half, region, what)


def judge_numbers(
    series: Series,
    extrapolated: Estimate,
    locals_: np.ndarray,
    *,
    region: tuple[float, float],
    settled: bool,
    what: str,
) -> Estimate:
    """A numerical estimate, widened over the local statistics of the last half if they still move too much.

    `settled` says that the extrapolation found changes that shrink. A one-sided region has no width to compare the
    trend with; an unsettled series is then widened whatever its size.
    """
    if extrapolated.kind == "none":
        return extrapolated
    start = series.last_half
    tail = locals_[start:]
    spread = float(np.ptp(tail))
    if spread <= region[1] - region[0] and (settled or math.isfinite(region[1] - region[0])):
        return extrapolated
    u, middle = _positions(series.x)
    trend = float(tail[-1] - tail[0]) * (u[-1] - u[start]) / (middle[-1] - middle[start])
    low, high = _reach(trend, _shrinkage(series.x, locals_, start)[0])
    wide = Estimate(
        extrapolated.value,
        min(extrapolated.low, float(tail.min()), float(tail[-1]) + low),
        max(extrapolated.high, float(tail.max()), float(tail[-1]) + high),
        "numerical",
    )
    return _trending(extrapolated, wide, math.copysign(spread, trend), series.x, locals_, start, region, what)


def _trending(narrow, wide, trend, x, locals_, last_half, region, what) -> Estimate:
    """The widened estimate with its reason if the trend exceeds the region's width, else the narrow one."""
    width = region[1] - region[0]
    if math.isinf(width):
        # No width to compare with: the trend matters iff its continuation would change the decision.
        if decide(wide, *region) == decide(narrow, *region):
            return narrow
        size = f"by {trend:+.3g} over the last half of x and would change the verdict if it went on"
    elif abs(trend) <= width:
        return narrow
    else:
        size = f"by {trend:+.3g} over the last half of x, more than the region's width {width:.3g}"
    target = width if math.isfinite(width) else _distance(narrow, region)
    return replace(wide, reason=f"pre-asymptotic: {what} still trend {size}; {_needed(x, locals_, last_half, target)}")


def _side(value: float, region: tuple[float, float]) -> int:
    """-1 below the region, 0 inside, +1 above."""
    return int(value > region[1]) - int(value < region[0])


def _distance(estimate: Estimate, region: tuple[float, float]) -> float:
    """Distance from the value to the nearest end of the region."""
    return min(abs(estimate.value - end) for end in region)


def _positions(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|log x| counted from the first point, and the midpoints of the gaps, where local statistics stand."""
    u = np.abs(np.log(x / x[0]))
    return u, (u[1:] + u[:-1]) / 2


def _trend(x: np.ndarray, local: np.ndarray, start: int) -> np.ndarray:
    """Change of the local statistics (x - 1, seed) over the last half of x, per seed, by regression on log x."""
    u, middle = _positions(x)
    return _tilt(middle[start:], local[start:]) * (u[-1] - u[start])


def _tilt(u: np.ndarray, values: np.ndarray) -> np.ndarray:
    u = u - u.mean()
    return u @ values / (u @ u)


def _shrinkage(x: np.ndarray, locals_: np.ndarray, start: int) -> tuple[float, bool]:
    """Factor by which the trend shrinks over a stretch as long as the last half, and whether it was seen.

    From the tilt of the local statistics in the first and in the last half; where the first half is too short to have
    one, the trend is taken to shrink like 1/x. Infinite if the two halves trend in opposite directions.
    """
    u, middle = _positions(x)
    span = u[-1] - u[start]
    if start < 2:
        return math.exp(-span), False
    before, now = (float(_tilt(middle[part], locals_[part])) for part in (slice(start), slice(start, None)))
    apart = middle[start:].mean() - middle[:start].mean()
    return ((now / before) ** (span / apart) if before * now > 0 else math.inf), True


def _reach(trend: float, factor: float) -> tuple[float, float]:
    """How far below and above its end a trending series may still go.

    A trend shrinking by `factor` per stretch has trend factor / (1 - factor) ahead of it; twice that, and one stretch
    at least, because the factor is only an estimate. A trend that does not shrink may go anywhere.
    """
    ahead = math.inf if factor >= _SHRINKING else abs(trend) * max(1.0, 2 * factor / (1 - factor))
    return (-ahead, 0.0) if trend < 0 else (0.0, ahead)


def _needed(x: np.ndarray, locals_: np.ndarray, start: int, target: float) -> str:
    """The x at which the trend over a last half of the same length would be `target`, in words."""
    factor, seen = _shrinkage(x, locals_, start)
    if not 0 < factor < _SHRINKING or target <= 0:
        return "the trend does not shrink along x, so no x can be named that would do"
    u, _ = _positions(x)
    span, now = u[-1] - u[start], float(np.ptp(locals_[start:]))
    # Half the target, so that a trend that shrinks a little less than seen still fits.
    steps = max(math.log(2 * now / target) / -math.log(factor), 0.0)
    sign = 1 if x[-1] > x[0] else -1
    exponent = math.log10(x[-1]) + sign * max(steps * span, math.log(2)) / math.log(10)
    shown = f"{10**exponent:.2g}" if abs(exponent) < 300 else f"1e{exponent:+.0f}"
    return f"x would have to reach about {shown} if the trend shrinks " + ("as it did so far" if seen else "like 1/x")
