"""Outcomes, the decision rule, and the verdict that goes into the ledger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.inference.estimates import Estimate
from unifiedscore.validate import choice, shown

Key = tuple[str, str, str]
"""(claim, regime, evidence): what identifies a claim, its verdict, and the same verdict in another run."""

Outcome = Literal["supported", "refuted", "inconclusive", "not_applicable", "survived"]
Evidence = Literal["symbolic", "exact", "quadrature", "monte_carlo", "search"]

OUTCOMES = ("supported", "refuted", "inconclusive", "not_applicable", "survived")
EVIDENCE = ("symbolic", "exact", "quadrature", "monte_carlo", "search")

SUPPORT_LEVEL = 0.99
"""Level of the interval that must lie inside the region. Fixed: no study may choose it."""

CONTROL_KINDS = ("measurement", "law", "resolution only", "none")
"""What a control changes: the computation, the law it is about, or the predicted region alone; or there is none."""

SHARP, LOOSE = 0.98, 0.03
"""An inequality is called sharp from here on, and loose below: shares of its bound that the worst cell attains."""

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


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """One entry of the ledger: what was claimed, what came out, and the number that decided it.

    `interval` has low, high, level (None if numerical) and kind; `region` low and high; `control_detail` mutation,
    estimate, interval and reason (None where the claim has no control); each hypothesis name, value, low, high and
    holds. `of` says what was estimated from replicates ("mean", "geometric_mean", "median"; empty for other evidence).
    `control_kind` is one of `CONTROL_KINDS`, `sharpness` says for an inequality how near to its bound the worst cell
    comes (1: attained); both are unknown ("", None) in ledgers from before they were stored.
    `cells` counts the grid cells that were read, or the evaluations of a search. `search` says what a search tried and
    found, and is None for other evidence; `looks` is None unless seeds were added until the claim was decided. A
    number that is not known is NaN, an open end infinite.

    Two verdicts are equal if they would be written alike.

    Examples
    --------
    >>> verdict = Verdict(claim="demo.mean", study="demo", statement="the mean is positive", source="derived here",
    ...                   evidence="exact", outcome="supported", expected="supported", reason="it is 1", estimate=1.0,
    ...                   interval={"low": 1.0, "high": 1.0, "level": None, "kind": "numerical"},
    ...                   region={"low": 0.0, "high": math.inf}, control_outcome="refuted")
    >>> verdict.as_expected, verdict.to_json()["region"]
    (True, {'low': 0.0, 'high': None})
    >>> Verdict.from_json(verdict.to_json()) == verdict
    True
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
    estimate: float = math.nan
    interval: Mapping[str, Any]
    region: Mapping[str, float]
    control_outcome: Outcome | None = None
    control_detail: Mapping[str, Any] | None = None
    hypotheses: tuple[Mapping[str, Any], ...] = ()
    cells: int = 0
    reproduce: str = ""
    of: str = ""
    control_kind: str = ""
    sharpness: float | None = None
    search: Mapping[str, Any] | None = None
    looks: Mapping[str, Any] | None = None

    def __post_init__(self):
        detail = self.control_detail
        if detail is not None:
            detail = dict(detail) | _value(detail, "estimate")
            if "interval" in detail:
                detail["interval"] = _interval(detail["interval"])
        normal = {
            "estimate": _known(self.estimate, math.nan),
            "interval": _interval(self.interval),
            "region": _ends(self.region),
            "control_detail": detail,
            "hypotheses": tuple(_ends(entry) | _value(entry) for entry in self.hypotheses),
            "search": None if self.search is None else dict(self.search) | _value(self.search, "sharpness"),
        }
        for name, value in normal.items():
            object.__setattr__(self, name, value)

    def __eq__(self, other) -> bool:
        return self.to_json() == other.to_json() if isinstance(other, Verdict) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> Key:
        """(claim, regime, evidence): what identifies a verdict between two runs."""
        return self.claim, self.regime, self.evidence

    @property
    def name(self) -> str:
        """The claim, with its regime where it has one."""
        return claim_name(self.claim, self.regime)

    @property
    def as_expected(self) -> bool:
        """Whether the outcome is the one that the claim expects, by a check that had power.

        A control that was judged must have come out refuted, whatever the claim expects. A claim expected supported
        needs one: without a control nobody knows what would have refuted it. Where another outcome is expected there
        may be none, since a sibling regime or a failing hypothesis plays its part.
        """
        if self.outcome != self.expected or not self.sharpness_as_expected:
            return False
        if self.control_outcome is None:
            return self.expected not in ("supported", "survived")
        return self.control_outcome == "refuted"

    @property
    def sharpness_as_expected(self) -> bool:
        """Whether a search attained the share of the bound that its claim pins; True where nothing is pinned."""
        pinned = (self.search or {}).get("sharpness_expected")
        if not pinned:
            return True
        ends = _ends(pinned)
        return bool(ends["low"] <= self.search["sharpness"] <= ends["high"])

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain Python values with the ledger's keys; infinities and NaN become None.

        `of` is a key of Monte Carlo verdicts alone, `sharpness` of inequalities, `search` of universal claims, `looks`
        of verdicts that asked for more seeds, `control_kind` where it is known.
        """
        entry = {field.name: json_value(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in entry.items() if name not in _IF_KNOWN or value not in ("", None)}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_json` wrote: None is an infinite end, or a number that is not known, by its place.

        Raises
        ------
        InputError
            A part is missing, or an outcome or kind of evidence is not one of those known here.
        """
        if not isinstance(entry, Mapping):
            raise InputError(f"a verdict must be an object with its parts by name; got {shown(entry)}")
        missing = [f.name for f in fields(cls) if f.default is MISSING and f.name not in entry]
        if missing:
            raise InputError(f"a verdict lacks {', '.join(missing)}")
        for name, known in (("evidence", EVIDENCE), ("outcome", OUTCOMES), ("expected", OUTCOMES)):
            choice(entry[name], name, known)
        if entry.get("control_outcome") is not None:
            choice(entry["control_outcome"], "control_outcome", OUTCOMES)
        if entry.get("control_kind"):
            choice(entry["control_kind"], "control_kind", CONTROL_KINDS)
        return cls(**{f.name: entry[f.name] for f in fields(cls) if f.name in entry})


_IF_KNOWN = ("of", "control_kind", "sharpness", "search", "looks")


def claim_name(claim: str, regime: str) -> str:
    """A claim in words, with its regime where it has one.

    Examples
    --------
    >>> claim_name("drift.relative", "equal_means")
    'drift.relative (equal_means)'
    """
    return f"{claim} ({regime})" if regime else claim


def interval_of(estimate: Estimate, level: float) -> dict[str, Any]:
    """The `interval` entry of a ledger verdict."""
    return {
        "low": estimate.low,
        "high": estimate.high,
        "level": level if estimate.kind in ("t", "binomial") else None,
        "kind": estimate.kind,
    }


def json_value(value):
    """Plain Python values of JSON: infinities and NaN, for which it has no words, become None."""
    if isinstance(value, Mapping):
        return {str(key): json_value(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _known(value, unknown: float):
    return unknown if value is None else value


def _value(entry: Mapping[str, Any], name: str = "value") -> dict[str, Any]:
    return {name: _known(entry[name], math.nan)} if name in entry else {}


def _ends(ends: Mapping[str, Any], low: float = -math.inf, high: float = math.inf) -> dict[str, Any]:
    """`ends` with a number at low and high, where it has them."""
    unknown = {"low": low, "high": high}
    return {name: _known(value, unknown[name]) if name in unknown else value for name, value in ends.items()}


def _interval(interval: Mapping[str, Any]) -> dict[str, Any]:
    """An interval of kind "none" has ends that are not known, every other one has ends that may be infinite."""
    return _ends(interval, math.nan, math.nan) if interval.get("kind") == "none" else _ends(interval)
