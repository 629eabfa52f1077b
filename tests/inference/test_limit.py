"""Limit: extrapolated values with their interval."""

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Limit, decide

X = 4.0 ** np.arange(2, 11)


def _outcome(test, y, x=X, error=None):
    support, refute = (test.estimate(y, x=x, error=error, level=level) for level in (SUPPORT_LEVEL, REFUTE_LEVEL))
    if decide(support, test.low, test.high) == "supported":
        return "supported"
    return "refuted" if decide(refute, test.low, test.high) == "refuted" else "inconclusive"


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0, -1.0, -2.0])
def test_the_limit_of_an_exact_expansion_is_found_at_the_right_end(order):
    x = X if order > 0 else 1 / X
    y = 0.3 - 2 * x**-order
    estimate = Limit(0.2, 0.4, along="d", order=order).estimate(y, x=x, level=0.99)
    assert estimate.value == pytest.approx(0.3, abs=1e-10) and estimate.covers(0.3)
    noisy = y[:, None] + 0.01 * np.random.default_rng(0).normal(size=(X.size, 16))
    estimate = Limit(0.2, 0.4, along="d", order=order).estimate(noisy, x=x, level=0.99)
    assert estimate.kind == "t" and estimate.covers(0.3) and estimate.high - estimate.low < 0.1


def test_a_negative_order_extrapolates_towards_zero():
    h = 2.0 ** -np.arange(10.0)
    test = Limit(0.9, 1.1, along="h", order=-1)
    for steps in (h, h[::-1]):
        estimate = test.estimate(1 + steps + 5 * steps**2, x=steps, level=0.99)
        assert estimate.covers(1.0) and estimate.high - estimate.low < 1e-3
    noisy = (1 + h + 5 * h**2)[:, None] + 1e-3 * np.random.default_rng(1).normal(size=(10, 16))
    # the refit leaves out the largest steps, where the square dominates
    assert test.estimate(noisy, x=h, level=0.99).high > 0.9


def test_supported_at_the_limit_refuted_at_the_last_value():
    x = 4.0 ** np.arange(1, 6)
    y = 1 + 20 / x
    assert _outcome(Limit(0.99, 1.01, along="d", order=1), y, x) == "supported"
    assert _outcome(Limit(y[-1] - 0.005, y[-1] + 0.005, along="d", order=1), y, x) == "refuted"


@pytest.mark.parametrize("c", [-3.0, 0.5, 3.0])
def test_the_numerical_interval_covers_the_limit_despite_the_next_order(c):
    estimate = Limit(0.9, 1.1, along="d", order=1).estimate(1 + c / X + 2 * c / X**2, x=X, level=0.99)
    assert estimate.covers(1.0) and estimate.high - estimate.low < 1e-6


def test_a_wrong_order_that_still_trends_is_pre_asymptotic():
    x = 2.0 ** np.arange(1, 9)
    test = Limit(-0.01, 0.01, along="d", order=2)
    estimate = test.estimate(x**-0.25, x=x, level=0.99)
    assert estimate.reason.startswith("pre-asymptotic") and decide(estimate, -0.01, 0.01) == "inconclusive"
    assert _outcome(Limit(4.99, 5.01, along="d", order=2), x**-0.25, x) == "refuted"
    noisy = x[:, None] ** -0.25 + 1e-4 * np.random.default_rng(0).normal(size=(8, 16))
    assert _outcome(test, noisy, x) == "inconclusive"
    assert _outcome(Limit(4.99, 5.01, along="d", order=2), noisy, x) == "refuted"


def test_stored_errors_are_amplified_by_the_extrapolation():
    x = np.array([1.0, 2.0, 4.0])
    estimate = Limit(0.5, 1.5, along="d", order=1).estimate(1 + 0 * x, x=x, error=0.1 + 0 * x, level=0.99)
    # L = 2 y_4 - y_2: an error of 0.1 in each becomes 0.3
    assert (estimate.high - estimate.low) / 2 == pytest.approx(0.3, rel=1e-6)


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        (np.ones(2), X[:2], "too few points"),
        (np.array([1.0, np.nan, 2.0]), X[:3], "NaN"),
        (np.ones(3), -X[:3], "positive"),
        (np.ones((3, 16)), X[:3], "rounding"),
        (np.arange(6.0).reshape(3, 2), X[:3], "too few seeds"),
    ],
)
def test_bad_data_are_inconclusive_with_a_reason(y, x, reason):
    estimate = Limit(0, 1, along="d", order=1).estimate(y, x=x, level=0.99)
    assert estimate.kind == "none" and reason in estimate.reason


@pytest.mark.parametrize("order", [0, np.inf, np.nan, "1", True])
def test_bad_orders_are_refused(order):
    with pytest.raises(InputError, match="order"):
        Limit(0, 1, along="d", order=order)


def test_a_limit_that_moved_in_its_last_step_but_one_is_as_uncertain_as_that():
    x, y = 4.0 ** np.arange(6), [2.0]
    for first, second, limit in zip(x[:-1], x[1:], [1.0, 1.0, 1.0, 1.3, 1.3], strict=True):
        y.append(limit + (y[-1] - limit) * first / second)
    estimate = Limit(1.1, 1.5, along="x", order=1).estimate(np.array(y), x=x, level=0.99)
    assert estimate.value == pytest.approx(1.3, abs=1e-12) and estimate.low < 1.01 and estimate.high > 1.59
    assert decide(estimate, 1.1, 1.5) == "inconclusive"
