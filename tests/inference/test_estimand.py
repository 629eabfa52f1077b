"""What is estimated: jackknife pseudo-values against their definition, medians against counts, rates of means."""

import math
import re

import numpy as np
import pytest
from scipy import stats

from unifiedscore.errors import InputError
from unifiedscore.inference import Inside, Limit, Proportion, Rate
from unifiedscore.inference.estimand import linearised, median_interval

RNG = np.random.default_rng(3)
Y = RNG.lognormal(0, 1, (4, 7)) * np.array([1e-200, 1.0, 5.0, 1e200])[:, None]
FUNCTIONS = {
    ("mean", False): lambda y: y.mean(),
    ("mean", True): lambda y: np.log(y.mean()),
    ("geometric_mean", False): lambda y: np.exp(np.log(y).mean()),
    ("geometric_mean", True): lambda y: np.log(y).mean(),
}


@pytest.mark.parametrize(("of", "log"), FUNCTIONS)
def test_pseudo_values_are_those_of_the_jackknife(of, log):
    f = FUNCTIONS[of, log]
    found = linearised(Y, of=of, log=log)
    expected = np.array([[7 * f(row) - 6 * f(np.delete(row, s)) for s in range(7)] for row in Y])
    if log:  # but for a common factor of all values
        found, expected = found - found.mean(), expected - expected.mean()
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-9 if log else 0)


def test_means_may_be_positive_where_values_are_not():
    y = np.array([[1.0, 2.0, -0.5, 1.0], [0.0, 1.0, 1.0, 0.0]])
    assert np.isfinite(linearised(y, of="mean", log=True)).all()
    assert "positive means; 1 of 2" in linearised(y - [[2.0], [0.0]], of="mean", log=True)
    assert "one seed alone" in linearised(np.array([[0.0, 0.0, 0.0, 5.0]]), of="mean", log=True)
    assert "positive values; 3 of 8" in linearised(y, of="geometric_mean", log=True)


def test_the_median_lies_between_order_statistics_with_the_chance_of_the_binomial():
    y = np.sort(RNG.normal(size=40))
    for level in (0.95, 0.99, 0.9999):
        found = median_interval(RNG.permutation(y), level)
        k = int(np.flatnonzero(y == found.low)[0]) + 1
        assert found.high == y[40 - k] and found.value == np.median(y)
        missing = [2 * stats.binom.cdf(rank - 1, 40, 0.5) for rank in (k, k + 1)]
        assert missing[0] <= 1 - level < missing[1]
    assert "needs 15 of them; got 14" in median_interval(y[:14], 0.9999).reason
    assert median_interval(y[:15], 0.9999).kind == "binomial"
    assert "one value" in median_interval(np.ones(20), 0.99).reason


def test_the_median_carries_every_increasing_function():
    y = RNG.normal(size=30)
    plain, test = median_interval(y, 0.99), Inside(0, 1, of="median")
    found = test.estimate(np.exp(y), level=0.99)
    assert (found.low, found.high) == pytest.approx((math.exp(plain.low), math.exp(plain.high)))


X = 65536.0 / 2.0 ** np.arange(5, -1, -1)


def _averaged_chi_square(rng, seeds=256):
    """E y = 1/x, averaged over min(64, 65536/x) draws."""
    draws = np.minimum(64, 65536 / X)[:, None]
    return rng.chisquare(draws, (X.size, seeds)) / draws / X[:, None]


def test_a_rate_is_that_of_the_means_under_noise_that_changes_along_x():
    rng, outcomes = np.random.default_rng(4), []
    means, former = Rate(-1.1, -0.9, along="x"), Rate(-1.1, -0.9, along="x", of="geometric_mean")
    for _ in range(40):
        y = _averaged_chi_square(rng)
        outcomes.append([test.estimate(y, x=X, level=level).covers(-1.0)
                         for test in (means, former) for level in (0.99, 0.9999)])  # fmt: skip
    rates = np.mean(outcomes, axis=0)
    assert rates[0] >= 0.95 and rates[1] == 1 and rates[2] < 0.5


def test_a_rate_of_means_is_the_regression_of_the_logarithms_of_the_means():
    y = _averaged_chi_square(np.random.default_rng(5), 4000)
    found = Rate(-1.1, -0.9, along="x").estimate(y, x=X, level=0.99)
    slope = np.polyfit(np.log(X), np.log(y.mean(axis=1)), 1)[0]
    assert found.value == pytest.approx(slope, abs=5e-4)  # up to the bias that the jackknife removes


def test_seeds_that_the_labels_share_stay_paired():
    rng = np.random.default_rng(6)
    common = rng.lognormal(0, 1, 64)
    y = common * (1 + 0.01 * rng.normal(size=(X.size, 64))) / X[:, None]
    test = Rate(-1.1, -0.9, along="x")
    paired = test.estimate(y, x=X, level=0.99)
    broken = test.estimate(np.array([rng.permutation(row) for row in y]), x=X, level=0.99)
    assert paired.high - paired.low < 0.05 * (broken.high - broken.low)


def test_limits_of_geometric_means_and_of_means():
    rng, x = np.random.default_rng(7), 4.0 ** np.arange(6)
    y = (2 + 3 / x)[:, None] * rng.lognormal(0, 0.5, (x.size, 400))
    ends = {"along": "x", "order": 1}
    assert Limit(1.9, 2.1, **ends, of="geometric_mean").estimate(y, x=x, level=0.99).covers(2.0)
    assert Limit(1.9, 2.1, **ends).estimate(y, x=x, level=0.99).covers(2 * math.exp(0.125))
    assert not Limit(1.9, 2.1, **ends).estimate(y, x=x, level=0.99).covers(2.0)


def test_every_seeded_test_names_its_estimand():
    along = {"along": "x"}
    for test in (Inside(0, 1), Rate(0, 1, **along), Limit(0, 1, **along, order=1), Proportion(0, 0.5, trials=3)):
        assert test.estimand == "mean"
    assert Rate(0, 1, **along).called(sampled=True) == "slope of the means"
    assert Rate(0, 1, **along).called(sampled=False) == "slope"
    assert Inside(0, 1, of="geometric_mean").called(sampled=True) == "geometric mean"
    for make in (lambda of: Rate(0, 1, **along, of=of), lambda of: Limit(0, 1, **along, order=1, of=of)):
        with pytest.raises(InputError, match=re.escape("of='mean' or of='geometric_mean'")):
            make("median")
