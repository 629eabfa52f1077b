"""Outcomes, the decision rule, and the verdict that goes into the ledger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from unifiedscore.inference.estimates import Estimate

Outcome = Literal["supported", "refuted", "inconclusive", "not_applicable"]
Evidence = Literal["symbolic", "exact", "quadrature", "monte_carlo"]

OUTCOMES = ("supported", "refuted", "inconclusive", "not_applicable")
EVIDENCE = ("symbolic", "exact", "quadrature", "monte_carlo")

SUPPORT_LEVEL = 0.99
"""Level of the interval that must lie inside the region. Fixed: no study may choose it."""

REFUTE_LEVEL = 0.9999
"""Level of the interval that must miss the region. K Monte Carlo verdicts are all right with chance >= 1 - K 1e-4."""


def decide(estimate: Estimate, low: float, high: float) -> Outcome:
    """The one rule: interval inside the region, disjoint from it, or neither.

    Parameters
    ----------
    estimate : Estimate
    low, high : float
        The closed region; one end may be infinite.

    Examples
    --------
    >>> decide(Estimate(-1.0, -1.01, -0.99, "numerical"), -1.05, -0.95)
    'supported'
    >>> decide(Estimate(-1.0, -1.01, -0.99, "numerical"), -2.05, -1.95)
    'refuted'
    """
    if estimate.kind == "none" or math.isnan(estimate.low) or math.isnan(estimate.high):
        return "inconclusive"
    if low <= estimate.low and estimate.high <= high:
        return "supported"
    if estimate.high < low or estimate.low > high:
        return "refuted"
    return "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One entry of the ledger: what was claimed, what came out, and the number that decided it.

    The key is (claim, regime, evidence). `interval` has low, high, level (None if numerical) and kind; `region` low
    and high; `control_detail` mutation, estimate, interval and reason (None where the claim has no control); each
    hypothesis name, value, low, high and holds. `cells` counts the grid cells that were read.
    """

    claim: str
    regime: str = ""
    study: str
    statement: str
    source: str
    evidence: Evidence
    outcome: Outcome
    expected: Outcome
    reason: str
    finding: str = ""
    estimate: float | None = None
    interval: Mapping[str, Any]
    region: Mapping[str, float]
    control_outcome: Outcome | None = None
    control_detail: Mapping[str, Any] | None = None
    hypotheses: tuple[Mapping[str, Any], ...] = ()
    cells: int = 0
    reproduce: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """(claim, regime, evidence): what identifies a verdict between two runs."""
        return self.claim, self.regime, self.evidence

    @property
    def as_expected(self) -> bool:
        """Whether the outcome is the one written down before the run and the control, if any, was refuted."""
        return self.outcome == self.expected and self.control_outcome in (None, "refuted")

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain Python values with the ledger's keys; infinities and NaN become None."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def interval_of(estimate: Estimate, level: float) -> dict[str, Any]:
    """The `interval` entry of a ledger verdict."""
    return {
        "low": estimate.low,
        "high": estimate.high,
        "level": level if estimate.kind in ("t", "binomial") else None,
        "kind": estimate.kind,
    }


def _plain(value):
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
