"""Inside: a value that lies in a region (equivalences and bounds)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.estimates import (
    AbstractTest,
    Estimate,
    check_level,
    check_region,
    find_nonfinite,
    logarithms,
    no_estimate,
    read_values,
    student,
)
from unifiedscore.validate import choice


@dataclass(frozen=True, slots=True)
class Inside(AbstractTest):
    """A value in `[low, high]`; one side may be infinite.

    Over seeds: g^-1(mean g(y) +- t_{n-1} sd g(y) / sqrt(n)) with g the transform. With numerical errors: y +- error.
    Failing to reject equality is never support: the whole interval must lie inside.

    Parameters
    ----------
    low, high : float
        The region, in the units of the value itself.
    transform : {"none", "log", "atanh"}
        Log for positive skewed values, atanh for correlations and cosines. The statistic is then the back-transformed
        mean (for log, the geometric mean). The estimate carries the scale of the values, but not with atanh; it carries
        a translation without a transform only.

    Raises
    ------
    InputError
        If the region is empty, a point or the whole line, or the transform unknown.

    Notes
    -----
    Power: with 16 normal seeds of standard deviation s, a value at the centre of a region of half-width 1.3 s is
    supported with probability above 0.9, and one 2 s outside the region is refuted with probability above 0.9.

    Examples
    --------
    >>> Inside(0.9, 1.1).estimate([1.0], error=[0.01], level=0.99)
    Estimate(value=1.0, low=0.99, high=1.01, kind='numerical', reason='')
    """

    low: float
    high: float
    transform: Literal["none", "log", "atanh"] = "none"

    def __post_init__(self):
        low, high = check_region("Inside", self.low, self.high)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        choice(self.transform, "Inside: transform", ("none", "log", "atanh"))

    def estimate(self, y, *, x=None, error=None, level: float) -> Estimate:
        """Mean over seeds (seed,) with its t interval, or the hull of y +- error. `x` is not used."""
        values = read_values(y, "y")
        if values.size == 0:
            return no_estimate("there is no value to test")
        if values.ndim > 1 and values.size != max(values.shape):
            raise InputError(f"Inside.estimate takes the seeds of one cell; got y of shape {values.shape}")
        values = values.reshape(-1)
        reason = find_nonfinite(values, "values")
        if reason:
            return no_estimate(reason)
        if error is not None:
            errors = np.abs(read_values(error, "error")).reshape(-1)
            return self._numerical(values, np.broadcast_to(errors, values.shape))
        level = check_level(level)
        if self.transform == "log" and not (values > 0).all():
            return no_estimate(f"the log transform needs positive values; the smallest is {values.min():.6g}")
        if self.transform == "atanh" and not (np.abs(values) < 1).all():
            worst = values[np.abs(values).argmax()]
            return no_estimate(f"the atanh transform needs values strictly between -1 and 1; one is {worst:.17g}")
        if self.transform == "log":
            transformed, exponent = logarithms(values)
            backward = lambda value: _exp(value, exponent)  # noqa: E731
        elif self.transform == "atanh":
            transformed, backward = np.arctanh(values), lambda value: float(np.tanh(value))
        else:
            transformed, backward = values, float
        inner = student(transformed, level)
        return Estimate(backward(inner.value), backward(inner.low), backward(inner.high), inner.kind, inner.reason)

    def _numerical(self, values: np.ndarray, errors: np.ndarray) -> Estimate:
        reason = find_nonfinite(errors, "numerical errors")
        if reason:
            return no_estimate(reason, float(values[0]))
        # Several values are reported by the one nearest to leaving the region, and decided by their hull.
        with np.errstate(over="ignore"):
            margin = np.minimum(values - errors - self.low, self.high - values - errors)
        worst = float(values[margin.argmin()])
        with np.errstate(over="ignore"):
            return Estimate(worst, float((values - errors).min()), float((values + errors).max()), "numerical")


def _exp(value: float, exponent: int) -> float:
    """exp(value) 2**exponent that overflows to infinity in silence: the end of a wide interval, no error."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(np.exp(value), exponent))
