"""What is estimated from replicates: their mean, their geometric mean or their median."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.estimates import MINIMUM_SEEDS, Estimate, binary_exponent, logarithms, no_estimate
from unifiedscore.validate import choice

Estimand = Literal["mean", "geometric_mean", "median"]

ESTIMANDS = ("mean", "geometric_mean", "median")


def read_estimand(of, test: str, allowed: tuple[str, ...] = ESTIMANDS) -> Estimand:
    """One of the estimands that a test has, or an `InputError` naming the test."""
    of = choice(of, f"{test}: of", ESTIMANDS)
    if of not in allowed:
        raise InputError(
            f"{test} of a {of} has no interval; use of={' or of='.join(map(repr, allowed))}, "
            "or Inside with of='median' at each label"
        )
    return of


def linearised(y: np.ndarray, *, of: Estimand, log: bool) -> np.ndarray | str:
    """Pseudo-values (x, seed) whose average over seeds is the estimand at each x, or its logarithm with `log`.

    The jackknife over seeds: n f(all) - (n - 1) f(all but one). Slopes and intercepts are linear in f, so that those
    of the pseudo-values of one seed are the pseudo-values of the slope: seeds that the labels along x share stay
    paired. For the mean itself, and for the logarithm of the geometric mean, they are the values and their logarithms.
    Common factors may be dropped from the logarithms. A string says what is wrong with the data.
    """
    count = y.shape[1]
    if (log or of == "geometric_mean") and not (y > 0).all() and (of == "geometric_mean" or count < MINIMUM_SEEDS):
        return _not_positive(y, "values")
    if of == "geometric_mean":
        logs, exponent = logarithms(y)
        if log:
            return logs
        centre = logs.mean(axis=1, keepdims=True)
        with np.errstate(over="ignore"):
            # exp(l) (n - (n - 1) exp((l - l_s) / (n - 1))), without the cancellation.
            factor = 1 - max(count - 1, 1) * np.expm1((centre - logs) / max(count - 1, 1))
            powers = np.rint(centre / math.log(2)).astype(int)  # one row may be 1e-200 and another 1e200
            return np.ldexp(np.exp(centre - powers * math.log(2)) * factor, exponent + powers)
    if not log:
        return y
    if count < MINIMUM_SEEDS:
        return logarithms(y)[0]
    exponents = binary_exponent(y, axis=1)[:, None]
    scaled = np.ldexp(y, -exponents)
    mean = scaled.mean(axis=1, keepdims=True)
    if not (mean > 0).all():
        return _not_positive(mean, "means")
    without = (mean - scaled) / ((count - 1) * mean)  # mean of all but one, over the mean of all, less one
    if not (without > -1).all():
        return "a power law needs positive means; at some label the mean is positive for the sake of one seed alone"
    return np.log(mean) + (exponents - exponents.max()) * math.log(2) - (count - 1) * np.log1p(without)


def median_interval(values: np.ndarray, level: float) -> Estimate:
    """The median of replicates (seed,) between two order statistics: exact for every continuous law.

    The k-th smallest and the k-th largest value enclose the median with chance 1 - 2 P(Bin(n, 1/2) < k).

    Examples
    --------
    >>> found = median_interval(np.arange(1.0, 17.0), 0.99)
    >>> found.low, found.value, found.high
    (3.0, 8.5, 14.0)
    """
    from scipy.special import bdtr

    count = values.size
    middle, tail = float(np.median(values)) if count else math.nan, (1 - level) / 2
    if count == 0 or 0.5**count > tail:
        need = math.ceil(-math.log2(tail))
        reason = f"too few seeds: a median at {100 * level:.6g} % needs {need} of them; got {count}"
        return no_estimate(reason, middle, few_seeds=True)
    ranks = np.arange(count)
    k = int(np.flatnonzero(bdtr(ranks, count, 0.5) <= tail)[-1])
    ordered = np.sort(values)
    if ordered[0] == ordered[-1]:
        return no_estimate(f"the {count} seeds have one value, so they are no independent replicates", middle)
    return Estimate(middle, ordered[k], ordered[count - 1 - k], "binomial")


def _not_positive(values: np.ndarray, what: str) -> str:
    bad = int((values <= 0).sum())
    verb = "is" if bad == 1 else "are"
    return f"a power law or a geometric mean needs positive {what}; {bad} of {values.size} {verb} zero or negative"
