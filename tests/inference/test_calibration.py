"""Repeated thousands of times on synthetic data with known truth: error rates, coverage, power.

Every bound below is nominal + four binomial standard errors, so that a fixed seed is no lucky seed.
"""

import math
from collections import Counter

import numpy as np
import pytest

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Inside, Limit, Rate, decide

X = 4.0 ** np.arange(2, 11)
SEEDS = 16


def _outcome(test, y, x=None):
    narrow = test.estimate(y, x=x, level=SUPPORT_LEVEL)
    if decide(narrow, test.low, test.high) == "supported":
        return "supported"
    return "refuted" if decide(test.estimate(y, x=x, level=REFUTE_LEVEL), test.low, test.high) == "refuted" else "other"


def _rates(test, draw, repeats, x=None, seed=0):
    rng = np.random.default_rng(seed)
    counts = Counter(_outcome(test, draw(rng), x) for _ in range(repeats))
    return {name: counts[name] / repeats for name in ("supported", "refuted")}


def _upper(nominal, repeats):
    return nominal + 4 * math.sqrt(nominal * (1 - nominal) / repeats)


# Values: Inside ------------------------------------------------------------------------------------------------------


def test_t_intervals_cover_at_their_level_and_not_far_above():
    rng, repeats = np.random.default_rng(1), 20000
    for level in (0.9, 0.99):
        test = Inside(-1, 1)
        hits = sum(test.estimate(y, level=level).covers(0.0) for y in rng.normal(size=(repeats // 4, SEEDS)))
        rate = hits / (repeats // 4)
        assert abs(rate - level) < 4 * math.sqrt(level * (1 - level) / (repeats // 4))


def test_refutation_intervals_cover_at_the_refutation_level():
    # A vectorised replica of the interval, so that 1e-4 is seen at all: 400 000 repeats expect 40 misses.
    from unifiedscore.inference.estimates import t_quantile

    values = np.random.default_rng(2).normal(size=(400_000, SEEDS))
    half = t_quantile(REFUTE_LEVEL, SEEDS - 1) * values.std(axis=1, ddof=1) / math.sqrt(SEEDS)
    misses = int((np.abs(values.mean(axis=1)) > half).sum())
    assert 15 < misses < 70
    even = values[0] - values[0][::-1]
    half = t_quantile(REFUTE_LEVEL, SEEDS - 1) * even.std(ddof=1) / math.sqrt(SEEDS)
    one = Inside(-1, 1).estimate(even, level=REFUTE_LEVEL)
    assert (one.high - one.low) / 2 == pytest.approx(half)


def test_false_support_at_the_edge_of_the_region_is_below_nominal():
    # Just outside: support would be wrong. The region is wide, so one end alone decides: at most (1 - 0.99) / 2.
    rates = _rates(Inside(-10, 0), lambda rng: rng.normal(1e-9, 1, SEEDS), 4000)
    assert rates["supported"] <= _upper(0.005, 4000)
    assert rates["refuted"] <= _upper(1e-4, 4000)


def test_false_refutation_at_the_edge_of_the_region_is_below_nominal():
    rates = _rates(Inside(-10, 0), lambda rng: rng.normal(-1e-9, 1, SEEDS), 4000, seed=3)
    assert rates["refuted"] <= _upper(1e-4, 4000)


@pytest.mark.parametrize(("transform", "centre"), [("log", 1.0), ("atanh", 0.0)])
def test_transformed_values_are_calibrated_where_plain_ones_are_not_normal(transform, centre):
    back = {"log": np.exp, "atanh": np.tanh}[transform]
    test = Inside(-5, 5, transform=transform, of={"log": "geometric_mean", "atanh": "median"}[transform])
    rng, repeats = np.random.default_rng(4), 3000
    hits = sum(
        test.estimate(back(rng.normal(scale=1.5, size=SEEDS)), level=0.95).covers(centre) for _ in range(repeats)
    )
    assert abs(hits / repeats - 0.95) < 4 * math.sqrt(0.95 * 0.05 / repeats)


def test_power_of_inside_at_the_documented_alternatives():
    assert _rates(Inside(-1.3, 1.3), lambda rng: rng.normal(size=SEEDS), 1000)["supported"] >= 0.9
    assert _rates(Inside(-1, 1), lambda rng: rng.normal(3, 1, SEEDS), 1000)["refuted"] >= 0.9


# Rates ---------------------------------------------------------------------------------------------------------------


def _independent(rng):
    return 0.3 * rng.normal(size=(X.size, SEEDS))


def _shared(rng):
    """Points of one seed move together: a common slope and level per seed, as with one sample reused along x."""
    tilt = 0.05 * rng.normal(size=SEEDS) * np.log(X)[:, None]
    return tilt + 0.3 * rng.normal(size=SEEDS) + 0.05 * rng.normal(size=(X.size, SEEDS))


def _heteroscedastic(rng):
    return np.linspace(0.05, 0.6, X.size)[:, None] * rng.normal(size=(X.size, SEEDS))


@pytest.mark.parametrize("noise", [_independent, _shared, _heteroscedastic])
def test_rate_intervals_cover_the_exponent(noise):
    # The noise has mean zero in the logarithm, so that the exponent is that of the geometric mean.
    test, rng, repeats = Rate(-2, 0, along="d", of="geometric_mean"), np.random.default_rng(6), 1500
    hits = sum(test.estimate(np.exp(noise(rng)) / X[:, None], x=X, level=0.99).covers(-1.0) for _ in range(repeats))
    assert hits / repeats >= 0.99 - 4 * math.sqrt(0.99 * 0.01 / repeats)


@pytest.mark.parametrize("noise", [_independent, _shared, _heteroscedastic])
def test_rate_error_rates_at_the_edge_of_the_region(noise):
    test = Rate(-3.0, -1.0, along="d", of="geometric_mean")
    rates = _rates(test, lambda rng: np.exp(noise(rng)) * X[:, None] ** -0.999999, 1500, x=X, seed=7)
    assert rates["supported"] <= _upper(0.005, 1500)
    rates = _rates(test, lambda rng: np.exp(noise(rng)) * X[:, None] ** -1.000001, 1500, x=X, seed=8)
    assert rates["refuted"] <= _upper(1e-4, 1500)


def test_a_regression_on_seed_means_would_not_cover():
    """Why the slope is taken per seed: shared noise makes the regression's own standard error far too small."""
    rng, repeats, hits, ours = np.random.default_rng(9), 400, 0, 0
    from scipy.stats import t

    u = np.log(X) - np.log(X).mean()
    for _ in range(repeats):
        logs = _shared(rng) - np.log(X)[:, None]
        means = logs.mean(axis=1)
        slope = u @ means / (u @ u)
        rest = means - means.mean() - slope * u
        error = math.sqrt(rest @ rest / (X.size - 2) / (u @ u))
        hits += abs(slope + 1) <= t.ppf(0.975, X.size - 2) * error
        ours += Rate(-2, 0, along="d", of="geometric_mean").estimate(np.exp(logs), x=X, level=0.95).covers(-1.0)
    assert hits / repeats < 0.88
    assert ours / repeats >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / repeats)


def test_power_of_rate_at_the_documented_alternatives():
    s = 0.3
    inside = Rate(-1 - 0.25 * s, -1 + 0.25 * s, along="d")
    assert _rates(inside, lambda rng: np.exp(_independent(rng)) / X[:, None], 600, x=X)["supported"] >= 0.9
    slope = inside.high + 0.35 * s
    assert _rates(inside, lambda rng: np.exp(_independent(rng)) * X[:, None] ** slope, 600, x=X)["refuted"] >= 0.9


# Limits --------------------------------------------------------------------------------------------------------------


def _around_two(rng):
    return 2.0 + 5 / X[:, None] + rng.normal(size=(X.size, SEEDS))


def test_limit_intervals_cover_and_errors_stay_below_nominal():
    test, rng, repeats = Limit(0, 4, along="d", order=1), np.random.default_rng(10), 1500
    hits = sum(test.estimate(_around_two(rng), x=X, level=0.99).covers(2.0) for _ in range(repeats))
    assert hits / repeats >= 0.99 - 4 * math.sqrt(0.99 * 0.01 / repeats)
    edge = Limit(-20, 2.0 - 1e-9, along="d", order=1)
    assert _rates(edge, _around_two, 1500, x=X, seed=11)["supported"] <= _upper(0.005, 1500)
    edge = Limit(2.0 - 1e-9, 20, along="d", order=1)
    assert _rates(edge, _around_two, 1500, x=X, seed=12)["refuted"] <= _upper(1e-4, 1500)


def test_power_of_limit_at_the_documented_alternative():
    test = Limit(1.3, 2.7, along="d", order=1)
    assert _rates(test, _around_two, 600, x=X)["supported"] >= 0.9
