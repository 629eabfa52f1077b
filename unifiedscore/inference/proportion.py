"""Proportion: the chance of an event, from counts over independent trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.abstract import AbstractTest
from unifiedscore.inference.estimates import (
    Estimate,
    check_level,
    check_region,
    find_nonfinite,
    no_estimate,
    read_values,
)
from unifiedscore.validate import integer

_MOST = 10_000
"""More repetitions of the data than this are not advised: the value sits on an end of the region."""


@dataclass(frozen=True, slots=True)
class Proportion(AbstractTest):
    """The chance of an event lies in `[low, high]`, from the share of `trials` in which each seed saw it.

    With k events in n = trials x seeds the interval is that of Clopper and Pearson: all p for which neither
    P(Bin(n, p) >= k) nor P(Bin(n, p) <= k) is below (1 - level) / 2. It is exact for every n and p, where a t interval
    over seeds fails: rare events have seeds without any, whose standard deviation is zero.

    Parameters
    ----------
    low, high : float
        Region of the chance; it may reach beyond [0, 1].
    trials : int
        Independent trials behind each seed's share.

    Raises
    ------
    InputError
        If the region is empty, a point or the whole line, or `trials` no positive integer.

    References
    ----------
    Clopper and Pearson 1934, Biometrika 26, 404.

    Examples
    --------
    >>> found = Proportion(0, 0.02, trials=500).estimate([0.002, 0.0, 0.0, 0.004], level=0.99)
    >>> round(found.value, 4), round(found.high, 4)
    (0.0015, 0.0055)
    """

    low: float
    high: float
    trials: int

    statistic: ClassVar[str] = "share"
    takes_errors: ClassVar[bool] = False

    @property
    def estimand(self) -> str:
        """The chance of an event is the mean of its shares."""
        return "mean"

    def called(self, *, sampled: bool) -> str:
        """The share of all trials."""
        return self.statistic

    def __post_init__(self):
        low, high = check_region("Proportion", self.low, self.high)
        if high < 0 or low > 1 or (low <= 0 and high >= 1):
            raise InputError(
                f"Proportion: the region [{low!r}, {high!r}] holds every chance or none, so the check could not fail "
                "or not hold; make low or high a number between 0 and 1"
            )
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)
        object.__setattr__(self, "trials", integer(self.trials, "Proportion: trials"))

    def estimate(self, y, *, x=None, error=None, level: float) -> Estimate:
        """The share of all trials with its exact interval; `y` (seed,) holds shares. `x` and `error` are not used."""
        shares = read_values(y, "y")
        if shares.ndim > 1 and shares.size != max(shares.shape):
            raise InputError(f"Proportion.estimate takes the seeds of one cell; got y of shape {shares.shape}")
        shares = shares.reshape(-1)
        level = check_level(level)
        if shares.size == 0:
            return no_estimate("there is no share to test")
        reason = find_nonfinite(shares, "shares")
        if reason:
            return no_estimate(reason)
        if (shares < -1).any() or (shares > 2).any():  # far enough to overflow in the products below
            return no_estimate(f"shares lie between 0 and 1; one is {shares[np.abs(shares).argmax()]:.6g}")
        counts = shares * self.trials
        whole = np.rint(counts)
        if (np.abs(counts - whole) > 1e-6 * self.trials**0.5).any() or (whole < 0).any() or (whole > self.trials).any():
            worst = shares[np.abs(counts - whole).argmax()]
            return no_estimate(f"the shares must be counts out of {self.trials} trials; one is {worst:.6g}")
        events, total = int(whole.sum()), self.trials * shares.size
        low, high = exact_interval(events, total, level)
        return Estimate(events / total, low, high, "binomial")

    def replicates(self, seeds: int) -> str:
        """Seeds and the trials behind each."""
        return f"{seeds} seeds of {self.trials} trials"

    def seeds_needed(
        self, estimate: Estimate, *, seeds: int, level: float, refute_level: float, shown: float = math.nan
    ) -> int | None:
        """How many seeds would decide if the share stays; None if not even ten thousand times as many would."""
        events, total = round(estimate.value * self.trials * seeds), self.trials * seeds
        inside = self.low <= estimate.value <= self.high
        times = 1
        while times <= _MOST:
            low, high = exact_interval(events * times, total * times, level if inside else refute_level)
            if (self.low <= low and high <= self.high) if inside else (high < self.low or low > self.high):
                return seeds * times
            times = math.ceil(times * 1.2)
        return None


def exact_interval(events: int, trials: int, level: float) -> tuple[float, float]:
    """The interval of Clopper and Pearson for a chance, from `events` out of `trials`.

    Examples
    --------
    >>> low, high = exact_interval(0, 100, 0.99)
    >>> low, round(high, 6) == round(1 - 0.005**0.01, 6)
    (0.0, True)
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(events, trials - events + 1, tail)) if events else 0.0
    # By symmetry in the lower tail, whose argument keeps its accuracy when level is close to 1.
    high = 1 - float(betaincinv(trials - events, events + 1, tail)) if events < trials else 1.0
    return low, high
