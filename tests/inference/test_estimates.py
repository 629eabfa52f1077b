"""Student intervals, seeds needed, the decision rule and the ledger entry."""

import json
import math

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Estimate, Inside, Verdict, decide
from unifiedscore.inference.estimates import seeds_needed, student, t_quantile
from unifiedscore.inference.verdict import interval_of


def test_the_levels_are_the_fixed_ones():
    assert (SUPPORT_LEVEL, REFUTE_LEVEL) == (0.99, 0.9999)


@pytest.mark.parametrize(("level", "half"), [(0.99, 0.74), (0.9999, 1.31)])
def test_half_widths_at_sixteen_seeds_are_the_planned_ones(level, half):
    values = np.random.default_rng(0).normal(size=16)
    estimate = student(values, level)
    assert (estimate.high - estimate.low) / 2 / values.std(ddof=1) == pytest.approx(half, abs=0.01)


@pytest.mark.parametrize("level", [0.5, 0.99, 0.9999])
@pytest.mark.parametrize("count", [3, 16, 100])
def test_the_interval_is_that_of_scipy(level, count):
    from scipy import stats

    values = np.random.default_rng(count).normal(3, 2, size=count)
    low, high = stats.t.interval(level, count - 1, values.mean(), stats.sem(values))
    estimate = student(values, level)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), rel=1e-9)
    assert estimate.value == pytest.approx(values.mean())


def test_too_few_seeds_say_how_many_are_planned():
    for count in (1, 2):
        estimate = student(np.arange(count, dtype=float), 0.99)
        assert estimate.kind == "none" and "too few seeds" in estimate.reason and "16" in estimate.reason


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300])
def test_identical_seeds_are_no_replicates(value):
    estimate = student(np.full(16, value), 0.99)
    assert estimate.kind == "none" and "rounding" in estimate.reason


@pytest.mark.parametrize(("mean", "deviation"), [(0.5, 2.0), (-0.9, 0.3), (1.7, 1.0), (-3.0, 5.0)])
def test_seeds_needed_is_the_smallest_number_that_decides(mean, deviation):
    def interval(count, level):
        half = t_quantile(level, count - 1) * deviation / math.sqrt(count)
        return Estimate(mean, mean - half, mean + half, "t")

    inside = abs(mean) <= 1
    level = SUPPORT_LEVEL if inside else REFUTE_LEVEL
    shown = interval(5, level)
    need = seeds_needed(shown, -1, 1, seeds=5, level=SUPPORT_LEVEL, refute_level=REFUTE_LEVEL, shown=level)
    assert decide(interval(need, level), -1, 1) == ("supported" if inside else "refuted")
    assert decide(interval(need - 1, level), -1, 1) == "inconclusive"


def test_no_number_of_seeds_decides_a_value_on_the_end():
    estimate = Estimate(1.0, 0.0, 2.0, "t")
    assert seeds_needed(estimate, -1, 1, seeds=5, level=0.99, refute_level=0.9999, shown=0.99) is None


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.0, 1.0, "supported"),
        (-0.1, 1.0, "inconclusive"),
        (0.5, 1.1, "inconclusive"),
        (-1.0, 2.0, "inconclusive"),
        (1.0, 2.0, "inconclusive"),
        (1.01, 2.0, "refuted"),
        (-2.0, -0.01, "refuted"),
        (math.nan, 1.0, "inconclusive"),
    ],
)
def test_inside_supports_disjoint_refutes_else_inconclusive(low, high, outcome):
    assert decide(Estimate(0.5, low, high, "numerical"), 0.0, 1.0) == outcome


def test_without_an_interval_nothing_is_decided():
    assert decide(Estimate(0.5, 0.4, 0.6, "none"), 0, 1) == "inconclusive"


def test_one_sided_regions():
    estimate = Estimate(2.0, 1.0, 3.0, "t")
    assert decide(estimate, 0.5, math.inf) == "supported"
    assert decide(estimate, -math.inf, 0.5) == "refuted"


@pytest.mark.parametrize(
    "region", [(1, 0), (math.nan, 1), (-math.inf, math.inf), (1, 1), (math.inf, math.inf), ("0", 1), (False, 1)]
)
def test_regions_that_cannot_decide_are_refused(region):
    with pytest.raises(InputError, match="Inside"):
        Inside(*region)


def _verdict(**changes):
    entries = dict(
        claim="a.b", study="s", statement="x", source="y", evidence="monte_carlo", outcome="supported",
        expected="supported", reason="r", estimate=np.float64(1.0),
        interval=interval_of(Estimate(1.0, -math.inf, 2.0, "t"), 0.99), region={"low": 0.0, "high": math.inf},
        control_outcome="refuted", control_detail={"mutation": "m", "estimate": math.nan, "interval": {}},
        hypotheses=({"name": "h", "value": 1.0, "low": -math.inf, "high": 2.0, "holds": True},), cells=np.int64(9),
    )  # fmt: skip
    return Verdict(**(entries | changes))


def test_the_ledger_entry_has_exactly_its_keys_and_no_infinities():
    entry = _verdict().to_json()
    assert list(entry) == [
        "claim", "regime", "study", "statement", "source", "evidence", "outcome", "expected", "reason", "finding",
        "estimate", "interval", "region", "control_outcome", "control_detail", "hypotheses", "cells", "reproduce",
    ]  # fmt: skip
    assert entry["interval"] == {"low": None, "high": 2.0, "level": 0.99, "kind": "t"}
    assert entry["region"] == {"low": 0.0, "high": None}
    assert entry["control_detail"]["estimate"] is None
    assert entry["hypotheses"][0]["low"] is None and entry["hypotheses"][0]["holds"] is True
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry


def test_numerical_intervals_have_no_level():
    assert interval_of(Estimate(1.0, 0.0, 2.0, "numerical"), 0.99)["level"] is None


def test_as_expected_needs_the_outcome_and_the_control():
    assert _verdict().as_expected
    assert not _verdict(outcome="refuted").as_expected
    assert not _verdict(control_outcome="inconclusive").as_expected
    assert _verdict(outcome="refuted", expected="refuted", control_outcome=None).as_expected
