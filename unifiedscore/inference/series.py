"""What `Rate` and `Limit` share: a series along x, and the widening that the trend of its numbers asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.estimates import Estimate, find_nonfinite, read_values
from unifiedscore.inference.tail import Tail, unbounded
from unifiedscore.inference.verdict import decide

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
    u, middle = positions(series.x)
    spread = float(np.ptp(part))
    trend = float(part[-1] - part[0]) * (u[-1] - u[start]) / (middle[-1] - middle[start])
    low, high = extrapolated.low, extrapolated.high
    if not tail.settled:
        low, high = min(low, float(part.min())), max(high, float(part.max()))
    for ahead in (tail.low, tail.high):
        if math.isinf(ahead):
            ahead = nowhere(math.copysign(trend, ahead), last, series, (low, high), region)
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
    return trending(wider, math.copysign(spread, trend), series.x, locals_, start, region, what)


def nowhere(trend: float, last: float, series: Series, hull, region) -> float:
    """What a trend that does not shrink may add: anything, or ten more ranges of it if even they miss the region."""
    u, _ = positions(series.x)
    rate = abs(trend) / (u[-1] - u[series.last_half])
    return unbounded(last, math.copysign(1.0, trend), rate, u[-1], hull=hull, region=region) - last


def _where(series: Series, locals_: np.ndarray, estimate: Estimate, region) -> str:
    width = region[1] - region[0]
    target = width if math.isfinite(width) else distance_to(estimate, region)
    return needed(series.x, locals_, series.last_half, min(target, float(np.ptp(locals_[series.last_half :])) / 2))


def trending(wide, trend, x, locals_, last_half, region, what, *, certain: bool = True) -> Estimate:
    """The widened estimate with its reason: the trend exceeds the region's width, or would change the verdict.

    A trend that is not certain is the largest that the noise of the last half allows, and is called that.
    """
    width = region[1] - region[0]
    if decide(wide, *region) != "inconclusive" and not abs(trend) > width:
        return wide
    by = "by" if certain else "by up to"
    if abs(trend) > width:
        size = f"{by} {trend:+.3g} over the last half of x, more than the region's width {width:.3g}"
    else:
        size = f"{by} {trend:+.3g} over the last half of x and would change the verdict if it went on"
    target = width if math.isfinite(width) else distance_to(wide, region)
    target = min(target, abs(trend) / 2)
    still = "still trend" if certain else "may still trend"
    return replace(wide, reason=f"pre-asymptotic: {what} {still} {size}; {needed(x, locals_, last_half, target)}")


def distance_to(estimate: Estimate, region: tuple[float, float]) -> float:
    """Distance from the value to the nearest end of the region."""
    return min(abs(estimate.value - end) for end in region)


def positions(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|log x| counted from the first point, and the midpoints of the gaps, where local statistics stand."""
    u = np.abs(np.log(x / x[0]))
    return u, (u[1:] + u[:-1]) / 2


def tilt_of(u: np.ndarray, values: np.ndarray) -> np.ndarray:
    u = u - u.mean()
    return u @ values / (u @ u)


def _shrinkage(x: np.ndarray, locals_: np.ndarray, start: int) -> tuple[float, bool]:
    """Factor by which the trend shrinks over a stretch as long as the last half, and whether it was seen.

    From the tilt of the local statistics in the first and in the last half; where the first half is too short to have
    one, the trend is taken to shrink like 1/x. Infinite if the two halves trend in opposite directions.
    """
    u, middle = positions(x)
    span = u[-1] - u[start]
    if start < 2:
        return math.exp(-span), False
    before, now = (float(tilt_of(middle[part], locals_[part])) for part in (slice(start), slice(start, None)))
    apart = middle[start:].mean() - middle[:start].mean()
    return ((now / before) ** (span / apart) if np.sign(before) * np.sign(now) > 0 else math.inf), True


def _reach(trend: float, factor: float) -> tuple[float, float]:
    """How far below and above its end a trending series may still go.

    A trend shrinking by `factor` per stretch has trend factor / (1 - factor) ahead of it; twice that, and one stretch
    at least, because the factor is only an estimate. A trend that does not shrink may go anywhere.
    """
    ahead = math.inf if factor >= _SHRINKING else abs(trend) * max(1.0, 2 * factor / (1 - factor))
    return (-ahead, 0.0) if trend < 0 else (0.0, ahead)


def needed(x: np.ndarray, locals_: np.ndarray, start: int, target: float) -> str:
    """The x at which the trend over a last half of the same length would be `target`, in words."""
    factor, seen = _shrinkage(x, locals_, start)
    if not 0 < factor < _SHRINKING or target <= 0:
        return "the trend does not shrink along x, so no x can be named that would do"
    u, _ = positions(x)
    span, now = u[-1] - u[start], float(np.ptp(locals_[start:]))
    # Half the target, so that a trend that shrinks a little less than seen still fits.
    steps = max(math.log(2 * now / target) / -math.log(factor), 0.0)
    sign = 1 if x[-1] > x[0] else -1
    exponent = math.log10(x[-1]) + sign * max(steps * span, math.log(2)) / math.log(10)
    shown = f"{10**exponent:.2g}" if abs(exponent) < 300 else f"1e{exponent:+.0f}"
    return f"x would have to reach about {shown} if the trend shrinks " + ("as it did so far" if seen else "like 1/x")
