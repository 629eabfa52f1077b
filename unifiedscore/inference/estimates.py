"""What every test returns (`Estimate`), Student's interval, and how many seeds would decide."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Real
from typing import Literal

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.validate import array as read_array
from unifiedscore.validate import number, shown

MINIMUM_SEEDS = 3
"""With two seeds the standard deviation has one degree of freedom and normality cannot be leaned on at all."""

PLANNED_SEEDS = 16
"""Half-widths are then 0.74 (99 %) and 1.31 (99.99 %) standard deviations."""

_EPS = float(np.finfo(np.float64).eps)
_MANY_SEEDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with an interval.

    Parameters
    ----------
    value, low, high : float
        The statistic and the ends of its interval. NaN when `kind` is "none".
    kind : {"t", "binomial", "numerical", "none"}
        Student t over replicate seeds; exact from counts; a value with its numerical error; or no interval at all.
    reason : str
        Why there is no interval, or why it was widened (pre-asymptotic). Empty when there is nothing to say.
    skewness : float
        The skewness that the interval allows for: its upper end is stretched where it is positive, its lower end
        where it is negative; 0 for Student's interval.
    few_seeds : bool
        Whether there is no interval for the only reason that there are too few replicates.

    Examples
    --------
    >>> Estimate(0.5, 0.4, 0.6, "t").covers(0.45)
    True
    """

    value: float
    low: float
    high: float
    kind: Literal["t", "binomial", "numerical", "none"]
    reason: str = ""
    skewness: float = field(default=0.0, repr=False)
    few_seeds: bool = field(default=False, repr=False)

    def __post_init__(self):
        for name in ("value", "low", "high"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def covers(self, truth: float) -> bool:
        """Whether `truth` lies in the closed interval."""
        return self.low <= truth <= self.high


def plain(value):
    """A NumPy scalar as the Python number that a message should show."""
    return value.item() if isinstance(value, np.generic) else value


def no_estimate(reason: str, value: float = math.nan, *, few_seeds: bool = False) -> Estimate:
    """An estimate without an interval, and why."""
    return Estimate(value, math.nan, math.nan, "none", reason, few_seeds=few_seeds)


def read_end(value, name: str) -> float:
    """An end of a region: a float, infinite ones included."""
    try:
        if isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value):
            return float(value)
    except OverflowError:
        pass
    raise InputError(f"{name} must be a number (infinite is allowed); got {shown(value)}")


def check_region(test: str, low, high) -> tuple[float, float]:
    """The region as floats, or an `InputError` naming the test."""
    ends = []
    for name, end in (("low", low), ("high", high)):
        ends.append(read_end(end, f"{test}: {name}"))
    if ends[0] > ends[1]:
        raise InputError(f"{test}: the region needs low <= high; got low={ends[0]!r}, high={ends[1]!r}")
    if ends[0] == -math.inf and ends[1] == math.inf:
        raise InputError(f"{test}: the region is the whole line, so the check could not fail; make low or high finite")
    if ends[0] == ends[1] or math.inf == ends[0] or -math.inf == ends[1]:
        raise InputError(
            f"{test}: the region [{ends[0]!r}, {ends[1]!r}] holds no interval, so no data could support it; "
            "widen it by the margin of the claim"
        )
    return ends[0], ends[1]


SMALLEST_LEVEL = 1e-9
"""Quantiles of smaller levels are rounding."""


def check_level(level) -> float:
    """A confidence level strictly between 0 and 1."""
    level = number(level, "level")
    if not 0 < level < 1:
        raise InputError(f"level must lie strictly between 0 and 1; got {shown(level)}")
    if level < SMALLEST_LEVEL:
        raise InputError(f"level must be at least {SMALLEST_LEVEL:g}, or the interval is empty; got {shown(level)}")
    return level


def read_values(value, name: str) -> np.ndarray:
    """Numbers of any shape as float64; NaN and infinities pass, because they are a matter of the data."""
    array = read_array(value, name)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be real numbers; got dtype {array.dtype}")
    return array.astype(float)


def binary_exponent(values: np.ndarray, axis: int | None = None):
    """The power of two just above the largest |value|: dividing by it touches no digit, and squares then exist."""
    return np.frexp(np.abs(values).max(axis=axis))[1]


def logarithms(values: np.ndarray) -> tuple[np.ndarray, int]:
    """log(values / 2**exponent), and the exponent: values near 1, whose size takes no digits from their differences."""
    mantissa, powers = np.frexp(values)
    exponent = int(powers.max())
    return np.log(mantissa) + (powers - exponent) * math.log(2), exponent


def t_quantile(level: float, degrees: int) -> float:
    """The two-sided Student quantile: P(|T| <= q) = level."""
    # special.stdtrit instead of stats.t: a hundred times less import and call time. It takes the lower tail, whose
    # argument keeps its relative accuracy when level is close to 1.
    from scipy.special import stdtrit

    return -float(stdtrit(degrees, (1 - level) / 2))


MOST_STRETCHED = 3.0
"""Beyond this skewness over sqrt(n) the expansion of the Studentised mean says nothing."""


def stretch(count: int, level: float, skewness: float) -> float:
    """Half-width of an interval in standard errors, on the side of the longer tail: t + (2 t^2 + 1)/6 g / sqrt(n)."""
    t, relative = t_quantile(level, count - 1), skewness / math.sqrt(count)
    return t + (2 * t**2 + 1) / 6 * relative if relative <= MOST_STRETCHED else math.inf


def unstretched(estimate: Estimate, seeds: int, level: float) -> tuple[float, float]:
    """The interval that an estimate would have if its replicates were not skewed."""
    if estimate.skewness == 0:
        return estimate.low, estimate.high
    factor = stretch(seeds, level, abs(estimate.skewness)) / t_quantile(level, seeds - 1)
    below, above = estimate.value - estimate.low, estimate.high - estimate.value
    if estimate.skewness > 0:
        above = above / factor if math.isfinite(above) else below
    else:
        below = below / factor if math.isfinite(below) else above
    return estimate.value - below, estimate.value + above


def student(values: np.ndarray, level: float) -> Estimate:
    """Mean and Student t interval of independent replicates (seed,).

    mean +- t_{n-1} sd / sqrt(n), with the unbiased (n - 1) standard deviation.
    """
    count = values.size
    exponent = int(binary_exponent(values)) if count else 0
    # At size one: the squares of values like 1e-170 or 1e170 are no floats.
    values = np.ldexp(values, -exponent)
    at_scale = lambda value: _times_power(value, exponent)  # noqa: E731
    mean = float(values.mean()) if count else math.nan
    if count < MINIMUM_SEEDS:
        seeds = "1 seed gives" if count == 1 else f"{count} seeds give"
        return no_estimate(
            f"too few seeds: {seeds} no interval; {MINIMUM_SEEDS} are the least, plan for {PLANNED_SEEDS}",
            at_scale(mean),
            few_seeds=True,
        )
    deviation = float(values.std(ddof=1))
    if deviation <= 8 * _EPS * abs(mean) or deviation == 0:
        return no_estimate(
            f"the {count} seeds agree to rounding (value {at_scale(mean):.6g}), so they are no independent replicates; "
            "let the measurement depend on the seed, or call the evidence exact or quadrature",
            at_scale(mean),
        )
    half = t_quantile(level, count - 1) * deviation / math.sqrt(count)
    return Estimate(at_scale(mean), at_scale(mean - half), at_scale(mean + half), "t")


def _times_power(value: float, exponent: int) -> float:
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(value, exponent))


def find_nonfinite(array: np.ndarray, what: str) -> str:
    """A reason naming the non-finite entries of `array`, or an empty string."""
    bad = ~np.isfinite(array)
    if not bad.any():
        return ""
    names = [name for name, flags in (("NaN", np.isnan(array)), ("infinite", np.isinf(array))) if flags.any()]
    verb = "is" if bad.sum() == 1 else "are"
    return f"{int(bad.sum())} of {array.size} {what} {verb} {' or '.join(names)}"


def seeds_needed(
    estimate: Estimate, low: float, high: float, *, seeds: int, level: float, refute_level: float, shown: float
) -> int | None:
    """How many seeds would move this t interval wholly inside `[low, high]`, or wholly outside.

    The spread over seeds is read off the interval, whose own level is `shown`, and the value is taken to stay where
    it is. Inside the region the interval at `level` must reach neither end; outside, the one at `refute_level` must
    not reach the region.

    Returns
    -------
    int or None
        None if the value sits on an end of the region or more than a million seeds would be needed.
    """
    inside = low <= estimate.value <= high
    target, sides = (level if inside else refute_level), []
    plain = unstretched(estimate, seeds, shown)
    spread = math.sqrt(seeds) / t_quantile(shown, seeds - 1)
    if inside or estimate.value > high:
        gap = estimate.value - (low if inside else high)
        sides.append(((estimate.value - plain[0]) * spread, gap, max(-estimate.skewness, 0.0)))
    if inside or estimate.value < low:
        gap = (high if inside else low) - estimate.value
        sides.append(((plain[1] - estimate.value) * spread, gap, max(estimate.skewness, 0.0)))

    def fits(n: int) -> bool:
        return all(size * stretch(n, target, skewness) <= gap * math.sqrt(n) for size, gap, skewness in sides)

    if not fits(_MANY_SEEDS):
        return None
    few, enough = MINIMUM_SEEDS - 1, MINIMUM_SEEDS
    while not fits(enough):
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if fits(middle) else (middle, enough)
    return enough
