"""Inside: a value that lies in a region (equivalences and bounds)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimand import Estimand, median_interval, read_estimand
from unifiedscore.inference.estimates import (
    Estimate,
    check_level,
    check_region,
    find_nonfinite,
    logarithms,
    no_estimate,
    read_values,
)
from unifiedscore.inference.mean import mean_interval
from unifiedscore.validate import choice

ESTIMANDS_OF = {
    "none": ("mean", "geometric_mean", "median"),
    "log": ("geometric_mean",),
    "atanh": ("median",),
}
"""What can be estimated by which transform; the first is meant where none is named."""


@dataclass(frozen=True, slots=True)
class Inside(AbstractTest):
    """A value in `[low, high]`; one side may be infinite.

    Over seeds: the mean, the geometric mean or the median, with an interval that holds its level under skewness (see
    `mean_interval`; the median lies between two order statistics). With numerical errors: y +- error. Failing to
    reject equality is never support: the whole interval must lie inside.

    Parameters
    ----------
    low, high : float
        The region, in the units of the value itself.
    transform : {"none", "log", "atanh"}
        How the interval is computed where it is not for the mean: the t interval of log y, which is that of the
        geometric mean, or of atanh y, which is that of the median of values in (-1, 1) whose atanh is symmetric.
        The mean takes no transform: the average of transformed values is not the mean. The estimate carries the scale
        of the values, but not with atanh; it carries their shift with "none" only.
    of : {"mean", "geometric_mean", "median"}
        What is estimated from the seeds. Theorems speak of means, the default: of E|x|^2, of a probability, of a loss.
        For skewed replicates the three are different numbers (lognormal ones of mean 1 and log sd 1 have the
        geometric mean and the median 0.61).

    Raises
    ------
    InputError
        If the region is empty, a point or the whole line, the transform or the estimand unknown, or the two do not
        belong together.

    Notes
    -----
    Power: with 16 normal seeds of standard deviation s, a value at the centre of a region of half-width 1.3 s is
    supported with probability above 0.9, and one 2 s outside the region is refuted with probability above 0.9.

    Skewed replicates are measured in `studies/calibration/study_estimand.py`. Chi-square ones and rare counts keep both
    levels. A true mean of 16 lognormal ones of log sd 0.6 or 1 is refuted up to once in 1000; of log sd 2, or of 16 of
    mixed signs whose skewness is 6, more often.

    Examples
    --------
    >>> Inside(0.9, 1.1).estimate([1.0], error=[0.01], level=0.99)
    Estimate(value=1.0, low=0.99, high=1.01, kind='numerical', reason='')
    >>> Inside(0.5, 0.7, of="geometric_mean").of
    'geometric_mean'
    """

    low: float
    high: float
    transform: Literal["none", "log", "atanh"] = "none"
    of: Estimand | None = None

    def __post_init__(self):
        low, high = check_region("Inside", self.low, self.high)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        transform = choice(self.transform, "Inside: transform", tuple(ESTIMANDS_OF))
        if self.of is None:
            object.__setattr__(self, "of", ESTIMANDS_OF[transform][0])
            if transform != "none":
                warnings.warn(
                    f"Inside: the transform {transform!r} judges the {self.called(sampled=True)} of the seeds, not "
                    f"their mean; say of={self.of!r}, or leave the transform out to judge the mean",
                    DeprecationWarning,
                    stacklevel=3,
                )
        read_estimand(self.of, "Inside")
        if self.of not in ESTIMANDS_OF[transform]:
            raise InputError(
                f"Inside: the transform {transform!r} judges the {ESTIMANDS_OF[transform][0].replace('_', ' ')} of the "
                f"seeds, not their {self.of.replace('_', ' ')}; say of={ESTIMANDS_OF[transform][0]!r}, or leave the "
                "transform out"
            )

    @property
    def estimand(self) -> str:
        """`of`."""
        return self.of

    def estimate(self, y, *, x=None, error=None, level: float) -> Estimate:
        """The estimand over seeds (seed,) with its interval, or the hull of y +- error. `x` is not used."""
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
        if self.transform == "atanh":
            if not (np.abs(values) < 1).all():
                worst = values[np.abs(values).argmax()]
                return no_estimate(f"the atanh transform needs values strictly between -1 and 1; one is {worst:.17g}")
            return _back(mean_interval(np.arctanh(values), level), lambda value: float(np.tanh(value)))
        if self.of == "median":
            return median_interval(values, level)
        if self.of == "mean":
            return mean_interval(values, level, from_zero=True)
        if not (values > 0).all():
            return no_estimate(f"the log transform needs positive values; the smallest is {values.min():.6g}")
        logs, exponent = logarithms(values)
        return _back(mean_interval(logs, level), lambda value: _exp(value, exponent))

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


def _back(inner: Estimate, backward: Callable[[float], float]) -> Estimate:
    """The estimate of transformed values in the units of the values themselves."""
    ends = (backward(end) for end in (inner.value, inner.low, inner.high))
    return Estimate(*ends, inner.kind, inner.reason, inner.skewness)


def _exp(value: float, exponent: int) -> float:
    """exp(value) 2**exponent that overflows to infinity in silence: the end of a wide interval, no error."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(np.exp(value), exponent))
