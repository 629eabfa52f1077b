"""How far an evaluation lies outside of a claim's region, and how it compares with others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from unifiedscore.errors import InputError
from unifiedscore.study.attack.universal import Universal
from unifiedscore.study.claim import Hypothesis

FARTHEST = 1e3
Rank = tuple[int, float]
"""Feasible evaluations (2) before infeasible (1) before undefined (0) ones, then by their number."""

LAST: Rank = (0, 0.0)
Values = Mapping[str, float]


@final
@dataclass(frozen=True, slots=True)
class Yardstick:
    """What decides about an evaluation: the region, the unit of the distance from it, the hypotheses."""

    region: tuple[float, float]
    unit: str | float
    clear: float
    hypotheses: tuple[Hypothesis, ...]
    regular: tuple[Hypothesis, ...]

    @classmethod
    def of(cls, universal: Universal, variant: str) -> Yardstick:
        """That of a claim, or that of its control."""
        region, hypotheses, control = universal.region, universal.hypotheses, universal.control
        if variant == "control" and control is not None:
            region = control.region or region
            hypotheses = tuple(entry for entry in hypotheses if entry.name != control.drop)
        return cls(region, universal.unit, universal.clear, hypotheses, universal.regular)

    def margin(self, values: Values) -> float:
        """Signed distance of the value outside of the region in the unit, less its error; NaN where it is undefined."""
        value, error = values["value"], values["error"]
        if math.isnan(value) or math.isnan(error):
            return math.nan
        low, high = self.region
        if self.unit == "log":
            # Of the ends of value +- error: to first order in the error, a value with a larger error than itself could
            # lie outside.
            above = _log(value - error) - math.log(high * self.clear) if math.isfinite(high) else -math.inf
            below = math.log(low / self.clear) - _log(value + error) if math.isfinite(low) else -math.inf
            return min(max(above, below, -FARTHEST), FARTHEST)
        unit = values[self.unit] if isinstance(self.unit, str) else self.unit
        if not unit > 0:
            return math.nan
        distance = max(value - _beyond(high, self.clear), _beyond(low, self.clear, below=True) - value)
        return min(max((distance - error) / unit, -FARTHEST), FARTHEST)

    def feasible(self, values: Values) -> bool:
        """Whether all hypotheses hold."""
        return all(entry.low <= values[entry.variable] <= entry.high for entry in self.hypotheses)

    def surely_feasible(self, values: Values) -> bool:
        """Whether all hypotheses hold by more than their own numerical errors."""
        return all(_shortfall(entry, values, by_error=True) <= 0 for entry in self.hypotheses)

    def is_regular(self, values: Values) -> bool:
        """Whether equality would say something here."""
        return all(entry.low <= values[entry.variable] <= entry.high for entry in self.regular)

    def candidate(self, values: Values | None) -> bool:
        """Whether the evaluation would refute the claim, if a second route agreed."""
        return values is not None and self.margin(values) > 0 and self.surely_feasible(values)

    def rank(self, values: Values | None) -> Rank:
        """The place of an evaluation among others; None for one that failed or does not exist."""
        if values is None or math.isnan(margin := self.margin(values)):
            return LAST
        gaps = [_shortfall(entry, values) for entry in self.hypotheses]
        if any(map(math.isnan, gaps)):
            return LAST
        penalty = sum(max(gap, 0.0) for gap in gaps)
        return (1, -penalty) if penalty > 0 else (2, margin)

    def attained(self, values: Values) -> float:
        """The share of the bound that the value attains; NaN where the bound is zero and there is no share."""
        value, (low, high) = values["value"], self.region
        if math.isfinite(low) and math.isfinite(high):
            return abs(value - (low + high) / 2) / ((high - low) / 2)
        if math.isfinite(high):
            return value / high if high > 0 else math.nan
        return low / value if low > 0 and value > 0 else math.nan


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -FARTHEST


def _beyond(end: float, factor: float, *, below: bool = False) -> float:
    if factor == 1 or math.isinf(end):
        return end
    if end == 0 or (end < 0) is not below:
        raise InputError("clear multiplies the ends of a region: the low one must be negative, the high one positive")
    return end * factor


def _shortfall(entry: Hypothesis, values: Values, *, by_error: bool = False) -> float:
    """How far a hypothesis is from holding, relative to its ends; NaN where it was not measured."""
    value = values.get(entry.variable, math.nan)
    error = values.get(f"{entry.variable}_error", 0.0) if by_error else 0.0
    if math.isnan(value) or math.isnan(error):
        return math.nan if not by_error else math.inf
    ends = [abs(end) for end in (entry.low, entry.high) if math.isfinite(end)]
    size = max([*ends, 1e-300])
    if math.isinf(value):
        return math.inf if not entry.low <= value <= entry.high else 0.0
    return max(entry.low - value + error, value - entry.high + error) / size
