"""Rate: slopes per seed, refit, trend; numerical slopes by Richardson."""

import numpy as np
import pytest

from unifiedscore.errors import InputError
from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Rate, decide

X = 4.0 ** np.arange(2, 11)
MINUS_ONE = Rate(-1.05, -0.95, along="d")
MINUS_TWO = Rate(-2.05, -1.95, along="d")


def _outcome(test, y, x=X, error=None):
    support, refute = (test.estimate(y, x=x, error=error, level=level) for level in (SUPPORT_LEVEL, REFUTE_LEVEL))
    if decide(support, test.low, test.high) == "supported":
        return "supported"
    return "refuted" if decide(refute, test.low, test.high) == "refuted" else "inconclusive"


def _noisy(beta, noise, seeds=16, x=X, seed=0):
    return 3 * x[:, None] ** beta * np.exp(noise * np.random.default_rng(seed).normal(size=(x.size, seeds)))


@pytest.mark.parametrize("beta", [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0])
def test_exact_power_laws_have_their_exponent(beta):
    region = beta - 0.05, beta + 0.05
    for y, x in ((3 * X**beta, X), (3 * X[::-1] ** beta, X[::-1])):
        estimate = Rate(*region, along="d").estimate(y, x=x, level=0.99)
        assert estimate.kind == "numerical" and estimate.value == pytest.approx(beta, abs=1e-12)
        assert estimate.high - estimate.low < 1e-10
    estimate = Rate(*region, along="d").estimate(_noisy(beta, 0.01), x=X, level=0.99)
    assert estimate.kind == "t" and estimate.covers(beta)


def test_law_log_is_the_slope_against_the_natural_logarithm():
    estimate = Rate(1.9, 2.1, along="d", law="log").estimate(5 + 2 * np.log(X), x=X, level=0.99)
    assert estimate.value == pytest.approx(2.0, abs=1e-12)
    noise = np.random.default_rng(1).normal(scale=0.1, size=(X.size, 16))
    estimate = Rate(1.9, 2.1, along="d", law="log").estimate(-50 + 2 * np.log(X)[:, None] + noise, x=X, level=0.99)
    assert estimate.covers(2.0) and estimate.high - estimate.low < 0.2


@pytest.mark.parametrize("c", [1.0, 10.0, -3.0, 100.0])
def test_a_correction_that_vanishes_is_supported_and_its_control_refuted(c):
    x = 4.0 ** np.arange(6, 11)
    y = 0.2 / x * (1 + c / x)
    assert _outcome(MINUS_ONE, y, x) == "supported"
    assert _outcome(MINUS_TWO, y, x) == "refuted"


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("ratio", [2.0, 4.0])
def test_the_numerical_interval_covers_the_asymptotic_exponent(power, ratio):
    x = 64 * ratio ** np.arange(9)
    for c in (-2.0, -0.5, 0.5, 2.0):
        estimate = MINUS_ONE.estimate(x**-1 * (1 + c * x**-power + 0.5 * c * x ** (-2 * power)), x=x, level=0.99)
        assert estimate.covers(-1.0), (c, estimate)


def test_uneven_grids_extrapolate_exactly():
    x = np.array([100.0, 150, 400, 1000, 1500, 5000])
    estimate = MINUS_ONE.estimate(np.exp(3 * x**-0.7) / x, x=x, level=0.99)
    assert estimate.value == pytest.approx(-1.0, abs=1e-6)
    assert estimate.high - estimate.low < 1e-4


def test_stored_errors_propagate_into_the_slope():
    x = np.array([10.0, 100.0, 1000.0, 10000.0])
    relative = 0.01
    estimate = MINUS_ONE.estimate(1 / x, x=x, error=relative / x, level=0.99)
    # two ends of one decade, each off by one per cent
    assert (estimate.high - estimate.low) / 2 >= 2 * relative / np.log(10)
    assert (estimate.high - estimate.low) / 2 < 6 * relative / np.log(10)


def test_a_trending_slope_is_inconclusive_and_names_the_x_it_would_need():
    x = 2.0 ** np.arange(1, 9)
    y = 1 / x * np.exp(-20 / x)  # local slopes -1 + c/x
    estimate = MINUS_ONE.estimate(y, x=x, level=0.99)
    assert _outcome(MINUS_ONE, y, x) == "inconclusive"
    assert estimate.reason.startswith("pre-asymptotic") and "x would have to reach about" in estimate.reason
    needed = float(estimate.reason.split("about ")[1].split(" ")[0])
    beyond = 2.0 ** np.arange(np.log2(needed) - 7, np.log2(needed) + 2)
    assert x[-1] < needed < 1e6
    assert _outcome(MINUS_ONE, 1 / beyond * np.exp(-20 / beyond), beyond) == "supported"


def test_a_trending_series_far_outside_is_still_refuted():
    x = 2.0 ** np.arange(1, 9)
    y = 1 / x * np.exp(-20 / x)
    assert MINUS_TWO.estimate(y, x=x, level=0.99).reason.startswith("pre-asymptotic")
    assert _outcome(Rate(-4.05, -3.95, along="d"), y, x) == "refuted"
    noise = np.exp(0.01 * np.random.default_rng(2).normal(size=(8, 16)))
    assert _outcome(Rate(-4.05, -3.95, along="d"), y[:, None] * noise, x) == "refuted"
    assert _outcome(MINUS_ONE, y[:, None] * noise, x) == "inconclusive"


def test_a_trend_away_from_the_region_refutes_it():
    x = 2.0 ** np.arange(1, 9)
    y = 1 / x * np.exp(-20 / x)  # the local slopes of the last half fall from -0.55 to -0.89
    noise = np.exp(1e-4 * np.random.default_rng(2).normal(size=(8, 16)))
    assert _outcome(Rate(-0.45, -0.4, along="d"), y, x) == "refuted"
    end = 2.0 ** np.arange(4, 12)
    y = 1 / end * np.exp(-20 / end)  # fitted slope about -0.8, falling towards -1
    assert _outcome(Rate(-0.45, -0.44, along="d"), y[:, None] * noise, end) == "refuted"


def test_a_trend_towards_the_region_does_not_refute_it():
    x = 2.0 ** np.arange(1, 9)
    y = (np.exp(20 / x) / x)[:, None] * np.exp(0.01 * np.random.default_rng(3).normal(size=(8, 16)))
    estimate = MINUS_ONE.estimate(y, x=x, level=REFUTE_LEVEL)
    assert estimate.value < -1.2 and decide(estimate, -1.05, -0.95) == "inconclusive"


def test_a_slope_that_never_settles_is_told_so():
    y = np.exp(0.05 * np.log(X) ** 2)
    estimate = Rate(0.9, 1.0, along="d").estimate(y, x=X, level=0.99)
    assert "no x can be named" in estimate.reason
    assert _outcome(Rate(0.9, 1.2, along="d"), y) == "inconclusive"


def test_slopes_that_alternate_are_known_only_to_their_range():
    slopes = np.array([-1.0, -1.02, -0.99, -1.03, -0.98, -1.01, -1.0, -1.02])
    y = np.exp(np.concatenate([[0], np.cumsum(slopes * np.diff(np.log(X)))]))
    estimate = MINUS_ONE.estimate(y, x=X, level=0.99)
    assert estimate.value == pytest.approx(-1.02) and estimate.high >= -1.0 and estimate.low <= -1.03


def test_one_sided_regions_see_trends_too():
    slope_at_most = Rate(-np.inf, -0.5, along="d")
    rng = np.random.default_rng(4)
    noise = np.exp(0.002 * rng.normal(size=(X.size, 16)))
    drifting = np.exp(-0.02 * np.log(X) ** 2 - 0.05 * np.log(X))  # local slopes fall past -0.5
    assert _outcome(slope_at_most, drifting[:, None] * noise) == "inconclusive"
    assert _outcome(slope_at_most, X[:, None] ** -0.7 * noise) == "supported"
    assert _outcome(slope_at_most, X[:, None] ** -0.3 * noise) == "refuted"


def test_a_refit_that_changes_sides_is_pre_asymptotic():
    beta = np.where(X <= 256, -0.8, -1.25)
    y = np.exp(np.concatenate([[0], np.cumsum(beta[1:] * np.diff(np.log(X)))]))
    noise = np.exp(1e-4 * np.random.default_rng(5).normal(size=(X.size, 16)))
    estimate = Rate(-1.2, -1.1, along="d").estimate(y[:, None] * noise, x=X, level=0.99)
    assert -1.2 < estimate.value < -1.1 and estimate.low < -1.24
    assert estimate.reason.startswith("pre-asymptotic") and decide(estimate, -1.2, -1.1) == "inconclusive"


def test_the_refit_counts_where_all_x_together_show_neither_slope_nor_bend():
    """The last five logarithms rise by 0.2 per unit of log x; the first four hide it from lines and parabolas."""
    x = 4.0 ** np.arange(9)
    u = np.arange(9) - 4.0
    r = np.where(u >= 0, 0.2 * np.log(4) * (u - 2), 0.0)
    basis = np.stack([np.ones(9), u, u**2])
    r[:4] = np.linalg.lstsq(basis[:, :4], -basis[:, 4:] @ r[4:], rcond=None)[0]
    noise = np.exp(1e-3 * np.random.default_rng(7).normal(size=(9, 16)))
    estimate = Rate(-1.1, -0.9, along="x").estimate(np.exp(r)[:, None] / x[:, None] * noise, x=x, level=0.99)
    refit = np.polyfit(np.log(x[3:]), r[3:], 1)[0] - 1
    assert abs(estimate.value + 1) < 2e-3 and refit > -0.9
    assert estimate.high > refit - 2e-3 and decide(estimate, -1.1, -0.9) == "inconclusive"


def test_toward_zero_drops_the_largest_third():
    x = 2.0 ** -np.arange(12.0)
    y = x**2 * (1 + 5 * x)
    assert _outcome(Rate(1.95, 2.05, along="h", toward="zero"), y, x) == "supported"
    assert _outcome(Rate(1.95, 2.05, along="h"), y, x) != "supported"
    noisy = y[:, None] * np.exp(0.01 * np.random.default_rng(6).normal(size=(12, 16)))
    to_zero = Rate(1.9, 2.1, along="h", toward="zero").estimate(noisy, x=x, level=0.99)
    to_infinity = Rate(1.9, 2.1, along="h").estimate(noisy, x=x, level=0.99)
    assert to_zero.low < 2.05 < to_infinity.high


@pytest.mark.parametrize(
    ("y", "x", "reason"),
    [
        (np.ones(3), X[:3], "too few points"),
        (np.array([1.0, 2.0, 0.0, 4.0]), X[:4], "positive values"),
        (np.array([1.0, 2.0, -1.0, 4.0]), X[:4], "positive values"),
        (np.array([1.0, 2.0, np.nan, 4.0]), X[:4], "NaN"),
        (np.array([1.0, 2.0, np.inf, 4.0]), X[:4], "infinite"),
        (np.ones(4), np.array([0.0, 1.0, 2.0, 3.0]), "x must be positive"),
        (np.ones(4), np.array([1.0, 1.0, 2.0, 3.0]), "appears twice"),
        (np.ones((4, 16)) * X[:4, None], X[:4], "rounding"),
        (np.exp(np.arange(8.0)).reshape(4, 2) * X[:4, None], X[:4], "too few seeds"),
    ],
)
def test_bad_data_are_inconclusive_with_a_reason(y, x, reason):
    estimate = MINUS_ONE.estimate(y, x=x, level=0.99)
    assert estimate.kind == "none" and reason in estimate.reason


def test_an_error_as_large_as_the_value_has_no_logarithm():
    estimate = MINUS_ONE.estimate(1 / X, x=X, error=1.1 / X, level=0.99)
    assert estimate.kind == "none" and "logarithm" in estimate.reason


def test_misuse_is_refused():
    for arguments in ({"along": ""}, {"along": "d", "law": "cubic"}, {"along": "d", "toward": "one"}):
        with pytest.raises(InputError, match="Rate"):
            Rate(0, 1, **arguments)
    with pytest.raises(InputError, match="shape"):
        MINUS_ONE.estimate(np.ones(4), x=X[:3], level=0.99)
    with pytest.raises(InputError, match="labels"):
        MINUS_ONE.estimate(np.ones(4), level=0.99)
