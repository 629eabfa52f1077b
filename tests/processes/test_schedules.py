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
