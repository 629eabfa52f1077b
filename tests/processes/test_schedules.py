"""Schedules obey their definitions, at the ends too."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, UnknownNameError

T = np.array([0.02, 0.2, 0.37, 0.7, 0.98])
GOLDEN = {"foellmer": (0.5, 0.5), "vp_cosine": (4.834414, 0.800361), "rectified_flow": (4.0, 0.428571)}


def slope(function, t, h=1e-4):
    """Fourth-order central difference."""
    return (8 * (function(t + h) - function(t - h)) - function(t + 2 * h) + function(t - 2 * h)) / (12 * h)


def test_eta_has_the_tabulated_values(schedule):
    assert schedule.eta(np.array([0.2, 0.7])) == pytest.approx(GOLDEN[schedule.name], abs=6e-7)


@pytest.mark.parametrize("name", ["alpha", "beta_squared"])
def test_rates_are_the_derivatives(schedule, name):
    expected = slope(getattr(schedule, name), T)
    np.testing.assert_allclose(getattr(schedule, f"{name}_rate")(T), expected, rtol=2e-5, atol=1e-9)


def test_definitions_of_kappa_eta_and_noise(schedule):
    alpha, beta = schedule.alpha(T), schedule.beta(T)
    beta_rate = schedule.beta_squared_rate(T) / (2 * beta)
    kappa = schedule.alpha_rate(T) / alpha
    np.testing.assert_allclose(schedule.kappa(T), kappa, rtol=1e-13)
    np.testing.assert_allclose(schedule.eta(T), beta * (kappa * beta - beta_rate), rtol=1e-11)
    np.testing.assert_allclose(schedule.sigma(T) ** 2, 2 * schedule.eta(T), rtol=1e-14)


def test_snr_grows_at_the_rate_two_eta_over_beta_squared(schedule):
    growth = slope(lambda t: np.log(schedule.snr(t)), T)
    np.testing.assert_allclose(growth, 2 * schedule.eta(T) / schedule.beta_squared(T), rtol=3e-5)
    np.testing.assert_allclose(schedule.time_of_snr(schedule.snr(T)), T, rtol=1e-13)


def test_variance_and_its_rate(schedule):
    gamma = schedule.variance(T, 1.69)
    np.testing.assert_allclose(gamma, schedule.alpha(T) ** 2 * 1.69 + schedule.beta(T) ** 2, rtol=1e-14)
    np.testing.assert_allclose(
        schedule.variance_rate(T, 1.69), 2 * schedule.kappa(T) * gamma - 2 * schedule.eta(T), rtol=1e-9
    )


def test_ends_are_noise_and_data(schedule):
    assert (schedule.alpha(0.0), schedule.alpha(1.0), schedule.beta(1.0)) == (0.0, 1.0, 0.0)
    assert schedule.eta(1.0) == (0.5 if schedule.name == "foellmer" else 0.0)


@pytest.mark.parametrize("t", [-0.1, 1.1, np.nan, "half"])
def test_times_outside_the_unit_interval_are_refused(schedule, t):
    with pytest.raises(InputError, match="t must"):
        schedule.alpha(t)


def test_singular_ends_are_named():
    with pytest.raises(InputError, match="singular at time 0"):
        us.Schedule("rectified_flow").eta(0.0)
    with pytest.raises(InputError, match="singular at time 1"):
        us.Schedule("vp_cosine").snr(1.0)


def test_unknown_schedule_names_the_nearest():
    with pytest.raises(UnknownNameError, match="rectified_flow"):
        us.Schedule("rectified")


def made(name):
    """A named schedule, written as functions of one's own."""
    own = us.Schedule(name)
    return us.Schedule.from_functions(
        own.alpha, own.beta_squared, alpha_rate=own.alpha_rate, beta_squared_rate=own.beta_squared_rate
    )


@pytest.mark.parametrize("name", ["foellmer", "vp_cosine", "rectified_flow"])
def test_a_schedule_made_of_functions_is_the_named_one(name):
    own, named = made(name), us.Schedule(name)
    for part in ("alpha", "alpha_rate", "beta", "beta_squared", "beta_squared_rate", "kappa", "eta", "sigma", "snr"):
        np.testing.assert_allclose(getattr(own, part)(T), getattr(named, part)(T), rtol=1e-12, err_msg=part)
    np.testing.assert_allclose(own.time_of_snr(named.snr(T)), T, rtol=1e-12)
    np.testing.assert_allclose(own.variance_rate(T, 1.69), named.variance_rate(T, 1.69), rtol=1e-12)
    assert isinstance(own.eta(0.5), float)


def test_a_process_takes_a_schedule_of_ones_own():
    base, reward = us.GaussianMixture([[-1.0], [1.0]], 0.3), us.QuadraticReward([0.5], 0.2)
    x = np.linspace(-2, 2, 5)[:, None]
    named, own = (
        us.TiltedProcess(base, reward, schedule) for schedule in (us.Schedule("vp_cosine"), made("vp_cosine"))
    )
    np.testing.assert_allclose(own.tilted_score(x, 0.4), named.tilted_score(x, 0.4), rtol=1e-12)
    paths = [us.simulate(p, 50, np.random.default_rng(0), times=np.linspace(0.01, 1, 20)) for p in (named, own)]
    np.testing.assert_allclose(paths[1].points, paths[0].points, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 3}, "alpha must be"),
        ({"alpha": lambda t: t + 0.1}, "alpha must be 0 at time 0"),
        ({"beta_squared": lambda t: 1 - t + 0.1}, "beta_squared must be 0 at time 1"),
        ({"alpha_rate": lambda t: 2 * np.ones_like(t)}, "alpha_rate must be the derivative of alpha"),
        ({"beta_squared_rate": lambda t: 2 * (1 - t)}, "beta_squared_rate must be the derivative"),
        ({"alpha": lambda t: "a"}, "alpha"),
        ({"name": "foellmer"}, "name must be a text"),
        ({"name": 3}, "name must be a text"),
    ],
)
def test_what_is_no_schedule_is_refused_by_name(change, message):
    flow = us.Schedule("rectified_flow")
    given = {"alpha": flow.alpha, "beta_squared": flow.beta_squared, "alpha_rate": flow.alpha_rate}
    given |= {"beta_squared_rate": flow.beta_squared_rate} | change
    with pytest.raises(InputError, match=message):
        us.Schedule.from_functions(given.pop("alpha"), given.pop("beta_squared"), **given)


def test_a_ratio_that_falls_again_is_refused():
    two = 2 * np.pi
    with pytest.raises(InputError, match="must grow"):
        us.Schedule.from_functions(
            lambda t: t,
            lambda t: (1 - t) * (1 + 8 * t * np.sin(two * t) ** 2),
            alpha_rate=np.ones_like,
            beta_squared_rate=lambda t: (
                -(1 + 8 * t * np.sin(two * t) ** 2)
                + (1 - t) * (8 * np.sin(two * t) ** 2 + 8 * t * two * np.sin(2 * two * t))
            ),
        )


def test_a_beta_that_rounds_below_zero_is_zero_and_small_ratios_have_their_time():
    smooth = us.Schedule.from_functions(
        lambda t: 3 * t**2 - 2 * t**3,
        lambda t: 1 - 3 * t**2 + 2 * t**3,
        alpha_rate=lambda t: 6 * t - 6 * t**2,
        beta_squared_rate=lambda t: -6 * t + 6 * t**2,
    )
    t = 1 - np.geomspace(1e-12, 1e-4, 200)
    assert (smooth.beta_squared(t) >= 0).all() and np.isfinite(smooth.beta(t)).all()
    straight = us.Schedule.from_functions(
        lambda t: t, lambda t: (1 - t) ** 2, alpha_rate=lambda t: 1 + 0 * t, beta_squared_rate=lambda t: -2 * (1 - t)
    )
    for ratio in (1e-200, 1e-40, 1e-3, 1.0, 1e6):
        root = ratio**0.5
        assert straight.time_of_snr(ratio) == pytest.approx(root / (1 + root), rel=1e-12)
