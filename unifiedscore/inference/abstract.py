"""The law that every test obeys (`AbstractTest`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from unifiedscore.inference.estimates import Estimate, seeds_needed, unstretched

_ADDED = ", added by --until-decided"
"""A rerun with more seeds, because there were too few, has more than one chance of a wrong verdict."""


class AbstractTest(ABC):
    """A statistic and the region `[low, high]` that a claim puts it in.

    The law an implementation obeys: `estimate` is a pure function of its arrays, and its interval at level L covers
    the statistic's true value with probability at least L when seeds are independent and normal (kind "t"), or always
    when the stored numerical errors are bounds (kind "numerical"). Problems in the *data* (NaN, too few seeds or
    points, values outside a transform's domain) give kind "none" with a reason, never an exception.

    Both ends of the region are closed; one of them may be infinite.
    """

    __slots__ = ()
    low: float
    high: float

    statistic: ClassVar[str] = "value"
    """The word for what is estimated: value, slope, limit, share, worst residual."""

    needs_exact_evidence: ClassVar[bool] = False
    """Whether only exact evidence can be tested so; its values may then change with the seed."""

    takes_errors: ClassVar[bool] = True
    """Whether values may come with numerical errors instead of replicates; counts are replicates by nature."""

    @property
    def estimand(self) -> str:
        """What is estimated from replicates: "mean", "geometric_mean" or "median"; empty where there are none."""
        return ""

    @property
    def axis(self) -> str | None:
        """The axis that the test runs along; None where it takes the seeds of one cell."""
        return None

    @property
    def scale_variable(self) -> str | None:
        """The stored variable that the values are measured by; None where they have their numerical errors."""
        return None

    @abstractmethod
    def estimate(self, y, *, x=None, error=None, level: float) -> Estimate:
        """The statistic of `y` with its interval.

        Parameters
        ----------
        y : array, (x, seed) or (x,) or (seed,)
            Measured values. Without `error` the last axis holds independent replicates (kind "t").
        x : array (x,), optional
            Where along an axis they were measured, for tests with an `axis`.
        error : array like `y`, optional
            Their numerical errors; the interval is then of kind "numerical". `Identity` takes its scale here.
        level : float
            Confidence level in (0, 1); numerical intervals do not use it.
        """

    def replicates(self, seeds: int) -> str:
        """What an interval over `seeds` seeds was computed from, in words."""
        return f"{seeds} seeds"

    def called(self, *, sampled: bool) -> str:
        """The statistic in words; what is estimated from replicates is named."""
        words = self.estimand.replace("_", " ")
        if not sampled or not words:
            return self.statistic
        return words if self.statistic == "value" else f"{self.statistic} of the {words}s"

    def describe(self, estimate: Estimate, *, level: float, seeds: int) -> str:
        """The statistic and its interval, in words."""
        sampled = estimate.kind in ("t", "binomial")
        kind = f"{100 * level:.6g} % over {self.replicates(seeds)}" if sampled else "numerical"
        ends = interval_text(estimate.low, estimate.high)
        return f"the {self.called(sampled=sampled)} {estimate.value:.6g} with interval {ends} ({kind})"

    def undecided(self, narrow: Estimate, wide: Estimate, *, seeds: int, levels: tuple[float, float]) -> str:
        """Why neither the interval at the support level nor the wider one at the refutation level decides."""
        region = interval_text(self.low, self.high)
        if narrow.kind == "numerical":
            numbers = self.describe(narrow, level=levels[0], seeds=seeds)
            return f"{numbers} crosses an end of {region}: the numerical error is too large to decide"
        inside = self.low <= narrow.value <= self.high
        shown, level = (narrow, levels[0]) if inside else (wide, levels[1])
        need = self.seeds_needed(shown, seeds=seeds, level=levels[0], refute_level=levels[1], shown=level)
        numbers = f"{self.describe(shown, level=level, seeds=seeds)} crosses an end of {region}"
        low, high = unstretched(shown, seeds, level)
        if (self.low <= low and high <= self.high) if inside else (high < self.low or low > self.high):
            advice = "no number below a million" if need is None else f"as many as {need}"
            return f"the replicates are too skewed: {numbers}; if the value stays, {advice} seeds would do{_ADDED}"
        advice = "no number of seeds below a million would decide"
        advice = advice if need is None else f"about {need} seeds would do{_ADDED}"
        return f"too few seeds: {numbers}; if the value stays, {advice}"

    def seeds_needed(
        self, estimate: Estimate, *, seeds: int, level: float, refute_level: float, shown: float
    ) -> int | None:
        """How many seeds would decide if the value stays; None if more than could be asked for.

        The spread over seeds is read off the interval, whose own level is `shown`.
        """
        return seeds_needed(
            estimate, self.low, self.high, seeds=seeds, level=level, refute_level=refute_level, shown=shown
        )


def interval_text(low: float, high: float) -> str:
    """An interval or a region as a reason shows it."""
    return f"[{low:.6g}, {high:.6g}]"
