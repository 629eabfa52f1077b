"""Inside: values with t intervals or numerical errors, and transforms."""

import numpy as np
import pytest
from scipy import stats

from unifiedscore.errors import InputError
from unifiedscore.inference import Estimate, Inside
from unifiedscore.inference.inside import ESTIMANDS_OF


def test_numerical_errors_make_the_interval():
    test = Inside(0, 1)
    assert test.estimate([0.5], error=[0.1], level=0.99) == Estimate(0.5, 0.4, 0.6, "numerical")
    assert test.estimate(0.5, error=-0.1, level=0.99) == Estimate(0.5, 0.4, 0.6, "numerical")


def test_several_numbers_are_judged_by_their_hull_and_shown_by_the_worst():
    estimate = Inside(0, 1).estimate([0.5, 0.9], error=[0.1, 0.05], level=0.99)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.9, 0.4, 0.95))


@pytest.mark.parametrize(
    ("transform", "of", "forward", "backward"),
    [
        ("none", "mean", np.positive, np.positive),
        ("log", "geometric_mean", np.log, np.exp),
        ("none", "geometric_mean", np.log, np.exp),
        ("atanh", "median", np.arctanh, np.tanh),
    ],
)
def test_transforms_act_before_the_mean_and_are_undone_after(transform, of, forward, backward):
    values = backward(np.linspace(0.4, 0.6, 12))  # symmetric once transformed
    low, high = stats.t.interval(0.99, 11, forward(values).mean(), stats.sem(forward(values)))
    estimate = Inside(0, 1, transform=transform, of=of).estimate(values, level=0.99)
    expected = backward(forward(values).mean()), backward(low), backward(high)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx(expected)
    assert estimate.kind == "t"


@pytest.mark.parametrize(
    ("transform", "values", "reason"),
    [
        ("none", [1.0, np.nan, 2.0, 3.0], "1 of 4 values is NaN"),
        ("none", [1.0, -np.inf, 2.0, np.nan], "NaN or infinite"),
        ("log", [1.0, 0.0, 2.0, 3.0], "positive"),
        ("atanh", [0.1, 1.0, 0.2, 0.3], "between -1 and 1"),
        ("none", [1.0, 1.0, 1.0, 1.0], "rounding"),
        ("none", [1.0, 2.0], "too few seeds"),
        ("none", [], "no value"),
    ],
)
def test_bad_data_are_inconclusive_with_a_reason(transform, values, reason):
    of = ESTIMANDS_OF[transform][0]
    estimate = Inside(0, 1, transform=transform, of=of).estimate(values, level=0.99)
    assert estimate.kind == "none" and reason in estimate.reason


def test_a_missing_numerical_error_is_no_error_of_zero():
    estimate = Inside(0, 1).estimate([0.5], error=[np.nan], level=0.99)
    assert estimate.kind == "none" and "numerical errors" in estimate.reason


def test_huge_log_intervals_end_at_infinity_without_a_warning():
    estimate = Inside(0, 1, of="geometric_mean").estimate([1e-300, 1.0, 1e300], level=0.9999)
    assert estimate.high == np.inf and estimate.low == 0


def test_misuse_is_refused():
    with pytest.raises(InputError, match="transform"):
        Inside(0, 1, transform="sqrt")
    with pytest.raises(InputError, match="one cell"):
        Inside(0, 1).estimate(np.ones((2, 3)), level=0.99)
    with pytest.raises(InputError, match="level"):
        Inside(0, 1).estimate(np.arange(5.0), level=1.0)


def test_a_transform_does_not_judge_another_estimand_in_silence():
    with pytest.warns(DeprecationWarning, match="geometric mean of the seeds, not their mean; say of='geometric_mean'"):
        assert Inside(0, 1, transform="log").of == "geometric_mean"
    with pytest.warns(DeprecationWarning, match="say of='median'"):
        assert Inside(0, 1, transform="atanh").of == "median"
    for transform, of in (("log", "mean"), ("log", "median"), ("atanh", "mean"), ("atanh", "geometric_mean")):
        with pytest.raises(InputError, match=f"not their {of.replace('_', ' ')}"):
            Inside(0, 1, transform=transform, of=of)
    with pytest.raises(InputError, match="Inside: of"):
        Inside(0, 1, of="mode")
    assert Inside(0, 1) == Inside(0, 1, of="mean") != Inside(0, 1, of="median")
