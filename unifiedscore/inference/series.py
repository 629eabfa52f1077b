"""What `Rate` and `Limit` share: a series along x, its refit, its trend, and the widening that the trend asks for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.estimates import Estimate, find_nonfinite, read_values, student
from unifiedscore.inference.tail import SLOWEST_ORDER, Tail, unbounded
from unifiedscore.inference.verdict import REFUTE_LEVEL, decide

TREND_LEVEL = 0.98
"""A Monte Carlo trend counts once its own t interval excludes zero at this level: below that it is noise, and noise
already widens the slope's interval. A looser level than the verdict's, so that trends are found rather than missed;
each false trend costs power."""

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
    x, y = read_values(x, "x"), read_values(y, "y")
    if x.ndim != 1 or y.ndim not in (1, 2) or y.shape[0] != x.size:
        raise InputError(f"y must have shape (x, seed) or (x,) with x of shape (x,); got {y.shape} and {x.shape}")
    if y.ndim == 2 and error is not None:
        raise InputError("error is for values without seeds, y of shape (x,); the seeds carry it otherwise")
    if y.ndim == 1:
        error = np.broadcast_to(np.abs(read_values(0.0 if error is None else error, "error")), y.shape)
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
    bend: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    region: tuple[float, float],
    level: float,
    what: str,
) -> Estimate:
    """One statistic per seed, t over seeds; the refit and the trend widen the interval.

    `fit(x, y)` gives (seed,) statistics, `local(x, y)` (x - 1, seed) local ones, `bend(x, y)` (seed,) coefficients
    with the sign of their trend over all of x, zero where the law is exact. The interval is the hull of those of the
    fit to all x and of the refit without the first third: the hull lies inside the region, or misses it, iff both do,
    which is the rule "if the verdict changes, inconclusive" in terms of one interval. A trend that is no noise adds
    to the hull where the local statistics end, and what is still to come.
    """
    x, y = series.x, series.y
    third = max(1, x.size // 3)
    whole, refit = student(fit(x, y), level), student(fit(x[third:], y[third:]), level)
    for estimate in (whole, refit):
        if estimate.kind == "none":
            return estimate
    estimate = Estimate(whole.value, min(whole.low, refit.low), max(whole.high, refit.high), "t")
    locals_, start = local(x, y), series.last_half
    mean_local = locals_.mean(axis=1)
    if _side(whole.value, region) != _side(refit.value, region):
        # Otherwise the refit is only noisier, and more seeds would do.
        target = min(region[1] - region[0], max(_distance(whole, region), _distance(refit, region)))
        estimate = replace(
            estimate,
            reason=f"pre-asymptotic: the fit to all x gives {whole.value:.4g}, the one without the first third "
            f"{refit.value:.4g}, on the other side of an end of the region; " + _needed(x, mean_local, start, target),
        )
    trends = _trend(x, locals_, start)
    trend = float(trends.mean())
    certain = _significant(trends, TREND_LEVEL)
    if not certain:
        # The last half alone may be too noisy to show a trend that all of x shows.
        bends = bend(x, y)
        if not _significant(bends, TREND_LEVEL):
            return estimate
        bound = student(trends, TREND_LEVEL)
        trend = max(bound.high, 0.0) if bends.mean() > 0 else min(bound.low, 0.0)
    # The fit stands in the middle of the data; what is claimed lies beyond the end of the local statistics.
    end = student(_end(x, locals_, start), level)
    if end.kind == "none":
        end = replace(end, low=end.value, high=end.value)
    low, high = min(estimate.low, end.low), max(estimate.high, end.high)
    ahead = 2 * trend
    if certain:
        # With the largest trend that the seeds leave possible: the tail is proportional to it.
        possible = student(trends, level)
        most = max(1.0, possible.low / trend, possible.high / trend) if possible.kind == "t" else 1.0
        ahead = math.copysign(most * _ahead(trend, x, mean_local, start), trend)
        if math.isinf(ahead) and _significant(trends, REFUTE_LEVEL):
            ahead = _nowhere(trend, end.value, series, (low, high), region)
        elif math.isinf(ahead):
            ahead = 2 * trend  # it may well be noise, and noise does not shrink
    wide = replace(estimate, low=min(low, end.low + ahead), high=max(high, end.high + ahead))
    return _trending(wide, trend, x, mean_local, start, region, what)


def judge_numbers(
    series: Series,
    extrapolated: Estimate,
    locals_: np.ndarray,
    tail: Tail,
    *,
    region: tuple[float, float],
    what: str,
) -> Estimate:
    """A numerical estimate, widened by what the local statistics may still add to their last value.

    `extrapolated` is the limit with the last changes of the extrapolation; `tail` bounds how far the limit may lie
    from the last local statistic. If these move by more than the region's width over the last half of x, the interval
    is widened over them as well: the extrapolation then decides alone, and no data have shown it right.
    """
    if extrapolated.kind == "none":
        return extrapolated
    start, last = series.last_half, float(locals_[-1])
    part = locals_[start:]
    u, middle = _positions(series.x)
    spread = float(np.ptp(part))
    trend = float(part[-1] - part[0]) * (u[-1] - u[start]) / (middle[-1] - middle[start])
    low, high = extrapolated.low, extrapolated.high
    if not tail.settled:
        low, high = min(low, float(part.min())), max(high, float(part.max()))
    for ahead in (tail.low, tail.high):
        if math.isinf(ahead):
            ahead = _nowhere(math.copysign(trend, ahead), last, series, (low, high), region)
        low, high = min(low, last + ahead), max(high, last + ahead)
    wide = replace(extrapolated, low=low, high=high)
    if tail.words and decide(wide, *region) == "inconclusive":
        wide = replace(wide, reason=f"pre-asymptotic: {what} {tail.words}; {_where(series, locals_, wide, region)}")
    if spread <= region[1] - region[0]:
        return wide
    below, above = _reach(trend, _shrinkage(series.x, locals_, start)[0])
    wider = replace(
        wide,
        low=min(low, float(part.min()), last + below),
        high=max(high, float(part.max()), last + above),
    )
    return _trending(wider, math.copysign(spread, trend), series.x, locals_, start, region, what)


def _nowhere(trend: float, last: float, series: Series, hull, region) -> float:
    """What a trend that does not shrink may add: anything, or ten more ranges of it if even they miss the region."""
    u, _ = _positions(series.x)
    rate = abs(trend) / (u[-1] - u[series.last_half])
    return unbounded(last, math.copysign(1.0, trend), rate, u[-1], hull=hull, region=region) - last


def _where(series: Series, locals_: np.ndarray, estimate: Estimate, region) -> str:
    width = region[1] - region[0]
    target = width if math.isfinite(width) else _distance(estimate, region)
    return _needed(series.x, locals_, series.last_half, min(target, float(np.ptp(locals_[series.last_half :])) / 2))


def _significant(trends: np.ndarray, level: float) -> bool:
    """Whether the trends over seeds (seed,) are no noise."""
    found = student(trends, level)
    if found.kind == "none":
        return found.value != 0
    return not found.low <= 0 <= found.high


def _end(x: np.ndarray, local: np.ndarray, start: int) -> np.ndarray:
    """The line through the local statistics of the last half, at the last x, per seed."""
    u, middle = _positions(x)
    u_half, part = middle[start:], local[start:]
    return part.mean(axis=0) + _tilt(u_half, part) * (u[-1] - u_half.mean())


def _ahead(trend: float, x: np.ndarray, locals_: np.ndarray, start: int) -> float:
    """How much a trend over the last half may still add beyond the end.

    The tilts of the two halves give the order p of the correction where they meet; seeds are too noisy for more, so
    its order is taken to fall on as under 1/log x: 1/p grows by 1/2 per unit of log x, and the tail is twice
    the geometric one. At least one more trend, because p is an estimate; infinite if the tilt does not shrink.
    """
    u, middle = _positions(x)
    if start < 2:  # one tilt shows no order: one half is assumed
        inverse, rate = 2.0, trend / (u[-1] - u[start])
    else:
        before, rate = (float(_tilt(middle[part], locals_[part])) for part in (slice(start), slice(start, None)))
        first, second = middle[:start].mean(), middle[start:].mean()
        if not np.sign(before) * np.sign(rate) > 0:
            return math.inf
        order = math.log(before / rate) / (second - first)
        if order < SLOWEST_ORDER:
            return math.inf
        inverse = 1 / order + (u[-1] - (first + second) / 2) / 2
        rate *= math.exp(-order * (u[-1] - second))
    return max(abs(trend), abs(rate) * 2 * inverse)


def _trending(wide, trend, x, locals_, last_half, region, what) -> Estimate:
    """The widened estimate with its reason: the trend exceeds the region's width, or would change the verdict."""
    width = region[1] - region[0]
    if decide(wide, *region) != "inconclusive" and not abs(trend) > width:
        return wide
    if abs(trend) > width:
        size = f"by {trend:+.3g} over the last half of x, more than the region's width {width:.3g}"
    else:
        size = f"by {trend:+.3g} over the last half of x and would change the verdict if it went on"
    target = width if math.isfinite(width) else _distance(wide, region)
    target = min(target, abs(trend) / 2)
    return replace(wide, reason=f"pre-asymptotic: {what} still trend {size}; {_needed(x, locals_, last_half, target)}")


def last_coefficient(columns: list[np.ndarray], y: np.ndarray) -> np.ndarray:
    """Least-squares coefficient of the last column (x,) in a fit of y (x, seed) by all columns and a constant."""
    design = np.stack([np.ones_like(columns[0]), *columns], axis=1)
    return np.linalg.lstsq(design, y, rcond=None)[0][-1]


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
    return ((now / before) ** (span / apart) if np.sign(before) * np.sign(now) > 0 else math.inf), True


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
