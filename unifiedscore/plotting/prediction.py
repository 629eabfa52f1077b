"""What a figure says about a slope: the predicted law, and the slope that the test of the claim measures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Estimate, Rate
from unifiedscore.inference.estimates import no_estimate
from unifiedscore.inference.verdict import decide
from unifiedscore.plotting.series import Curve
from unifiedscore.plotting.style import interval, number
from unifiedscore.study.claim import Claim
from unifiedscore.study.judge import ROUNDINGS
from unifiedscore.study.selection import Unavailable, groups, read
from unifiedscore.validate import choice, shown

if TYPE_CHECKING:
    import xarray as xr

_EPS = float(np.finfo(np.float64).eps)


@final
@dataclass(frozen=True, slots=True)
class Prediction:
    """A predicted law y = C x^exponent, and the region of exponents that a claim allows.

    `Prediction.of(rate)` takes region, law and end from the `Rate` of a claim, so that figure and verdict cannot
    disagree.

    Parameters
    ----------
    exponent : float
        Of x; with law "log" the factor of log x.
    low, high : float
        Region of the exponent; slopes outside it refute the claim and are shaded.
    constant : float, optional
        C. Without it the line is anchored at the curve's point nearest to the end at which the law is claimed.
    start : float, optional
        The law is claimed from this x on, towards its end: line, fit and ratio begin there.
    label : str
        How the legend calls it.
    toward : {"infinity", "zero"}
        The end at which the law is claimed, as of a `Rate`.
    law : {"power", "log"}
        "log" is y = C + exponent log x, as of a `Rate`.

    Examples
    --------
    >>> Prediction(-1.0, low=-1.05, high=-0.95).exponent
    -1.0
    >>> Prediction.of(Rate(0.8, 1.2, along="step", toward="zero"))
    Prediction(exponent=1.0, low=0.8, high=1.2, constant=None, start=None, label='claimed', toward='zero', law='power')
    """

    exponent: float
    low: float = -math.inf
    high: float = math.inf
    constant: float | None = None
    start: float | None = None
    label: str = "predicted"
    toward: Literal["infinity", "zero"] = "infinity"
    law: Literal["power", "log"] = "power"

    def __post_init__(self):
        if not self.low <= self.exponent <= self.high:
            raise InputError(
                f"Prediction: the exponent {self.exponent!r} must lie in its region [{self.low!r}, {self.high!r}]"
            )
        choice(self.toward, "Prediction: toward", ("infinity", "zero"))
        choice(self.law, "Prediction: law", ("power", "log"))

    @classmethod
    def of(cls, rate: Rate | Claim, *, exponent: float | None = None, label: str = "claimed", **options) -> Prediction:
        """The prediction of a `Rate`, or of a claim that has one: the middle of its region, or its finite end."""
        test = rate.test if isinstance(rate, Claim) else rate
        if not isinstance(test, Rate):
            raise InputError(
                "a predicted slope is that of a Prediction, of a Rate or of a Claim whose test is a Rate; "
                f"got {shown(rate)}"
            )
        if exponent is None:
            ends = [end for end in (test.low, test.high) if math.isfinite(end)]
            exponent = round(sum(ends) / len(ends), 12)
        return cls(exponent, test.low, test.high, label=label, toward=test.toward, law=test.law, **options)

    @property
    def text(self) -> str:
        """What the legend says: name, exponent, region."""
        name, low, high = self.label, self.low, self.high
        if math.isinf(low) and math.isinf(high):
            return f"{name}: slope {number(self.exponent)}"
        if math.isinf(low) and self.exponent == high:
            return f"{name}: slope at most {number(high)}"
        if math.isinf(high) and self.exponent == low:
            return f"{name}: slope at least {number(low)}"
        return f"{name}: slope {number(self.exponent)} {interval(low, high)}"

    def claimed(self, x: np.ndarray) -> np.ndarray:
        """Where the law is claimed: from `start` on, towards its end."""
        if self.start is None:
            return np.ones(x.shape, dtype=bool)
        return x <= self.start if self.toward == "zero" else x >= self.start

    def at(self, x: np.ndarray, drawn: Curve) -> np.ndarray:
        """The predicted values at x, through the curve's asymptotic end unless the constant is predicted too."""
        if self.law == "log":
            if self.constant is not None:
                return self.constant + self.exponent * np.log(x)
            end = self._end(drawn)
            return drawn.median[end] + self.exponent * np.log(x / drawn.x[end])
        if self.constant is not None:
            return self.constant * x**self.exponent
        end = self._end(drawn)
        return drawn.median[end] * (x / drawn.x[end]) ** self.exponent

    def _end(self, drawn: Curve) -> int:
        return drawn.first if self.toward == "zero" else drawn.last

    def rate(self, along: str) -> Rate:
        """The test of the claim. Without a region there is none to refute, but the slope is measured all the same."""
        low = self.exponent - 1 if math.isinf(self.low) and math.isinf(self.high) else self.low
        return Rate(low, self.high, along=along, law=self.law, toward=self.toward)


def read_prediction(prediction, variable: str, along: str) -> tuple[Prediction | None, Claim | None]:
    """A `Prediction`, `Rate` or `Claim` as the prediction to draw, and the claim, if it is one about this curve."""
    if prediction is None or isinstance(prediction, Prediction):
        return prediction, None
    found = Prediction.of(prediction)
    claim = prediction if isinstance(prediction, Claim) else None
    test = claim.test if claim is not None else prediction
    if test.along != along:
        raise InputError(f"the prediction is a rate along {test.along!r}; the curve is drawn along {along!r}")
    if claim is None:
        return found, None
    if claim.variable != variable:
        raise InputError(f"claim {claim.id!r} is about {claim.variable!r}; the curve shows {variable!r}")
    if claim.minus:
        raise InputError(
            f"claim {claim.id!r} is about a difference of cells (minus), which no single curve shows; "
            "store the difference as a variable, or give the Rate itself"
        )
    return found, claim


def measured_slope(
    drawn: Curve,
    along: str,
    prediction: Prediction,
    claim: Claim | None = None,
    dataset: xr.Dataset | None = None,
) -> Estimate:
    """The slope that a verdict would report: by the test of the claim, at its levels, on the values that it reads.

    With a `claim` of several cells its levels are divided by their number in `dataset`, as the judge does.
    """
    share = 1
    if claim is not None and dataset is not None and claim.evidence == "monte_carlo":
        try:
            share = _cells(claim, dataset)
        except Unavailable as problem:
            return no_estimate(str(problem))
    test = prediction.rate(along)
    values = _values(drawn, prediction, claim)
    if isinstance(values, str):
        return no_estimate(values)
    options = [{"y": y, "x": x, "error": error} for x, y, error in values]
    narrow = _decisive(test, options, 1 - (1 - SUPPORT_LEVEL) / share)
    if decide(narrow, test.low, test.high) == "supported":
        return replace(narrow, reason="")
    wide = _decisive(test, options, 1 - (1 - REFUTE_LEVEL) / share)
    # Like a verdict's, the reason tells why nothing is decided.
    return replace(wide, reason="") if decide(wide, test.low, test.high) == "refuted" else narrow


def slope_text(estimate: Estimate) -> str:
    """A measured slope in the words of a legend; the reason in the first words of the judge."""
    reason = estimate.reason.partition(":")[0]
    if estimate.kind == "none":
        return f"no slope ({reason})" if reason else "no slope"
    text = f"slope {number(estimate.value)} {interval(estimate.low, estimate.high)}"
    return f"{text} ({reason})" if reason else text


def _cells(claim: Claim, dataset: xr.Dataset) -> int:
    where: Mapping[str, Any] = {axis: label for axis, label in claim.where.items() if axis in dataset.dims}
    return len(list(groups([read(dataset, claim.variable, where)], along=claim.test.along, seeds=True)))


def _values(drawn: Curve, prediction: Prediction, claim: Claim | None) -> list | str:
    """(x, y, error) of each estimate: all seeds in one, or one for each where the errors are numerical."""
    claimed = prediction.claimed(drawn.x)
    if lost := int(drawn.lost[claimed].sum()):
        return f"{lost} {'cell' if lost == 1 else 'cells'} failed or not run"
    if blank := int(prediction.claimed(drawn.blank).sum()):
        return f"no value at {blank} of {blank + int(claimed.sum())} x"
    x, y = drawn.x[claimed], drawn.values[claimed]
    y = y[:, ~drawn.skipped[claimed].all(axis=0)]
    sampled = claim.evidence == "monte_carlo" if claim is not None else drawn.kind != "numerical" and y.shape[1] > 1
    if sampled:
        return [(x, y, None)]
    if drawn.kind == "numerical":
        return [(x, column, drawn.error[claimed]) for column in y.T]
    return [(x, column, ROUNDINGS * _EPS * np.abs(column)) for column in y.T]


def _decisive(test: Rate, options: list[dict], level: float) -> Estimate:
    """The estimate that decides: the one nearest to leaving the region."""
    estimates = [test.estimate(one["y"], x=one["x"], error=one["error"], level=level) for one in options]
    undecided = [estimate for estimate in estimates if estimate.kind == "none"]
    return (undecided or sorted(estimates, key=lambda e: min(e.low - test.low, test.high - e.high)))[0]
